// A replay in which a handler's effects carry something else than before, and one in which they
// carry the same, though what they are made of lies elsewhere or in another order.
#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <cereal/types/unordered_set.hpp>

#include "fixture.hpp"

namespace values {

using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

struct shade {
  int depth = 0;
  void serialize(auto& ar, std::uint32_t) { ar(depth); }
};
using book = std::unordered_map<std::string, std::vector<int>>;

struct word {
  std::string text{};
  void serialize(auto& ar) { ar(text); }
};
struct list {
  std::vector<double> all{};
  void serialize(auto& ar) { ar(all); }
};
struct pages {
  book all{};
  std::unordered_set<int> marks{};
  void serialize(auto& ar) { ar(all, marks); }
};
struct shared {
  std::shared_ptr<const word> one{};
  std::shared_ptr<const word> other{};
  std::unordered_map<int, shade> shades{};
  void serialize(auto& ar) { ar(one, other, shades); }
};
/// Does not serialize where its text says so.
struct stubborn {
  std::string text{};
  void serialize(auto& ar) {
    if (text.starts_with("no")) throw std::runtime_error{"it does not"};
    ar(text);
  }
};
struct block {
  std::array<std::uint64_t, 16> all{};
  void serialize(auto& ar) { ar(all); }
};
struct step {};
struct hold_on {};
struct fail {};
struct look {};

struct sink {
  using protocol = cairn::protocol<word, list, pages, shared, stubborn, block>;
  std::string text{};
  void serialize(auto& ar) { ar(text); }
  int on(word) { return 1; }
  void on(list) {}
  void on(pages) {}
  void on(shared) {}
  void on(stubborn) {}
  void on(block) {}
};

struct doer;
std::function<void(doer&, cairn::context<doer>&)> act;
bool thrown = false;

struct doer {
  using protocol = cairn::protocol<step, hold_on, fail, look, word, shared>;
  cairn::ref<sink> to{};
  cairn::ref<sink> other{};
  pages kept{};
  shared held{};
  void serialize(auto& ar) { ar(to, other, kept, held); }
  void on(step, cairn::context<doer>& self) {
    if (act) act(*this, self);
  }
  cairn::task<> on(hold_on, cairn::context<doer>& self) {
    if (act) act(*this, self);
    co_await self.sleep(1h);
  }
  void on(shared what) { held = std::move(what); }
  void on(fail) {
    if (!std::exchange(thrown, true)) throw std::runtime_error{"it does"};
  }
  std::string on(look) { return answer; }
  void on(word) {}
  static inline std::string answer{};
};
using all = cairn::actors<doer, sink>;
using doing = std::function<void(doer&, cairn::context<doer>&)>;

/// What the actor is told before it acts.
std::function<void(const cairn::ref<doer>&)> before;
std::string to_id;

cairn::task<int> app(cairn::root& root, doing then) {
  auto top = root.supervise("top");
  auto to = top.spawn<sink>("to");
  auto other = top.spawn<sink>("other");
  to_id = "#" + std::to_string(raw(to.id()));
  auto it = top.spawn<doer>("it", doer{.to = to, .other = other});
  if (before) before(it);
  co_await root.checkpoint();  // a base, from which its replay begins
  it.tell<step>();
  (void)co_await it.ask<look>();
  act = then;
  it.tell<fail>();
  (void)co_await it.ask<look>().as_result();
  co_return 0;
}

/// What is told where it has done `first`, and in replay does `then`. Empty: nothing.
std::string differ(const doing& first, const doing& then) {
  bench on;
  act = first;
  thrown = false;
  fixture::crash<all>(on, [&](cairn::root& root) { return app(root, then); });
  act = {};
  before = {};
  INFO(on.told.text());
  REQUIRE(thrown);
  const auto events = on.told.of(event_kind::diverged);
  if (events.empty()) {
    CHECK(on.told.count(event_kind::restarted, "it") == 1);
    return {};
  }
  REQUIRE(events.size() == 1);
  CHECK(events.front().what.name == "it");
  return events.front().what.text;
}

/// The text for one other value in a message of this type to `to`.
bool names_value(const std::string& text, const std::string& type) {
  INFO(text);
  const std::string begin =
      " (values::doer): the same effects, of other values: expected was another value in the "
      "message values::" +
      type + " to " + to_id + " (0x";
  const auto at = text.find(begin);
  CHECK(text.find("at position ") == 0);
  return at != text.npos && text.find(", seen was 0x", at + begin.size()) != text.npos;
}

doing words(std::string text) {
  return [text](doer& me, auto&) { me.to.template tell<word>(text); };
}

}  // namespace values

TEST_CASE("a string of another content is named with actor, type, position, expected and seen") {
  using namespace values;
  const std::string longer = "a text that no small string has room for";
  CHECK(names_value(differ(words("ab"), words("ba")), "word"));
  CHECK(names_value(differ(words(longer), words(longer + "!")), "word"));
  CHECK(differ(words(longer), words(longer)).empty());
}

TEST_CASE("a vector, an array or a hashed container of another content is named") {
  using namespace values;
  const auto sends = [](std::vector<double> all) -> doing {
    return [all](doer& me, auto&) { me.to.template tell<list>(all); };
  };
  CHECK(names_value(differ(sends({1, 2, 3}), sends({1, 3, 2})), "list"));
  CHECK(differ(sends({1, 2, 3}), sends({1, 2, 3})).empty());
  const auto maps = [](book all, std::unordered_set<int> marks) -> doing {
    return [all, marks](doer& me, auto&) { me.to.template tell<pages>(all, marks); };
  };
  const book one{{"a", {1, 2}}, {"b", {}}};
  CHECK(names_value(differ(maps(one, {1}), maps({{"a", {1}}, {"b", {2}}}, {1})), "pages"));
  CHECK(names_value(differ(maps(one, {1}), maps(one, {2})), "pages"));
  CHECK(names_value(differ(maps(one, {1}), maps(one, {1, 2})), "pages"));
  CHECK(differ(maps(one, {1, 2}), maps(one, {2, 1})).empty());
  const auto blocks = [](std::size_t at) -> doing {
    return [at](doer& me, auto&) {
      block sent;
      sent.all[at] = 1;
      me.to.template tell<block>(sent);
    };
  };
  CHECK(names_value(differ(blocks(14), blocks(15)), "block"));  // behind its first 64 bytes
}

TEST_CASE("an equal container is the same, in whatever order a restored state has its elements") {
  using namespace values;
  // Elements of one bucket come in the order in which they were put there, the last one first. A
  // state that is read has been put together in the order of the one that was written.
  static std::vector<std::vector<std::string>> orders;
  orders.clear();
  const doing fills_and_sends = [](doer& me, auto&) {
    if (me.kept.all.empty()) {
      me.kept.all.rehash(1);
      me.kept.all.max_load_factor(1000);
    }
    std::vector<std::string> order;
    for (const auto& [key, value] : me.kept.all) order.push_back(key);
    orders.push_back(order);
    me.to.template tell<pages>(me.kept.all, me.kept.marks);
  };
  act = [](doer& me, auto&) {
    for (int at = 0; at < 40; ++at) me.kept.all["key " + std::to_string(at)].push_back(at);
  };
  const doing fills = act;
  before = [&](const cairn::ref<doer>& it) { it.tell<step>(); };
  int calls = 0;
  const doing both = [&](doer& me, cairn::context<doer>& self) {
    calls++ == 0 ? fills(me, self) : fills_and_sends(me, self);
  };
  CHECK(differ(both, fills_and_sends).empty());
  REQUIRE(orders.size() == 2);
  CHECK(orders[0] != orders[1]);
  std::sort(orders[0].begin(), orders[0].end());
  std::sort(orders[1].begin(), orders[1].end());
  CHECK(orders[0] == orders[1]);
}

TEST_CASE("shared constants are compared by content, whether or not they are one object") {
  using namespace values;
  const auto text = std::make_shared<const word>(word{"a text that is shared"});
  const auto shades = [](int more) {
    std::unordered_map<int, shade> made;
    for (int at = 0; at < 20; ++at) made[at] = shade{at + more};
    return made;
  };
  const auto sends = [](std::shared_ptr<const word> with, std::unordered_map<int, shade> all) {
    return doing{
        [with, all](doer& me, auto&) { me.to.template tell<shared>(me.held.one, with, all); }};
  };
  const auto holds = [&] {
    before = [&](const cairn::ref<doer>& it) { it.tell<shared>(text, nullptr, shades(0)); };
  };
  // In its base it is an object of its own; what the handler has besides is the one of before.
  holds();
  CHECK(differ(sends(text, shades(0)), sends(text, shades(0))).empty());
  holds();
  const auto other = std::make_shared<const word>(word{"a text that is shared!"});
  CHECK(names_value(differ(sends(text, shades(0)), sends(other, shades(0))), "shared"));
  holds();
  CHECK(names_value(differ(sends(text, shades(0)), sends(text, shades(1))), "shared"));
  holds();
  CHECK(names_value(differ(sends(text, shades(0)), sends(nullptr, shades(0))), "shared"));
}

TEST_CASE("a value whose serialize throws is not compared, and nothing else fails by it") {
  using namespace values;
  const auto sends = [](std::string text, std::string with) -> doing {
    return [text, with](doer& me, auto&) {
      me.to.template tell<stubborn>(text);
      me.other.template tell<word>(with);
    };
  };
  CHECK(differ(sends("no", "a"), sends("no", "a")).empty());
  CHECK(differ(sends("no", "a"), sends("no", "b")).empty());  // values of one turn are one sum
  CHECK(differ(sends("a", "a"), sends("no", "a")).empty());
  CHECK(names_value(differ(sends("a", "a"), sends("b", "a")), "stubborn"));
  CHECK(differ(sends("no", "a"), words("a")).find("more than one") != std::string::npos);
}

TEST_CASE("of several values it is named which one differs, where it is one") {
  using namespace values;
  const auto sends = [](std::string to, std::string other, double of) -> doing {
    return [=](doer& me, auto&) {
      me.to.template tell<word>(to);
      me.other.template tell<word>(other);
      me.to.template tell<list>(std::vector{of});
    };
  };
  CHECK(names_value(differ(sends("a", "b", 1), sends("c", "b", 1)), "word"));
  CHECK(names_value(differ(sends("a", "b", 1), sends("a", "b", 2)), "list"));
  CHECK(differ(sends("a", "b", 1), sends("b", "a", 1)).find("of which more than one differs") !=
        std::string::npos);
  const auto twice = [](std::string first, std::string second) -> doing {
    return [=](doer& me, auto&) {
      me.to.template tell<word>(first);
      me.to.template tell<word>(second);
    };
  };
  CHECK(differ(twice("a", "b"), twice("b", "a")).empty());  // the order does not count
  const auto seen = differ(twice("a", "b"), twice("a", "c"));
  CHECK(seen.find("another value in the message values::word to " + to_id + "; now") !=
        std::string::npos);
}

TEST_CASE("an answer of another content is named") {
  using namespace values;
  doer::answer = "one answer of many";
  bench on;
  thrown = false;
  act = {};
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    auto it = top.spawn<doer>("it");
    (void)co_await it.ask<look>();
    doer::answer = "another answer";
    it.tell<fail>();
    (void)co_await it.ask<look>().as_result();
    co_return 0;
  });
  const auto events = on.told.of(event_kind::diverged, "it");
  REQUIRE(events.size() == 1);
  CHECK(events.front().what.text.find("expected was another value in an answer to ") !=
        std::string::npos);
}

TEST_CASE("what else an effect carries is compared, too") {
  using namespace values;
  const auto differs = [](const doing& first, const doing& then, const std::string& where) {
    CHECK(differ(first, first).empty());
    const auto text = differ(first, then);
    INFO(text);
    CHECK(text.find("expected was another value in " + where) != std::string::npos);
  };
  const auto stops = [](std::string reason) -> doing {
    return [=](doer& me, auto&) { me.other.stop(reason); };
  };
  differs(stops("tired"), stops("bored"), "the word stop to ");
  const auto births = [](std::string name, std::string text) -> doing {
    return [=](doer&, auto& self) { (void)self.template spawn<sink>(name, text); };
  };
  differs(births("child", "a"), births("child", "b"), "the spawn of #");
  differs(births("child", "a"), births("other", "a"), "the spawn of #");
  const auto reminds = [](std::chrono::hours after, std::string text) -> doing {
    return [=](doer&, auto& self) { self.template send_after<word>(after, text); };
  };
  differs(reminds(1h, "a"), reminds(2h, "a"), "the message values::word to itself");
  differs(reminds(1h, "a"), reminds(1h, "b"), "the message values::word to itself");
  const auto repeats = [](cairn::every how) -> doing {
    return [=](doer&, auto& self) { self.template send_every<word>(how, "a"); };
  };
  differs(repeats({.period = 1h}), repeats({.period = 1h, .missed = cairn::overdue::skip}),
          "the message values::word to itself");
  const auto asks = [](bool waits, std::chrono::hours within) -> doing {
    return [=](doer& me, auto&) {
      if (waits) return (void)me.to.template ask<word>("a").within(within);
      me.to.template tell<word>("a");
    };
  };
  CHECK(differ(asks(true, 1h), asks(true, 1h)).empty());
  CHECK(differ(asks(true, 1h), asks(false, 1h)).find("of other values") != std::string::npos);
  const auto runs = [](std::string name) -> doing {
    return [=](doer&, auto& self) { (void)self.run(name, [] { return 1; }); };
  };
  differs(runs("a"), runs("b"), "the run \"b\", number ");
}

TEST_CASE("a handler that sends another value when it is run again at start is refused by name") {
  using namespace values;
  const auto sends = [](std::string text) -> doing {
    return [=](doer& me, auto&) { me.to.template tell<word>(text); };
  };
  const auto life = [](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    auto to = top.spawn<sink>("to");
    auto other = top.spawn<sink>("other");
    to_id = "#" + std::to_string(raw(to.id()));
    auto it = top.spawn<doer>("it", doer{.to = to, .other = other});
    if (!root.restored()) it.tell<hold_on>();
    (void)co_await to.ask<word>("");
    co_await root.checkpoint();
    co_return 0;
  };
  const auto next_process = [&](const std::string& version) {
    bench on;
    act = sends("a");
    fixture::crash<all>(on, life);
    act = sends("b");
    on.version = version;
    auto chosen = on.options();
    chosen.other_version = [](const cairn::recorded_handler&) {
      return cairn::version_answer::rerun;
    };
    cairn::system<all> running{std::move(chosen)};
    running.start(life);
    running.wait();
    act = {};
    fixture::outcome how;
    fixture::note_failure(running, how);
    return how.text;
  };
  const std::string text = next_process("1");
  INFO(text);
  CHECK(
      text.find("actor it (values::doer) could not be restored: at position 1 it had 1 effects and "
                "now has 1 (values::doer): the same effects, of other values: expected was another "
                "value in the message values::word to " +
                to_id + " (0x") != std::string::npos);
  CHECK(next_process("2").empty());  // its messages may have other members
}
