// The lives of one actor: what begins and ends an incarnation, whoever has decided it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "halting.hpp"
#include "lost_asks.hpp"
#include "replay.hpp"
#include "retiring.hpp"
#include "unreadable.hpp"
#include "watching.hpp"

namespace cairn::detail {

class incarnations : public halting {
 public:
  using halting::halting;

  /// Opens the incarnation's resources, if that is due now: in a birth it comes later. False if it
  /// failed: what its supervisor says of that is done, and the actor may have stopped.
  bool start(cell& one) {
    unstarted_ = false;
    if (!one.needs_start || is_being_born(one)) return true;
    const std::optional<ruling> failed = try_start(one);
    if (!failed) return true;
    mail_.cuts().touch(one);
    mail_.cuts().bring(one);
    one.changed = true;
    obey(one, *failed);
    return false;
  }

  /// The same where it may have failed before, and nobody else says that it has not now.
  bool start_at_last(cell& one) {
    if (!one.more || one.more->start_tries == 0) return start(one);
    const auto began = all_.steady_now();
    if (!start(one)) return false;
    const bool waits = one.more->attempts != 0;
    if (!one.needs_start && (waits || !unstarted_)) tell_started(one, began, waits);
    return true;
  }

  /// The first activation after the process's restart, of an actor whose handler was suspended.
  bool resume_restored(cell& one) {
    sometimes("suspended handler restored");
    mail_.cuts().touch(one);
    mail_.cuts().bring(one);
    try {
      try_replay(one, [&] { rebuild_restored(all_, mail_, replay_, one); });
    } catch (const replay_failure& why) {
      replay_failed(one, why.what(), one.open_handler);
      return false;
    } catch (const unreadable&) {
      one.suspended = true;  // in memory alone: the system has failed, and commits nothing
      return false;
    } catch (...) {
      const std::string why = text_of_caught();
      if (!may_go_on(one, why, answer_to(all_, one, why))) return false;
    }
    one.needs_replay = one.diverged = false;
    count_notice(one);
    // The snapshot may hold the answer itself, in flight. A run that has ended must not begin
    // again: the handler goes on with the answer, and the two would have their effects at the same
    // time.
    for (auto& each : replay_.unfinished()) {
      const slot* found = one.find_slot(each.number);
      const bool ended = found == nullptr || found->arrived || one.box.has_reply(each.number);
      sometimes(ended ? "run not begun again" : "run begun again");
      if (ended) continue;
      warn_of_run(all_, one, each);
      show_end(mine_);
      all_.start_run(one.self(), std::move(each));
    }
    interrupt_lost_asks(all_, mail_, one);
    one.needs_start = true;
    return one.paused || start(one);
  }

  /// Whether the hook of its birth is still to come, or has not ended: `on_start` comes after it.
  [[nodiscard]] static bool is_being_born(const cell& one) noexcept {
    if (!one.type->has_birth) return false;
    const auto birth = one.type->birth_index();
    if (one.busy()) return one.more->handler.index == birth;
    const envelope* first = one.box.queue.front();
    return first != nullptr && first->kind == envelope_kind::message && first->index == birth;
  }

  void resume(cell& one) {
    if (!one.suspended) return;
    sometimes("actor resumed");
    one.suspended = false;
    one.box.attend_anew();  // it will be looked at anew
    one.careful = std::min(one.careful, caution::messages);
    all_.pardon(one);
    if (one.more) {
      one.more->restarts.clear();
      one.more->attempts = 0;  // what has failed is tried as often as before
    }
    look_at_timers(one);
    all_.tell_of(event_kind::resumed, one, "resumed");
    if (!one.type->persistent && one.state == nullptr && begin_afresh(one)) one.needs_start = true;
    mine_.ready.push(one);
  }

  /// Brings an actor back to where it stands now: what its incarnation held outside is lost.
  void renew(cell& one) {
    if (one.suspended) return;
    sometimes(one.busy() ? "sibling with a suspended handler restarted" : "sibling restarted");
    end_pause(one);
    one.changed = true;
    if (one.needs_replay) return mine_.ready.push(one);  // which is what comes next
    const auto began = all_.steady_now();
    if (!one.type->persistent) return renew_ephemeral(one, began);
    try {
      ensure_base(one);
    } catch (...) {
      return suspend(one, "its state could not be serialized: " + text_of_caught());
    }
    const bool open = one.busy();
    try {
      try_replay(one, [&] { replay_.rebuild(one, one.saved->log.end()); });
      if (!one.busy()) one.saved->replayed = true;
    } catch (...) {
      cannot_replay(one, open);
      return;
    }
    one.life = next(one.life);
    one.needs_start = true;
    if (!start(one)) return;
    note_restart(one, began, replay_.messages());
    tell_restarted(one, "with its siblings");
  }

  /// Back to the state that it was spawned with. Mail and watches stay; timers and children go with
  /// what made them. A base is taken, so that no replay goes back beyond.
  void reset(cell& one) {
    sometimes(one.busy() ? "suspended handler reset" : "actor reset");
    const auto began = all_.steady_now();
    const return_address asker = asker_of(one);
    replay_.tear_down(one, stop_reason::restart);
    one.needs_replay = one.diverged = one.open_handler = false;
    extra& rest = one.rest();
    stop_children(mail_, one, rest, children_stop::disowned);
    rest.children.clear();
    rest.timers.clear();
    rest.attempts = 0;
    end_pause(one);
    one.changed = one.needs_start = true;
    mail_.refuse(asker, errc::failed, world::label(one) + " began afresh", one.at);
    if (!one.type->persistent) {
      if (begin_afresh(one)) tell_restarted_fresh(one, began);
      return;
    }
    try {
      const scoped_current<runtime> scope{current_runtime, &all_};
      one.type->construct(one);
      if (!rest.first_state.empty())
        one.type->decode(one, rest.first_state.view(), rest.first_schema);
      one.life = next(one.life);
      renew_base(one);
      tell_restarted_fresh(one, began);
    } catch (...) {
      suspend(one, "it could not begin afresh: " + text_of_caught());
    }
  }

  /// `tells`: there is more to tell than that it began afresh.
  void go_on(cell& one, bool tells) {
    if (!one.paused) return;
    end_pause(one);
    if (one.needs_replay) return mine_.ready.push(one);  // as in renew()
    const bool waits = one.rest().attempts != 0 || one.rest().start_tries == 0;
    const auto began = all_.steady_now();
    if (start(one) && tells && (waits || !unstarted_)) tell_started(one, began, waits);
  }

 protected:
  /// Of what fails, in one turn of its worker. Of a replay at all: what it begins from does not
  /// change.
  static constexpr std::uint32_t most_tries_at_once = 8;

  /// `waits`: what has failed in a turn.
  void tell_started(cell& one, std::chrono::nanoseconds began, bool waits) {
    one.rest().restarted.whole += all_.steady_now() - began;
    tell_restarted(one, waits ? "the failing turn is tried again" : "it has started");
  }
  void tell_restarted_fresh(cell& one, std::chrono::nanoseconds began) {
    note_restart(one, began, 0);
    tell_restarted(one, "fresh");
  }

  /// An orderly end waits for the suspended handler that a commit's notice began.
  void count_notice(cell& one) {
    if (!one.busy() || one.more->handler.index != one.type->commit_index()) return;
    if (!one.more->handler.notice) one.more->handler.notice = notice_token{all_.notices};
  }

  /// The state is taken before the frame is destroyed; what its destructors do is discarded.
  void drop_handler(cell& one, bytes_view state) {
    const auto position = one.consumed;
    const auto number = one.next_number;
    replay_.tear_down(one, stop_reason::restart);
    const scoped_current<runtime> scope{current_runtime, &all_};
    one.type->construct(one);
    one.type->decode(one, state, one.type->schema);
    one.consumed = position;
    one.next_number = number;
    std::erase_if(one.more->timers, [](const timer& each) { return !each.message; });
    one.needs_start = true;
  }

  /// What its supervisor says where `on_start` throws: a failure like any other, but that it cannot
  /// be given up. After its attempts it is another one. Nothing: it has started, or is to go on
  /// without.
  [[nodiscard]] std::optional<ruling> try_start(cell& one) {
    one.needs_start = false;
    std::exception_ptr thrown;
    if (one.type->on_start != nullptr) {
      const besides said{mine_, one, in_start};
      thrown = replay_.open_resources(one);
    }
    if (!thrown) {
      if (one.more) one.more->start_tries = 0;
      return std::nullopt;
    }
    const std::string text = "on_start: " + text_of(thrown);
    all_.tell_of(event_kind::failed, one, text, errc::failed);
    std::uint32_t& tries = one.rest().start_tries;
    if (tries > one.policy->attempts) tries = 0;
    ruling found = judge(all_, mine_, one, thrown, text, tries);
    if (found.what == decision::resume) {
      sometimes("actor goes on that could not start");
      tries = 0;
      unstarted_ = true;
      return std::nullopt;
    }
    sometimes("start failed");
    one.needs_start = true;
    return found;
  }

  /// From the arguments of its spawn. False: its constructor threw, and it is suspended without a
  /// state; who resumes it tries again.
  bool begin_afresh(cell& one) {
    one.life = next(one.life);
    try {
      one.more->rebuild(one);
      return true;
    } catch (...) {
      suspend(one, "its constructor failed: " + text_of_caught());
      return false;
    }
  }

  /// As often as a turn that fails is tried: what is not there may be back.
  template <class Replay>
  void try_replay(cell& one, Replay&& replay) {
    const auto position = one.consumed;
    const auto number = one.next_number;
    const auto stand_again = [&] {  // where it stood, for the next try and for a cut
      one.consumed = position;
      one.next_number = number;
    };
    for (auto left = std::min(one.policy->attempts, most_tries_at_once);; --left) {
      try {
        return replay();
      } catch (const replay_failure& why) {
        stand_again();
        all_.tell_of(event_kind::failed, one, failure_text(why.what()), errc::failed);
        if (left == 0) throw;
        sometimes("failed replay tried again");
      } catch (...) {
        stand_again();
        throw;
      }
    }
  }

  /// Of what has just been caught: its replay went another way, or failed. `open`: a handler had
  /// not ended.
  void cannot_replay(cell& one, bool open) {
    try {
      throw;
    } catch (const replay_failure& why) {
      replay_failed(one, why.what(), open);
    } catch (...) {
      diverged(one, text_of_caught(), open);
    }
  }

  /// Whether the turn that begins there is not its handler's first one.
  [[nodiscard]] static bool is_within(cell& one, replay_log::cursor entry) {
    return one.saved->log.next(entry)->kind != log_kind::message;
  }

  /// The actor keeps its base and its log and handles nothing, unless its supervisor has another
  /// answer to what exceeds; who resumes it has it replayed once more. The system does not go back:
  /// an older state of everybody's brings nothing back that is lost outside, and the turns that
  /// cannot be run again now have had their effects.
  void replay_failed(cell& one, const std::string& why, bool open) {
    sometimes("replay failed");
    put_off_replay(one, open);
    obey(one, exceeded(*one.policy, failure_text(why)));
    forgive_tries(one);
  }

  /// Never go on silently: the actor keeps its base and its log and handles nothing.
  void diverged(cell& one, const std::string& why, bool open) {
    sometimes("replay diverged");
    put_off_replay(one, open);
    all_.tell_of(event_kind::diverged, one, why, errc::diverged);
    if (roll_back_once(world::label(one) + " diverged: " + why)) {
      suspend(one, "replay diverged: " + why);
    } else {
      obey(one, exceeded(*one.policy, "replay diverged: " + why));
    }
    forgive_tries(one);
  }

 private:
  /// A handler that was suspended did something else when it was run again. True: it is given up.
  bool may_go_on(cell& one, const std::string& why, version_answer answer) {
    if (answer == version_answer::suspend_actor) {
      put_off_replay(one, one.open_handler);
      suspend(one, "replay diverged: " + why);
      forgive_tries(one);
      return false;
    }
    std::string what = why;
    if (answer == version_answer::abandon) {
      try {
        abandon_handler(all_, mail_, replay_, one, "run again, its handler diverged: " + why);
        return true;
      } catch (...) {  // what ended before it does, too
        what = text_of_caught();
      }
    }
    // Relaxed: set while no worker ran.
    if (one.diverged || all_.rolled_back_to.load(std::memory_order_relaxed) != 0) {
      diverged(one, what, one.open_handler);
      return false;
    }
    one.suspended = true;
    all_.fail(std::make_exception_ptr(
        error{errc::diverged, "actor " + world::label(one) + " (" + std::string{one.type->name} +
                                  ") could not be restored: " + what}));
    return false;
  }

  [[nodiscard]] static std::string failure_text(const std::string& why) {
    return "replay failed " + why;
  }

  void put_off_replay(cell& one, bool open) {
    replay_.tear_down(one, stop_reason::restart);
    one.needs_replay = one.diverged = true;
    one.open_handler = open;
  }
  /// What has failed is tried as often as before by who resumes its actor.
  static void forgive_tries(cell& one) noexcept {
    if (one.suspended && one.more) one.more->attempts = 0;
  }

  void renew_ephemeral(cell& one, std::chrono::nanoseconds began) {
    const return_address asker = one.busy() ? one.more->handler.answer : return_address{};
    replay_.tear_down(one, stop_reason::restart);
    if (one.more) {
      std::erase_if(one.more->timers, [](const timer& each) { return !each.message; });
    }
    mail_.refuse(asker, errc::failed, "its actor was restarted", one.at);
    one.needs_start = true;
    if (!begin_afresh(one) || !start(one)) return;
    note_restart(one, began, 0);
    tell_restarted(one, "with its siblings");
  }

  bool unstarted_ = false;  ///< the last start has failed, and its actor goes on without
};

}  // namespace cairn::detail
