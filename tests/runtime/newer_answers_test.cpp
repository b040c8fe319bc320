// Answers and journal posts of a newer version than the program's.
#include <algorithm>
#include <asio/use_future.hpp>
#include <cairn/journal.hpp>
#include <future>
#include <string>
#include <utility>

#include "../store_fixture.hpp"
#include "fixture.hpp"

namespace newer {

using namespace std::chrono_literals;
using cairn::errc;
using cairn::event_kind;
using fixture::bench;

/// A program has one type of each name; this one has two of each, of different versions.
template <class T>
concept named_for_test = requires { T::newer_name; };

}  // namespace newer

template <newer::named_for_test T>
inline constexpr std::string_view cairn::type_name<T> = T::newer_name;

namespace newer {

bool waits_before = false;  ///< the buyer, before it looks at the answer
bool went_on = false;       ///< it has looked at it

/// In the answers and in the posts.
struct old_money {
  int cents = 0;
  void serialize(auto& ar, std::uint32_t /*version*/) { ar(cents); }
};
struct new_money : old_money {
  int tax = 0;
  void serialize(auto& ar, std::uint32_t /*version*/) { ar(cents, tax); }
};

template <class Money>
struct price {
  Money money{};
  void serialize(auto& ar) { ar(money); }
};
template <class Money>
struct payment {
  static constexpr std::string_view newer_name = "newer::payment";
  Money money{};
  void serialize(auto& ar) { ar(money); }
};
struct quote {
  static constexpr std::string_view newer_name = "newer::quote";
};
struct buy {
  static constexpr std::string_view newer_name = "newer::buy";
};
struct show {
  static constexpr std::string_view newer_name = "newer::show";
};

template <class Money>
struct shop {
  static constexpr std::string_view newer_name = "newer::shop";
  using protocol = cairn::protocol<quote>;
  price<Money> on(quote) const {
    price<Money> made;
    made.money.cents = 7;
    return made;
  }
};

template <class Money>
struct buyer {
  static constexpr std::string_view newer_name = "newer::buyer";
  using protocol = cairn::protocol<buy, payment<Money>, show>;
  cairn::ref<shop<Money>> from{};
  int asked = 0;
  std::string diary{};  // so that its base is not a copy before each turn
  void serialize(auto& ar) { ar(from, asked, diary); }
  cairn::task<void> on(buy, cairn::context<buyer>& self) {
    auto first = from.template ask<quote>();
    ++asked;
    if (waits_before) co_await self.sleep(1h);
    const price<Money> got = co_await std::move(first);
    went_on = true;
    asked += 10 + got.money.cents;
    if (!waits_before) co_await self.sleep(1h);
  }
  void on(payment<Money> what) { asked += what.money.cents; }
  int on(show) const { return asked; }
};

template <class Money>
using all = cairn::actors<shop<Money>, buyer<Money>>;

}  // namespace newer

CEREAL_CLASS_VERSION(newer::new_money, 4)

namespace newer {

/// Leaves an answer behind: one that its handler has gone on with, or that waits for it.
cairn::task<int> leave_answer(cairn::root& root) {
  const auto top = root.supervise("top");
  const auto from = top.spawn<shop<new_money>>("shop");
  const auto one = top.spawn<buyer<new_money>>("one", from);
  one.tell<buy>();
  const auto& cell = *one.where().where;  // there is one worker
  const auto has_come = [&] {
    if (!waits_before) return went_on;
    const auto arrived = [](const auto& each) { return each.arrived; };
    return cell.busy() && std::any_of(cell.more->slots.begin(), cell.more->slots.end(), arrived);
  };
  while (!has_come()) co_await root.sleep(0ns);
  co_await root.checkpoint();
  co_return 0;
}

template <class Money>
cairn::task<int> go_on(cairn::root& root, const fixture::hand_clock* clock, int* to) {
  const auto top = root.supervise("top");
  (void)top.spawn<shop<Money>>("shop");
  const auto one = top.spawn<buyer<Money>>("one");
  clock->advance(2h);
  *to = co_await one.template ask<show>();
  co_return 0;
}

/// Why the system could not go on.
template <class System>
std::pair<errc, std::string> refusal(System& running) {
  running.wait();
  return store_fixture::error_of([&] {
    if (auto why = running.inner().failure()) std::rethrow_exception(why);
  });
}

const std::string above = "version 4 of newer::old_money is above this program's 0";

TEST_CASE("an answer of a newer version ends the system by name, and is not lost") {
  waits_before = GENERATE(false, true);
  went_on = false;
  bench on;
  fixture::crash<all<new_money>>(on, &leave_answer);
  int seen = 0;
  {
    cairn::system<all<old_money>> older{on.options()};
    older.start([&](cairn::root& root) { return go_on<old_money>(root, &on.clock, &seen); });
    const auto why = refusal(older);
    CHECK(why.first == errc::newer_schema);
    CHECK(store_fixture::contains(why.second, "actor one (newer::buyer)"));
    CHECK(store_fixture::contains(why.second, above));
  }
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::given_up) == 0);
  CHECK(on.told.count(event_kind::dead_letter) == 0);
  CHECK(on.told.count(event_kind::diverged) == 0);
  fixture::crash<all<new_money>>(
      on, [&](cairn::root& root) { return go_on<new_money>(root, &on.clock, &seen); });
  CHECK(seen == 18);
}

/// A program that has dropped its payments, and does not say so.
struct lone_buyer {
  static constexpr std::string_view newer_name = "newer::buyer";
  using protocol = cairn::protocol<show>;
  int asked = 0;
  std::string diary{};
  void serialize(auto& ar) {
    cairn::ref<shop<old_money>> from{};
    ar(from, asked, diary);
  }
  int on(show) const { return asked; }
};

template <class Buyer>
struct doors {
  cairn::ref<Buyer> one{};
  cairn::journal<Buyer> port{};
};
template <class Buyer>
cairn::task<int> serve(cairn::root& root, std::promise<doors<Buyer>>* to) {
  const auto one = root.supervise("top").spawn<Buyer>("one");
  to->set_value({one, cairn::journal<Buyer>{root, "posts", one}});
  co_await root.until_stopped();
  co_return 0;
}
template <class Buyer, class System>
doors<Buyer> begin(System& running) {
  std::promise<doors<Buyer>> made;
  running.start([&made](cairn::root& root) { return serve(root, &made); });
  return made.get_future().get();
}
/// Two posts that are durable, and handled by nobody.
void post_and_end(bench& on) {
  cairn::system<all<new_money>> running{on.options()};
  const auto to = begin<buyer<new_money>>(running);
  to.port.template async_post<payment<new_money>>(asio::use_future, new_money{{5}, 1}).get();
  to.port.template async_post<payment<new_money>>(asio::use_future, new_money{{2}, 1}).get();
}

/// Both posts arrive where the program reads them.
void check_posts(bench& on) {
  cairn::system<all<new_money>> running{on.options()};
  const auto to = begin<buyer<new_money>>(running);
  int seen = 0;
  while (seen < 7) seen = cairn::async_ask<show>(to.one, asio::use_future).get();
  CHECK(seen == 7);
}

TEST_CASE("a journal post of a newer version ends the system by name, and is not lost") {
  bench on;
  post_and_end(on);
  {
    cairn::system<all<old_money>> older{on.options()};
    (void)begin<buyer<old_money>>(older);
    const auto why = refusal(older);
    CHECK(why.first == errc::newer_schema);
    CHECK(store_fixture::contains(why.second, "actor journal.posts (cairn.journal)"));
    CHECK(store_fixture::contains(why.second, above));
  }
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::given_up) == 0);
  CHECK(on.told.count(event_kind::dead_letter) == 0);
  check_posts(on);
}

TEST_CASE("a journal post that nobody handles ends the system by name, and is not lost") {
  bench on;
  post_and_end(on);
  {
    cairn::system<cairn::actors<shop<old_money>, lone_buyer>> other{on.options()};
    (void)begin<lone_buyer>(other);
    const auto why = refusal(other);
    CHECK(why.first == errc::unknown_type);
    CHECK(store_fixture::contains(why.second,
                                  "journal \"posts\" holds a message \"newer::payment\""));
  }
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::dead_letter) == 0);
  check_posts(on);
}

}  // namespace newer
