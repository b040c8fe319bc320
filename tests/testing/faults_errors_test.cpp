// Errors of a simulated disk: those of the machine's disk, and those that it is told to have.
#include <array>
#include <cairn/detail/disk.hpp>
#include <cairn/testing/faults.hpp>
#include <chrono>
#include <random>
#include <string>

#include "catch.hpp"
#include "store_fixture.hpp"

using namespace std::chrono_literals;
using namespace store_fixture;  // NOLINT(*using-namespace*)
using cairn::errc;
using cairn::detail::disk;
using cairn::detail::read_whole;
using cairn::testing::disk_faults;
using cairn::testing::simulated_disk;

namespace {

std::string content(disk& of, const std::string& path) {
  return text_of(read_whole(of, path).view());
}

/// A file in directory "d" that is durable, with its name.
void durable_file(disk& on, const std::string& path, const std::string& text) {
  on.make_directory("d");
  const auto file = on.create(path);
  file->write(0, bytes_of(text));
  file->sync();
  on.sync_directory("d");
}

/// One step drawn from `random` on files below `in`; what came of it, without `in`.
std::string random_step(disk& on, const std::string& in, std::mt19937& random) {
  const std::array<std::string, 5> names{"a", "b", "c", "none/a", "a/b"};
  const auto from = in + "/" + names[random() % names.size()];
  const auto to = in + "/" + names[random() % names.size()];
  const auto what = random() % 8;
  const auto offset = random() % 3000;
  const std::string text(random() % 1500, static_cast<char>('a' + random() % 26));
  std::string got;
  const auto [code, said] = error_of([&] {
    if (what == 0) on.create(from)->write(offset, bytes_of(text));
    if (what == 1) got = content(on, from);
    if (what == 2) on.rename(from, to);
    if (what == 3) on.remove(from);
    if (what == 4) on.open(from)->write(0, bytes_of(text));
    if (what == 5) on.make_directory(random() % 2 == 0 ? in + "/none/" : in);
    if (what == 6) on.sync_directory(from);
    if (what == 7) {
      for (const auto& name : on.list(random() % 2 == 0 ? in : from)) got += name + "\n";
    }
  });
  const auto at = said.find(in);
  return std::to_string(what) + std::string{to_string(code)} +
         (at == 0 ? said.substr(in.size()) : said) + got;
}

}  // namespace

TEST_CASE("without faults it is like the machine's disk, errors and their texts included") {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const directory where;
    cairn::detail::posix_disk machine;
    simulated_disk simulated{seed};
    const auto view = simulated.mount();
    std::mt19937 one{seed};
    std::mt19937 two{seed};
    machine.make_directory(where.store());
    view->make_directory("s.cairn");
    for (int step = 0; step < 200; ++step) {
      INFO("seed " << seed << ", step " << step);
      REQUIRE(random_step(*view, "s.cairn", one) == random_step(machine, where.store(), two));
    }
  }
}

TEST_CASE("a full disk takes what fits, and more after something is removed") {
  simulated_disk disk{3, {.capacity = 1000}};
  const auto view = disk.mount();
  view->make_directory("d");
  auto first = view->create("d/a");
  first->write(0, bytes_of(std::string(800, 'a')));
  const auto second = view->create("d/b");
  const auto refused = error_of([&] { second->write(0, bytes_of(std::string(300, 'b'))); });
  CHECK(refused.first == errc::no_space);
  CHECK(contains(refused.second, "d/b: cannot write: "));
  CHECK(content(*view, "d/b") == std::string(200, 'b'));
  first->write(0, bytes_of(std::string(800, 'c')));  // what is there already takes no more
  view->remove("d/a");
  CHECK(error_of([&] { second->write(200, bytes_of("b")); }).first == errc::no_space);
  first.reset();  // an open file keeps its space
  second->write(200, bytes_of("b"));
}

TEST_CASE("each fault is told by its code and path, and happens about as often as it is set") {
  const auto count = [](disk_faults faults, auto step, errc code) {
    simulated_disk disk{7};
    const auto view = disk.mount();
    durable_file(*view, "d/a", "text");
    const auto file = view->create("d/b");
    disk.set_faults(faults);
    int failed = 0;
    for (int i = 0; i < 1000; ++i) {
      const auto [got, text] = error_of([&] { step(*view, *file); });
      if (got == errc::ok) continue;
      CHECK((got == code && contains(text, "d")));
      ++failed;
    }
    return failed > 200 && failed < 300;
  };
  std::array<std::byte, 4> some{};
  const auto write = [](disk&, auto& file) { file.write(0, bytes_of("x")); };
  const auto read = [&](disk& on, auto&) { on.open("d/a")->read(0, some.data(), some.size()); };
  CHECK(count({.write_error = 0.25}, write, errc::io));
  CHECK(count({.no_space = 0.25}, write, errc::no_space));
  CHECK(count({.read_error = 0.25}, read, errc::io));
  CHECK(count({.sync_error = 0.25}, [](disk&, auto& file) { file.sync(); }, errc::io));
  CHECK(count({.sync_error = 0.25}, [](disk& on, auto&) { on.sync_directory("d"); }, errc::io));
}

TEST_CASE("a bit flips for one read, or for good") {
  simulated_disk disk{5};
  const auto view = disk.mount();
  const std::string text(64, 'a');
  durable_file(*view, "d/a", text);
  disk.set_faults({.flip_on_read = 1});
  const auto wrong = content(*view, "d/a");
  disk.set_faults({});
  CHECK(wrong != text);
  CHECK(content(*view, "d/a") == text);
  disk.flip("d/a", 8 * 3 + 1);
  CHECK(content(*view, "d/a") == "aaac" + std::string(60, 'a'));
  disk.crash();
  CHECK(content(*disk.mount(), "d/a") == "aaac" + std::string(60, 'a'));
  CHECK(error_of([&] { disk.flip("d/b", 0); }).first == errc::not_found);
  disk.set_faults({.flip_at_rest = 1});
  durable_file(*disk.mount(), "d/b", text);
  CHECK(content(*disk.mount(), "d/b") != text);
}

TEST_CASE("slow operations take time from where the test says") {
  simulated_disk disk{5, {.slow = 0.5, .slow_for = 3h}};
  std::chrono::nanoseconds slept{0};
  disk.sleep = [&](std::chrono::nanoseconds pause) { slept += pause; };
  const auto view = disk.mount();
  for (int i = 0; i < 100; ++i) (void)view->list(".");
  CHECK((slept > 3h * 25 && slept < 3h * 75));
}

TEST_CASE("the power can fail in the hook, before the operation that it was told of") {
  simulated_disk disk{5};
  const auto view = disk.mount();
  durable_file(*view, "d/a", "text");
  disk.on_operation = [&](std::string_view name, const std::string&) {
    if (name == "remove") disk.crash();
  };
  view->remove("d/a");
  disk.on_operation = {};
  CHECK(content(*disk.mount(), "d/a") == "text");
}
