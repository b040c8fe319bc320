// The audit's first half: which actors are audited, and what is kept of them at their cut.
//
// What an actor consumed since its base must lead from that base to the state that it has now. The
// replay which finds out comes later, between turns: see `auditor`.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_set>
#include <utility>
#include <vector>

#include "actor_type.hpp"
#include "cell.hpp"

namespace cairn::detail {

/// The awaits that a suspended handler has begun, by their numbers.
[[nodiscard]] inline std::vector<std::uint64_t> awaits_of(const cell& one) {
  std::vector<std::uint64_t> all;
  if (!one.more) return all;
  for (const slot& each : one.more->slots) all.push_back(each.number);
  std::sort(all.begin(), all.end());
  return all;
}

/// An actor that waits for its audit.
struct pending_audit {
  address of{};
  const actor_type* type = nullptr;
  std::unique_ptr<recovery> base{};  ///< with what was consumed since, up to where it stood
  // Where it stood:
  bool busy = false;  ///< with a handler that had not ended
  std::vector<std::uint64_t> awaits{};
  buffer state{};  ///< encoded

  [[nodiscard]] std::size_t bytes() const noexcept {
    return base->state.size() + base->log.bytes() + state.size();
  }
};

/// One worker's. It outlives rollbacks: whom it has named it does not name again.
class audit_queue {
 public:
  /// Of what waits, before further actors are passed over.
  static constexpr std::size_t most_bytes = std::size_t{4} << 20U;
  /// Actors that are named, before nobody is audited any more.
  static constexpr std::size_t most_named = 1000;

  /// Precondition: the share is above 0, and 1 at most.
  audit_queue(double share, std::uint64_t seed) noexcept
      : bound_{share < 1 ? static_cast<std::uint64_t>(share * 0x1p64) : ~std::uint64_t{0}},
        seed_{seed} {}

  /// Whether the actor is to be audited where it stands now.
  [[nodiscard]] bool wants(cell& one) const {
    return one.saved && one.saved->valid && !one.saved->log.empty() && bytes_ < most_bytes &&
           is_chosen(one) && may_name(one.self().id);
  }
  /// Whether a difference of the actor's would be told: it may have been named since it came here,
  /// or enough others.
  [[nodiscard]] bool may_name(actor_id who) const {
    return named_.size() < most_named && !named_.contains(who);
  }

  /// An actor without a handler that has not ended. `before`: its base until now.
  void add(cell& one, std::unique_ptr<recovery> before) {
    pending_audit made{one.self(), one.type, std::move(before), false, awaits_of(one), {}};
    made.state.append(one.saved->state.view());  // no base is raw, see set_up_audits()
    put(std::move(made));
  }
  /// One whose handler is suspended: it keeps its base and its log.
  void add_suspended(cell& one) {
    pending_audit made{one.self(), one.type, copy_of(*one.saved), true, awaits_of(one), {}};
    one.type->encode(one, made.state);
    put(std::move(made));
  }

  [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }
  [[nodiscard]] pending_audit take() {
    pending_audit first = std::move(waiting_.front());
    waiting_.pop_front();
    bytes_ -= first.bytes();
    return first;
  }
  void clear() noexcept {
    waiting_.clear();
    bytes_ = 0;
  }
  void note_named(actor_id who) { named_.insert(who); }

 private:
  /// By chance, so that everybody's turn comes, whenever it changes; and the same in every run.
  [[nodiscard]] bool is_chosen(cell& one) const noexcept {
    std::uint64_t mixed = seed_ ^ (raw(one.at) * 0x9e3779b97f4a7c15U) ^ raw(one.self().id);
    for (int round = 0; round < 2; ++round) {
      mixed = (mixed ^ (mixed >> 32U)) * 0xd6e8feb86659fd93U;
    }
    return (mixed ^ (mixed >> 32U)) <= bound_;
  }

  [[nodiscard]] static std::unique_ptr<recovery> copy_of(recovery& of) {
    auto made = std::make_unique<recovery>();
    made->state.append(of.state.view());
    made->valid = of.valid;
    made->schema = of.schema;
    made->at = of.at;
    made->next_number = of.next_number;
    replay_log::cursor at{};
    while (const found_entry each = of.log.next(at)) made->log.append(*each);
    return made;
  }

  void put(pending_audit made) {
    bytes_ += made.bytes();
    waiting_.push_back(std::move(made));
  }

  std::uint64_t bound_;
  std::uint64_t seed_;
  std::deque<pending_audit> waiting_{};
  std::size_t bytes_ = 0;
  std::unordered_set<actor_id> named_{};
};

/// Gives an actor a new base by `renew`. Where it is to be audited, the old one waits for that.
///
/// Errors: what `renew` throws; the base is then the old one.
template <class Renew>
void renew_audited(audit_queue* audits, cell& one, Renew&& renew) {
  if (audits == nullptr || !audits->wants(one)) return renew();
  auto before = std::exchange(one.saved, nullptr);
  try {
    renew();
  } catch (...) {
    one.saved = std::move(before);
    throw;
  }
  try {
    audits->add(one, std::move(before));
  } catch (...) {  // no memory for it, or a state that is written this time and not the next
    sometimes("state not kept for its audit");
  }
}

/// The cut of an actor whose handler is suspended.
inline void audit_suspended(audit_queue* audits, cell& one) noexcept {
  if (audits == nullptr || !one.busy() || !audits->wants(one)) return;
  try {
    audits->add_suspended(one);
  } catch (...) {  // as above, or a message that cannot be copied once more
    sometimes("state not kept for its audit");
  }
}

}  // namespace cairn::detail
