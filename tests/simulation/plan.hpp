// What a workload says of itself, and how its disk may fail.
#pragma once

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "audit.hpp"

namespace simulated {

struct workload {
  std::string name{};
  cairn::application app{};
  std::string expected{};
  std::map<std::string, std::string> files{};  ///< what must have been published
  bool reads = false;  ///< and writes the store where it begins: on a bad disk it may not begin
  std::set<std::string> gives_up{};              ///< actors that may give up what they are sent
  std::function<void(const snapshot&)> check{};  ///< of every snapshot, beside what is so anyway
  std::function<void(const snapshot&)> check_latest{};  ///< of the one to begin from
  std::set<std::string> strays{};  ///< actors that do something else when they are run again
  std::function<void(const cairn::event&)> watch{};  ///< of every event
  bool kills = false;                                ///< its messages kill the process
  /// Of the disk, between two processes.
  std::function<void(const std::shared_ptr<cairn::detail::disk>&)> check_disk{};
  std::function<void(cairn::options&)> configure{};  ///< each process in its own way
  bool absent = false;                               ///< time passes between two processes
  /// Of what a process finds, before it does anything.
  std::function<void(const cairn::detail::program&)> check_start{};
  /// Copies of its store, which are lived to their end too.
  std::function<std::vector<std::string>()> clones{};
};

struct verdict {
  std::string complaint{};  ///< empty: everything held
  std::uint64_t trace = 0;
  std::uint64_t steps = 0;
  std::uint64_t crashes = 0;
  std::uint64_t audited = 0;  ///< snapshots
  std::map<std::string, std::uint64_t> reached{};
};

/// Half of the ways in which a disk fails, now and then.
inline cairn::testing::disk_faults failing_disk(cairn::detail::sim_random& plan, bool reads) {
  const auto chance = [&plan] {
    return plan.one_in(2) ? 0.0 : 0.01 * static_cast<double>(1 + plan.below(5));
  };
  cairn::testing::disk_faults made;
  made.sync_error = chance();
  made.write_error = chance();
  made.no_space = chance();
  if (!reads) made.read_error = chance();
  if (!reads) made.flip_on_read = chance();
  made.slow = chance();
  made.slow_for = std::chrono::milliseconds{3};
  return made;
}

/// What a seed sets of a simulation, beside what fails.
inline cairn::testing::simulation_options options_of(const workload& what, std::uint64_t seed,
                                                     cairn::detail::sim_random& plan) {
  cairn::testing::simulation_options made;
  made.seed = seed;
  made.most_steps = 2'000'000;  // hundreds of times what a run takes: it goes round in circles
  made.workers = static_cast<unsigned>(1 + plan.below(3));
  const auto messages = 1 + plan.below(100);
  const auto retain = plan.one_in(2) ? 1 + plan.below(3) : 10 + plan.below(10);
  const auto buffer = plan.one_in(3) ? std::size_t{256} << plan.below(5) : std::size_t{1} << 26U;
  // Of its own chance: with and without audits a seed plays the same plan.
  cairn::detail::sim_random share{seed, "audit"};
  const double audit =
      what.kills || share.one_in(2) ? 0.0 : 1.0 / static_cast<double>(1 + share.below(3));
  made.configure = [&what, messages, retain, buffer, audit, share](cairn::options& chosen) mutable {
    chosen.max_retained = share.one_in(2) ? 1'048'576 : std::size_t{1} << share.below(7);
    chosen.audit = audit;
    chosen.epoch.write_buffer = buffer;
    chosen.epoch.messages = messages;
    chosen.epoch.every = std::chrono::milliseconds{1};
    chosen.epoch.retain = retain;
    chosen.epoch.max_abandoned = 0;  // faults are many here; it goes on as long as they last
    chosen.rest = std::chrono::milliseconds{20};
    chosen.max_history = std::size_t{16} * 1024;
    chosen.ask_timeout = std::chrono::hours{24};
    if (what.configure) what.configure(chosen);
  };
  return made;
}

/// The disk failed where a journal was opened, or a snapshot read for a rollback; or a handler did
/// something else where it was run again at a start, and there was nothing to go back to. Whoever
/// runs the program begins again.
[[nodiscard]] inline bool may_begin_again(const workload& what, const std::exception_ptr& failure,
                                          bool rolls_back) {
  try {
    std::rethrow_exception(failure);
  } catch (const cairn::error& why) {
    if (why.code() == cairn::errc::diverged) {
      return std::any_of(what.strays.begin(), what.strays.end(), [&](const auto& each) {
        return std::string{why.what()}.find("actor " + each + " ") != std::string::npos;
      });
    }
    if (!what.reads && !rolls_back) return false;
    if (rolls_back && why.code() == cairn::errc::damaged) return true;
    return why.code() == cairn::errc::io || why.code() == cairn::errc::no_space;
  } catch (...) {
    return false;
  }
}

/// A bit of some file changes, other than a journal's. Either the store does without, by an older
/// snapshot, or it says that it cannot; then the bit changes back. Also where it does without and
/// there are `journals`, which have let go of what only the newest snapshot needs no more.
inline void spoil(cairn::testing::simulated_disk& on, const cairn::file_store_options& stored,
                  cairn::detail::sim_random& plan, std::optional<cairn::epoch>& committed,
                  bool journals) {
  const auto disk = on.mount();
  std::vector<std::string> names;
  try {
    names = disk->list("store");
  } catch (const cairn::error&) {
    return;  // there is no store yet
  }
  std::erase_if(names, [](const auto& each) { return each.starts_with("journal-"); });
  if (names.empty()) return;
  const auto path = "store/" + names[plan.below(names.size())];
  const auto size = disk->open(path)->size();
  if (size == 0) return;
  const auto bit = plan.below(8 * size);
  on.flip(path, bit);
  try {
    cairn::file_store store{"store", stored, on.mount()};
    const auto found = store.open({.read_only = true});
    // What it goes on from may be of a segment that is not there any more.
    if (found.latest) store.read(*found.latest, [](const cairn::record_view&) {});
    if (!journals || !(found.latest < committed)) {
      committed = found.latest ? std::min(committed, found.latest) : std::nullopt;
      return;
    }
  } catch (const cairn::error& why) {
    if (why.code() != cairn::errc::damaged && why.code() != cairn::errc::newer_schema) throw;
    if (std::string{why.what()}.find("store/") == std::string::npos) complain("damage unnamed");
  }
  on.flip(path, bit);
}

}  // namespace simulated
