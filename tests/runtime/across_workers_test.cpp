// What a turn sends to an actor of another worker goes there in rows, which are opened when their
// turn comes: the order stays, and nothing else can tell.
#include <array>
#include <numeric>
#include <string>
#include <type_traits>
#include <vector>

#include "by_hand.hpp"

namespace across {

using namespace std::chrono_literals;
using cairn::event_kind;

struct mark {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
/// No row takes it.
struct text {
  int value = 0;
  std::string what{};
  void serialize(auto& ar) { ar(value, what); }
};
/// Many lines of the cache: no row takes it either.
struct large {
  int value = 0;
  std::array<int, 40> more{};
  void serialize(auto& ar) { ar(value, more); }
};
struct last {};
struct pause {};

struct keeper {
  using protocol = cairn::protocol<mark, text, large, last, pause>;
  std::vector<int> seen{};
  void serialize(auto& ar) { ar(seen); }
  void on(mark what) { seen.push_back(what.value); }
  void on(text what) { seen.push_back(what.what == "a text longer than a word" ? what.value : -1); }
  void on(large what) { seen.push_back(what.more[39] == what.value ? what.value : -1); }
  void on(last, cairn::context<keeper>& self) { self.stop(); }
  cairn::task<void> on(pause, cairn::context<keeper>& self) { co_await self.sleep(1h); }
};
/// Holds a hundred.
struct shelf {
  using protocol = cairn::protocol<mark>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 100};
  std::vector<int> seen{};
  void serialize(auto& ar) { ar(seen); }
  void on(mark what) { seen.push_back(what.value); }
};

enum class what : std::uint8_t { marks, mixed };
struct burst {
  int count = 0;
  what of = what::marks;
  void serialize(auto& ar) { ar(count, of); }
};
struct finish {};
struct hold {};
/// Sends numbers, one more each time.
template <class To>
struct teller {
  using protocol = cairn::protocol<burst, finish, hold>;
  cairn::ref<To> to{};
  int sent = 0;
  void serialize(auto& ar) { ar(to, sent); }
  void on(burst some) {
    for (int at = 0; at < some.count; ++at, ++sent) {
      if constexpr (std::is_same_v<To, keeper>) {
        if (some.of == what::mixed && at % 97 == 50) {
          to.template tell<text>(sent, "a text longer than a word");
          continue;
        }
        if (some.of == what::mixed && at % 89 >= 86) {
          large made{.value = sent};
          made.more[39] = sent;
          to.template tell<large>(made);
          continue;
        }
      }
      to.template tell<mark>(sent);
    }
  }
  void on(finish) {
    if constexpr (std::is_same_v<To, keeper>) to.template tell<last>();
  }
  void on(hold) {
    if constexpr (std::is_same_v<To, keeper>) to.template tell<pause>();
  }
};

}  // namespace across

template <>
inline constexpr std::string_view cairn::type_name<across::teller<across::keeper>> =
    "across.teller";
template <>
inline constexpr std::string_view cairn::type_name<across::teller<across::shelf>> =
    "across.shelf_teller";

namespace across {

/// Two workers, stepped by hand: the teller on the first, who is told on the second.
template <class To>
struct play {
  using actors = cairn::actors<To, teller<To>>;

  explicit play(fixture::bench& on) {
    on.workers = 2;
    auto chosen = on.options();
    chosen.schedulers = [this](cairn::seats of) {
      return std::make_unique<played::by_hand::seat>(hand, of);
    };
    running = std::make_unique<cairn::system<actors>>(std::move(chosen));
    running->start([this](cairn::root& root) -> cairn::task<int> {
      auto top = root.supervise("top");
      to = top.template spawn<To>("to");
      from = top.template spawn<teller<To>>("from", to);
      co_await root.sleep(10h);
      co_return 0;
    });
    hand.until_quiet();
  }

  [[nodiscard]] cairn::detail::worker& worker(std::size_t at) {
    return *running->inner().workers[at];
  }
  [[nodiscard]] cairn::detail::cell& cell() { return *to.where().where; }
  void part() {
    REQUIRE(cairn::detail::give_away(running->inner(), worker(0), cell(), worker(1)));
    hand.until_quiet();
    REQUIRE(cell().home.load() == &worker(1));
    cell().pinned = true;
  }
  /// The second worker handles so many messages in one step.
  void handle(int count) {
    running->inner().slice = 1;
    running->inner().budget = count;
    hand.step(1);
    running->inner().slice = 256;
    running->inner().budget = 64;
  }
  [[nodiscard]] const std::vector<int>& seen() {
    return cairn::detail::held<To>(cell()).state.seen;
  }
  /// Whether some of what was sent has not been opened.
  [[nodiscard]] bool waits_unopened() { return worker(1).unopened.whose == &cell(); }

  played::by_hand hand{};
  cairn::ref<To> to{};
  cairn::ref<teller<To>> from{};
  std::unique_ptr<cairn::system<actors>> running{};
};

[[nodiscard]] std::vector<int> numbers_below(int end) {
  std::vector<int> all(static_cast<std::size_t>(end));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

}  // namespace across

TEST_CASE("what a turn sends across workers arrives in its order, in rows or not") {
  using namespace across;
  fixture::bench on;
  play<keeper> game{on};
  game.part();
  game.from.tell<burst>(1000);
  game.from.tell<burst>(1000, what::mixed);
  game.from.tell<burst>(1);
  game.from.tell<burst>(2);
  game.hand.step(0);
  game.handle(10);
  CHECK(game.seen() == numbers_below(10));
  CHECK(game.waits_unopened());
  CHECK(game.cell().box.queue.size() < 1000);
  game.from.tell<burst>(500, what::mixed);  // behind what is unopened
  game.hand.step(0);
  game.handle(10);
  CHECK(game.waits_unopened());
  game.hand.until_quiet();
  CHECK(!game.waits_unopened());
  CHECK(game.seen() == numbers_below(2503));
}

TEST_CASE("what a sender that has moved here sends comes after its rows") {
  using namespace across;
  fixture::bench on;
  play<keeper> game{on};
  game.part();
  game.from.tell<burst>(1000);
  game.hand.step(0);
  game.handle(10);
  REQUIRE(game.waits_unopened());
  auto& sender = *game.from.where().where;
  REQUIRE(give_away(game.running->inner(), game.worker(0), sender, game.worker(1)));
  game.from.tell<burst>(100);
  game.hand.step(0);
  game.handle(1);  // takes the sender
  game.hand.until_quiet();
  CHECK(sender.home.load() == &game.worker(1));
  CHECK(game.seen() == numbers_below(1100));
}

TEST_CASE("an actor with unopened rows is not given away") {
  using namespace across;
  fixture::bench on;
  play<keeper> game{on};
  game.part();
  game.from.tell<burst>(1000);
  game.hand.step(0);
  game.handle(10);
  REQUIRE(game.waits_unopened());
  game.cell().pinned = false;
  CHECK(!give_away(game.running->inner(), game.worker(1), game.cell(), game.worker(0)));
}

TEST_CASE("rows overflow a mailbox as single messages do") {
  using namespace across;
  fixture::bench on;
  play<shelf> game{on};
  game.part();
  game.from.tell<burst>(60);
  game.from.tell<burst>(60);
  game.hand.step(0);
  game.hand.until_quiet();
  CHECK(game.seen() == numbers_below(100));
  CHECK(on.told.count(event_kind::dead_letter, "to") == 20);
}

TEST_CASE("rows of an actor that stops become dead letters") {
  using namespace across;
  fixture::bench on;
  play<keeper> game{on};
  game.part();
  game.from.tell<burst>(300);
  game.from.tell<finish>();
  game.from.tell<burst>(400);
  game.hand.step(0);
  game.hand.until_quiet();
  CHECK(!game.waits_unopened());
  CHECK(on.told.count(event_kind::dead_letter) == 400);
}

TEST_CASE("rows wait in the mailbox of an actor that is suspended in a handler") {
  using namespace across;
  fixture::bench on;
  play<keeper> game{on};
  game.part();
  game.from.tell<burst>(300);
  game.from.tell<hold>();
  game.from.tell<burst>(400);
  game.hand.step(0);
  game.hand.until_quiet();
  CHECK(!game.waits_unopened());
  CHECK(game.seen() == numbers_below(300));
  CHECK(game.cell().box.queue.size() == 400);
  on.clock.advance(1h);
  game.hand.until_quiet();
  CHECK(game.seen() == numbers_below(700));
}

TEST_CASE("a snapshot has what stands in unopened rows, each message once") {
  using namespace across;
  fixture::bench on;
  {
    play<keeper> game{on};
    game.part();
    game.from.tell<burst>(1000);
    game.hand.step(0);
    game.handle(10);
    REQUIRE(game.waits_unopened());
    auto& inner = game.running->inner();
    inner.want_epoch();
    inner.budget = inner.slice = 1;
    for (int steps = 0; steps < 400 && on.told.count(event_kind::committed) == 0; ++steps) {
      game.hand.step(0);
      game.hand.step(1);
      (void)game.hand.steps.at(cairn::seats::writer)(0);
    }
    REQUIRE(on.told.count(event_kind::committed) == 1);
    REQUIRE(game.seen().size() < 900);
    game.from.tell<burst>(500);  // lost with the process, unopened
    game.hand.step(0);
    game.hand.step(1);
  }
  play<keeper> game{on};
  CHECK(game.seen() == numbers_below(1000));
}
