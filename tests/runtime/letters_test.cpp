// Dead letters that the store keeps: listed, delivered again and dropped by the root task.
#include <cstdint>

#include "fixture.hpp"

namespace lettering {

using cairn::errc;
using cairn::event_kind;
using fixture::bench;

fixture::faults planned;

struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct report {};

/// Throws at what is planned.
struct sum {
  using protocol = cairn::protocol<add, report>;
  std::int64_t total = 0;
  void serialize(auto& ar) { ar(total); }
  void on(add what) {
    total += what.value;
    planned.check(what.value);
  }
  std::int64_t on(report) const { return total; }
};

/// The same type to the store, of a later program that knows no `add`.
struct sum_without_add {
  using protocol = cairn::protocol<report>;
  std::int64_t total = 0;
  void serialize(auto& ar) { ar(total); }
  std::int64_t on(report) const { return total; }
};

/// Keeps nothing: neither are its dead letters kept.
struct fleeting {
  using protocol = cairn::protocol<add, report>;
  using persistence = cairn::ephemeral;
  void on(add what) { planned.check(what.value); }
  int on(report) const { return 0; }
};

using actors = cairn::actors<sum, fleeting>;

inline cairn::supervisor patient(cairn::root& top) {
  return top.supervise("all", {.intensity = {.restarts = 1'000'000}});
}

/// Sends it what it will give up, `first` and those that follow.
inline cairn::task<> fail(cairn::ref<sum> one, int first, int count) {
  for (int at = 0; at < count; ++at) {
    planned.plan(first + at, 2);
    one.tell<add>(first + at);
  }
  (void)co_await one.ask<report>();
}

inline std::string texts(const cairn::kept_letters& all) {
  std::string found;
  for (const auto& each : all.letters) {
    found += std::to_string(raw(each.id)) + ":" + each.letter.name + ":" + each.letter.text + " ";
  }
  return found;
}

template <class Asking>
cairn::task<errc> code_of(Asking asked) {
  auto wanted = std::move(asked).as_result();
  const auto told = co_await std::move(wanted);
  co_return told.code();
}

}  // namespace lettering

template <>
inline constexpr std::string_view cairn::type_name<lettering::sum_without_add> = "lettering::sum";

TEST_CASE("a dead letter is kept over a crash, and comes back with all it said") {
  using namespace lettering;
  planned.clear();
  bench on;
  fixture::crash<actors>(on, [](cairn::root& top) -> cairn::task<int> {
    const auto none = co_await top.dead_letters();
    CHECK(none.letters.empty());
    co_await fail(patient(top).spawn<sum>("one"), 7, 2);
    const auto two = co_await top.dead_letters();
    CHECK(two.letters.size() == 2);
    co_await top.checkpoint();
    auto one = top.supervise("more").spawn<sum>("late");
    planned.plan(9, 2);
    one.tell<add>(9);
    (void)co_await one.ask<report>();
    const auto three = co_await top.dead_letters();
    CHECK(three.letters.size() == 3);  // the third one dies with the process
    co_return 0;
  });
  const auto told = on.told.of(event_kind::dead_letter);
  REQUIRE(told.size() == 3);
  fixture::finish<actors>(on, [&](cairn::root& top) -> cairn::task<int> {
    const auto all = co_await top.dead_letters();
    CHECK(texts(all) == "1:one:fault 7 2:one:fault 8 ");
    if (all.letters.size() != 2) co_return 1;
    const auto& letter = all.letters[0].letter;
    CHECK(letter.code == errc::failed);
    CHECK(letter.message == "lettering::add");
    CHECK(letter.at == cairn::position{1});
    CHECK(letter.in == told[0].letter.in);
    CHECK(letter.target == told[0].letter.target);
    CHECK(letter.payload == told[0].letter.payload);
    CHECK(cairn::decode<add>(letter.payload).value == 7);
    CHECK(all.displaced == 0);
    co_return 0;
  });
  // Nobody declares the keeper, and nobody misses it.
  CHECK(on.told.count(event_kind::undeclared, "cairn.dead_letters") == 0);
}

TEST_CASE("systems without a dead letter have no actor for them") {
  using namespace lettering;
  planned.clear();
  bench on;
  const auto app = [](cairn::root& top) -> cairn::task<int> {
    auto all = top.supervise("all");
    auto one = all.spawn<sum>("one");
    auto two = all.spawn<fleeting>("two");
    planned.plan(1, 5);
    two.tell<add>(1);  // of an ephemeral actor
    (void)co_await two.ask<report>();
    one.stop();
    one.tell<add>(2);  // for a stopped one
    const auto none = co_await top.dead_letters();
    CHECK(none.letters.empty());
    CHECK(co_await code_of(top.drop_letter(cairn::letter_id{1})) == errc::not_found);
    CHECK(co_await code_of(top.deliver_again(cairn::letter_id{1})) == errc::not_found);
    co_await top.drop_letters();
    co_await top.checkpoint();
    co_return 0;
  };
  fixture::finish<actors>(on, app);
  CHECK(on.told.count(event_kind::dead_letter) == 2);
  const auto again = fixture::finish<actors>(on, app);
  CHECK(again.restored.actors == 1);  // the supervisor
}

TEST_CASE("a dead letter is delivered again exactly once, over a crash too") {
  using namespace lettering;
  planned.clear();
  bench on;
  fixture::crash<actors>(on, [](cairn::root& top) -> cairn::task<int> {
    auto one = patient(top).spawn<sum>("one");
    co_await fail(one, 100, 3);
    co_await top.checkpoint();
    co_await top.deliver_again(cairn::letter_id{2});
    CHECK(co_await code_of(top.deliver_again(cairn::letter_id{2})) == errc::not_found);
    const auto total = co_await one.ask<report>();
    CHECK(total == 101);
    co_return 0;  // not committed
  });
  fixture::crash<actors>(on, [](cairn::root& top) -> cairn::task<int> {
    auto one = patient(top).spawn<sum>("one");
    const auto before = co_await one.ask<report>();
    CHECK(before == 0);
    const auto all = co_await top.dead_letters();
    CHECK(texts(all) == "1:one:fault 100 2:one:fault 101 3:one:fault 102 ");
    co_await top.deliver_again(cairn::letter_id{2});
    co_await top.checkpoint();
    co_return 0;
  });
  fixture::finish<actors>(on, [](cairn::root& top) -> cairn::task<int> {
    auto one = patient(top).spawn<sum>("one");
    const auto total = co_await one.ask<report>();
    CHECK(total == 101);
    planned.plan(100, 2);
    co_await top.deliver_again(cairn::letter_id{1});  // fails again: a new letter
    (void)co_await one.ask<report>();
    const auto all = co_await top.dead_letters();
    CHECK(texts(all) == "3:one:fault 102 4:one:fault 100 ");
    co_await top.drop_letter(cairn::letter_id{3});
    CHECK(co_await code_of(top.drop_letter(cairn::letter_id{3})) == errc::not_found);
    const auto left = co_await top.dead_letters();
    CHECK(texts(left) == "4:one:fault 100 ");
    co_await top.drop_letters();
    const auto none = co_await top.dead_letters();
    CHECK(none.letters.empty());
    co_return 0;
  });
}

TEST_CASE("a dead letter that cannot be delivered stays what it is") {
  using namespace lettering;
  planned.clear();
  bench on;
  fixture::finish<actors>(on, [](cairn::root& top) -> cairn::task<int> {
    auto all_of = patient(top);
    auto one = all_of.spawn<sum>("one");
    co_await fail(one, 1, 2);
    co_await fail(all_of.spawn<sum>("two"), 3, 1);
    one.stop();
    CHECK(co_await code_of(top.deliver_again(cairn::letter_id{1})) == errc::stopped);
    const auto all = co_await top.dead_letters();
    CHECK(texts(all) == "1:one:fault 1 2:one:fault 2 3:two:fault 3 ");
    co_return 0;
  });
  fixture::finish<cairn::actors<sum_without_add, fleeting>>(
      on, [](cairn::root& top) -> cairn::task<int> {
        auto two = patient(top).spawn<sum_without_add>("two");
        CHECK(co_await code_of(top.deliver_again(cairn::letter_id{3})) == errc::unknown_type);
        // Nobody lives any more where the first one did.
        CHECK(co_await code_of(top.deliver_again(cairn::letter_id{2})) == errc::stopped);
        const auto total = co_await two.ask<report>();
        CHECK(total == 0);
        const auto all = co_await top.dead_letters();
        CHECK(texts(all) == "1:one:fault 1 2:one:fault 2 3:two:fault 3 ");
        co_return 0;
      });
  fixture::finish<actors>(on, [](cairn::root& top) -> cairn::task<int> {
    auto two = patient(top).spawn<sum>("two");
    co_await top.deliver_again(cairn::letter_id{3});
    const auto total = co_await two.ask<report>();
    CHECK(total == 3);
    co_return 0;
  });
}

TEST_CASE("a suspended actor is given its dead letter, and handles it when it goes on") {
  using namespace lettering;
  planned.clear();
  bench on;
  fixture::finish<actors>(on, [](cairn::root& top) -> cairn::task<int> {
    auto strict = top.supervise("strict", {.intensity = {.restarts = 1}});
    auto one = strict.spawn<sum>("one");
    planned.plan(1, 2);
    planned.plan(2, 1);
    one.tell<add>(1);
    one.tell<add>(2);
    one.tell<add>(4);
    CHECK(co_await code_of(one.ask<report>()) == errc::failed);  // suspended by then
    co_await top.deliver_again(cairn::letter_id{1});
    const auto none = co_await top.dead_letters();
    CHECK(none.letters.empty());
    top.resume(one);
    const auto total = co_await one.ask<report>();
    CHECK(total == 7);
    co_return 0;
  });
}

TEST_CASE("at the bound the oldest dead letter goes, and is counted") {
  using namespace lettering;
  planned.clear();
  bench on;
  auto chosen = on.options();
  chosen.dead_letters = 2;
  fixture::finish<actors>(std::move(chosen), [](cairn::root& top) -> cairn::task<int> {
    co_await fail(patient(top).spawn<sum>("one"), 1, 5);
    const auto all = co_await top.dead_letters();
    CHECK(texts(all) == "4:one:fault 4 5:one:fault 5 ");
    CHECK(all.displaced == 3);
    co_return 0;
  });
  auto none = on.options();
  none.dead_letters = 0;
  fixture::finish<actors>(std::move(none), [](cairn::root& top) -> cairn::task<int> {
    co_await fail(patient(top).spawn<sum>("one"), 6, 1);
    const auto all = co_await top.dead_letters();
    CHECK(all.letters.size() == 2);
    co_return 0;
  });
}
