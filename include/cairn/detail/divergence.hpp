// What a turn that is replayed does otherwise, as text. Of the turn as it was the log has a count
// and an order-free digest, which is a sum over its effects. So where one effect was changed, is
// missing or is new, the difference of the two digests is that effect's own; and what was mixed
// into that can be taken out again. Where more than one differs, the first effects are looked at
// one by one: the log has those.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control.hpp"
#include "world.hpp"

namespace cairn::detail {

/// The text for a turn of `one` that ended as `was` and has now ended as `now`.
class divergence {
 public:
  divergence(const world& all, const cell& one, const log_entry& was, turn& now) noexcept
      : all_{all}, one_{one}, was_{was}, now_{now}, also_{now.also()}, seen_{also_.seen} {}

  [[nodiscard]] std::string text() const {
    std::string text = "at position " + std::to_string(raw(one_.consumed)) + " it had " +
                       std::to_string(was_.effects) + " effects and now has " +
                       std::to_string(now_.effects) + " (" + std::string{one_.type->name} + "): ";
    text += difference();
    std::size_t said = 0;
    for (const effect& each : seen_) {
      if (said == 0) text += "; now there are: ";
      if (said++ == most_said) return text + ", ...";
      text += (said > 1 ? ", " : "") + describe(each);
    }
    return text;
  }

 private:
  static constexpr std::size_t most_said = 8;

  [[nodiscard]] std::string difference() const {
    const std::uint64_t missing = was_.number - now_.digest;
    if (was_.effects == now_.effects) return missing == 0 ? other_value() : changed(missing);
    if (was_.effects == now_.effects + 1) {
      if (const auto found = effect_of(missing)) {
        return "expected was " + describe(*found) + ", which is not there";
      }
    } else if (was_.effects + 1 == now_.effects) {
      for (const effect& each : seen_) {
        if (each.mixed() + missing == 0) return "not expected was " + describe(each);
      }
    }
    return several();
  }

  /// As many as before.
  [[nodiscard]] std::string changed(std::uint64_t missing) const {
    for (const effect& each : seen_) {
      if (const auto found = effect_of(each.mixed() + missing)) {
        return "expected was " + describe(*found) + ", seen was " + describe(each);
      }
    }
    return several();
  }

  /// The first effect that is not there any more, and the first that was not there before.
  [[nodiscard]] std::string several() const {
    std::string text = "more than one effect differs";
    const std::vector<std::uint64_t> before = first_before();
    const bool has_all = before.size() == was_.effects;
    std::vector<std::uint64_t> now;
    for (const effect& each : seen_) now.push_back(each.mixed());
    const auto missing = first_without(before, now);
    if (missing < before.size()) {
      const auto found = effect_of(before[missing]);
      text += ": the first that was expected was " +
              (found ? describe(*found) : "an effect of an unknown kind") + ", number " +
              std::to_string(missing + 1);
    }
    const auto added = first_without(now, before);
    if (has_all && added < now.size()) {
      text += (missing < before.size() ? ", the first" : ": the first") +
              std::string{" that was seen instead was "} + describe(seen_[added]) + ", number " +
              std::to_string(added + 1);
    }
    return text;
  }

  [[nodiscard]] std::vector<std::uint64_t> first_before() const {
    std::vector<std::uint64_t> found(was_.length / sizeof(std::uint64_t));
    if (!found.empty())
      std::memcpy(found.data(), was_.value(), found.size() * sizeof(std::uint64_t));
    return found;
  }
  /// Where in `of` the first stands that `others` do not have as often.
  [[nodiscard]] static std::size_t first_without(const std::vector<std::uint64_t>& of,
                                                 std::vector<std::uint64_t> others) {
    for (std::size_t at = 0; at < of.size(); ++at) {
      const auto same = std::find(others.begin(), others.end(), of[at]);
      if (same == others.end()) return at;
      others.erase(same);
    }
    return of.size();
  }

  /// Of the values there are two sums. Where one value differs, both differ by as much as its own
  /// weights make of it.
  [[nodiscard]] std::string other_value() const {
    const std::uint64_t missing = was_.ticket - now_.values;
    for (const effect& each : seen_) {
      const std::uint64_t mixed = each.mixed();
      const std::uint64_t less = missing * inverse(effect::weight(mixed));
      if (now_.other_values + less * effect::other_weight(mixed) != was_.type) continue;
      return "the same effects, of other values: expected was another value in " + describe(each) +
             digests(each, each.value + less);
    }
    return "the same effects, of other values, of which more than one differs";
  }

  /// Which one of several of a kind it was is not known.
  [[nodiscard]] std::string digests(const effect& now, std::uint64_t before) const {
    const auto alike = std::count_if(seen_.begin(), seen_.end(), [&](const effect& each) {
      return each.mixed() == now.mixed();
    });
    return alike == 1 ? " (" + hex(before) + ", seen was " + hex(now.value) + ")" : std::string{};
  }

  /// Of an odd number, by Newton's method: each step doubles the bits that are right.
  [[nodiscard]] static constexpr std::uint64_t inverse(std::uint64_t odd) noexcept {
    std::uint64_t found = odd;
    for (int step = 0; step < 5; ++step) found *= 2 - odd * found;
    return found;
  }

  [[nodiscard]] static std::string hex(std::uint64_t number) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text = "0x";
    for (int shift = 60; shift >= 0; shift -= 4) text += digits[(number >> shift) & 15U];
    return text;
  }

  /// What was mixed to this, if it is an effect that an actor of this program can have.
  [[nodiscard]] std::optional<effect> effect_of(std::uint64_t mixed) const {
    const std::uint64_t pair = effect::unmixed(mixed);
    const auto whom_of = [&](std::uint64_t what) { return (pair ^ what) * effect::spread_back; };
    for (const auto& [hash, ops] : all_.types.messages) {
      if (is_id(whom_of(ops->origin))) return effect{ops->origin, whom_of(ops->origin), 0};
    }
    const std::uint64_t words = ops_of<control_note>.origin;
    for (std::uint64_t index = 0; index < std::size(word_names); ++index) {
      if (is_id(whom_of(words ^ index))) return effect{words ^ index, whom_of(words ^ index), 0};
    }
    const auto spawned = [&](std::uint64_t type) -> std::optional<effect> {
      const std::uint64_t id = pair ^ (type * effect::spread);
      return is_id(id) ? std::optional{effect{id, type, 0}} : std::nullopt;
    };
    for (const auto& [hash, type] : all_.types.actors) {
      if (const auto found = spawned(hash)) return found;
    }
    for (const auto& [hash, type] : all_.types.former) {
      if (const auto found = spawned(hash)) return found;
    }
    if (is_id(whom_of(0))) return effect{0, whom_of(0), 0};
    for (const std::uint64_t what : {1U, 2U}) {
      if (whom_of(what) < one_.next_number + few) return effect{what, whom_of(what), 0};
    }
    return std::nullopt;
  }
  static constexpr std::uint64_t few = 1024;  ///< numbers that this turn has not come to

  [[nodiscard]] bool is_id(std::uint64_t number) const noexcept {
    return number != 0 && number < all_.next_id.load(std::memory_order_relaxed);  // a number
  }

  [[nodiscard]] std::string describe(const effect& of) const {
    if (const actor_type* type = all_.types.find(of.whom); type != nullptr && is_id(of.what)) {
      return "the spawn of #" + std::to_string(of.what) + " (" + std::string{type->name} + ")";
    }
    if (of.what == 0) {
      return of.whom == own_id() ? "its own stop" : "an answer to " + actor(of.whom);
    }
    if (of.what == 1) return "the run " + name_of_run(of.whom) + std::to_string(of.whom);
    if (of.what == 2) return "the end of reminder " + std::to_string(of.whom);
    const std::uint64_t word = of.what ^ ops_of<control_note>.origin;
    if (word < std::size(word_names)) {
      return "the word " + std::string{word_names[word]} + " to " + actor(of.whom);
    }
    for (const auto& [hash, ops] : all_.types.messages) {
      if (ops->origin != of.what) continue;
      return "the message " + std::string{ops->name} + " to " + actor(of.whom);
    }
    return "an effect of an unknown kind on " + actor(of.whom);
  }

  /// The log has a run's number; its name has who begins it now.
  [[nodiscard]] std::string name_of_run(std::uint64_t number) const {
    for (const outside_run& each : also_.runs) {
      if (each.number == number) return '"' + each.name + "\", number ";
    }
    return "of number ";
  }

  /// Names are their homes' alone.
  [[nodiscard]] std::string actor(std::uint64_t id) const {
    return id == own_id() ? "itself" : "#" + std::to_string(id);
  }
  [[nodiscard]] std::uint64_t own_id() const noexcept {
    return raw(one_.id.load(std::memory_order_relaxed));  // the home asks
  }

  static constexpr std::string_view word_names[] = {
      "stop",   "stop_path", "watch", "unwatch", "child_stopped",  "room",
      "resume", "suspend",   "none",  "declare", "deliver",        "restart",
      "reset",  "go_on",     "kill",  "hold",    "child_suspended"};

  const world& all_;
  const cell& one_;
  const log_entry& was_;
  const turn& now_;
  const wishes& also_;
  const std::vector<effect>& seen_;
};

}  // namespace cairn::detail
