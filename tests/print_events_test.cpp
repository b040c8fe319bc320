#include <cairn/print_events.hpp>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "runtime/fixture.hpp"

namespace printing {

using cairn::event;
using cairn::event_kind;
using cairn::event_level;
using cairn::print_events;
using namespace std::chrono_literals;

/// What `say()` writes on standard error.
template <class Say>
std::string written(Say say) {
  std::FILE* to = std::tmpfile();
  const int before = ::dup(2);
  ::dup2(::fileno(to), 2);
  say();
  ::dup2(before, 2);
  ::close(before);
  std::rewind(to);
  std::string text;
  for (int c = std::fgetc(to); c != EOF; c = std::fgetc(to)) text += static_cast<char>(c);
  std::fclose(to);
  return text;
}

std::vector<event_kind> kinds() {
  std::vector<event_kind> all;
  for (unsigned at = 0; to_string(static_cast<event_kind>(at)) != "unknown"; ++at) {
    all.push_back(static_cast<event_kind>(at));
  }
  return all;
}

TEST_CASE("an event of every kind is one line that names it, from its level on") {
  for (const auto kind : kinds()) {
    event what;
    what.kind = kind;
    what.name = "alice";
    what.text = "two\nlines\rand a \x1b[1mcolour";
    const auto line = cairn::to_line(what);
    INFO(line);
    CHECK(line.starts_with("cairn: " + std::string{to_string(kind)}));
    CHECK(line.find(" alice: two lines and a  [1mcolour") != std::string::npos);
    CHECK(line.find_first_of("\n\r\x1b") == line.size() - 1);
    for (const auto least : {event_level::detail, event_level::notable, event_level::warning}) {
      const auto text = written([&] { print_events{least}(what); });
      CHECK(text == (level_of(kind) >= least ? line : ""));
    }
  }
  CHECK(level_of(event_kind::committed) == event_level::detail);
  CHECK(level_of(event_kind::restarted) == event_level::notable);
  CHECK(level_of(event_kind::diverged) == event_level::warning);
}

TEST_CASE("lines tell what an epoch cost, and of a dead letter what there is to know") {
  event what;
  what.kind = event_kind::committed;
  what.at = cairn::epoch{7};
  what.cost = {3, 4, 512, 21us, 60us, 1904us};
  CHECK(cairn::to_line(what) ==
        "cairn: committed epoch 7 (3 actors, 4 records, 512 bytes; flip 0.021 ms, sweep 0.060 ms, "
        "whole 1.904 ms)\n");
  cairn::dead_letter letter;
  letter.code = cairn::errc::failed;
  letter.payload.resize(9);
  letter.at = cairn::position{2};
  letter.in = cairn::epoch{7};
  event dead;
  dead.kind = event_kind::dead_letter;
  dead.name = "alice";
  dead.text = "bank::deposit: negative";
  dead.letter = &letter;
  CHECK(cairn::to_line(dead) ==
        "cairn: dead_letter alice: bank::deposit: negative (failed, 9 bytes, position 2, epoch "
        "7)\n");
}

TEST_CASE("lines tell what a restart and a rollback took") {
  event what;
  what.kind = event_kind::restarted;
  what.name = "alice";
  what.text = "fresh";
  what.cost.whole = 1045us;
  what.messages = 12;
  CHECK(cairn::to_line(what) == "cairn: restarted alice: fresh (12 messages replayed, 1.045 ms)\n");
  what.kind = event_kind::rolled_back;
  what.at = cairn::epoch{3};
  what.name = {};
  what.text = "alice failed";
  CHECK(cairn::to_line(what) ==
        "cairn: rolled_back epoch 3: alice failed (12 messages delivered again, 1.045 ms)\n");
  what.at = {};  // nothing was committed yet
  CHECK(cairn::to_line(what) ==
        "cairn: rolled_back: alice failed (12 messages delivered again, 1.045 ms)\n");
}

TEST_CASE("lines of several threads do not mix") {
  const auto text = written([] {
    std::vector<std::thread> all;
    for (int at = 0; at < 4; ++at) {
      all.emplace_back([at] {
        event what;
        what.kind = event_kind::failed;
        what.name = std::string(100, static_cast<char>('a' + at));
        for (int left = 200; left > 0; --left) print_events{}(what);
      });
    }
    for (auto& each : all) each.join();
  });
  std::size_t lines = 0;
  for (std::size_t at = 0; at < text.size(); ++lines) {
    const auto end = text.find('\n', at);
    REQUIRE(end == at + 14 + 100);  // "cairn: failed "
    CHECK(text.find_first_not_of(text[at + 14], at + 14) == end);
    at = end + 1;
  }
  CHECK(lines == 800);
}

struct ping {};
struct pupil {
  using protocol = cairn::protocol<ping>;
  void serialize(auto&) {}
  void on(ping) {}
};

cairn::task<int> spawn_one(cairn::root& root) {
  const auto one = root.supervise("class").spawn<pupil>("paul");
  one.tell<ping>();
  co_await root.checkpoint();
  co_return 0;
}

TEST_CASE("an actor that is spawned is told of, one that is restored is not") {
  fixture::bench on;
  fixture::crash<cairn::actors<pupil>>(on, &spawn_one);
  const auto started = on.told.of(event_kind::started, "paul");
  REQUIRE(started.size() == 1);
  CHECK(started[0].what.text == "printing::pupil");
  CHECK(on.told.count(event_kind::started, "class") == 1);
  fixture::crash<cairn::actors<pupil>>(on, &spawn_one);
  CHECK(on.told.count(event_kind::started, "paul") == 1);
}

}  // namespace printing
