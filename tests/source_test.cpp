#include <cairn/source.hpp>

#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include "catch.hpp"

namespace {

/// A file that goes when the test ends.
class file {
 public:
  explicit file(const std::string& text) : path_{"/tmp/cairn-source-XXXXXX"} {
    ::close(::mkstemp(path_.data()));
    write(text);
  }
  file(const file&) = delete;
  file& operator=(const file&) = delete;
  ~file() { ::unlink(path_.c_str()); }

  void write(const std::string& text) const { std::ofstream{path_, std::ios::binary} << text; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::vector<std::string> rest_of(cairn::file_lines& lines) {
  std::vector<std::string> all;
  while (auto line = lines.next()) all.push_back(std::move(line->text));
  return all;
}

cairn::file_lines carried(const cairn::file_lines& from) {
  cairn::detail::buffer bytes;
  cairn::encode(from, bytes);
  return cairn::decode<cairn::file_lines>(bytes.view());
}

template <class Call>
std::pair<cairn::errc, std::string> error_of(Call call) {
  try {
    call();
  } catch (const cairn::error& why) {
    return {why.code(), why.what()};
  }
  return {cairn::errc::ok, {}};
}

}  // namespace

TEST_CASE("a file gives its lines, numbered, the last one with or without an end") {
  const file input{"one\n\nthree"};
  cairn::file_lines lines{input.path()};
  const auto first = lines.next();
  REQUIRE(first);
  CHECK(first->number == 1);
  CHECK(first->text == "one");
  CHECK(rest_of(lines) == std::vector<std::string>{"", "three"});
  CHECK_FALSE(lines.next());
  CHECK(lines.position() == cairn::file_lines::place{10, 4});

  const file ended{"one\n"};
  cairn::file_lines other{ended.path()};
  CHECK(rest_of(other) == std::vector<std::string>{"one"});
  const file empty{""};
  cairn::file_lines none{empty.path()};
  CHECK_FALSE(none.next());
}

TEST_CASE("what was serialized at any line goes on there, and so does a copy") {
  std::string text;
  std::vector<std::string> all;
  for (int at = 0; at < 300; ++at) {
    all.push_back(std::string(static_cast<std::size_t>(at * 7 % 1500), 'x') + std::to_string(at));
    text += all.back() + "\n";
  }
  REQUIRE(text.size() > 2 * 64 * 1024);  // several blocks, lines across their bounds
  const file input{text};
  cairn::file_lines lines{input.path()};
  for (std::size_t at = 0; at <= all.size(); ++at) {
    const std::vector<std::string> left(all.begin() + static_cast<std::ptrdiff_t>(at), all.end());
    cairn::file_lines copy = lines;
    REQUIRE(rest_of(copy) == left);
    cairn::file_lines decoded = carried(lines);
    REQUIRE(decoded.position() == lines.position());
    REQUIRE(rest_of(decoded) == left);
    const auto next = lines.next();
    REQUIRE(next.has_value() == (at < all.size()));
    if (next) REQUIRE(next->number == at + 1);
  }
}

TEST_CASE("seek goes back to where position was") {
  const file input{"one\ntwo\nthree\n"};
  cairn::file_lines lines{input.path()};
  (void)lines.next();
  const auto there = lines.position();
  CHECK(rest_of(lines).size() == 2);
  lines.seek(there);
  CHECK(rest_of(lines) == std::vector<std::string>{"two", "three"});
  lines.seek({});
  CHECK(rest_of(lines).size() == 3);
}

TEST_CASE("an input that cannot be read is an error that names it") {
  cairn::file_lines missing{"/tmp/cairn-no-such-file"};
  const auto [code, text] = error_of([&] { (void)missing.next(); });
  CHECK(code == cairn::errc::not_found);
  CHECK(text == "/tmp/cairn-no-such-file: cannot open: No such file or directory");

  cairn::file_lines folder{"/tmp"};
  const auto [other, what] = error_of([&] { (void)folder.next(); });
  CHECK(other == cairn::errc::io);
  CHECK(what == "/tmp: cannot read: Is a directory");
}

TEST_CASE("an input that became shorter is an error, and the position stays") {
  const file input{"one\ntwo\nthree\n"};
  cairn::file_lines lines{input.path()};
  (void)lines.next();
  (void)lines.next();
  cairn::file_lines later = carried(lines);
  input.write("one\n");
  const auto [code, text] = error_of([&] { (void)later.next(); });
  CHECK(code == cairn::errc::damaged);
  CHECK(text == input.path() + ": shorter than byte 8, from where it was to be read on");
  CHECK(later.position() == cairn::file_lines::place{8, 3});
}

TEST_CASE("a line has a bound") {
  const file input{"short\n" + std::string(2 * cairn::file_lines::max_line, 'x')};
  cairn::file_lines lines{input.path()};
  (void)lines.next();
  for (int times = 0; times < 2; ++times) {
    const auto [code, text] = error_of([&] { (void)lines.next(); });
    CHECK(code == cairn::errc::damaged);
    CHECK(text == input.path() + ": line 2 is longer than 1048576 bytes");
  }
  CHECK(lines.position() == cairn::file_lines::place{6, 2});
}

TEST_CASE("what a source keeps in a state has a class version") {
  CHECK(cairn::detail::schema_of<cairn::file_lines>() == 1);
  CHECK(cairn::detail::schema_of<cairn::file_lines::place>() == 1);
}
