// `cairn::clone`: a snapshot becomes a store of its own, and two systems go on from the same point.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "detail/actor_parts.hpp"
#include "detail/journal_port.hpp"
#include "detail/pausing.hpp"
#include "detail/record.hpp"
#include "error.hpp"
#include "ids.hpp"
#include "store.hpp"

namespace cairn {
namespace detail {

/// Copies what stands in one snapshot, framed anew as of that very epoch.
class snapshot_copy {
 public:
  snapshot_copy(any_store& from, any_store& to, epoch number) noexcept
      : from_{from}, to_{to}, number_{number} {}

  /// Errors: what the stores throw; nothing is committed then.
  void make() {
    to_.begin(number_);
    try {
      from_.read(number_, [&](const record_view& each) { take(each); });
      to_.append(records_.view());
      to_.commit();
      sometimes("snapshot cloned");
    } catch (...) {
      sometimes("clone failed");
      to_.abort();
      throw;
    }
  }

 private:
  static constexpr std::size_t batch = std::size_t{1} << 20U;

  void take(const record_view& each) {
    record_header header = each.header;
    header.epoch = number_;
    append_record(records_, header, each.payload);
    if (header.kind == record_kind::actor && header.type == type_hash<journal_port>) {
      copy_journal(actor_parts{each.payload});
    }
    if (records_.size() < batch) return;
    to_.append(records_.view());
    records_.clear();
  }

  /// What was posted and is not in the snapshot yet: the port will ask for it.
  void copy_journal(const actor_parts& port) {
    const std::uint64_t done = decode<journal_port>(port.state).done;
    const std::string name{port.name.substr(port.name.find('.') + 1)};  // "journal.NAME"
    const auto source = from_.journal(name);
    const auto copy = to_.journal(name);
    bool begun = false;
    source->read_from(done + 1, [&](std::uint64_t number, bytes_view entry) {
      if (!std::exchange(begun, true)) copy->begin_at(number);
      (void)copy->append(entry);
    });
    if (!begun) copy->begin_at(done + 1);
    copy->sync();
  }

  any_store& from_;
  any_store& to_;
  epoch number_;
  buffer records_{};
};

/// Errors: throws `errc::not_found` where the store has no such snapshot.
[[nodiscard]] inline epoch find_snapshot(any_store& in, const std::string& savepoint) {
  for (const auto& each : in.list()) {
    if (!each.name.empty() && each.name == savepoint) return each.number;
  }
  throw error{errc::not_found, in.describe() + ": no savepoint '" + savepoint + "'"};
}

/// Copies a snapshot of an open store into one that is not. Returns its number.
inline void copy_into(any_store& from, epoch number, any_store& to) {
  const opened found = to.open({});
  if (!found.snapshots.empty()) {
    throw error{errc::misuse,
                to.describe() + " holds snapshots already: a clone needs a new store"};
  }
  snapshot_copy{from, to, number}.make();
}

/// What a writer does between epochs: copies a savepoint, or where there is no name the snapshot
/// that was committed last. Returns its number.
[[nodiscard]] inline std::function<epoch(any_store&, epoch)> copying(std::string name,
                                                                     any_store to) {
  auto target = std::make_shared<any_store>(std::move(to));
  return [name = std::move(name), target](any_store& from, epoch last) {
    const epoch number = name.empty() ? last : find_snapshot(from, name);
    copy_into(from, number, *target);
    target->close();
    return number;
  };
}

}  // namespace detail

/// Makes `to`, a new store, hold one snapshot of `from` and nothing else: whoever opens it goes on
/// from there, and `from` is as it was. What was posted to a journal and is not in the snapshot is
/// copied, too.
///
/// Preconditions: neither is open. For a store in use there is `root::clone`. Effects: returns the
/// snapshot's number; both stores are closed.
/// Errors: throws `cairn::error`: `not_found` where there is no such savepoint or epoch, `misuse`
/// where `to` holds snapshots, and what the stores throw. `to` then holds no snapshot.
inline epoch clone(any_store from, const std::string& savepoint, any_store to) {
  (void)from.open({.read_only = true});
  const epoch number = detail::find_snapshot(from, savepoint);
  detail::copy_into(from, number, to);
  return number;
}
/// The same of a retained epoch.
inline epoch clone(any_store from, epoch number, any_store to) {
  (void)from.open({.read_only = true});
  detail::copy_into(from, number, to);
  return number;
}

}  // namespace cairn
