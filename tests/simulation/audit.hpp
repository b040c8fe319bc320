// Every snapshot that a store still has, looked at as the next process would find it, before
// anything runs there: what must hold in it by itself, whatever became of the run.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "world.hpp"

namespace simulated {

/// One snapshot of a store that is open already, as a store of its own.
struct one_snapshot {
  cairn::file_store* from = nullptr;
  cairn::epoch number{};

  cairn::opened open(const cairn::store_options&) { return {number, {}}; }
  void begin(cairn::epoch) {}
  void append(cairn::bytes_view) {}
  void commit(bool) {}
  void abort() noexcept {}
  void read(cairn::epoch n, const cairn::record_visitor& visit) { from->read(n, visit); }
  std::vector<cairn::snapshot_info> list() { return {}; }
  void keep(cairn::epoch, const std::string&) {}
  void remove(const std::string&) {}
  std::unique_ptr<cairn::journal_log> journal(const std::string&) { return nullptr; }
  [[nodiscard]] std::string describe() const { return "one snapshot"; }
  [[nodiscard]] cairn::store_stats stats() const { return {}; }
};
static_assert(cairn::store<one_snapshot>);

struct stopped_clock final : cairn::clock {
  [[nodiscard]] std::chrono::nanoseconds steady() const override { return std::chrono::hours{1}; }
  [[nodiscard]] std::chrono::system_clock::time_point wall() const override { return {}; }
};

/// Restored actors, their handlers run again to where they were suspended, and their mailboxes.
class snapshot {
 public:
  using cell = cairn::detail::cell;
  using envelope = cairn::detail::envelope;

  snapshot(cairn::file_store& from, cairn::epoch number, cairn::detail::registry types)
      : all_{options_for(from, number), std::move(types)}, from_{&from}, number_{number} {
    cairn::detail::worker& first = *all_.workers.front();
    cairn::detail::replayer again{all_, first};
    for (cell* each : cells()) {
      if (each->needs_replay) again.rebuild(*each, each->saved->log.end());
    }
  }

  [[nodiscard]] cairn::epoch number() const noexcept { return number_; }

  [[nodiscard]] std::vector<cell*> cells() const {
    std::vector<cell*> found;
    for (std::uint32_t index = 2; index < all_.cells.used(); ++index) {
      cell* one = all_.cells.at(index);
      if (one->type != nullptr) found.push_back(one);
    }
    return found;
  }

  /// `use(state, cell)` for each actor of this type.
  template <class A, class Use>
  void each(Use&& use) const {
    for (cell* one : cells()) {
      if (one->type->hash == cairn::type_hash<A>) {
        use(std::as_const(cairn::detail::held<A>(*one).state), *one);
      }
    }
  }

  /// `use(message)` for each of this type that waits in the actor's mailbox or timers.
  template <class M, class Use>
  static void each_waiting(const cell& in, Use&& use) {
    const auto look = [&](const envelope& one) {
      if (one.ops == &cairn::detail::ops_of<M>) use(*static_cast<const M*>(one.payload()));
    };
    for (const envelope* at = in.box.queue.front(); at != nullptr; at = at->next) look(*at);
    if (!in.more) return;
    for (const auto& timer : in.more->timers) {
      if (timer.message) look(*timer.message);
    }
  }

  /// `use(message)` for each entry of a journal from this number on.
  template <class M, class Use>
  void each_entry(const std::string& journal, std::uint64_t first, Use&& use) const {
    from_->journal(journal)->read_from(first, [&](std::uint64_t, cairn::bytes_view bytes) {
      cairn::detail::reader in{bytes};
      if (in.get_text() != cairn::type_name<M>) complain("a journal holds something else");
      (void)in.get<std::uint32_t>();  // its schema
      use(cairn::decode<M>(in.rest()));
    });
  }

 private:
  static cairn::options options_for(cairn::file_store& from, cairn::epoch number) {
    cairn::options made;
    made.store = one_snapshot{&from, number};
    made.clock = std::make_unique<stopped_clock>();
    made.workers = 1;
    made.other_version = [](const auto&) { return cairn::version_answer::rerun; };
    made.on_event = [](const cairn::event&) {};
    return made;
  }

  cairn::detail::program all_;
  cairn::file_store* from_;
  cairn::epoch number_;
};

/// Of an actor that is named like "account 7".
inline int number_of(const snapshot::cell& of) {
  return std::stoi(of.name.substr(of.name.find_last_of(' ') + 1));
}

/// What must hold of every snapshot of every workload.
class consistency {
 public:
  explicit consistency(const snapshot& of) : of_{of} {
    for (auto* each : of.cells()) ids_[each->self().id] = each;
  }

  void check() const {
    for (const auto& [id, one] : ids_) {
      check_mailbox(*one);
      check_parent(*one);
      if (one->paused) check_paused(*one);
      if (!one->more) continue;
      check_timers(*one);
      for (const auto& slot : one->more->slots) {
        if (!slot.arrived) check_awaited(*one, slot);
      }
    }
  }

 private:
  using cell = snapshot::cell;
  using envelope = snapshot::envelope;

  void wrong(const cell& in, const std::string& what) const {
    complain("snapshot " + std::to_string(raw(of_.number())) + ", " +
             cairn::detail::world::label(in) + ": " + what);
  }

  /// Nothing waits in the snapshot of n that was sent after n, nor what has been consumed.
  void check_mailbox(const cell& one) const {
    std::uint64_t before = one.box.done_ticket;
    for (const envelope* at = one.box.queue.front(); at != nullptr; at = at->next) {
      if (at->ticket <= before) wrong(one, "a message waits that was consumed before");
      before = at->ticket;
      if (at->sent > of_.number()) wrong(one, "a message waits that was not sent yet");
    }
    for (const envelope* at = one.box.replies.front(); at != nullptr; at = at->next) {
      if (at->answer.number == cairn::detail::wake_number) continue;  // for an orphan, of this run
      if (at->sent > of_.number()) wrong(one, "an answer waits that was not given yet");
    }
  }

  /// Whoever is below a stopped actor has been told to stop too.
  void check_parent(const cell& one) const {
    if (one.parent.where == nullptr || one.parent.where->slot_index == 1) return;
    if (ids_.contains(one.parent.id)) return;
    bool told = is_stopping(one);
    for (const envelope* at = one.box.queue.front(); at != nullptr; at = at->next) {
      const bool word = at->kind == cairn::detail::envelope_kind::control;
      told |= word && at->index == static_cast<std::uint16_t>(cairn::detail::control::stop);
      told |= !word && at->ops == &cairn::detail::ops_of<cairn::detail::stop_all>;
    }
    if (!told) wrong(one, "its parent is not there");
  }

  /// Its handler that stops those below it has begun.
  [[nodiscard]] static bool is_stopping(const cell& one) {
    if (!one.saved) return false;
    const auto handled = cairn::detail::last_message_of(one.saved->log).entry;
    return handled && handled->type == cairn::detail::ops_of<cairn::detail::stop_all>.hash;
  }

  /// What ends an await belongs to a handler that has not ended.
  void check_timers(const cell& one) const {
    if (one.busy()) return;
    for (const auto& each : one.more->timers) {
      if (!each.message && each.number != cairn::detail::backoff_number) {
        wrong(one, "a timer of a handler that is over");
      }
    }
  }

  /// Whoever waits for its restart will be told: a backoff ends, or a supervisor is at it.
  void check_paused(const cell& one) const {
    if (one.box.has_word() || timers_of(one, cairn::detail::backoff_number) == 1) return;
    const auto is_at_it = [](const auto& each) {
      const cell& above = *each.second;
      return cairn::detail::is_supervisor(above.type) &&
             (above.busy() || !above.box.queue.empty() ||
              (above.more && !above.more->timers.empty()));
    };
    if (std::none_of(ids_.begin(), ids_.end(), is_at_it)) wrong(one, "it waits for ever");
  }

  /// What a suspended handler waits for is under way in one place: the question, whoever is at it,
  /// or the answer.
  void check_awaited(cell& one, const cairn::detail::slot& slot) const {
    std::size_t answers = 0;
    bool timed_out = false;
    for (const envelope* at = one.box.replies.front(); at != nullptr; at = at->next) {
      if (at->answer.number != slot.number) continue;
      at->code == cairn::errc::timeout ? timed_out = true : ++answers > 0;
    }
    if (slot.from.id == cairn::actor_id{}) {
      if (slot.what == "sleep" && answers + timers_of(one, slot.number) != 1) {
        wrong(one, "a sleep that has no end, or two");
      }
      return;
    }
    const auto asked = ids_.find(slot.from.id);
    const bool there = asked != ids_.end();
    const auto places = answers + (there ? count_in(*asked->second, one, slot.number) : 0);
    if (places > 1) wrong(one, "an ask stands in two places: " + std::string{slot.what});
    if (places == 0 && there && !timed_out) {
      wrong(one, "nobody will answer an ask: " + std::string{slot.what});
    }
  }

  static std::size_t timers_of(const cell& one, std::uint64_t number) {
    if (!one.more) return 0;
    return static_cast<std::size_t>(
        std::count_if(one.more->timers.begin(), one.more->timers.end(),
                      [&](const auto& each) { return each.number == number; }));
  }

  static std::size_t count_in(const cell& asked, cell& asker, std::uint64_t number) {
    const auto is_it = [&](const cairn::detail::return_address& to) {
      return to.id == asker.self().id && to.number == number;
    };
    std::size_t found = 0;
    for (const envelope* at = asked.box.queue.front(); at != nullptr; at = at->next) {
      if (is_it(at->answer)) ++found;
    }
    for (const envelope* at = asked.box.replies.front(); at != nullptr; at = at->next) {
      if (!cairn::detail::is_word(at->answer.number)) break;  // words come first
      const auto note = cairn::detail::note_of(*at);
      if (note.who.id == asker.self().id && note.number == number) ++found;
    }
    if (!asked.more) return found;
    if (asked.busy() && is_it(asked.more->handler.answer)) ++found;
    for (const auto& each : asked.more->waiting_for_room) {
      if (is_it(each)) ++found;
    }
    return found;
  }

  const snapshot& of_;
  std::map<cairn::actor_id, cell*> ids_{};
};

/// What threads outside have told: in a snapshot stands a beginning of what each of them said, and
/// all that was said before its flip.
class hearsay {
 public:
  explicit hearsay(const snapshot& of) : of_{of} {}

  /// Mail that is too much for actors that a rollback has lost does not come again.
  static void note_given_up(const cairn::dead_letter& letter) {
    if (letter.message != cairn::type_name<nudge>) return;
    const auto word = cairn::decode<nudge>(letter.payload);
    outside->given_up.insert({word.thread, word.number});
  }
  /// The thread will say again what comes behind that word.
  static void forget_behind(const nudge& last) {
    std::erase_if(outside->given_up, [&](const auto& each) {
      return each.first == last.thread && each.second > last.number;
    });
  }

  void has(const heard& by) {
    for (const auto& [thread, numbers] : by.by) {
      for (const auto number : numbers) waits({thread, number});
    }
  }
  void waits(const nudge& what) {
    if (!all_[what.thread].insert(what.number).second) wrong(what, "is there twice");
  }
  void check() const {
    for (const auto& [thread, numbers] : all_) {
      const auto last = *numbers.rbegin();
      if (is_there({thread, last}, last)) continue;
      wrong({thread, last}, "is there without one before it");
    }
    for (const auto& [thread, epochs] : outside->said) {
      for (std::size_t at = 0; at < epochs.size() && epochs[at] <= of_.number(); ++at) {
        if (!is_there({thread, at + 1}, 1)) wrong({thread, at + 1}, "is lost");
      }
    }
  }

 private:
  /// The word, and so many in all that end with it.
  [[nodiscard]] bool is_there(const nudge& what, std::uint64_t count) const {
    const auto found = all_.find(what.thread);
    for (auto number = what.number; number > what.number - count; --number) {
      const bool there = found != all_.end() && found->second.contains(number);
      if (!there && !outside->given_up.contains({what.thread, number})) return false;
    }
    return true;
  }
  void wrong(const nudge& what, const std::string& text) const {
    complain("snapshot " + std::to_string(raw(of_.number())) + ": word " +
             std::to_string(what.number) + " of thread " + std::to_string(what.thread) + " " +
             text);
  }
  const snapshot& of_;
  std::map<std::uint64_t, std::set<std::uint64_t>> all_{};
};

/// Who has sent and received how much, and what is under way, in one snapshot.
class ledger {
 public:
  explicit ledger(const snapshot& of) : of_{of} {}

  void sent(const numbering& by, int from) {
    for (const auto& [to, count] : by.last) pairs_[{from, to}].sent = count;
  }
  void received(const order_check& by, int to) {
    for (const auto& [from, count] : by.last) pairs_[{from, to}].received = count;
  }
  void waits(int from, int to, std::uint64_t number) {
    pairs_[{from, to}].waiting.push_back(number);
  }

  /// What was received, and then what waits, is all that was sent: nothing twice, nothing lost,
  /// nothing without its cause, nothing out of order.
  void check() const {
    for (const auto& [who, one] : pairs_) {
      std::uint64_t next = one.received;
      bool good = true;
      for (const auto number : one.waiting) good &= number == ++next;
      if (good && next == one.sent) continue;
      std::string text = "snapshot " + std::to_string(raw(of_.number())) + ": " +
                         std::to_string(who.first) + " has sent " + std::to_string(one.sent) +
                         " to " + std::to_string(who.second) + ", of which " +
                         std::to_string(one.received) + " were received and these wait:";
      for (const auto number : one.waiting) text += " " + std::to_string(number);
      complain(text);
    }
  }

 private:
  struct account {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::vector<std::uint64_t> waiting{};
  };
  const snapshot& of_;
  std::map<std::pair<int, int>, account> pairs_{};
};

}  // namespace simulated
