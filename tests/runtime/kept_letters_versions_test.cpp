// Dead letters that are kept while the program changes the types they are of.
#include <string>

#include "fixture.hpp"

namespace kept_versions {

using cairn::errc;
using cairn::event_kind;
using fixture::bench;

fixture::faults planned;

/// What a program has of one name, this one has several times.
template <class T>
concept stored = requires { T::stored_as; };

}  // namespace kept_versions

template <kept_versions::stored T>
inline constexpr std::string_view cairn::type_name<T> = T::stored_as;

namespace kept_versions {

/// As the first program has it.
struct first_pay {
  static constexpr std::string_view stored_as = "kept_versions::pay";
  int cents = 0;
  void serialize(auto& ar, std::uint32_t /*version*/) { ar(cents); }
  [[nodiscard]] std::string text() const { return std::to_string(cents) + ";"; }
};
/// As the next one has it.
struct second_pay {
  static constexpr std::string_view stored_as = "kept_versions::pay";
  int cents = 0;
  std::string currency = "euro";  // what older bytes mean
  void serialize(auto& ar, std::uint32_t version) {
    ar(cents);
    if (version >= 3) ar(currency);
  }
  [[nodiscard]] std::string text() const { return std::to_string(cents) + " " + currency + ";"; }
};
/// Called something else as well.
struct remittance : second_pay {
  static constexpr std::string_view stored_as = "kept_versions::remittance";
};
struct show {
  static constexpr std::string_view stored_as = "kept_versions::show";
};

/// What all of them do.
template <class Pay>
struct taker {
  using protocol = cairn::protocol<Pay, show>;
  std::string taken{};
  void serialize(auto& ar) { ar(taken); }
  void on(Pay what) {
    taken += what.text();
    planned.check(what.cents);
  }
  std::string on(show) const { return taken; }
};
template <class Pay>
struct purse : taker<Pay> {
  static constexpr std::string_view stored_as = "kept_versions::purse";
};
struct wallet : taker<remittance> {
  static constexpr std::string_view stored_as = "kept_versions::wallet";
};
/// That of a program that pays nobody.
struct idle_purse {
  static constexpr std::string_view stored_as = "kept_versions::purse";
  using protocol = cairn::protocol<show>;
  std::string taken{};
  void serialize(auto& ar) { ar(taken); }
  std::string on(show) const { return taken; }
};
/// Has the purse's name once there are no purses.
struct lodger {
  static constexpr std::string_view stored_as = "kept_versions::lodger";
  using protocol = cairn::protocol<first_pay, show>;
  std::string taken{};
  void serialize(auto& ar) { ar(taken); }
  void on(first_pay what) { taken += what.text(); }
  std::string on(show) const { return taken; }
};

using first = cairn::actors<purse<first_pay>>;
using second = cairn::actors<purse<second_pay>>;
using renamed = cairn::actors<wallet>;
using without_message = cairn::actors<idle_purse, cairn::retired<"kept_versions::pay">>;
using without_actor = cairn::actors<lodger, cairn::retired<"kept_versions::purse">>;

}  // namespace kept_versions

CEREAL_CLASS_VERSION(kept_versions::second_pay, 3)
CEREAL_CLASS_VERSION(kept_versions::remittance, 4)

template <>
inline constexpr auto cairn::former_names<kept_versions::remittance> =
    cairn::names("kept_versions::pay");
template <>
inline constexpr auto cairn::former_names<kept_versions::wallet> =
    cairn::names("kept_versions::purse");

namespace kept_versions {

inline cairn::supervisor patient(cairn::root& root) {
  return root.supervise("top", {.intensity = {.restarts = 1'000'000}});
}

/// Makes its actor give up what is of this value, once.
inline void give_up(int value) { planned.plan(value, 2); }

/// The first program: leaves letters of 7 and of 8 behind.
void leave_two(bench& on) {
  planned.clear();
  fixture::crash<first>(on, [](cairn::root& root) -> cairn::task<int> {
    auto it = patient(root).spawn<purse<first_pay>>("it");
    for (const int value : {7, 8}) {
      give_up(value);
      it.tell<first_pay>(value);
    }
    const auto taken = co_await it.ask<show>();
    CHECK(taken.empty());
    co_await root.checkpoint();
    co_return 0;
  });
}

/// Everything that a letter says.
std::string all_of(const cairn::kept_letters& all) {
  std::string found;
  for (const auto& [id, letter] : all.letters) {
    found += std::to_string(raw(id)) + " " + letter.name + " " + letter.message + " " +
             std::to_string(letter.schema) + " " + std::string{to_string(letter.code)} + " " +
             letter.text + " of";
    for (const std::byte each : letter.payload) {
      found += " " + std::to_string(std::to_integer<int>(each));
    }
    found += "\n";
  }
  return found;
}

const std::string seventh = "1 it kept_versions::pay 1 failed fault 7 of 1 0 0 0 0 7 0 0 0\n";
const std::string eighth = "2 it kept_versions::pay 1 failed fault 8 of 1 0 0 0 0 8 0 0 0\n";

struct answered {
  errc code = errc::ok;
  std::string text{};
};
cairn::task<answered> again(cairn::root* root, std::uint64_t which) {
  const auto told = co_await root->deliver_again(cairn::letter_id{which}).as_result();
  answered how{told.code(), {}};
  if (!told) how.text = told.why().text;
  co_return how;
}

bool has(const std::string& text, std::string_view part) {
  INFO(text);
  return text.find(part) != text.npos;
}

/// Once the first program is back it can deliver both.
void deliver_both(bench& on) {
  fixture::finish<first>(on, [](cairn::root& root) -> cairn::task<int> {
    auto it = patient(root).spawn<purse<first_pay>>("it");
    co_await root.deliver_again(cairn::letter_id{1});
    co_await root.deliver_again(cairn::letter_id{2});
    const auto taken = co_await it.ask<show>();
    CHECK(taken == "7;8;");
    const auto none = co_await root.dead_letters();
    CHECK(none.letters.empty());
    co_return 0;
  });
}

}  // namespace kept_versions

TEST_CASE("a kept letter of an older version is read by it, and fails again in the present one") {
  using namespace kept_versions;
  bench on;
  leave_two(on);
  fixture::finish<second>(on, [](cairn::root& root) -> cairn::task<int> {
    auto it = patient(root).spawn<purse<second_pay>>("it");
    const auto before = co_await root.dead_letters();
    CHECK(all_of(before) == seventh + eighth);
    co_await root.deliver_again(cairn::letter_id{1});
    const auto taken = co_await it.ask<show>();
    CHECK(taken == "7 euro;");
    give_up(8);
    co_await root.deliver_again(cairn::letter_id{2});
    (void)co_await it.ask<show>();
    const auto after = co_await root.dead_letters();
    CHECK(all_of(after) ==
          "3 it kept_versions::pay 4 failed fault 8 of 1 3 0 0 0 8 0 0 0 4 0 0 0 0 0 0 0 101 117 "
          "114 111\n");
    co_return 0;
  });
  // The program before knows what it cannot read, and keeps it.
  fixture::finish<first>(on, [](cairn::root& root) -> cairn::task<int> {
    auto it = patient(root).spawn<purse<first_pay>>("it");
    const auto how = co_await again(&root, 3);
    CHECK(how.code == errc::newer_schema);
    CHECK(has(how.text, "it was written in version 3, this program reads up to version 0"));
    const auto taken = co_await it.ask<show>();
    CHECK(taken == "7 euro;");
    co_return 0;
  });
  fixture::finish<second>(on, [](cairn::root& root) -> cairn::task<int> {
    auto it = patient(root).spawn<purse<second_pay>>("it");
    co_await root.deliver_again(cairn::letter_id{3});
    const auto taken = co_await it.ask<show>();
    CHECK(taken == "7 euro;8 euro;");
    const auto none = co_await root.dead_letters();
    CHECK(none.letters.empty());
    co_return 0;
  });
  CHECK(on.told.count(event_kind::letter_dropped) == 0);
}

TEST_CASE("a kept letter finds its actor and its handler under their new names") {
  using namespace kept_versions;
  bench on;
  leave_two(on);
  fixture::finish<renamed>(on, [](cairn::root& root) -> cairn::task<int> {
    auto it = patient(root).spawn<wallet>("it");
    const auto before = co_await root.dead_letters();
    CHECK(all_of(before) == seventh + eighth);  // it says how it was called
    give_up(7);
    co_await root.deliver_again(cairn::letter_id{1});
    co_await root.deliver_again(cairn::letter_id{2});
    const auto taken = co_await it.ask<show>();
    CHECK(taken == "8 euro;");
    const auto after = co_await root.dead_letters();
    CHECK(all_of(after) ==
          "3 it kept_versions::remittance 5 failed fault 7 of 1 4 0 0 0 7 0 0 0 4 0 0 0 0 0 0 0 "
          "101 117 114 "
          "111\n");
    co_return 0;
  });
}

TEST_CASE(
    "a kept letter whose message type is retired stays as it is, and may be delivered later") {
  using namespace kept_versions;
  bench on;
  leave_two(on);
  for (int run = 0; run < 2; ++run) {
    fixture::finish<without_message>(on, [](cairn::root& root) -> cairn::task<int> {
      (void)patient(root).spawn<idle_purse>("it");
      const auto how = co_await again(&root, 1);
      CHECK(how.code == errc::unknown_type);
      CHECK(has(how.text, "\"kept_versions::purse\" does not handle \"kept_versions::pay\""));
      const auto all = co_await root.dead_letters();
      CHECK(all_of(all) == seventh + eighth);
      co_return 0;
    });
  }
  CHECK(on.told.count(event_kind::delivered_again) == 0);
  CHECK(on.told.count(event_kind::letter_dropped) == 0);
  deliver_both(on);
}

TEST_CASE("a kept letter to an actor of a retired type stays, and nobody else is given it") {
  using namespace kept_versions;
  bench on;
  leave_two(on);
  for (int run = 0; run < 2; ++run) {
    fixture::finish<without_actor>(on, [](cairn::root& root) -> cairn::task<int> {
      auto other = patient(root).spawn<lodger>("it");  // has its name, and would handle it
      const auto how = co_await again(&root, 1);
      CHECK(how.code == errc::stopped);
      CHECK(has(how.text, "the actor is"));
      const auto taken = co_await other.ask<show>();
      CHECK(taken.empty());
      const auto all = co_await root.dead_letters();
      CHECK(all_of(all) == seventh + eighth);
      co_return 0;
    });
  }
  CHECK(on.told.count(event_kind::stopped, "it") == 1);
  CHECK(on.told.count(event_kind::delivered_again) == 0);
  fixture::finish<without_actor>(on, [](cairn::root& root) -> cairn::task<int> {
    co_await root.drop_letter(cairn::letter_id{1});
    const auto all = co_await root.dead_letters();
    CHECK(all_of(all) == eighth);
    co_return 0;
  });
}

namespace kept_versions {

/// The first letter is on its way to an actor that nobody has declared, when the process dies.
void send_one(bench& on) {
  leave_two(on);
  fixture::crash<first>(on, [](cairn::root& root) -> cairn::task<int> {
    auto coming = root.deliver_again(cairn::letter_id{1});
    const auto left = co_await root.dead_letters();
    CHECK(all_of(left) == eighth);
    co_await root.checkpoint();
    co_return 0;
  });
}

}  // namespace kept_versions

TEST_CASE("a letter that is on its way while the program changes is handled, or kept again") {
  using namespace kept_versions;
  SECTION("its type has a newer version") {
    bench on;
    send_one(on);
    fixture::finish<second>(on, [](cairn::root& root) -> cairn::task<int> {
      auto it = patient(root).spawn<purse<second_pay>>("it");
      (void)co_await it.ask<show>();  // it may stand behind this
      const auto taken = co_await it.ask<show>();
      CHECK(taken == "7 euro;");
      const auto left = co_await root.dead_letters();
      CHECK(all_of(left) == eighth);
      co_return 0;
    });
  }
  SECTION("its type and its actor's are renamed") {
    bench on;
    send_one(on);
    fixture::finish<renamed>(on, [](cairn::root& root) -> cairn::task<int> {
      auto it = patient(root).spawn<wallet>("it");
      (void)co_await it.ask<show>();  // it may stand behind this
      const auto taken = co_await it.ask<show>();
      CHECK(taken == "7 euro;");
      co_return 0;
    });
  }
  SECTION("its type is retired") {
    bench on;
    send_one(on);
    fixture::finish<without_message>(on, [](cairn::root& root) -> cairn::task<int> {
      auto it = patient(root).spawn<idle_purse>("it");
      (void)co_await it.ask<show>();
      const auto left = co_await root.dead_letters();
      CHECK(all_of(left) == seventh + eighth);
      co_return 0;
    });
    deliver_both(on);
  }
  SECTION("its actor's type is retired") {
    bench on;
    send_one(on);
    fixture::finish<without_actor>(on, [](cairn::root& root) -> cairn::task<int> {
      co_await root.checkpoint();
      const auto left = co_await root.dead_letters();
      CHECK(all_of(left) == seventh + eighth);
      co_return 0;
    });
  }
}
