#include <cairn/detail/disk.hpp>
#include <cairn/detail/store_memory.hpp>

#include "catch.hpp"
#include "store_fixture.hpp"

using namespace store_fixture;  // NOLINT(*using-namespace*)
using namespace cairn::detail;  // NOLINT(*using-namespace*)
using cairn::errc;

namespace {

/// What every disk does.
void behaves(disk& where, const std::string& in) {
  where.make_directory(in);
  where.make_directory(in);
  CHECK(where.list(in).empty());
  {
    const auto file = where.create(in + "/a");
    file->write(0, bytes_of("hello"));
    file->write(7, bytes_of("world"));
    file->sync();
    CHECK(file->size() == 12);
  }
  CHECK(error_of([&] { where.create(in + "/a"); }).first == errc::io);
  where.sync_directory(in);
  CHECK(text_of(read_whole(where, in + "/a").view()) == std::string{"hello\0\0world", 12});
  std::array<std::byte, 8> some{};
  CHECK(where.open(in + "/a")->read(10, some.data(), some.size()) == 2);
  CHECK(where.open(in + "/a")->read(20, some.data(), some.size()) == 0);

  where.create(in + "/b");
  where.rename(in + "/a", in + "/b");
  CHECK(where.list(in) == std::vector<std::string>{"b"});
  CHECK(where.open(in + "/b")->size() == 12);
  const auto missing = error_of([&] { where.open(in + "/a"); });
  CHECK(missing.first == errc::not_found);
  CHECK(contains(missing.second, in + "/a"));
  CHECK(error_of([&] { where.rename(in + "/a", in + "/c"); }).first == errc::not_found);
  CHECK(error_of([&] { where.remove(in + "/a"); }).first == errc::not_found);
  remove_leftover(where, in + "/a");
  where.remove(in + "/b");
  CHECK(where.list(in).empty());

  constexpr auto at_once = std::chrono::milliseconds{0};
  {
    const auto held = where.lock(in + "/LOCK", false, at_once);
    CHECK(error_of([&] { where.lock(in + "/LOCK", false, at_once); }).first == errc::locked);
    CHECK(error_of([&] { where.lock(in + "/LOCK", true, at_once); }).first == errc::locked);
  }
  const auto one = where.lock(in + "/LOCK", true, at_once);
  const auto two = where.lock(in + "/LOCK", true, at_once);
  CHECK(error_of([&] { where.lock(in + "/LOCK", false, at_once); }).first == errc::locked);
}

}  // namespace

TEST_CASE("the machine's disk behaves") {
  const directory where;
  posix_disk disk;
  behaves(disk, where.store());
}

TEST_CASE("a disk in memory behaves alike") {
  memory_disk disk;
  behaves(disk, "d");
}

TEST_CASE("error numbers of a full disk are no_space, with the path") {
  for (const int number : {ENOSPC, EDQUOT}) {
    const auto found = error_of([&] { raise_errno(number, "cannot write", "a/b"); });
    CHECK(found.first == errc::no_space);
    CHECK(contains(found.second, "a/b: cannot write: "));
  }
  CHECK(error_of([] { raise_errno(EACCES, "cannot open", "a"); }).first == errc::io);
}

TEST_CASE("the kernel's full disk is told, and the name that the file has now") {
  if (!std::filesystem::exists("/dev/full")) return;
  posix_file full{"/dev/full", O_RDWR};
  CHECK(error_of([&] { full.write(0, bytes_of("x")); }).first == errc::no_space);
  full.renamed("another");
  CHECK(error_of([&] { full.write(0, bytes_of("x")); }).second.starts_with("another: "));
}
