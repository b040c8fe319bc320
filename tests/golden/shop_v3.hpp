// The third version: accounts are called customers and have a limit, nobody takes notes any more,
// and there is no archive. Its struct is still here, for the handlers that wait for its answer.
#pragma once

#include "shop_v2.hpp"

namespace shop::v3 {

using v2::close;
using v2::deliver;
using v2::hold;
using v2::money;
using v2::payment;
using v2::remind;
using v2::shelf;
using v2::show;

struct archive {
  static constexpr std::string_view called = "shop::archive";
  using protocol = cairn::protocol<close>;
  int on(close) const { return 7; }
};

struct customer {
  static constexpr std::string_view called = "shop::customer";
  using protocol = cairn::protocol<payment, hold, remind, deliver, show>;
  using held = hold;
  money balance{};
  std::string owner{};
  cairn::ref<shelf> goods{};
  cairn::ref<archive> files{};
  std::vector<std::string> lines{};
  std::int64_t limit = 1000;
  void serialize(auto& ar, std::uint32_t version) {
    ar(balance, owner, goods, files);
    if (version >= 1) ar(lines);
    if (version >= 2) ar(limit);
  }

  void on(payment what) {
    balance.cents += what.cents;
    lines.push_back(std::to_string(what.cents) + " from " + what.from);
  }
  void on(remind, cairn::context<customer>& self) { self.send_after<payment>(1h, 5, "a reminder"); }
  cairn::task<void> on(hold what, cairn::context<customer>& self) {
    self.ref().tell<payment>(1, "a hold");
    const auto asked = co_await goods.ask<v2::quote>();
    co_await self.sleep(1h);
    balance.cents -= asked.cents + asked.tax + what.fee.cents;
    lines.push_back("held in " + what.fee.currency);
  }
  cairn::task<void> on(deliver) {
    const auto got = co_await files.ask<close>().as_result();
    owner += got ? " filed" : " " + std::string{to_string(got.code())};
  }
  std::string on(show) const {
    std::string text = std::to_string(balance.cents) + " " + balance.currency + " of " + owner +
                       " up to " + std::to_string(limit);
    for (const auto& line : lines) text += ", " + line;
    return text;
  }
};

using all =
    cairn::actors<customer, shelf, cairn::retired<"shop::archive">, cairn::retired<"shop::note">>;

}  // namespace shop::v3

CEREAL_CLASS_VERSION(shop::v3::customer, 2)

template <>
inline constexpr auto cairn::former_names<shop::v3::customer> = cairn::names("shop::account");
