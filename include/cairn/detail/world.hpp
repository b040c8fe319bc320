// What all workers of one system share.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "../clock.hpp"
#include "../event.hpp"
#include "../other_version.hpp"
#include "actor_type.hpp"
#include "attachment.hpp"
#include "cell_table.hpp"
#include "letter_box.hpp"
#include "lost_actors.hpp"
#include "name_view.hpp"
#include "pardons.hpp"
#include "worker.hpp"

namespace cairn::detail {

/// The types that the program lists, by the hash of their names. Constant while the system runs.
struct registry {
  std::unordered_map<std::uint64_t, actor_type> actors{};
  std::unordered_map<std::uint64_t, const payload_ops*> messages{};  ///< former names, too
  std::unordered_map<std::uint64_t, std::uint64_t> former{};  ///< actors' former names to present
  std::unordered_map<std::uint64_t, actor_type> retired{};    ///< what is left of such actors

  /// The type that has this name or had it, null: none.
  [[nodiscard]] const actor_type* find(std::uint64_t hash) const {
    const auto now = former.find(hash);
    const auto found = actors.find(now != former.end() ? now->second : hash);
    return found != actors.end() ? &found->second : nullptr;
  }
};

/// The parts of an epoch, in order. `stage` in `world` is `phases` * a running number + phase.
enum class phase : std::uint8_t {
  closed,   ///< no snapshot is open
  rest,     ///< before a snapshot at rest: workers count the handlers that have not ended
  flip,     ///< workers acknowledge
  drain,    ///< every worker passes one more turn boundary and empties its lane
  sweep,    ///< every touched actor is visited
  writing,  ///< the writer syncs and publishes
  keep,     ///< committed: workers close their lists
  abandon,  ///< not committed: workers splice them back
  hold,     ///< before a rollback: workers stand still
  go,       ///< after it: they go on
};
inline constexpr std::uint64_t phases = 16;

struct world : runtime {
  std::unique_ptr<const clock> time;
  registry types{};
  cell_table cells{};
  std::vector<std::unique_ptr<worker>> workers{};
  attachments beside{};
  letter_box letters{};
  lost_actors lost{};
  name_view names_aloud{};  ///< what threads outside may read
  /// What the process has died of, again and again. Constant while a worker runs.
  std::vector<deadly_turn> accused{};
  pardons pardoned{};                     ///< who was resumed all the same
  std::vector<actor_id> forgiven{};       ///< the same, in a snapshot; of who has the store
  version_handler on_difference{};        ///< of a handler that did something else; may be none
  std::array<turn_note*, 4> run_notes{};  ///< of the seats of `self.run`; null: nowhere
  /// Strikes the deaths of who was resumed until then from the file that holds the workers' notes,
  /// which it owns. By the writer, once all of the snapshot is serialized and before it is
  /// published: a crash in between costs two more deaths. May be none.
  std::function<void(epoch)> strike_deaths{};
  /// The actors that a snapshot gave back, sorted. Constant while the system runs.
  huge_vector<actor_id> restored_ids{};
  actor_id first_new_id{};  ///< of those born since that snapshot; constant like them
  // How much is done before there is a look at what else there is to do. The simulation does less.
  int slice = 256;                             ///< activations in one step
  int budget = 64;                             ///< turns in one activation
  int lingers = 64;                            ///< looks for what comes back: see `lingering`
  bool always_shares = false;                  ///< ready actors, however short their turns are
  int sweep_visits = 64;                       ///< actors in one slice of a sweep
  std::size_t sweep_looks = 2048;              ///< at messages that wait, as well
  std::size_t sweep_bytes = 256 * 1024;        ///< of records; an eighth of it ends a slice
  std::size_t max_history = 16 * 1024 * 1024;  ///< bytes that one handler may be handed
  std::size_t max_retained = 1'048'576;        ///< from outside, by each worker: see `retain`
  bool orderly = false;     ///< what this system began with, or went back to, is an orderly end
  bool tombs_stay = false;  ///< for who asks of stopped actors who they were: a probe
  event_level least_event = event_level::detail;
  std::chrono::nanoseconds default_ask_timeout = std::chrono::seconds{5};

  /// No handler begins but for asks, and intake from outside waits: a snapshot at rest is near.
  std::atomic<bool> resting{false};
  /// No actor but the root task has a turn. A flag that says no more than itself: see standstill.
  std::atomic<bool> paused{false};
  /// The system's epoch. Raised by the coordinator, read by everybody.
  std::atomic<std::uint64_t> now_epoch{1};
  /// Sends from outside under way, by the parity of the epoch they are stamped with.
  std::array<std::atomic<std::uint64_t>, 2> announced{};
  /// What the workers are asked to do, and how many have not done it yet.
  std::atomic<std::uint64_t> stage{0};
  std::atomic<std::uint64_t> stage_epoch{0};
  std::atomic<unsigned> stage_waits{0};
  /// Something has changed since the last cut.
  std::atomic<bool> dirty{false};
  std::atomic<std::uint64_t> next_id{1};
  /// Notices of commits, and what they led to, that an orderly end waits for.
  std::atomic<std::int64_t> notices{0};
  /// Something else than notices of commits was handled in the epoch that is being closed.
  std::atomic<bool> substantial{false};
  /// Something leaves with a commit: held answers, or actors that are told of it.
  std::atomic<bool> has_outputs{false};
  std::atomic<std::uint64_t> committed{0};
  /// The snapshot that the last rollback went back to; 0: there was none.
  std::atomic<std::uint64_t> rolled_back_to{0};

  /// The last epoch of which not all that came from outside is kept for a rollback.
  std::atomic<std::uint64_t> unretained{0};

  // Any thread.
  virtual void wake(worker& sleeping) noexcept = 0;
  /// The same for an actor that has been pushed into its `wakes`.
  virtual void nudge(worker& sleeping) noexcept = 0;
  virtual void report(const event& what) noexcept = 0;
  /// An answer for somebody outside.
  virtual void answer_outside(envelope_ptr answer) = 0;
  virtual void start_run(address of, outside_run work) = 0;
  /// Asks for an epoch at once.
  virtual void want_epoch() noexcept = 0;
  /// Takes the system back to the latest committed snapshot, once no epoch is open.
  virtual void roll_back(const std::string& why) = 0;
  /// The system cannot go on. No epoch is committed any more.
  virtual void fail(std::exception_ptr why) noexcept = 0;

  // Of the open snapshot; workers.
  [[nodiscard]] virtual bool has_write_room() const noexcept = 0;
  virtual void write(buffer& records) = 0;
  virtual void add_prepare(std::function<void()> prepare) = 0;
  /// It must not be committed: something of it could not be written.
  virtual void spoil_epoch(const std::string& why) = 0;

  [[nodiscard]] std::chrono::nanoseconds steady_now() const override { return time->steady(); }
  [[nodiscard]] std::chrono::system_clock::time_point wall_now() const override {
    return time->wall();
  }
  [[nodiscard]] bool ended_orderly() const noexcept override { return orderly; }
  [[nodiscard]] std::size_t history_bound() const noexcept override { return max_history; }
  [[nodiscard]] std::chrono::nanoseconds ask_timeout() const noexcept override {
    return default_ask_timeout;
  }
  void cannot_read(const cell& one, const error& why) noexcept override {
    sometimes("system ends for what it does not read");
    fail(std::make_exception_ptr(
        error{why.code(), "actor " + label(one) + " (" + std::string{one.type->name} +
                              ") is handed what this program does not read: " + why.what()}));
  }
  [[nodiscard]] cell* locate(std::uint32_t slot_index) const noexcept override {
    // A cell that was never used has no home: only forged bytes name one.
    return slot_index == 0 || slot_index >= cells.used() ? nullptr : cells.at(slot_index);
  }
  [[nodiscard]] const actor_type& type_named(std::uint64_t hash,
                                             std::string_view name) const override {
    const auto found = types.actors.find(hash);
    if (found == types.actors.end()) {
      throw error{errc::unknown_type,
                  "actor type \"" + std::string{name} + "\" is not listed in cairn::actors<...>"};
    }
    return found->second;
  }

  [[nodiscard]] caution caution_of(cell& one) const noexcept {
    auto found = caution::none;
    for (const deadly_turn& each : accused) {
      if (each.actor != raw(one.self().id)) continue;
      found = each.is_writing() ? caution::unwritten : std::max(found, caution::everything);
      if (found == caution::unwritten) break;
    }
    return found;
  }
  /// Whether what waits for the actor is in no snapshot, since nobody knows which of it is deadly.
  [[nodiscard]] bool spoils_mail(cell& one) const noexcept {
    return one.careful == caution::unwritten && accusation(one, {}, in_mail) != nullptr;
  }
  /// The actor is resumed. What it was not held back for stays: such messages are given up.
  void pardon(cell& one) {
    const auto whose = raw(one.self().id);
    const bool held_back = std::any_of(accused.begin(), accused.end(), [&](const auto& each) {
      return each.actor == whose && each.holds_back();
    });
    if (held_back) pardoned.note(one.self().id, one.at);
  }
  [[nodiscard]] const deadly_turn* accusation(cell& one, position at,
                                              std::uint64_t message) const noexcept {
    const deadly_turn wanted{raw(one.self().id), raw(at), message};
    for (const deadly_turn& each : accused) {
      if (each.same(wanted)) return &each;
    }
    return nullptr;
  }

  /// The actor's path, as far as it is known here: names of parents may be of other workers, so
  /// only the actor's own name is looked at.
  [[nodiscard]] static std::string label(const cell& of) {
    if (!of.name.empty()) return of.name;
    if (of.slot_index == 1) return "root";
    return "#" + std::to_string(raw(of.id.load(std::memory_order_relaxed)));  // for text only
  }

  [[nodiscard]] bool tells_of(event_kind kind) const noexcept {
    return level_of(kind) >= least_event;
  }
  /// Whether anybody is told is known where it is called: of births and stops mostly nobody is.
  [[gnu::always_inline]] void tell_of(event_kind kind, cell& of, std::string_view text,
                                      errc code = errc::ok) {
    if (tells_of(kind)) tell(kind, of, text, code);
  }
  [[gnu::noinline]] void tell(event_kind kind, cell& of, std::string_view text, errc code) {
    report(event_of(kind, of, text, code));
  }
  [[nodiscard]] static event event_of(event_kind kind, cell& of, std::string_view text,
                                      errc code = errc::ok) {
    event what;
    what.kind = kind;
    what.at = of.at;
    what.actor = of.self().id;
    what.name = label(of);
    what.text = text;
    what.code = code;
    what.consumed = of.consumed;
    return what;
  }
};

}  // namespace cairn::detail
