// The epoch protocol as one worker sees it: touching, cutting, late messages, sweeping, closing.
// Everything here runs on the worker that is the cell's home, between turns, except where said.
// The colours: an actor in `at`, a message of `sent`, the worker in `seen`. While `open`, the
// snapshot of previous(seen) collects records.
#pragma once

#include <exception>
#include <utility>

#include "actor_record.hpp"
#include "bases.hpp"
#include "record_maker.hpp"
#include "world.hpp"

namespace cairn::detail {

class cutter {
 public:
  cutter(world& all, worker& mine) noexcept : all_{all}, mine_{mine} {}

  /// Takes part in the flip. Nothing of this worker's earlier turns is under way: it is between
  /// turns, and a turn's effects are linked before it ends.
  [[gnu::always_inline]] void acknowledge(epoch flipped) noexcept {
    if (mine_.seen < flipped) [[unlikely]]
      go_on_to(flipped);
  }

 private:
  [[gnu::noinline]] void go_on_to(epoch flipped) noexcept {
    mine_.seen = flipped;
    // Relaxed: the coordinator's stages order it.
    if (std::exchange(mine_.substantial, false)) {
      all_.substantial.store(true, std::memory_order_relaxed);
    }
    mine_.open = true;
    mine_.sweep_begun = false;
  }

 public:
  /// Lists a cell that handled or received something. Its first touch after an epoch's end brings
  /// an untouched actor to this epoch: its older record stands for the epochs between.
  [[gnu::always_inline]] void touch(cell& one) {
    if (one.touched_in != mine_.seen) [[unlikely]]
      touch_first(one);
  }

  /// An actor that was given away is at home here now. Its former home may have touched it in an
  /// epoch that this worker has left already: then it is cut like any other, by its next turn or by
  /// the sweep.
  void take_over(cell& one) {
    sometimes(one.at < mine_.seen ? "actor taken over that has not cut" : "actor taken over");
    list(one);
    note_dirty();
  }

  /// Before the actor's next turn, and before it is handed a message: cuts it if it still stands
  /// in the epoch whose snapshot is open.
  void bring(cell& one) {
    if (one.at < mine_.seen) [[unlikely]]
      bring_to_present(one);
  }

 private:
  [[gnu::noinline]] void touch_first(cell& one) {
    if (one.listed == touched_list::none) {
      list_first(one);
    } else if (one.touched_in < mine_.seen) {
      one.touched_again = true;  // it stays where it is listed
      one.touched_in = mine_.seen;
    }
  }
  void list_first(cell& one) {
    if (one.at < mine_.seen) one.at = mine_.seen;
    list(one);
    if (!all_.dirty.load(std::memory_order_relaxed)) note_dirty();
  }

  [[gnu::noinline]] void bring_to_present(cell& one) {
    if (one.listed != touched_list::none && mine_.open) {
      if (one.busy()) sometimes("suspended handler cut");
      write_cut(one);
    }
    one.at = mine_.seen;
  }

 public:
  /// An actor meets a message that is about to be handled, dropped or given up: an unrecorded one
  /// of an earlier epoch belongs into the open snapshot, for its sender's cut has it as sent.
  [[gnu::always_inline]] void meet(const worker& mine, cell& one, envelope& message) {
    if (!is_met(mine, one, message)) [[unlikely]]
      meet(one, message);
  }
  /// Whether that is nothing to be done. Most messages are of the present epoch.
  [[nodiscard, gnu::always_inline]] static bool is_met(const worker& mine, const cell& one,
                                                       const envelope& message) noexcept {
    const epoch seen = mine.seen;
    if (one.touched_in != seen || one.at < seen) return false;
    if (message.sent == seen) [[likely]]
      return true;
    return message.sent < seen && !mine.open;
  }
  [[gnu::noinline]] void meet(cell& one, envelope& message) {
    acknowledge(message.sent);
    touch(one);
    bring(one);
    if (mine_.open && is_late(one, message)) record_mail(one, message);
  }

  /// One bounded slice of the sweep. True when every touched cell has been visited.
  [[nodiscard]] bool sweep() {
    waits_for_room_ = false;
    if (!mine_.sweep_begun) begin_sweep();
    looks_before_ = mine_.looks;
    bytes_before_ = mine_.records.size();
    for (int visits = 0; visits < all_.sweep_visits; ++visits) {
      cell* one = mine_.sweeping.front_of_many();
      if (one == nullptr && mine_.records.empty()) return true;
      if (!all_.has_write_room()) {
        sometimes("sweep waits for room");
        return waits_for_room_ = true, false;
      }
      if (one == nullptr) return flush(), true;
      if (is_slice_done()) break;
      if (!visit(*one)) {
        sometimes("sweep goes on within a mailbox");
        break;
      }
      mine_.sweeping.remove(*one);
      mine_.swept.push_back(*one);
    }
    // Else they go with the next slice's: each time costs the writer a call, and both a lock.
    if (mine_.records.size() > all_.sweep_bytes / 4) flush();
    return false;
  }

  /// The sweep stands still until the writer, who wakes the workers then, has room again.
  [[nodiscard]] bool waits_for_room() const noexcept { return waits_for_room_; }

  /// The snapshot is committed. False: this worker knew.
  [[nodiscard]] bool close() noexcept { return std::exchange(mine_.open, false); }

  /// What was visited and not touched since is clean. One bounded slice of that, once the snapshot
  /// is closed; true when it is all.
  [[nodiscard]] bool keep() {
    constexpr int visits_for_one = 8;  // a look at an actor costs a tenth of its cut
    for (int visits = 0; visits < all_.sweep_visits * visits_for_one; ++visits) {
      cell* one = mine_.swept.front_of_many();
      if (one == nullptr) {
        if (!mine_.touched.empty()) note_dirty();
        return true;
      }
      mine_.swept.remove(*one);
      if (one->touched_again) {
        sometimes("actor touched after its cut");
        list(*one);
      } else if (one->box.empty() && !one->busy() && !one->suspended && !one->needs_replay) {
        one->saved.reset();  // the next turn takes a base from the state, which is unchanged
      }
    }
    return sometimes("what is clean is seen in slices"), false;
  }

  /// The snapshot is void: the next one says everything again.
  void splice_back() {
    sometimes("epoch abandoned");
    if (!mine_.held_runs.empty()) sometimes("waiting run outlasts an abandoned epoch");
    const epoch gone = previous(mine_.seen);
    mine_.open = false;
    for (touched_cells* those : {&mine_.sweeping, &mine_.swept}) {
      while (cell* one = those->front()) {
        those->remove(*one);
        list(*one);
      }
    }
    for (cell* one = mine_.touched.front(); one != nullptr; one = one->touched_next) {
      one->changed = true;
      if (one->known_since == gone) one->on_disk = false;
      one->box.forget_swept();
      for (envelope_list* list : {&one->box.queue, &one->box.replies}) {
        for (envelope* each = list->front(); each != nullptr; each = each->next) {
          if (each->recorded == gone) each->recorded = epoch{};
        }
      }
    }
    mine_.records.clear();
    note_dirty();
  }

 private:
  void note_dirty() {
    // Relaxed: the coordinator looks again at its next poll, which this wakes.
    if (!all_.dirty.exchange(true, std::memory_order_relaxed)) all_.wake(*all_.workers.front());
  }

  /// What is listed between a flip and the sweep's beginning will be visited by that sweep.
  void list(cell& one) noexcept {
    one.touched_again = mine_.open && !mine_.sweep_begun;
    one.touched_in = mine_.seen;
    mine_.touched.push_back(one);
  }

  [[nodiscard]] bool is_late(const cell& one, const envelope& message) const noexcept {
    // What is for the cell's former actor is not the present one's to record.
    return mine_.open && message.sent < mine_.seen && message.recorded == epoch{} &&
           (!message.spoilt || message.kind == envelope_kind::reply) && one.is(message.target) &&
           message.answer.number != wake_number && has_mail_recorded(one);
  }
  [[nodiscard]] bool has_mail_recorded(const cell& one) const noexcept {
    return one.type != nullptr && one.type->persistent &&
           (!one.stopped || one.stopped_in >= mine_.seen);
  }

  void record_mail(cell& one, envelope& message) {
    if (all_.spoils_mail(one) && has_own_codec(message)) {
      return spoil(one, message, "the process has died of mail of this actor's");
    }
    const bool reply = message.kind == envelope_kind::reply;
    record_header header;
    header.kind = reply ? record_kind::reply : record_kind::mail;
    header.place = reply ? message.answer.number : message.ticket;
    header.actor = one.self().id;
    header.type = hash_of(message);
    header.schema = schema_of(message);
    header.epoch = previous(mine_.seen);
    const auto mark = begin_record(mine_.records, header);
    const besides said{mine_, one, in_mail};
    try {
      put_envelope(mine_.records, message);
    } catch (...) {
      mine_.records.resize(mark);
      spoil(one, message, text_of_caught());
      return;
    }
    end_record(mine_.records, mark);
    ++mine_.recorded;
    message.recorded = header.epoch;
    sometimes(one.stopped                              ? "late message of a stopped actor recorded"
              : reply                                  ? "late reply recorded"
              : message.kind == envelope_kind::control ? "late word recorded"
                                                       : "late message recorded");
  }

  /// Whether to write it is to run code of the program's.
  [[nodiscard]] static bool has_own_codec(const envelope& message) noexcept {
    if (message.spoilt || message.kind == envelope_kind::control) return false;
    if (message.kind == envelope_kind::reply && message.code != errc::ok) return false;
    return message.ops != &ops_of<encoded_value> && as_retired(message) == nullptr;
  }

  /// A message whose `serialize` throws is in no snapshot, so nobody shall handle it: it becomes a
  /// dead letter when its turn comes. An answer becomes a failure, which can be recorded.
  void spoil(cell& one, envelope& message, const std::string& why) {
    message.spoilt = true;
    all_.tell_of(event_kind::failed, one,
                 std::string{message.ops->name} + " could not be serialized: " + why, errc::misuse);
    if (message.kind != envelope_kind::reply) return;
    message.code = errc::failed;
    record_mail(one, message);
  }

  void begin_sweep() {
    mine_.sweep_begun = true;
    mine_.visited = mine_.looks = looks_before_ = 0;
    std::swap(mine_.touched, mine_.sweeping);  // the latter is empty
  }

  /// False where the slice ended within the mailbox.
  [[nodiscard]] bool visit(cell& one) {
    bring(one);
    for (envelope* each = one.box.replies.front(); each != nullptr; each = each->next) {
      if (is_late(one, *each)) record_mail(one, *each);
    }
    if (!one.box.queue.empty() && !visit_queue(one)) return false;
    ++mine_.visited;
    return true;
  }

  /// A long mailbox is mostly what earlier sweeps have recorded, and a walk through that is longer
  /// than the rest of a cut: slices go on behind it, and behind each other. See `sweep_marks`.
  [[nodiscard]] bool visit_queue(cell& one) {
    if (!has_mail_recorded(one)) return true;
    envelope_list& queue = one.box.queue;
    const bool is_long = queue.size() > all_.sweep_looks;
    sweep_marks marks;
    if (one.box.marks) marks = one.box.marks->swept;
    envelope* each = queue.front();
    for (; each != nullptr && marks.is_before(*each); each = each->next) look_at(one, *each);
    if (envelope* last = marks.begin(each, mine_.seen, one.box.last_ticket)) each = last->next;
    bool ended = true;
    for (; ended && marks.is_due(each); each = each->next) {
      look_at(one, *each);
      marks.pass(*each, each->sent < mine_.seen);  // of its epoch, it may be late in the next
      ended = !marks.is_due(each->next) || !is_slice_done();
    }
    if (ended && !is_long) return one.box.forget_swept(), true;
    one.box.made_marks().swept = marks;
    return ended;
  }
  void look_at(cell& one, envelope& message) {
    ++mine_.looks;
    if (is_late(one, message)) record_mail(one, message);
  }
  [[nodiscard]] bool is_slice_done() const noexcept {
    return mine_.records.size() - bytes_before_ > all_.sweep_bytes / 8 ||
           mine_.looks - looks_before_ >= all_.sweep_looks;
  }

  void flush() {
    bytes_before_ -= mine_.records.size();  // which may wrap: the difference stays
    if (!mine_.records.empty()) all_.write(mine_.records);
  }

  /// Writes what the open snapshot has to say of this actor.
  void write_cut(cell& one) {
    if (!one.changed || one.type == nullptr || !one.type->persistent) return;
    // To serialize it would be the end of the process: its record stands, whatever it says until
    // somebody resumes it.
    if (one.careful == caution::unwritten && !one.stopped) return;
    one.changed = false;
    record_header header;
    header.actor = one.self().id;
    header.epoch = previous(mine_.seen);
    if (one.stopped) {
      if (!one.on_disk) return;
      sometimes("stop recorded");
      header.kind = record_kind::gone;
      append_record(mine_.records, header, {});
      ++mine_.recorded;
      return;
    }
    header.kind = record_kind::actor;
    header.floor = one.box.done_ticket;
    header.type = one.type->hash;
    header.position = one.consumed;
    if (write_actor(one, header) && !one.on_disk) {
      one.on_disk = true;
      one.known_since = header.epoch;
    }
    if (mine_.records.size() > all_.sweep_bytes) flush();
  }

  /// A `serialize` that throws suspends its actor alone. It is recorded as its last base and what
  /// it consumed since; without any base, as what the store holds of it already. Where that is
  /// nothing, or the base cannot be written (for a timer's message, or for what a handler was
  /// handed), there is no snapshot.
  bool write_actor(cell& one, record_header header) {
    const besides said{mine_, one, in_serialize};
    const auto before = mine_.records.size();
    std::string text;
    for (int tries = 0; tries < 2; ++tries) {
      try {
        const bool rests = !one.busy() && !one.needs_replay && !one.suspended;
        // Its next turn begins with a copy of the state in any case. What it prepares may change
        // it.
        const bool as_it_is = rests && one.type->raw_base && !one.saved && one.state != nullptr &&
                              one.type->prepare == nullptr;
        if (!as_it_is && (rests || !one.saved || !one.saved->valid)) renew_and_audit(one);
        // Suspended, it publishes nothing; once it goes on, it prepares what it has.
        if (one.type->prepare != nullptr && one.state != nullptr && !one.suspended) {
          if (auto prepare = one.type->prepare(one)) all_.add_prepare(std::move(prepare));
        }
        header.schema = as_it_is ? one.type->schema : one.saved->schema;
        const auto mark = begin_record(mine_.records, header);
        as_it_is ? put_as_it_is(mine_.records, one, all_) : put_actor(mine_.records, one, all_);
        end_record(mine_.records, mark);
        ++mine_.recorded;
        audit_suspended(mine_.audits.get(), one);
        // A new record takes the place of older replies too: those that still wait are said again.
        for (envelope* each = one.box.replies.front(); each != nullptr; each = each->next) {
          each->recorded = epoch{};
        }
        if (rests && one.type->raw_base) mine_.bases.give(std::move(one.saved));
        return true;
      } catch (...) {
        mine_.records.resize(before);
        one.changed = true;
        text = "its state could not be serialized: " + text_of_caught();
        sometimes("state not serialized");
        if (one.suspended) continue;
        one.suspended = true;
        one.box.attend_anew();  // asks that waited for a restart are refused
        all_.tell_of(event_kind::suspended, one, text, errc::failed);
      }
    }
    const bool stands = one.on_disk && !(one.saved && one.saved->valid);
    if (!stands) all_.spoil_epoch(world::label(one) + ": " + text);
    return false;
  }

  world& all_;
  worker& mine_;
  bool waits_for_room_ = false;
  std::uint64_t looks_before_ = 0;  ///< the present slice of the sweep
  std::size_t bytes_before_ = 0;    ///< of records, less those that have left since
};

}  // namespace cairn::detail
