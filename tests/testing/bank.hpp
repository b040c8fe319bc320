// The actors that the tests of a probe are about: a bank that does everything an actor can do.
#pragma once

#include <cairn/testing/probe.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace bank {

using namespace std::chrono_literals;

struct account;
struct clerk;

struct deposit {
  std::int64_t cents = 0;
  void serialize(auto& ar) { ar(cents); }
};
struct withdraw {
  std::int64_t cents = 0;
  void serialize(auto& ar) { ar(cents); }
};
struct balance {};
struct close_account {};

struct pay {
  cairn::ref<account> to{};
  std::int64_t cents = 0;
  void serialize(auto& ar) { ar(to, cents); }
};
struct transfer {
  cairn::ref<account> from{};
  cairn::ref<account> to{};
  std::int64_t cents = 0;
  void serialize(auto& ar) { ar(from, to, cents); }
};
struct remind {};
struct reminder {};
struct nap {};
struct audit {};
struct hire {
  std::string name{};
  void serialize(auto& ar) { ar(name); }
};
struct mind {
  cairn::ref<account> whom{};
  void serialize(auto& ar) { ar(whom); }
};
struct ask_clerk {
  cairn::ref<clerk> whom{};
  void serialize(auto& ar) { ar(whom); }
};

struct account {
  using protocol = cairn::protocol<deposit, withdraw, balance, close_account>;
  std::int64_t cents = 0;
  void serialize(auto& ar) { ar(cents); }

  void on(deposit what) {
    if (what.cents < 0) throw std::domain_error{"negative deposit"};
    cents += what.cents;
  }
  /// What is left.
  std::int64_t on(withdraw what) {
    if (what.cents > cents) throw std::domain_error{"not enough"};
    return cents -= what.cents;
  }
  std::int64_t on(balance) const { return cents; }
  void on(close_account, cairn::context<account>& self) { self.stop("closed"); }
};

/// Keeps nothing.
struct clerk {
  using protocol = cairn::protocol<nap, balance>;
  using persistence = cairn::ephemeral;
  int naps = 0;
  cairn::task<> on(nap, cairn::context<clerk>& self) {
    co_await self.sleep(1min);
    ++naps;
  }
  int on(balance) const { return naps; }
};

struct teller {
  using protocol = cairn::protocol<pay, transfer, remind, reminder, nap, audit, hire, mind,
                                   ask_clerk, cairn::stopped>;
  std::string diary{};
  void serialize(auto& ar) { ar(diary); }

  void on_birth(cairn::context<teller>&) { diary += "born;"; }
  void on(pay what) { what.to.tell<deposit>(what.cents); }
  /// Whether it was done.
  cairn::task<bool> on(transfer what) {
    diary += "transfer;";
    auto left = co_await what.from.ask<withdraw>(what.cents).as_result();
    diary += left ? "left " + std::to_string(*left) + ";" : left.why().text + ";";
    if (!left) co_return false;
    co_await what.to.ask<deposit>(what.cents);
    diary += "done;";
    co_return true;
  }
  void on(remind, cairn::context<teller>& self) { self.send_after<reminder>(3s); }
  void on(reminder, cairn::context<teller>& self) {
    diary += "reminded;";
    self.send_after<reminder>(3s);
  }
  cairn::task<> on(nap, cairn::context<teller>& self) {
    co_await self.sleep(1s);
    diary += "slept;";
    co_await self.sleep(1s);
    diary += "awake;";
  }
  cairn::task<int> on(audit, cairn::context<teller>& self) {
    const int found = co_await self.run("audit", [](int twice) { return 2 * twice; }, 21);
    diary += "audited;";
    co_return found;
  }
  void on(hire what, cairn::context<teller>& self) {
    self.spawn<account>(what.name).tell<deposit>(7);
  }
  void on(mind what, cairn::context<teller>& self) { self.watch(what.whom); }
  void on(cairn::stopped what) { diary += "gone: " + what.reason + ";"; }
  cairn::task<> on(ask_clerk what) {
    auto naps = co_await what.whom.ask<balance>().as_result();
    diary += naps ? "clerk;" : "no clerk;";
  }
};

using probe = cairn::testing::probe<cairn::actors<account, clerk, teller>>;

/// The text of what a verb throws.
template <class Verb>
std::string failure_of(Verb&& verb) {
  try {
    verb();
  } catch (const cairn::testing::probe_error& why) {
    return why.what();
  }
  return "no failure";
}

}  // namespace bank
