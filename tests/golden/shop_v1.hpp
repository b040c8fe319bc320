// A small program in three versions, whose stores lie in shop-1/ to shop-3/. This is the first: it
// stays as it is.
#pragma once

#include <cairn/system.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "../runtime/fixture.hpp"

namespace shop {

using namespace std::chrono_literals;

/// A program has one type of each name; this one has three, in namespaces of their own.
template <class T>
concept named_for_test = requires { T::called; };

}  // namespace shop

template <shop::named_for_test T>
inline constexpr std::string_view cairn::type_name<T> = T::called;

namespace shop::v1 {

struct archive;

/// In states and messages.
struct money {
  std::int64_t cents = 0;
  void serialize(auto& ar, std::uint32_t /*version*/) { ar(cents); }
};

/// Written before anybody thought of versions.
struct deposit {
  static constexpr std::string_view called = "shop::deposit";
  std::int64_t cents = 0;
  void serialize(auto& ar) { ar(cents); }
};
struct note {
  static constexpr std::string_view called = "shop::note";
  std::string text{};
  void serialize(auto& ar) { ar(text); }
};
struct hold {
  static constexpr std::string_view called = "shop::hold";
  money fee{};
  void serialize(auto& ar, std::uint32_t /*version*/) { ar(fee); }
};
struct remind {
  static constexpr std::string_view called = "shop::remind";
};
struct deliver {
  static constexpr std::string_view called = "shop::deliver";
};
struct close {
  static constexpr std::string_view called = "shop::close";
};
struct quote {
  static constexpr std::string_view called = "shop::quote";
};
struct show {
  static constexpr std::string_view called = "shop::show";
};

/// An answer.
struct price {
  std::int64_t cents = 0;
  void serialize(auto& ar, std::uint32_t /*version*/) { ar(cents); }
};

struct shelf {
  static constexpr std::string_view called = "shop::shelf";
  using protocol = cairn::protocol<quote, show>;
  std::int64_t quoted = 0;
  void serialize(auto& ar, std::uint32_t /*version*/) { ar(quoted); }
  price on(quote) { return ++quoted, price{40}; }
  std::int64_t on(show) const { return quoted; }
};

struct account {
  static constexpr std::string_view called = "shop::account";
  using protocol = cairn::protocol<deposit, note, hold, remind, deliver, show>;
  using held = hold;
  money balance{};
  std::string owner{};
  cairn::ref<shelf> goods{};
  cairn::ref<archive> files{};
  void serialize(auto& ar, std::uint32_t /*version*/) { ar(balance, owner, goods, files); }

  void on(deposit what) { balance.cents += what.cents; }
  void on(note what) { owner += " (" + what.text + ")"; }
  void on(remind, cairn::context<account>& self) { self.send_after<deposit>(1h, 5); }
  cairn::task<void> on(hold what, cairn::context<account>& self) {
    self.ref().tell<deposit>(1);
    const auto asked = co_await goods.ask<quote>();
    co_await self.sleep(1h);
    balance.cents -= asked.cents + what.fee.cents;
  }
  inline cairn::task<void> on(deliver);
  std::string on(show) const { return std::to_string(balance.cents) + " of " + owner; }
};

/// Takes its time.
struct archive {
  static constexpr std::string_view called = "shop::archive";
  using protocol = cairn::protocol<close, note>;
  void serialize(auto& /*ar*/, std::uint32_t /*version*/) {}
  cairn::task<int> on(close, cairn::context<archive>& self) {
    co_await self.sleep(1h);
    co_return 7;
  }
  void on(note) {}
};

inline cairn::task<void> account::on(deliver) {
  const auto got = co_await files.ask<close>().as_result();
  owner += got ? " filed" : " " + std::string{to_string(got.code())};
}

using all = cairn::actors<account, shelf, archive>;

}  // namespace shop::v1

namespace shop {

/// What every version of the program does before its process dies: it leaves a timer, handlers that
/// wait, and mail behind. `Archive` and `Note` are void where there are none any more.
template <class Account, class Shelf, class Archive, class Deposit, class Note>
cairn::task<int> life(cairn::root& root) {
  const auto top = root.supervise("shop");
  const auto goods = top.spawn<Shelf>("goods");
  Account first{.goods = goods};
  if constexpr (!std::is_void_v<Archive>) first.files = top.spawn<Archive>("files");
  const auto make = [&](const char* name) {
    first.owner = name;
    return top.spawn<Account>(name, first);
  };
  const auto alice = make("alice");
  const auto bob = make("bob");
  const auto carol = make("carol");
  alice.template tell<Deposit>(100);
  alice.template tell<v1::remind>();
  co_await root.checkpoint();
  const typename Account::held fee{{200}};
  bob.template tell<typename Account::held>(fee);
  while (co_await goods.template ask<v1::show>() == 0) {
  }
  if constexpr (!std::is_void_v<Archive>) {
    carol.template tell<v1::deliver>();
    co_await root.checkpoint();
    first.files.template tell<Note>("to be filed");
    bob.template tell<Note>("a good customer");
  }
  bob.template tell<Deposit>(11);
  co_await root.checkpoint();
  co_return 0;
}

}  // namespace shop
