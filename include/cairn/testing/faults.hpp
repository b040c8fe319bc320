// A simulated disk for a `file_store`: it loses, tears and reorders what was not synced, and fails
// as it is told to. Everything follows from a seed.
#pragma once

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "../detail/disk.hpp"
#include "../error.hpp"
#include "detail/platters.hpp"

namespace cairn::testing {

/// What goes wrong on a simulated disk. Chances are from 0 to 1 and for each operation.
struct disk_faults {
  double read_error = 0;   ///< a read fails with `io`; the next one may succeed
  double write_error = 0;  ///< a write (after a part of it), create, rename, remove fails with `io`
  double no_space = 0;     ///< a write (after a part of it), create, rename fails with `no_space`
  double sync_error = 0;   ///< a sync fails with `io`, and what it was for may never be durable
  double flip_on_read = 0;  ///< one bit of what a read returns is wrong, this time only
  double flip_at_rest = 0;  ///< at a sync, one bit of the file changes and stays so
  double slow = 0;          ///< an operation takes `slow_for` longer
  std::chrono::nanoseconds slow_for{0};
  std::uint64_t capacity = 0;   ///< bytes that all files may hold together; 0: no bound
  bool reorder_entries = true;  ///< unsynced names survive each on its own, not the first ones
};

/// What becomes of messages on their way from outside into a simulated system, as over a network.
/// Chances are from 0 to 1 and for each message. A duplicate comes later, too.
struct outside_faults {
  double duplicated = 0;  ///< it comes twice; of an ask, the first answer counts
  double delayed = 0;     ///< it comes later; what its thread sends then may overtake it
  std::chrono::nanoseconds late_by = std::chrono::milliseconds{10};  ///< at most
};

/// What happens at the end of a turn.
enum class turn_fault : std::uint8_t {
  throws,  ///< `planned_failure`: the turn has had no effect
  stops,   ///< the actor stops, as by `self.stop()`
};

/// A fault of one actor in a simulated system, with the first turn of the `message`-th message that
/// actors of this name begin to handle, from 1 on, tries included, over all processes.
struct actor_fault {
  std::string name{};
  std::uint64_t message = 1;
  turn_fault what = turn_fault::throws;
};

/// A disk that outlives its processes. `mount` gives a process's view of it, for the third argument
/// of `file_store`. Of what was not synced, `crash` keeps a part that the seed chooses: of each
/// write all, nothing, some sectors of 512 bytes, or the file's new size alone; later ones also
/// where earlier ones are lost. Created, renamed and removed names are lost where their directory
/// was not synced. What a failed sync was for may be lost although a later sync succeeds.
///
/// A view whose process has died goes on upon a copy of what it saw, without faults, and changes
/// nothing here: its process can run to its end.
///
/// Errors: views throw what the machine's disk does, with the same texts. A `lock` does not wait.
///
/// Thread safety: safe to share. The functions `on_operation` and `sleep` are set before views are
/// at work. They are called without a lock, so that they may call everything here.
class simulated_disk {
 public:
  using hook = std::function<void(std::string_view operation, const std::string& path)>;

  explicit simulated_disk(std::uint64_t seed, disk_faults faults = {});
  simulated_disk(const simulated_disk&) = delete;
  simulated_disk& operator=(const simulated_disk&) = delete;
  ~simulated_disk();

  /// Called before each operation of a living view takes effect. What it throws is thrown by the
  /// operation, which then has no effect.
  hook on_operation{};
  /// Called with the bytes of each write of a living view, after `on_operation`. The disk is locked
  /// meanwhile: it calls nothing here.
  std::function<void(detail::bytes_view bytes)> on_write{};
  /// Spends the time of slow operations; where it is empty, the calling thread really sleeps.
  std::function<void(std::chrono::nanoseconds)> sleep{};

  /// One process's view.
  [[nodiscard]] std::shared_ptr<detail::disk> mount();

  /// The power fails: every view is dead, and what was not synced is at the seed's mercy.
  void crash();
  /// The processes die and the machine does not: everything written is kept.
  void kill();

  /// After `n` more operations the power fails: the next one and all after it have no effect.
  void crash_after(std::uint64_t n);
  /// Whether the power has failed, and nothing was mounted since.
  [[nodiscard]] bool crashed() const;
  /// After `n` more operations the next one fails, with `io` or `no_space`, if it is one that can.
  void fail_after(std::uint64_t n, errc code);

  /// How many operations of living views have been begun. Each call of a view is one; making a
  /// directory and syncing its parent are two.
  [[nodiscard]] std::uint64_t operations() const;

  void set_faults(disk_faults faults);
  /// Before anything is mounted: files can be mapped, as a machine's can. What is stored there
  /// outlives a process; a power failure loses it, or not. So a `file_store` notes in which message
  /// the process dies.
  void map_files();
  /// Flips a bit of a file at rest, the lowest bit of the first byte being 0.
  ///
  /// Errors: `not_found`.
  void flip(const std::string& path, std::uint64_t bit);

 private:
  class core;
  class view;
  class file;
  class held_lock;
  struct operation;
  using tree_ptr = std::shared_ptr<detail::platter_tree>;

  std::shared_ptr<core> core_;
};

/// One that is being done: the disk is locked as long as it lives.
struct simulated_disk::operation {
  std::unique_lock<std::mutex> guard;
  bool alive = false;       ///< done by a living view
  errc failure = errc::ok;  ///< what it is to fail with

  void fail_if_told(const char* what, const std::string& path) const {
    if (failure == errc::ok) return;
    detail::raise_errno(failure == errc::no_space ? ENOSPC : EIO, what, path);
  }
};

class simulated_disk::core {
 public:
  enum class kind : std::uint8_t { look, read, change, remove, sync };

  core(simulated_disk& disk, std::uint64_t seed, disk_faults set)
      : owner{&disk}, faults{set}, chance{seed} {}

  simulated_disk* owner;  ///< not there for views that are dead
  std::mutex mutex{};
  disk_faults faults;
  detail::seeded_chance chance;
  tree_ptr live = std::make_shared<detail::platter_tree>();
  std::uint64_t operations = 0;
  std::uint64_t mounts = 0;
  std::uint64_t lock_numbers = 0;
  std::optional<std::uint64_t> crash_in{};
  std::optional<std::uint64_t> fail_in{};
  errc fail_with = errc::io;
  bool crashed = false;
  bool maps = false;

  /// Where the power fails before it, the operation is done upon the copy of a dead view.
  operation begin(const tree_ptr& in, std::string_view name, const std::string& path, kind what) {
    operation now{std::unique_lock{mutex}};
    if (live != in) return now;
    const auto pause = chance.happens(faults.slow) ? faults.slow_for : std::chrono::nanoseconds{0};
    auto& disk = *owner;
    now.guard.unlock();
    if (disk.on_operation) disk.on_operation(name, path);
    if (pause.count() > 0) disk.sleep ? disk.sleep(pause) : std::this_thread::sleep_for(pause);
    now.guard.lock();
    if (live != in) return now;
    if (crash_in && (*crash_in)-- == 0) {
      fail_power();
      return now;
    }
    ++operations;
    now.alive = true;
    now.failure = failure_of(what);
    return now;
  }

  void fail_power() {
    if (!crashed) replace(live->after_crash(chance, faults.reorder_entries));
    crashed = true;
  }
  /// Leaves the old tree to those who see it.
  void replace(tree_ptr tree) {
    live = std::move(tree);
    crash_in.reset();
    fail_in.reset();
  }

 private:
  errc failure_of(kind what) {
    if (fail_in && (*fail_in)-- == 0) {
      fail_in.reset();
      const bool can = fail_with != errc::no_space || what == kind::change || what == kind::sync;
      if (can) return fail_with;
    }
    const bool changes = what == kind::change || what == kind::remove;
    if (what == kind::read && chance.happens(faults.read_error)) return errc::io;
    if (what == kind::sync && chance.happens(faults.sync_error)) return errc::io;
    if (changes && chance.happens(faults.write_error)) return errc::io;
    if (what == kind::change && chance.happens(faults.no_space)) return errc::no_space;
    return errc::ok;
  }
};

inline simulated_disk::simulated_disk(std::uint64_t seed, disk_faults faults)
    : core_{std::make_shared<core>(*this, seed, faults)} {}

/// Views that are left are dead.
inline simulated_disk::~simulated_disk() {
  const std::lock_guard guard{core_->mutex};
  core_->replace(std::make_shared<detail::platter_tree>());
}

inline void simulated_disk::crash() {
  const std::lock_guard guard{core_->mutex};
  core_->fail_power();
}

inline void simulated_disk::kill() {
  const std::lock_guard guard{core_->mutex};
  core_->replace(core_->live->copy());
}

inline void simulated_disk::crash_after(std::uint64_t n) {
  const std::lock_guard guard{core_->mutex};
  core_->crash_in = n;
}

inline bool simulated_disk::crashed() const {
  const std::lock_guard guard{core_->mutex};
  return core_->crashed;
}

inline void simulated_disk::fail_after(std::uint64_t n, errc code) {
  const std::lock_guard guard{core_->mutex};
  core_->fail_in = n;
  core_->fail_with = code;
}

inline std::uint64_t simulated_disk::operations() const {
  const std::lock_guard guard{core_->mutex};
  return core_->operations;
}

inline void simulated_disk::set_faults(disk_faults faults) {
  const std::lock_guard guard{core_->mutex};
  core_->faults = faults;
}

inline void simulated_disk::map_files() {
  const std::lock_guard guard{core_->mutex};
  core_->maps = true;
}

inline void simulated_disk::flip(const std::string& path, std::uint64_t bit) {
  const std::lock_guard guard{core_->mutex};
  const auto found = core_->live->find(path);
  if (!found) detail::raise_errno(ENOENT, "cannot flip a bit", path);
  found->flip(bit);
}

}  // namespace cairn::testing

#include "detail/disk_view.hpp"
