// A whole system that is driven by hand, on the thread of a test.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "../../memory_store.hpp"
#include "../../root.hpp"
#include "hand_driven.hpp"
#include "turn_gate.hpp"

namespace cairn::testing {

/// An expectation of a test does not hold, or a verb was used where it has no meaning. The text
/// says what was expected, and what waits instead.
class probe_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace cairn::testing

namespace cairn::detail {

/// What the verbs of a probe are made of, whatever its actors' types.
class prober {
 public:
  using describe_function = void (*)(registry&);
  struct settings {
    std::function<void(options&)> configure{};
    supervisor_options supervision{};
    event_handler on_event{};
    std::uint64_t most_steps = 0;
  };

  prober(describe_function types, settings chosen) : describe_{types}, chosen_{std::move(chosen)} {
    begin();
  }
  prober(const prober&) = delete;
  prober& operator=(const prober&) = delete;
  ~prober() = default;

  /// Lets everything happen that does not wait for the test.
  void settle() {
    if (stepping_) throw testing::probe_error{"a probe is used within a turn of its own actors"};
    if (!program_) throw testing::probe_error{"nothing runs: restart() has failed"};
    refuse_old_refs();
    const scoped_current<pauser> pausing{current_pauser, &gate_};
    const scoped_current<planned_failures> failing{current_failures, &gate_.failures()};
    const raised within{stepping_};
    for (std::uint64_t steps = 0; step_all(); ++steps) {
      if (steps == chosen_.most_steps) {
        throw testing::probe_error{"handlers that wait for nobody do not end; " + view().text()};
      }
    }
    if (const auto why = program_->failure()) std::rethrow_exception(why);
  }

  /// Runs `what` as a turn of the root task. Throws what it throws.
  void as_root(const std::function<void(root&)>& what) {
    settle();
    next_ = &what;
    auto word = make_envelope(unit{});
    word->kind = envelope_kind::reply;
    word->answer.number = awaited_;
    word->to = program_->cells.at(1);
    word->target = actor_id{1};
    program_->send_from_outside(std::move(word));
    settle();
    if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
  }

  /// The cell that a ref of this system names, whoever lives there.
  [[nodiscard]] cell& cell_of(const address& who) const {
    if (who.where == nullptr) throw testing::probe_error{"an empty ref"};
    if (who.where->owner != program_.get()) {
      throw testing::probe_error{"a ref from before restart(), or of another system"};
    }
    return *who.where;
  }
  [[nodiscard]] static bool lives(const cell& one, actor_id id) noexcept {
    return one.is(id) && one.type != nullptr && !one.stopped;
  }

  /// Precondition: `next_for` of the view gave it.
  void deliver(cell& one, const envelope& what) {
    gate_.permit(one, what);
    settle();
    check(!gate_.is_pending(), "what a probe delivers is handled");
  }

  /// Sends from outside, and has that handled before what waits.
  void inject(cell& one, envelope_ptr message) {
    const auto number = message->answer.number;
    program_->send_from_outside(std::move(message));
    settle();
    const envelope* last = one.box.queue.back();
    if (last == nullptr || last->answer.asker != nullptr || last->answer.number != number) return;
    if (mail_view::is_held_message(one, *last)) deliver(one, *last);  // else it was refused
  }

  /// Delivers everything. Returns how much it was.
  std::uint64_t deliver_all(std::uint64_t most) {
    settle();
    const std::uint64_t before = gate_.delivered();
    gate_.open(most);
    bool more = false;
    try {
      settle();
      more = gate_.close();
    } catch (...) {
      (void)gate_.close();
      throw;
    }
    if (!more) return gate_.delivered() - before;
    throw testing::probe_error{"not done after " + std::to_string(most) + " messages; " +
                               view().text()};
  }

  /// Moves the clock to the next moment until `end` at which something falls due, and lets that
  /// happen. False: there is none, and it is `end`.
  bool pass(std::chrono::nanoseconds end) {
    settle();
    const auto& timers = program_->workers.front()->timers;
    const bool due = !timers.empty() && timers.front().due <= end;
    now_ = std::max(now_, due ? timers.front().due : end);
    gate_.note_due();
    program_->wake(*program_->workers.front());
    settle();
    return due;
  }
  [[nodiscard]] std::chrono::nanoseconds now() const noexcept { return now_; }

  void commit() {
    settle();
    const auto last = program_->committed.load(std::memory_order_relaxed);  // one thread
    program_->leader().request();
    settle();
    if (program_->committed.load(std::memory_order_relaxed) != last) return;
    std::string why;
    for (const event& each : events_) {
      if (each.kind == event_kind::abandoned) why = each.text;
    }
    throw testing::probe_error{"the epoch was abandoned: " + why};
  }

  /// The process dies, and another one begins over what was committed.
  void restart() {
    settle();
    program_->halt();
    program_->store().close();
    former_.push_back(std::move(program_));
    begin();
  }

  [[nodiscard]] mail_view view() const noexcept { return {*program_, gate_.senders(), top_}; }
  [[nodiscard]] program& inner() const noexcept { return *program_; }
  [[nodiscard]] planned_failures& failures() noexcept { return gate_.failures(); }
  [[nodiscard]] const supervisor& top() const noexcept { return door_; }
  [[nodiscard]] const std::vector<event>& events() const noexcept { return events_; }
  [[nodiscard]] const std::vector<dead_letter>& dead_letters() const noexcept { return letters_; }

 private:
  static constexpr std::string_view top_name = "probe";

  class raised {
   public:
    explicit raised(bool& flag) noexcept : flag_{flag} { flag_ = true; }
    raised(const raised&) = delete;
    raised& operator=(const raised&) = delete;
    ~raised() { flag_ = false; }

   private:
    bool& flag_;
  };

  static task<int> serve(root& top, prober& of) {
    for (;;) {
      of.awaited_ = open_slot(turn_here("a probe"), {}, "the test");
      asking<void> word{awaited_slot{&top.where(), of.awaited_}};
      co_await std::move(word);
      try {
        (*of.next_)(top);
      } catch (...) {
        of.thrown_ = std::current_exception();
      }
    }
  }

  void begin() {
    registry types;
    describe_(types);
    gate_.failures().take_over(types);
    seats_.clear();
    top_ = nullptr;
    program_ = std::make_unique<program>(make_options(), std::move(types));
    program_->tombs_stay = true;
    gate_.watch(*program_);
    program_->begin([this](root& top) { return serve(top, *this); },
                    [](int, std::exception_ptr) {});
    as_root([this](root& top) {
      door_ = top.supervise(top_name, chosen_.supervision);
      top_ = top.where().more->children.find(std::string{top_name})->where.where;
    });
  }

  [[nodiscard]] options make_options() {
    options made;
    made.store = store_;
    made.epoch.every = {};
    made.dead_letters = 0;  // a keeper of letters would be one actor more, with mail
    made.epoch.messages = 0;
    made.epoch.bytes = 0;
    made.seed = 1;
    if (chosen_.configure) chosen_.configure(made);
    made.workers = 1;
    made.slow_turn = made.stuck_turn = {};
    made.clock = std::make_unique<hand_clock>(now_);
    made.schedulers = [this](cairn::seats) {
      auto one = std::make_unique<hand_scheduler>();
      seats_.push_back(one.get());
      return one;
    };
    made.on_event = [this](const event& what) {
      if (what.letter != nullptr) letters_.push_back(*what.letter);
      events_.push_back(what);
      events_.back().letter = nullptr;
      if (chosen_.on_event) chosen_.on_event(what);
    };
    return made;
  }

  [[nodiscard]] bool step_all() {
    bool any = false;
    for (hand_scheduler* each : seats_) {
      gate_.begin_step();
      any = each->step() || any;
      gate_.tidy();
    }
    return any;
  }

  /// A ref from before a restart still has its cell, so that a test learns what is wrong.
  void refuse_old_refs() const {
    for (const auto& gone : former_) {
      if (!gone->workers.front()->has_incoming()) continue;
      throw testing::probe_error{"something was sent through a ref from before restart()"};
    }
  }

  describe_function describe_;
  settings chosen_;
  memory_store store_{};
  std::chrono::nanoseconds now_{std::chrono::hours{1}};
  std::vector<event> events_{};
  std::vector<dead_letter> letters_{};
  turn_gate gate_{};
  std::vector<hand_scheduler*> seats_{};  ///< the workers' first
  std::vector<std::unique_ptr<program>> former_{};
  std::unique_ptr<program> program_{};
  supervisor door_{};
  const cell* top_ = nullptr;
  bool stepping_ = false;

  // The root task's.
  std::uint64_t awaited_ = 0;
  const std::function<void(root&)>* next_ = nullptr;
  std::exception_ptr thrown_{};
};

}  // namespace cairn::detail
