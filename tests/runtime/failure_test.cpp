// A handler that throws, and what becomes of its actor, its message and everybody else.
#include <cstdint>

#include "fixture.hpp"

namespace failing {

using cairn::event_kind;
using fixture::bench;

fixture::faults planned;

struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct parcel {
  std::unique_ptr<int> value{};
  void serialize(auto& ar) { ar(value); }
};
struct slow {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct twice {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct report {};

struct summary {
  std::int64_t total = 0;
  std::uint64_t order = 0;
  std::uint64_t consumed = 0;
  void serialize(auto& ar) { ar(total, order, consumed); }
};

[[nodiscard]] std::uint64_t mixed(std::uint64_t order, int value) {
  return order * 1'000'003 + static_cast<std::uint64_t>(value);
}

struct doubler {
  using protocol = cairn::protocol<twice>;
  int asked = 0;
  void serialize(auto& ar) { ar(asked); }
  int on(twice what) {
    ++asked;
    return 2 * what.value;
  }
};

/// Keeps its state in plain numbers.
struct tally {
  using protocol = cairn::protocol<add, parcel, slow, report>;
  std::int64_t total = 0;
  std::uint64_t order = 0;
  cairn::ref<doubler> helper{};
  bool fails = true;
  void serialize(auto& ar) { ar(total, order, helper, fails); }

  void check(int what) const {
    if (fails) planned.check(what);
  }
  void take(int value) {
    total += value;
    order = mixed(order, value);
  }
  void on(add what) {
    take(what.value);
    check(what.value);
  }
  void on(parcel what) {
    take(*what.value);
    check(*what.value);
  }
  /// Fails in its first, second or third turn: value * 10 + turn is planned.
  cairn::task<std::int64_t> on(slow what) {
    take(what.value);
    check(10 * what.value + 1);
    const int once = co_await helper.ask<twice>(what.value);
    take(once);
    check(10 * what.value + 2);
    const int again = co_await helper.ask<twice>(once);
    take(again);
    check(10 * what.value + 3);
    co_return total;
  }
  summary on(report, cairn::context<tally>& self) { return {total, order, raw(self.consumed())}; }
};

/// Keeps its state in strings and vectors.
struct book {
  using protocol = cairn::protocol<add, parcel, slow, report>;
  std::string text{};
  std::vector<int> values{};
  cairn::ref<doubler> helper{};
  bool fails = true;
  void serialize(auto& ar) { ar(text, values, helper, fails); }

  void check(int what) const {
    if (fails) planned.check(what);
  }
  void take(int value) {
    values.push_back(value);
    text += std::to_string(value) + " a line that is longer than any small string holds\n";
  }
  void on(add what) {
    take(what.value);
    check(what.value);
  }
  void on(parcel what) {
    take(*what.value);
    check(*what.value);
  }
  cairn::task<std::int64_t> on(slow what) {
    take(what.value);
    check(10 * what.value + 1);
    const int once = co_await helper.ask<twice>(what.value);
    take(once);
    check(10 * what.value + 2);
    const int again = co_await helper.ask<twice>(once);
    take(again);
    check(10 * what.value + 3);
    co_return total();
  }
  [[nodiscard]] std::int64_t total() const {
    std::int64_t all = 0;
    for (const int each : values) all += each;
    return all;
  }
  summary on(report, cairn::context<book>& self) {
    summary made{total(), 0, raw(self.consumed())};
    std::string expected;
    for (const int each : values) made.order = mixed(made.order, each);
    for (const int each : values) {
      expected += std::to_string(each) + " a line that is longer than any small string holds\n";
    }
    if (expected != text) made.order = 0;
    return made;
  }
};

/// Keeps nothing over a failure.
struct fleeting {
  using protocol = cairn::protocol<add, report>;
  using persistence = cairn::ephemeral;
  int start = 0;
  std::int64_t total = start;
  int on(add what) {
    total += what.value;
    planned.check(what.value);
    return what.value;
  }
  summary on(report) { return {total, 0, 0}; }
};

using all = cairn::actors<tally, book, doubler, fleeting>;
using supervisor_options = cairn::supervisor_options;

summary first, second, third;  // what the root task has seen
std::vector<std::string> seen;

supervisor_options generous() { return {.intensity = {.restarts = 1000}}; }

template <class A, class M>
void send_all(const cairn::ref<A>& to) {
  for (int at = 1; at <= 50; ++at) {
    if constexpr (std::is_same_v<M, parcel>) {
      to.template tell<parcel>(std::make_unique<int>(at));
    } else {
      to.template tell<M>(at);
    }
  }
}

template <class A, class M>
cairn::task<int> disturb(cairn::root& root) {
  auto top = root.supervise("top", generous());
  auto helper = top.spawn<doubler>("helper");
  auto hurt = top.spawn<A>("hurt", A{.helper = helper});
  auto calm = top.spawn<A>("calm", A{.helper = helper, .fails = false});
  send_all<A, M>(hurt);
  send_all<A, M>(calm);
  first = co_await hurt.template ask<report>();
  co_await root.checkpoint();
  second = co_await calm.template ask<report>();
  co_return 0;
}

template <class A>
cairn::task<int> look_again(cairn::root& root) {
  auto top = root.supervise("top", generous());
  third = co_await top.spawn<A>("hurt").template ask<report>();
  co_return 0;
}

/// What `A` holds after 1 to 50, without `lost`, of which `turns_kept` turns of a slow one stand.
summary expected(bool is_slow, int lost, int turns_kept) {
  summary made{0, 0, 51};
  for (int at = 1; at <= 50; ++at) {
    for (int turn = 0, value = at; turn < (is_slow ? 3 : 1); ++turn, value *= 2) {
      if (at == lost && turn >= turns_kept) break;
      made.total += value;
      made.order = mixed(made.order, value);
    }
  }
  return made;
}

template <class A, class M>
void check_disturbed(unsigned workers, int lost_key, int turns_kept, int retried_key) {
  constexpr bool is_slow = std::is_same_v<M, slow>;
  bench on;
  on.workers = workers;
  planned.clear();
  planned.plan(lost_key, 2);
  planned.plan(retried_key, 1);
  fixture::crash<all>(on, disturb<A, M>);
  const summary want = expected(is_slow, is_slow ? lost_key / 10 : lost_key, turns_kept);
  const summary whole = expected(is_slow, 0, 0);
  INFO(on.told.text());
  const summary& hurt = first;
  const summary& calm = second;
  CHECK(hurt.total == want.total);
  CHECK(hurt.order == want.order);
  CHECK(hurt.consumed == 51);
  CHECK(calm.total == whole.total);
  CHECK(calm.order == whole.order);
  CHECK(calm.consumed == 51);
  CHECK(on.told.count(event_kind::failed) == 3);
  CHECK(on.told.count(event_kind::restarted) == 2);
  CHECK(on.told.count(event_kind::given_up) == 1);
  const auto letters = on.told.of(event_kind::dead_letter);
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].letter.code == cairn::errc::failed);
  CHECK(letters[0].letter.text == "fault " + std::to_string(lost_key));
  CHECK(letters[0].letter.message == std::string{cairn::type_name<M>});
  const int lost = is_slow ? lost_key / 10 : lost_key;
  CHECK(raw(letters[0].letter.at) == static_cast<std::uint64_t>(lost));
  M copy{};
  cairn::decode(copy, letters[0].letter.payload);
  if constexpr (std::is_same_v<M, parcel>) {
    CHECK(*copy.value == lost_key);
  } else {
    CHECK(copy.value == (is_slow ? lost_key / 10 : lost_key));
  }
  if (workers == 1) {
    fixture::crash<all>(on, look_again<A>);
    CHECK(third.total == want.total);
    CHECK(third.order == want.order);
    CHECK(third.consumed >= 51);
  }
}

TEST_CASE(
    "a handler that throws: its actor restarts with state and position right, nothing lost or "
    "applied twice, others undisturbed, the sender's order kept, the message a dead letter after "
    "its retry") {
  SECTION("a plain handler, plain state") { check_disturbed<tally, add>(1, 25, 0, 30); }
  SECTION("a plain handler, strings") { check_disturbed<book, add>(1, 25, 0, 30); }
  SECTION("move-only messages, plain state") { check_disturbed<tally, parcel>(1, 25, 0, 30); }
  SECTION("move-only messages, strings") { check_disturbed<book, parcel>(1, 25, 0, 30); }
  SECTION("the first message") { check_disturbed<book, add>(1, 1, 0, 2); }
  for (const int workers : {1, 2}) {
    const auto many = static_cast<unsigned>(workers);
    DYNAMIC_SECTION("a coroutine's first turn, " << workers) {
      check_disturbed<tally, slow>(many, 251, 0, 301);
      check_disturbed<book, slow>(many, 251, 0, 301);
    }
    DYNAMIC_SECTION("a coroutine's second turn, " << workers) {
      check_disturbed<tally, slow>(many, 252, 1, 302);
      check_disturbed<book, slow>(many, 252, 1, 302);
    }
    DYNAMIC_SECTION("a coroutine's third turn, " << workers) {
      check_disturbed<tally, slow>(many, 253, 2, 303);
      check_disturbed<book, slow>(many, 253, 2, 303);
    }
  }
}

cairn::task<int> fleeting_fails(cairn::root& root) {
  auto top = root.supervise("top", generous());
  auto it = top.spawn<fleeting>("it", 1000);
  it.tell<add>(5);
  it.tell<add>(13);
  it.tell<add>(6);
  first = co_await it.ask<report>();
  auto answer = co_await it.ask<add>(14).as_result();
  seen.push_back(std::string{to_string(answer.code())});
  co_return 0;
}

TEST_CASE("an ephemeral actor that fails begins again from the arguments of its spawn") {
  bench on;
  planned.clear();
  seen.clear();
  planned.plan(13, 1);
  planned.plan(14, 1);
  fixture::crash<all>(on, fleeting_fails);
  CHECK(first.total == 1006);
  CHECK(seen == std::vector<std::string>{"failed"});
  CHECK(on.told.count(event_kind::dead_letter, "it") == 2);
  CHECK(on.told.count(event_kind::restarted, "it") == 2);
}

cairn::task<int> asker(cairn::root& root) {
  auto top = root.supervise("top", generous());
  auto helper = top.spawn<doubler>("helper");
  auto one = top.spawn<book>("one", book{.helper = helper});
  for (const int value : {11, 12, 13}) {
    auto answer = co_await one.ask<slow>(value).as_result();
    seen.push_back(std::string{to_string(answer.code())});
    if (!answer) seen.push_back(answer.why().text);
  }
  try {
    co_await one.ask<add>(7);
  } catch (const cairn::ask_error& why) {
    seen.push_back(std::string{to_string(why.code())});
  }
  first = co_await one.ask<report>();
  co_return 0;
}

TEST_CASE("who asked a handler that fails is told so, with what it threw") {
  bench on;
  planned.clear();
  seen.clear();
  planned.plan(111, 2);
  planned.plan(123, 2);
  planned.plan(131, 1);  // its retry succeeds
  planned.plan(7, 2);
  fixture::crash<all>(on, asker);
  INFO(on.told.text());
  REQUIRE(seen.size() == 6);
  CHECK(seen[0] == "failed");
  CHECK(seen[1].find("fault 111") != std::string::npos);
  CHECK(seen[2] == "failed");
  CHECK(seen[3].find("fault 123") != std::string::npos);
  CHECK(seen[4] == "ok");
  CHECK(seen[5] == "failed");
  CHECK(first.total == 12 + 24 + 13 + 26 + 52);
}

}  // namespace failing
