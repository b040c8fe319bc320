// The turn that runs on this thread, and what it wants to happen: its effects are kept here and
// leave together when it ends. A turn that throws has had none.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../type_name.hpp"
#include "cell.hpp"
#include "effect.hpp"
#include "handed.hpp"
#include "message_row.hpp"
#include "pausing.hpp"

namespace cairn::detail {

struct actor_type;

/// What a handler may want of the system around it. One implementation; the actors' row knows no
/// more than this.
struct runtime {
  virtual ~runtime() = default;

  // Any thread.
  virtual void send_from_outside(envelope_ptr message) = 0;
  [[nodiscard]] virtual std::chrono::nanoseconds steady_now() const = 0;
  [[nodiscard]] virtual std::chrono::system_clock::time_point wall_now() const = 0;
  [[nodiscard]] virtual cell* locate(std::uint32_t slot_index) const noexcept = 0;
  [[nodiscard]] virtual const actor_type& type_named(std::uint64_t hash,
                                                     std::string_view name) const = 0;

  // Workers, within a turn.
  [[nodiscard]] virtual cell& allocate_cell(const actor_type& type) = 0;
  /// The same for a child of `parent`, with its name.
  [[nodiscard]] virtual cell& allocate_child(const actor_type& type, cell& parent,
                                             std::string_view name) = 0;
  virtual void release_cell(cell& gone) noexcept = 0;
  [[nodiscard]] virtual std::uint64_t random() = 0;
  /// A supervisor has been declared: what the store gave back below it runs again. On the first
  /// worker.
  virtual void wake_below(cell& top) = 0;
  /// Whether the process before had ended orderly: what failed in it counts no more.
  [[nodiscard]] virtual bool ended_orderly() const noexcept = 0;
  [[nodiscard]] virtual std::chrono::nanoseconds ask_timeout() const noexcept = 0;
  /// How many bytes one handler may be handed.
  [[nodiscard]] virtual std::size_t history_bound() const noexcept = 0;
  /// The system cannot go on: the actor was handed bytes that this program does not read.
  virtual void cannot_read(const cell& one, const error& why) noexcept = 0;
};

struct newborn {
  cell* made = nullptr;
  cell* parent = nullptr;
};

struct new_timer {
  std::uint64_t number = 0;
  std::chrono::nanoseconds delay{};
  envelope_ptr message{};
  bool ask = false;
  timer_kind kind = timer_kind::after;
  every repeat{};
  std::chrono::microseconds wall{};
};

/// Work for a thread that may block; what it returns is the reply to the await of this number.
struct outside_run {
  std::uint64_t number = 0;
  std::string name{};
  std::function<envelope_ptr()> work{};
  bool when_committed = false;  ///< begins once the turn that wanted it is committed
};

/// A watch of an ephemeral actor, or its end.
struct new_watch {
  actor_id whom{};
  bool ends = false;
};

/// Why an actor stops that gives no reason.
inline constexpr std::string_view usual_stop = "stopped";

/// What few turns want.
struct wishes {
  std::vector<newborn> born{};
  std::vector<new_timer> timers{};
  std::vector<std::uint64_t> cancelled{};  ///< numbers of timers
  std::vector<new_watch> watches{};
  std::vector<effect> seen{};  ///< in replay, for the text of a difference
  bool strange = false;        ///< a value could not be taken into the sums
  std::vector<outside_run> runs{};
  bool stop = false;
  std::string stop_reason{};  ///< empty: the usual one
  bool childless = false;     ///< its children have been stopped before
  envelope_ptr then{};        ///< begins the actor's next handler, once this one has ended

  [[nodiscard]] std::string_view reason() const noexcept {
    return stop_reason.empty() ? usual_stop : std::string_view{stop_reason};
  }
};

/// Not copied, not moved: `current_turn` points to it. One thread at a time.
struct turn {
  cell* self = nullptr;
  runtime* system = nullptr;
  replay_log::cursor* replay = nullptr;  ///< where replay reads; null: the turn is live
  /// What the turn was given, while no log holds it: see `log_input`. It is as it was.
  envelope* input = nullptr;
  /// What the handler that begins next reads, where the log has taken it out of its envelope.
  void* logged = nullptr;
  /// The base of a turn whose actor has none of its own, which takes this one once it needs it.
  std::unique_ptr<recovery> spare{};
  envelope_chain outbox{};
  std::uint32_t alike = 0;  ///< messages at its end, before they become a row: see `begin_row`
  /// Of the last child that was spawned on this worker: the next one is mostly of the same.
  const actor_type* child_type = nullptr;
  bool yields = false;    ///< others come first, though more waits for this actor
  bool starting = false;  ///< `on_start` runs: what it takes belongs to no handler
  bool brief = false;     ///< its handler, where it has an `input`, ends with the turn

  /// Sums over the effects, which replay compares turn by turn: of what they are and whom they
  /// reach, and two of what they carry, which count once there is an effect.
  std::uint64_t digest = 0;
  std::uint64_t values = 0;
  std::uint64_t other_values = 0;
  std::uint32_t effects = 0;
  std::array<std::uint64_t, first_effects> first;  ///< as they are mixed; so many as there are
  std::unique_ptr<digest_room> hashing{};

  [[nodiscard]] bool replaying() const noexcept { return replay != nullptr; }

  /// What the turn wants besides sending.
  [[nodiscard]] wishes& also() noexcept {
    wants_more_ = true;
    return more_;
  }
  /// Whether there may be any of that.
  [[nodiscard]] bool wants_more() const noexcept { return wants_more_; }

  /// How long an ask waits: of all that is wanted besides sending the most frequent.
  void limit_ask(std::uint64_t number, std::chrono::nanoseconds most) {
    new_timer& made = more_.timers.emplace_back();
    made.number = number;
    made.delay = most;
    made.ask = true;
    asks_ = true;
  }
  [[nodiscard]] bool asks() const noexcept { return asks_; }
  [[nodiscard]] std::vector<new_timer>& timers() noexcept { return more_.timers; }

  [[gnu::always_inline]] void note(std::uint64_t what, std::uint64_t whom,
                                   std::uint64_t value = 0) noexcept {
    const effect made{what, whom, value};
    const std::uint64_t mixed = made.mixed();
    digest += mixed;
    if (effects < first.size()) first[effects] = mixed;
    ++effects;
    weigh(made, mixed);
  }

  [[gnu::always_inline]] void send(envelope_ptr message, address to) {
    message->to = to.where;
    message->target = to.id;
    outbox.push_back(std::move(message));
  }

  /// What is sent is an effect too. It is noted at the end of those turns whose effects are logged
  /// or compared, which most are not.
  void note_sent() noexcept {
    for (const envelope* each = outbox.front(); each != nullptr; each = each->next) {
      if (each->kind == envelope_kind::row) {
        note_row(*each);
        continue;
      }
      // Not an answer to somebody outside: no snapshot says that it was wanted, and replay has
      // none.
      if (each->to == nullptr) continue;
      // Which of an asker's awaits it is for counts like what it says.
      note(kind_of(*each), raw(each->target),
           digest_of_payload(*each) + each->answer.number * effect::spread);
    }
    if (wants_more_) [[unlikely]]
      note_wishes();
  }

  /// What is compared of a value; `digest` is called where it is needed. 0, and the turn's values
  /// are not compared, where it throws.
  template <class Digest>
  [[nodiscard]] std::uint64_t value_of(Digest&& digest_of_it) noexcept {
    try {
      return digest_of_it();
    } catch (...) {  // what becomes of the message itself is decided where it has to be written
      also().strange = true;
      return 0;
    }
  }
  [[nodiscard]] bytes_view first_mixed() const noexcept {
    return std::as_bytes(std::span{first}.first(std::min<std::size_t>(effects, first.size())));
  }
  /// Whether the sums hold every value.
  [[nodiscard]] bool knows_values() const noexcept { return !wants_more_ || !more_.strange; }

  /// The same in a program that has renamed the message or given it another place in its protocol.
  [[nodiscard]] static std::uint64_t kind_of(const envelope& message) noexcept {
    const payload_ops& ops = *message.ops;
    if (message.kind == envelope_kind::message) return ops.sent_as;
    return message.kind == envelope_kind::control ? ops.origin ^ message.index : ops.origin;
  }

  [[nodiscard, gnu::always_inline]] bool has_log() const noexcept {
    return self != nullptr && (self->saved != nullptr || input != nullptr) && !starting;
  }
  /// Whether what is handed over at once is logged. Not where the actor's next turn begins from a
  /// copy of its state, and none begins within this one's handler: nobody would read it.
  [[nodiscard, gnu::always_inline]] bool logs() const noexcept {
    return has_log() && !(brief && input != nullptr);
  }

  /// The bytes of the log up to here. Precondition: the turn has one.
  [[nodiscard]] std::size_t log_bytes() const noexcept {
    if (!self->saved) return 0;
    const replay_log& log = self->saved->log;
    return replaying() ? log.bytes_before(*replay) : log.bytes();
  }

  /// Something handed over at once: made when live, taken from the log in replay. `name` is a
  /// spawned child's.
  ///
  /// Errors: throws `errc::diverged` where the log holds something else.
  template <class Make>
    requires std::is_trivially_copyable_v<std::invoke_result_t<Make>>
  [[nodiscard]] auto handed(handed_value what, Make make, std::string_view name = {}) {
    using value = std::invoke_result_t<Make>;
    if (replaying()) {
      const found_entry entry = self->saved->log.next(*replay);
      if (!is_value(entry, what, sizeof(value))) {
        throw error{errc::diverged, text_of_other(entry, what, name)};
      }
      value taken;
      std::memcpy(&taken, entry->value(), sizeof taken);
      return taken;
    }
    const value made = make();
    if (logs()) {
      log_input();
      self->saved->log.append_value(static_cast<std::uint64_t>(what),
                                    std::as_bytes(std::span{&made, std::size_t{1}}));
    }
    return made;
  }

  /// Logs what the turn was given, where that has been put off: a turn that begins from a copy of
  /// the state, and ends before anything is handed to it, leaves nothing that a replay needs.
  void log_input() {
    if (input == nullptr) return;
    if (!self->saved) take_spare();
    replay_log& log = self->saved->log;
    (void)log.take_input(*input);
    input = nullptr;
    if (self->more) self->more->handler.history_from = log.bytes();
  }

  /// Forgets the effects: they have left, or must not.
  void clear() {
    outbox.clear();
    clear_sent();
    if (std::exchange(asks_, false)) more_.timers.clear();
    if (wants_more_) clear_more();
  }
  /// The same where there were none but what has been sent.
  [[gnu::always_inline]] void clear_sent() noexcept {
    input = nullptr;
    if (effects == 0) [[likely]]
      return;  // nothing has been added to the sums
    digest = values = other_values = 0;
    effects = 0;
  }

 private:
  [[gnu::noinline]] void take_spare() noexcept {
    spare->valid = spare->raw = true;
    spare->replayed = false;
    self->saved = std::move(spare);
  }

  [[gnu::always_inline]] void weigh(const effect& made, std::uint64_t mixed) noexcept {
    values += made.value * effect::weight(mixed);
    other_values += made.value * effect::other_weight(mixed);
    if (replaying()) [[unlikely]]
      remember(made);
  }
  void note_row(const envelope& row) noexcept {
    const payload_ops& ops = message_row::ops_of(row);
    const std::byte* value = message_row::first_of(row);
    for (std::uint64_t left = row.ticket; left > 0; --left) {
      note(ops.sent_as, raw(row.target), digest_of_value(ops, value));
      value += message_row::stride_of(ops);
    }
  }
  [[gnu::noinline]] void remember(const effect& made) { also().seen.push_back(made); }

  [[nodiscard]] std::uint64_t digest_of_payload(const envelope& message) noexcept {
    return digest_of_value(*message.ops, message.payload());
  }
  [[nodiscard]] std::uint64_t digest_of_value(const payload_ops& ops, const void* value) noexcept {
    if (ops.digest == nullptr) return 0;
    return value_of([&] { return ops.digest(value, hashing); });
  }

  /// Reminders are effects on oneself. Other timers are not: they end what the handler waits for.
  [[gnu::noinline]] void note_wishes() noexcept {
    if (more_.stop) note(0, raw(self->self().id), fnv1a(more_.reason()));
    for (const new_timer& each : more_.timers) {
      if (!each.message) continue;
      const std::uint64_t when = mixed_of(static_cast<std::uint64_t>(each.delay.count()),
                                          static_cast<std::uint64_t>(each.wall.count()));
      const auto period = static_cast<std::uint64_t>(each.repeat.period.count());
      const auto how = static_cast<std::uint64_t>(each.kind) * 256 +
                       static_cast<std::uint64_t>(each.repeat.missed);
      note(each.message->ops->origin, raw(each.message->target),
           digest_of_payload(*each.message) + mixed_of(mixed_of(when, period), how));
    }
  }

  [[gnu::noinline]] void clear_more() {
    wants_more_ = false;
    for (const auto& one : more_.born) {
      if (one.parent->more) one.parent->more->children.remove(one.made->self().id, one.made->name);
      system->release_cell(*one.made);
    }
    more_.born.clear();
    more_.timers.clear();
    more_.cancelled.clear();
    more_.watches.clear();
    more_.runs.clear();
    more_.stop = false;
    more_.stop_reason.clear();
    more_.childless = false;
    more_.then.reset();
    more_.seen.clear();
    more_.strange = false;
  }

  wishes more_{};
  bool wants_more_ = false;
  bool asks_ = false;
};

/// The turn on this thread, null between turns and on threads outside.
inline constinit thread_local turn* current_turn = nullptr;

/// The system whose bytes this thread decodes: refs find their cells through it.
inline constinit thread_local runtime* current_runtime = nullptr;

/// Sets one of the two for a scope.
template <class T>
class scoped_current {
 public:
  scoped_current(T*& place, T* value) noexcept : place_{place}, before_{place} { place = value; }
  scoped_current(const scoped_current&) = delete;
  scoped_current& operator=(const scoped_current&) = delete;
  ~scoped_current() { place_ = before_; }

 private:
  T*& place_;
  T* before_;
};

/// The turn on this thread. Throws where there is none.
[[nodiscard]] inline turn& turn_here(const char* what) {
  if (current_turn == nullptr) {
    throw error{errc::misuse, std::string{what} + " has a meaning only inside a handler"};
  }
  return *current_turn;
}

/// Opens the place where an answer will be awaited.
[[nodiscard]] inline std::uint64_t open_slot(turn& here, address from, std::string_view what) {
  const std::uint64_t number = here.self->next_number++;
  slot& made = here.self->rest().slots.emplace_back();
  made.number = number;
  made.from = from;
  made.what = what;
  return number;
}

}  // namespace cairn::detail
