// Leads the workers through an epoch. Runs on the first worker, between turns; what the workers
// do at each stage is in `cutter`.
//
// The stages are handed on through `world::stage` (a release store here, an acquire load there)
// and `world::stage_waits` (an acquire-release countdown), so whatever a worker did before it
// counted down is visible to every worker in the next stage.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "../epoch.hpp"
#include "actor_record.hpp"
#include "consumption.hpp"
#include "rollback_steps.hpp"
#include "snapshot_writer.hpp"
#include "world.hpp"

namespace cairn::detail {

/// Told when an epoch ended, by number; `text` says why where it was abandoned.
struct epoch_end {
  epoch number{};
  bool committed = false;
  bool last = false;  ///< it began at rest, after an orderly end was announced
  std::string text{};
};

class coordinator {
 public:
  coordinator(world& all, snapshot_writer& writer, epoch_policy policy) noexcept
      : all_{all}, writer_{writer}, policy_{std::move(policy)}, interval_{policy_.every} {}

  /// Asks for an epoch at once. Any thread.
  void request() noexcept {
    requested_.store(true, std::memory_order_relaxed);  // the wake orders it before the next poll
    all_.wake(*all_.workers.front());
  }

  /// The same, once no handler is suspended, or this long at most. Any thread.
  void request_at_rest(std::chrono::nanoseconds at_most) noexcept {
    // pairs with the acquire in begin(): who finds it finds what was announced before
    rest_.store(std::max<std::int64_t>(1, at_most.count()), std::memory_order_release);
    request();
  }

  [[nodiscard]] rollback_steps& rollback() noexcept { return rollback_; }

  /// The next epoch that begins at rest is the program's last one. Any thread, before
  /// `request_at_rest`, which orders it.
  void announce_last() noexcept { last_.store(true, std::memory_order_relaxed); }

  /// Moves the epoch on as far as it will go. True: call again soon, something is awaited that
  /// wakes nobody.
  bool poll(const std::function<void(const epoch_end&)>& ended) {
    pause_point();
    switch (phase_) {
      case phase::closed:
        if (rollback_.is_wanted()) {
          const bool ends = last_.load(std::memory_order_relaxed);  // see announce_last()
          if (rollback_.begin(all_.steady_now(), ends)) enter(phase::hold);
        } else if (is_due()) {
          begin();
        }
        return false;
      case phase::rest:
        // Twice: before it knew of this a worker may have given an actor to one that had counted.
        if (everybody_has()) std::exchange(settled_, true) ? look_for_rest() : enter(phase::rest);
        return false;
      case phase::flip:
        if (!everybody_has()) return false;
        if (sends_under_way()) return sometimes("flip waits for threads outside"), true;
        cost_.flip = all_.steady_now() - began_;
        settled_ = false;
        enter(phase::drain);
        return true;
      case phase::drain:
        // Twice: what a worker forwards from its lane in the first round may have to wait for one
        // who has marked the actor and not queued it yet, in a turn that ends before the second.
        if (everybody_has()) enter(std::exchange(settled_, true) ? phase::sweep : phase::drain);
        return false;
      case phase::sweep:
        if (everybody_has()) finish_sweep();
        return false;
      case phase::writing:
        take_outcome();
        return false;
      case phase::keep:
      case phase::abandon:
        if (everybody_has()) close(ended);
        return false;
      case phase::hold:
        if (everybody_has() && rollback_.go_on()) enter(phase::go);
        return false;
      case phase::go:
        if (everybody_has()) phase_ = phase::closed;
        return false;
    }
    return false;
  }

  /// When the next epoch is due at the latest, if nothing else happens; 0: never.
  [[nodiscard]] std::chrono::nanoseconds next_due() const noexcept {
    if (phase_ == phase::rest) return next_look_;
    if (phase_ != phase::closed) return {};
    // What was asked for while something else was under way is looked at now.
    constexpr std::chrono::nanoseconds at_once{1};
    if (rollback_.is_wanted()) return std::max(rollback_.until(), at_once);
    if (requested_.load(std::memory_order_relaxed) && !given_up_) return at_once;  // see request()
    if (given_up_ || !all_.dirty.load(std::memory_order_relaxed)) return {};  // its setter wakes us
    if (consumed_.is_reached()) return std::max(after_pause(), at_once);
    if (interval_.count() == 0) return {};
    return std::max(due_after(last_flip_, interval_), after_pause());
  }

  /// For the workers to look at.
  [[nodiscard]] consumption& consumed() noexcept { return consumed_; }

  [[nodiscard]] const epoch_cost& last_cost() const noexcept { return last_cost_; }

  /// Names of types, for the errors of a program that no longer knows them. Before it runs.
  void set_names(std::unordered_map<std::uint64_t, std::string> names) {
    names_ = std::move(names);
    names_due_ = true;
  }
  /// What the store holds of the system itself.
  void set_program(std::string version) { program_ = std::move(version); }

  // Workers, during the sweep.
  void add_prepare(std::function<void()> each) {
    const std::lock_guard lock{guard_};
    prepare_.push_back(std::move(each));
  }

 private:
  [[nodiscard]] bool everybody_has() const noexcept {
    return all_.stage_waits.load(std::memory_order_acquire) == 0;  // pairs with the countdown
  }

  /// Outside sends stamped with the closed epoch. Sequentially consistent: a sender announces
  /// itself and then reads the epoch again, we raised the epoch and then look here; one of us sees
  /// the other (see engine::send_from_outside).
  [[nodiscard]] bool sends_under_way() const noexcept {
    return all_.announced[raw(number_) % 2].load(std::memory_order_seq_cst) != 0;
  }

  void enter(phase next_phase) {
    phase_ = next_phase;
    // Relaxed: published by the store to `stage`.
    all_.stage_waits.store(static_cast<unsigned>(all_.workers.size()), std::memory_order_relaxed);
    all_.stage_epoch.store(raw(number_), std::memory_order_relaxed);
    // pairs with the acquire load in engine::take_part()
    all_.stage.store(phases * ++stages_ + static_cast<std::uint64_t>(next_phase),
                     std::memory_order_release);
    for (auto& each : all_.workers) all_.wake(*each);
  }

  [[nodiscard]] std::chrono::nanoseconds after_pause() const noexcept {
    return due_after(last_end_, policy_.min_pause);
  }

  [[nodiscard]] bool is_due() {
    if (given_up_) return false;
    if (requested_.load(std::memory_order_relaxed)) return true;  // see request()
    if (!all_.dirty.load(std::memory_order_relaxed)) return false;
    const auto now = all_.steady_now();
    if (now < after_pause()) return false;
    if (interval_.count() != 0 && now >= due_after(last_flip_, interval_)) return true;
    return consumed_.is_reached_still();
  }

  void begin() {
    number_ = epoch{all_.now_epoch.load(std::memory_order_relaxed)};  // only we raise it
    // pairs with the release in request_at_rest()
    const auto at_most = std::chrono::nanoseconds{rest_.exchange(0, std::memory_order_acquire)};
    ends_ = at_most.count() != 0 && last_.load(std::memory_order_relaxed);  // ordered by `rest_`
    if (at_most.count() == 0) {
      flip();
      return;
    }
    rest_until_ = due_after(all_.steady_now(), at_most);
    settled_ = false;
    all_.resting.store(true, std::memory_order_relaxed);  // published by the stage
    enter(phase::rest);
  }

  /// Flips once nobody is suspended, or time is over; else looks again a little later. While all
  /// pause nobody will end.
  void look_for_rest() {
    const auto now = all_.steady_now();
    if (now < next_look_) return;
    // Who asks meanwhile for another one at rest, such as the last one, waits no longer for this.
    // pairs with the release in request_at_rest()
    if (const auto asked = rest_.load(std::memory_order_acquire); asked != 0) {
      rest_until_ = std::min(rest_until_, due_after(now, std::chrono::nanoseconds{asked}));
    }
    std::size_t unfinished = 0;
    for (const auto& each : all_.workers) unfinished += each->unfinished_count;
    const bool paused = all_.paused.load(std::memory_order_relaxed);  // looked at again
    if (unfinished != 0 && now < rest_until_ && !paused) {
      sometimes("snapshot waits for handlers to end");
      next_look_ = now + std::chrono::milliseconds{1};
      enter(phase::rest);
      return;
    }
    next_look_ = {};
    if (unfinished != 0) {
      sometimes("handlers suspended in a snapshot at rest");
      tell_unfinished(unfinished);
    }
    flip();
  }

  void tell_unfinished(std::size_t count) {
    event what;
    what.kind = event_kind::unfinished;
    what.at = number_;
    what.text = std::to_string(count) + " handlers had not ended before a snapshot at rest:";
    std::size_t named = 0;
    for (const auto& each : all_.workers) {
      for (const auto& name : each->unfinished) what.text += (named++ > 0 ? ", " : " ") + name;
    }
    if (named < count) what.text += ", and " + std::to_string(count - named) + " more";
    all_.report(what);
  }

  void flip() {
    requested_.store(false, std::memory_order_relaxed);        // read by this thread, see request()
    all_.substantial.store(false, std::memory_order_relaxed);  // published by the new epoch
    all_.dirty.store(false, std::memory_order_relaxed);        // set again by the next touch
    began_ = last_flip_ = all_.steady_now();
    consumed_.begin();
    bytes_at_begin_ = writer_.written();
    cost_ = {};
    writer_.begin(number_);
    event what;
    what.kind = event_kind::epoch_begun;
    what.at = number_;
    all_.report(what);
    // Before the stage: a worker that acknowledges must find the new epoch. Sequentially
    // consistent, see sends_under_way().
    all_.now_epoch.store(raw(number_) + 1, std::memory_order_seq_cst);
    pause_point();
    enter(phase::flip);
  }

  void finish_sweep() {
    cost_.sweep = all_.steady_now() - began_;
    buffer own;
    append_names(own);
    append_meta(own);
    writer_.append(own, true);
    std::vector<std::function<void()>> prepare;
    {
      const std::lock_guard lock{guard_};
      prepare = std::move(prepare_);
      prepare_.clear();
    }
    if (all_.strike_deaths) prepare.push_back([&on = all_, in = number_] { on.strike_deaths(in); });
    for (const auto& each : all_.workers) {
      cost_.visited += each->visited;
      cost_.records += each->recorded;
    }
    // Relaxed: set before an output of this epoch was held, which the sweep's countdown ordered.
    writer_.commit(std::move(prepare), all_.has_outputs.load(std::memory_order_relaxed));
    phase_ = phase::writing;
  }

  void append_names(buffer& to) {
    if (!names_due_) return;
    for (const auto& [hash, name] : names_) {
      record_header header;
      header.kind = record_kind::name;
      header.place = hash;
      header.epoch = number_;
      append_record(to, header, std::as_bytes(std::span{name.data(), name.size()}));
    }
  }

  void append_meta(buffer& to) {
    record_header header;
    header.kind = record_kind::meta;
    header.epoch = number_;
    const auto mark = begin_record(to, header);
    to.put(std::uint8_t{1});  // the layout of what follows
    // Every id given in this epoch is below: they were given before the acknowledgements.
    to.put(all_.next_id.load(std::memory_order_relaxed));
    to.put(std::int64_t{all_.wall_now().time_since_epoch() / std::chrono::microseconds{1}});
    to.put(all_.cells.used());
    to.put_text(program_);
    to.put(static_cast<std::uint8_t>(ends_ ? 1 : 0));
    end_record(to, mark);
  }

  void take_outcome() {
    auto outcome = writer_.outcome();
    if (!outcome) return;
    end_ = {outcome->number, outcome->committed, ends_, outcome->text};
    code_ = outcome->code;
    if (outcome->committed) {
      names_due_ = false;
      abandoned_ = 0;
      // Relaxed: whoever acts on it is told through the stage.
      all_.committed.store(raw(number_), std::memory_order_relaxed);
    } else {
      ++abandoned_;
    }
    all_.resting.store(false, std::memory_order_relaxed);  // published by the stage
    enter(outcome->committed ? phase::keep : phase::abandon);
  }

  void close(const std::function<void(const epoch_end&)>& ended) {
    phase_ = phase::closed;
    last_end_ = all_.steady_now();
    cost_.whole = last_end_ - began_;
    cost_.bytes = writer_.written() - bytes_at_begin_;
    for (auto& each : all_.workers) each->recorded = 0;
    last_cost_ = cost_;
    if (end_.committed) interval_ = young_daly(policy_, cost_.whole);
    event what;
    what.kind = end_.committed ? event_kind::committed : event_kind::abandoned;
    what.at = number_;
    what.text = end_.text;
    what.code = code_;
    what.cost = cost_;
    all_.report(what);
    ended(end_);
    if (!end_.committed && policy_.max_abandoned != 0 && abandoned_ >= policy_.max_abandoned) {
      given_up_ = true;
      all_.fail(std::make_exception_ptr(error{
          code_,
          std::to_string(abandoned_) + " epochs in a row could not be committed: " + end_.text}));
    }
  }

  world& all_;
  snapshot_writer& writer_;
  const epoch_policy policy_;
  std::chrono::nanoseconds interval_;
  std::atomic<bool> requested_{false};
  std::atomic<std::int64_t> rest_{0};  ///< nanoseconds to wait for rest at most; 0: do not
  std::atomic<bool> last_{false};      ///< an orderly end
  rollback_steps rollback_{};
  consumption consumed_{all_, policy_};  ///< since the last flip

  // The first worker's.
  phase phase_ = phase::closed;
  bool settled_ = false;  ///< the drain, or the count before a rest, is in its second round
  bool ends_ = false;     ///< the epoch is the program's last one
  std::uint64_t stages_ = 0;
  epoch number_{};
  epoch_end end_{};
  errc code_ = errc::ok;
  std::chrono::nanoseconds began_{};
  std::chrono::nanoseconds rest_until_{};
  std::chrono::nanoseconds next_look_{};
  std::chrono::nanoseconds last_flip_{};
  std::chrono::nanoseconds last_end_{};
  std::uint64_t bytes_at_begin_ = 0;
  std::size_t abandoned_ = 0;
  bool given_up_ = false;  ///< the system ends with an error: no epoch begins any more
  epoch_cost cost_{};
  epoch_cost last_cost_{};
  std::unordered_map<std::uint64_t, std::string> names_{};
  bool names_due_ = false;
  std::string program_{};

  std::mutex guard_;  ///< of `prepare_`, which workers fill
  std::vector<std::function<void()>> prepare_{};
};

}  // namespace cairn::detail
