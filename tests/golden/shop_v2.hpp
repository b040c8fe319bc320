// The second version: money has a currency, deposits say whom they are from and are called
// payments, accounts remember what was paid in.
#pragma once

#include <vector>

#include "shop_v1.hpp"

namespace shop::v2 {

struct archive;

struct money {
  std::int64_t cents = 0;
  std::string currency = "euro";
  void serialize(auto& ar, std::uint32_t version) {
    ar(cents);
    if (version >= 1) ar(currency);
  }
};

/// It has a version now. What was written without one is read as version 0.
struct payment {
  static constexpr std::string_view called = "shop::payment";
  std::int64_t cents = 0;
  std::string from = "somebody";
  void serialize(auto& ar, std::uint32_t version) {
    ar(cents);
    if (version >= 1) ar(from);
  }
};
using v1::close;
using v1::deliver;
using v1::note;
using v1::quote;
using v1::remind;
using v1::show;
struct hold {
  static constexpr std::string_view called = "shop::hold";
  money fee{};
  void serialize(auto& ar, std::uint32_t /*version*/) { ar(fee); }
};

struct price {
  std::int64_t cents = 0;
  std::int64_t tax = 0;
  void serialize(auto& ar, std::uint32_t version) {
    ar(cents);
    if (version >= 1) ar(tax);
  }
};

struct shelf {
  static constexpr std::string_view called = "shop::shelf";
  using protocol = cairn::protocol<show, quote>;
  std::int64_t quoted = 0;
  void serialize(auto& ar, std::uint32_t /*version*/) { ar(quoted); }
  price on(quote) { return ++quoted, price{40, 8}; }
  std::int64_t on(show) const { return quoted; }
};

struct account {
  static constexpr std::string_view called = "shop::account";
  using protocol = cairn::protocol<note, payment, hold, remind, deliver, show>;
  using held = hold;
  money balance{};
  std::string owner{};
  cairn::ref<shelf> goods{};
  cairn::ref<archive> files{};
  std::vector<std::string> lines{};
  void serialize(auto& ar, std::uint32_t version) {
    ar(balance, owner, goods, files);
    if (version >= 1) ar(lines);
  }

  void on(payment what) {
    balance.cents += what.cents;
    lines.push_back(std::to_string(what.cents) + " from " + what.from);
  }
  void on(note what) { owner += " (" + what.text + ")"; }
  void on(remind, cairn::context<account>& self) { self.send_after<payment>(1h, 5, "a reminder"); }
  cairn::task<void> on(hold what, cairn::context<account>& self) {
    self.ref().tell<payment>(1, "a hold");
    const auto asked = co_await goods.ask<quote>();
    co_await self.sleep(1h);
    balance.cents -= asked.cents + asked.tax + what.fee.cents;
    lines.push_back("held in " + what.fee.currency);
  }
  inline cairn::task<void> on(deliver);
  std::string on(show) const {
    std::string text = std::to_string(balance.cents) + " " + balance.currency + " of " + owner;
    for (const auto& line : lines) text += ", " + line;
    return text;
  }
};

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

}  // namespace shop::v2

CEREAL_CLASS_VERSION(shop::v2::money, 1)
CEREAL_CLASS_VERSION(shop::v2::payment, 1)
CEREAL_CLASS_VERSION(shop::v2::price, 1)
CEREAL_CLASS_VERSION(shop::v2::account, 1)

template <>
inline constexpr auto cairn::former_names<shop::v2::payment> = cairn::names("shop::deposit");
