// A bank whose end does not depend on the order of things, however often it was killed.
//
//   outside --deposit--> counter --credit--> account
//                           `----transfer--> teller --withdraw?--> account
//                                              | --credit--> account, or a cheque that pays later
//                                              `--entry--> auditor --write--> ledger
//
// Deposit k, of the numbers 1 to --deposits, says everything about the transfer that follows it.
// The auditor writes the entries in the order of k, so that the ledger is the same in every run,
// but for its last column: a random number, which shows whether what has left leaves again
// otherwise.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <cairn/cairn.hpp>

namespace bank {

using namespace std::chrono_literals;

inline constexpr std::uint64_t accounts = 12;
inline constexpr std::uint64_t tellers = 5;

using ledger_sink = cairn::sink_actor<cairn::file_sink>;

/// What comes of deposit k.
struct plan {
  explicit constexpr plan(std::uint64_t k) noexcept
      : into{k % accounts},
        cents{static_cast<std::int64_t>(1 + k * 37 % 100)},
        teller{k % tellers},
        from{(k * 7 + 3) % accounts},
        to{(k * 5 + 1) % accounts},
        moved{static_cast<std::int64_t>(1 + k * 13 % 50)},
        rests{k % 6 == 1},
        by_cheque{k % 4 == 0} {}

  std::uint64_t into;
  std::int64_t cents;
  std::uint64_t teller;
  std::uint64_t from;
  std::uint64_t to;
  std::int64_t moved;
  bool rests;      ///< the teller sleeps in the middle
  bool by_cheque;  ///< an actor of its own, unnamed where k % 8 == 0, pays it in after a while
};

/// Messages of one sender to one receiver are numbered from 1; each is expected in its order.
struct expected {
  std::map<std::uint64_t, std::uint64_t> last{};  ///< by sender
  std::uint64_t breaches = 0;

  void take(std::uint64_t sender, std::uint64_t number) {
    auto& before = last[sender];
    if (number != before + 1) ++breaches;
    before = number;
  }
  void serialize(auto& archive) { archive(last, breaches); }
};

struct credit {
  std::uint64_t sender = 0;  ///< a teller, or `tellers`: the counter
  std::uint64_t number = 0;
  std::int64_t cents = 0;
  void serialize(auto& archive) { archive(sender, number, cents); }
};
struct withdraw {
  std::uint64_t sender = 0;
  std::uint64_t number = 0;
  std::int64_t cents = 0;
  void serialize(auto& archive) { archive(sender, number, cents); }
};
struct pay_in {
  std::int64_t cents = 0;
  void serialize(auto& archive) { archive(cents); }
};
struct get_books {};
struct books {
  std::int64_t cents = 0;
  std::uint64_t moves = 0;
  std::uint64_t breaches = 0;  ///< of the order of messages
  void serialize(auto& archive) { archive(cents, moves, breaches); }
};

/// May be overdrawn: then its balance does not depend on who comes first.
struct account {
  using protocol = cairn::protocol<credit, withdraw, pay_in, get_books>;

  std::int64_t cents = 0;
  std::uint64_t moves = 0;
  expected order{};

  void on(credit what) {
    order.take(what.sender, what.number);
    add(what.cents);
  }
  std::int64_t on(withdraw what) {
    order.take(what.sender, what.number);
    add(-what.cents);
    return what.cents;
  }
  void on(pay_in what) { add(what.cents); }
  [[nodiscard]] books on(get_books) const { return {cents, moves, order.breaches}; }

  void serialize(auto& archive) { archive(cents, moves, order); }

 private:
  void add(std::int64_t more) {
    cents += more;
    ++moves;
  }
};

using all_accounts = std::vector<cairn::ref<account>>;

struct cash {};

/// Lives from its being written until it is paid in.
struct cheque {
  using protocol = cairn::protocol<cash>;

  cairn::ref<account> to{};
  std::int64_t cents = 0;

  void on_birth(cairn::context<cheque>& self) { self.send_after<cash>(1ms); }
  void on(cash, cairn::context<cheque>& self) {
    to.tell<pay_in>(cents);
    self.stop("paid in");
  }
  void serialize(auto& archive) { archive(to, cents); }
};

/// To the auditor: the n-th of this teller.
struct entry {
  std::uint64_t teller = 0;
  std::uint64_t number = 0;
  std::uint64_t k = 0;
  std::string text{};
  void serialize(auto& archive) { archive(teller, number, k, text); }
};
struct get_audit {};
struct audit {
  std::uint64_t written = 0;
  std::uint64_t breaches = 0;  ///< entries out of order, or twice
  void serialize(auto& archive) { archive(written, breaches); }
};

struct auditor {
  using protocol = cairn::protocol<entry, get_audit>;

  cairn::ref<ledger_sink> ledger{};
  std::uint64_t written = 0;  ///< entries 1 to this
  std::map<std::uint64_t, std::string> early{};
  expected order{};

  void on(entry what) {
    order.take(what.teller, what.number);
    if (what.k <= written || !early.emplace(what.k, std::move(what.text)).second) ++order.breaches;
    for (auto next = early.begin(); next != early.end() && next->first == written + 1;
         next = early.erase(next)) {
      ledger.tell<cairn::write>(next->second);
      ++written;
    }
  }
  [[nodiscard]] audit on(get_audit) const { return {written, order.breaches}; }

  void serialize(auto& archive) { archive(ledger, written, early, order); }
};

struct transfer {
  std::uint64_t k = 0;
  void serialize(auto& archive) { archive(k); }
};
struct get_work {};
struct work {
  std::uint64_t done = 0;
  std::uint64_t open = 0;  ///< cheques that are not paid in yet
  void serialize(auto& archive) { archive(done, open); }
};

/// Has one transfer under way at a time, and waits in the middle of it.
struct teller {
  using protocol = cairn::protocol<transfer, cairn::stopped, get_work>;

  std::uint64_t self_number = 0;
  all_accounts all{};
  cairn::ref<auditor> reports_to{};
  work state{};
  std::map<std::uint64_t, std::uint64_t> sent{};  ///< messages, by account

  cairn::task<> on(transfer what, cairn::context<teller>& self);
  void on(cairn::stopped) { --state.open; }
  [[nodiscard]] work on(get_work) const { return state; }

  void serialize(auto& archive) { archive(self_number, all, reports_to, state, sent); }
};

inline cairn::task<> teller::on(transfer what, cairn::context<teller>& self) {
  const plan has{what.k};
  auto asked = all[has.from].ask<withdraw>(self_number, ++sent[has.from], has.moved);
  const std::int64_t got = co_await std::move(asked);
  if (has.rests) co_await self.sleep(200us);
  if (has.by_cheque) {
    const std::string name = what.k % 8 == 0 ? "" : fmt::format("cheque {}", what.k);
    self.watch(self.spawn<cheque>(name, all[has.to], got));
    ++state.open;
  } else {
    all[has.to].tell<credit>(self_number, ++sent[has.to], got);
  }
  ++state.done;
  auto text = fmt::format("{},{},{},{},{},{}\n", what.k, self_number, has.from, has.to, got,
                          self.random() % 100'000);
  reports_to.tell<entry>(self_number, state.done, what.k, std::move(text));
}

/// One post of deposit k. Posted again, where it is not known to have come, it is another attempt.
struct attempt {
  std::uint32_t run = 0;     ///< of the program
  std::uint32_t number = 0;  ///< of the run, from 1; in the order of the posts
  void serialize(auto& archive) { archive(run, number); }
};
struct deposit {
  std::uint64_t k = 0;
  attempt by{};
  void serialize(auto& archive) { archive(k, by); }
};
struct get_missing {};
struct get_taken {};

/// Takes deposits from outside, each once, however often it was posted.
struct counter {
  using protocol = cairn::protocol<deposit, get_missing, get_taken>;

  all_accounts all{};
  std::vector<cairn::ref<teller>> hands_to{};
  std::vector<std::uint8_t> here{};  ///< of deposit k, at k - 1
  std::vector<attempt> taken{};      ///< all that came, in order
  std::vector<std::uint64_t> sent = std::vector<std::uint64_t>(accounts);

  void on(deposit what) {
    taken.push_back(what.by);
    if (std::exchange(here.at(what.k - 1), std::uint8_t{1}) != 0) return;
    const plan has{what.k};
    all[has.into].tell<credit>(tellers, ++sent[has.into], has.cents);
    hands_to[has.teller].tell<transfer>(what.k);
  }
  [[nodiscard]] std::vector<std::uint64_t> on(get_missing) const {
    std::vector<std::uint64_t> missing;
    for (std::uint64_t k = 1; k <= here.size(); ++k) {
      if (here[k - 1] == 0) missing.push_back(k);
    }
    return missing;
  }
  [[nodiscard]] std::vector<attempt> on(get_taken) const { return taken; }

  void serialize(auto& archive) { archive(all, hands_to, here, taken, sent); }
};

using actors = cairn::actors<account, cheque, ledger_sink, auditor, teller, counter>;

}  // namespace bank
