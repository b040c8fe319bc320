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
  int number = 0;
  void serialize(auto& ar) { ar(later, number); }
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
    auto one = from.ask<bite>();
    auto other = from.ask<bite>();  // under way when the handler is given up
    (void)co_await std::move(one);
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
  int poisons = 0;  ///< sent by turns that have ended
  void serialize(auto& ar) { ar(one, two, three, failed, sent, poisons); }

  cairn::task<> on(shift what, cairn::context<boss>& me) {
    may_fail();
    for (int at = 0; at < jobs; ++at) {
      one.tell<job>(9, sent.next(0));
      two.tell<job>(9, sent.next(1));
    }
    if (what.left % 3 == 0) two.tell<poison>(false, ++poisons);
    const bool feasts = what.left % 6 == 0;
    if (!feasts) ++poisons;
    auto asked = feasts ? three.ask<feast>().as_result()
                        : three.ask<poison>(what.left % 2 == 0, poisons).as_result();
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

/// What a letter or what brings one has of poison.
inline std::optional<poison> poison_in(const cairn::dead_letter& letter) {
  if (letter.message != cairn::type_name<poison>) return std::nullopt;
  return cairn::decode<poison>(letter.payload);
}
/// Poison of every fifth number is thrown away, some is given once more to who gave it up.
[[nodiscard]] inline bool is_for_the_bin(int number) { return number % 5 == 0; }
[[nodiscard]] inline bool is_for_another_try(const poison& what) {
  return !what.later && !is_for_the_bin(what.number);
}

/// One letter each time, by turns.
inline cairn::task<> tidy(cairn::root* root, std::uint64_t turn) {
  const auto kept = co_await root->dead_letters();
  std::vector<std::pair<cairn::letter_id, bool>> all;
  for (const auto& each : kept.letters) {
    const auto what = poison_in(each.letter);
    if (!what || !(is_for_the_bin(what->number) || is_for_another_try(*what))) continue;
    all.emplace_back(each.id, is_for_the_bin(what->number));
  }
  if (all.empty()) co_return;
  const auto [which, drop] = all[turn % all.size()];
  auto doing = (drop ? root->drop_letter(which) : root->deliver_again(which)).as_result();
  const auto done = co_await std::move(doing);
  if (!done && done.code() != cairn::errc::not_found) complain("a letter is refused");
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
  std::uint64_t turn = 0;
  do {
    co_await root.sleep(3ms);
    co_await tidy(&root, turn++);
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

/// Where the letters of a snapshot are: kept, on their way to who keeps them, or back to who is to
/// handle their message once more.
template <class Use>
void each_letter(const snapshot& in, Use&& use) {
  in.each<cairn::detail::letter_keeper>([&](const auto& all, const snapshot::cell& where) {
    for (const auto& each : all.letters) use(each);
    in.each_waiting<cairn::detail::keep_letter>(where, [&](const auto& each) { use(each.one); });
  });
  for (snapshot::cell* one : in.cells()) {
    for (const auto* at = one->box.queue.front(); at != nullptr; at = at->next) {
      if (at->kind != cairn::detail::envelope_kind::control ||
          at->index != static_cast<std::uint16_t>(cairn::detail::control::deliver)) {
        continue;
      }
      const auto& text = static_cast<const cairn::detail::control_note*>(at->payload())->text;
      use(cairn::decode<cairn::detail::stored_letter>(std::as_bytes(std::span{text})));
    }
  }
}

/// What was consumed has been handled, or is about to, or has been given up, whereby a letter has
/// got a number, or will get one.
inline void check_letters(const snapshot& in) {
  std::uint64_t given_up = 0;
  std::uint64_t numbers = 0;
  in.each<cairn::detail::letter_keeper>([&](const auto& all, const snapshot::cell& where) {
    numbers += all.last;
    in.each_waiting<cairn::detail::keep_letter>(where, [&](const auto& each) {
      if (raw(each.one.what.id) == 0) ++numbers;
    });
  });
  const auto add = [&]<class A>(const A& one, const snapshot::cell& where) {
    given_up += raw(where.consumed) - (where.busy() && !A::counts_first ? 1 : 0) - one.handled();
  };
  in.each<fragile>(add);
  in.each<victim>(add);
  if (given_up == numbers) return;
  complain("snapshot " + std::to_string(raw(in.number())) + ": " + std::to_string(given_up) +
           " messages were given up, and there are " + std::to_string(numbers) + " letters");
}

/// All poison that was sent is in one place: it waits, is being handled, or is in a letter.
inline void check_poison(const snapshot& in) {
  std::map<int, int> places;
  const auto add = [&](const poison& what) { ++places[what.number]; };
  each_letter(in, [&](const auto& each) {
    if (const auto what = poison_in(each.what.letter)) add(*what);
  });
  in.each<fragile>(
      [&](const fragile&, const snapshot::cell& where) { in.each_waiting<poison>(where, add); });
  in.each<victim>([&](const victim&, snapshot::cell& where) {
    in.each_waiting<poison>(where, add);
    if (!where.busy() || where.more->handler.what != cairn::type_name<poison>) return;
    const auto begun = cairn::detail::last_message_of(where.saved->log);
    add(cairn::decode<poison>(begun.entry->bytes()));
  });
  in.each<boss>([&](const boss& chief, const snapshot::cell&) {
    for (int number = 1; number <= chief.poisons; ++number) {
      const int found = places[number];
      if (found == 1 || (found == 0 && is_for_the_bin(number))) continue;
      complain("snapshot " + std::to_string(raw(in.number())) + ": poison " +
               std::to_string(number) + " is in " + std::to_string(found) + " places");
    }
  });
}

inline void check(const snapshot& in) {
  check_letters(in);
  check_poison(in);
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
