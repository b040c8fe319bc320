// Actors that fail for longer: messages that are put back and given up, handlers that are given up
// in the middle, suspended actors that the root task resumes, states that do not serialize, and a
// handler that is handed too much.
#pragma once

#include "audit.hpp"

namespace simulated::moods {

using namespace std::chrono_literals;

constexpr int shifts = 12;
constexpr int jobs = 3;  // for each worker, in each shift

struct job {
  int from = 0;
  std::uint64_t number = 0;
  void serialize(auto& ar) { ar(from, number); }
};
/// Its handler always throws: at once, or when it has waited.
struct poison {
  bool later = false;
  void serialize(auto& ar) { ar(later); }
};
struct feast {};
struct bite {};
struct shift {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
struct report {};

/// Its supervisor allows no restart: what fails is suspended.
struct touchy {
  using protocol = cairn::protocol<job, report>;
  order_check received{};
  void serialize(auto& ar) { ar(received); }
  void on_start(cairn::context<touchy>&) { outside->may_not_start(); }
  void on(job what) {
    may_fail();
    received.take(what.from, what.number, 0);
  }
  std::uint64_t on(report) const { return received.total(); }
};

/// Its state does not serialize now and then, and its handlers wait.
struct fragile {
  using protocol = cairn::protocol<job, poison, report>;
  order_check received{};
  std::uint64_t reports = 0;
  void save(auto& ar) const {
    if (outside->sick()) throw std::runtime_error{"a state that does not serialize"};
    ar(received, reports);
  }
  void load(auto& ar) { ar(received, reports); }

  cairn::task<> on(job what, cairn::context<fragile>& me) {
    may_fail();
    received.take(what.from, what.number, 1);
    if (what.number % 4 == 0) co_await me.sleep(1ms);
  }
  void on(poison) { throw std::runtime_error{"poison"}; }
  std::uint64_t on(report) {
    ++reports;
    return received.total();
  }
  static constexpr bool counts_first = true;  ///< before its handler suspends
  /// Messages that have not been given up.
  [[nodiscard]] std::uint64_t handled() const { return received.total() + reports; }
};

struct larder {
  using protocol = cairn::protocol<bite>;
  int bites = 0;
  void serialize(auto& ar) { ar(bites); }
  std::string on(bite) {
    ++bites;
    return std::string(1024, 'b');
  }
};

/// What its first turns did stands when the handler is given up.
struct victim {
  using protocol = cairn::protocol<poison, feast, report>;
  cairn::ref<larder> from{};
  std::uint64_t begun = 0;
  std::uint64_t reports = 0;
  void serialize(auto& ar) { ar(from, begun, reports); }

  cairn::task<> on(poison what) {
    if (!what.later) throw std::runtime_error{"poison"};
    ++begun;
    (void)co_await from.ask<bite>();
    throw std::runtime_error{"slow poison"};
  }
  /// More than one handler may be handed.
  cairn::task<> on(feast) {
    ++begun;
    for (;;) (void)co_await from.ask<bite>();
  }
  std::uint64_t on(report) {
    ++reports;
    return begun;
  }
  static constexpr bool counts_first = false;
  [[nodiscard]] std::uint64_t handled() const { return reports; }
};

struct boss {
  using protocol = cairn::protocol<shift, report>;
  cairn::ref<touchy> one{};
  cairn::ref<fragile> two{};
  cairn::ref<victim> three{};
  std::uint64_t failed = 0;
  numbering sent{};
  void serialize(auto& ar) { ar(one, two, three, failed, sent); }

  cairn::task<> on(shift what, cairn::context<boss>& me) {
    may_fail();
    for (int at = 0; at < jobs; ++at) {
      one.tell<job>(9, sent.next(0));
      two.tell<job>(9, sent.next(1));
    }
    if (what.left % 3 == 0) two.tell<poison>(false);
    auto asked = what.left % 6 == 0 ? three.ask<feast>().as_result()
                                    : three.ask<poison>(what.left % 2 == 0).as_result();
    const auto answer = co_await std::move(asked);
    may_fail();
    if (answer || answer.code() != cairn::errc::failed) complain("poison is answered");
    ++failed;
    if (what.left > 1) me.ref().template tell<shift>(what.left - 1);
  }
  std::uint64_t on(report) const { return failed; }
};

/// Asks, and lets go on who is suspended.
template <class A>
cairn::task<std::uint64_t> ask_or_resume(cairn::root* root, cairn::ref<A> whom) {
  auto asked = whom.template ask<report>().as_result();
  const auto answer = co_await std::move(asked);
  if (answer) co_return answer.value();
  if (answer.code() != cairn::errc::failed) complain("a report fails");
  root->resume(whom);
  co_return 0;
}

inline cairn::task<int> app(cairn::root& root) {
  auto mild = root.supervise("mild", forgiving());
  auto strict = root.supervise("strict", {.intensity = {.restarts = 0, .within = 1s}});
  auto one = strict.spawn<touchy>("touchy 0");
  auto two = mild.spawn<fragile>("fragile 1");
  auto food = mild.spawn<larder>("larder");
  auto three = mild.spawn<victim>("victim", victim{food});
  auto chief = mild.spawn<boss>("boss 9", boss{one, two, three});
  if (!root.restored()) chief.tell<shift>(shifts);
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
  do {
    co_await root.sleep(3ms);
    const auto first = co_await ask_or_resume(&root, one);
    const auto second = co_await ask_or_resume(&root, two);
    done = first + second;
    failed = co_await chief.ask<report>();
  } while (done < 2 * shifts * jobs || failed < shifts);
  const auto begun = co_await three.ask<report>();
  outside->result = std::to_string(done) + " done, " + std::to_string(failed) + " failed, " +
                    std::to_string(begun) + " begun";
  co_return 0;
}

/// What an actor has consumed it has handled, or is about to, or has given up: of that there is a
/// letter each, kept or on its way.
template <class A>
void check_letters(const snapshot& in) {
  std::map<cairn::actor_id, std::uint64_t> letters;
  in.each<cairn::detail::letter_keeper>([&](const auto& all, const snapshot::cell& where) {
    for (const auto& each : all.letters) ++letters[each.what.letter.target];
    in.each_waiting<cairn::detail::keep_letter>(
        where, [&](const auto& each) { ++letters[each.one.what.letter.target]; });
  });
  in.each<A>([&](const A& one, snapshot::cell& where) {
    const auto consumed = raw(where.consumed) - (where.busy() && !A::counts_first ? 1 : 0);
    const auto found = letters[where.self().id];
    if (one.handled() + found == consumed) return;
    complain("snapshot " + std::to_string(raw(in.number())) + ": " + where.name + " has consumed " +
             std::to_string(consumed) + ", handled " + std::to_string(one.handled()) +
             ", and left " + std::to_string(found) + " letters");
  });
}

inline void check(const snapshot& in) {
  check_letters<fragile>(in);
  check_letters<victim>(in);
  ledger books{in};
  const auto add = [&](const auto& one, const snapshot::cell& where) {
    const int self = number_of(where);
    books.received(one.received, self);
    in.each_waiting<job>(where,
                         [&](const job& each) { books.waits(each.from, self, each.number); });
  };
  in.each<touchy>(add);
  in.each<fragile>(add);
  in.each<boss>([&](const boss& each, const snapshot::cell&) { books.sent(each.sent, 9); });
  books.check();
}

// Of 12 shifts 2 feast and 4 take slow poison.
inline const std::string expected = "72 done, 12 failed, 6 begun";

}  // namespace simulated::moods
