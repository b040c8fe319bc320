// Who lives where, and by which rules: rooms with a strategy, an intensity and a backoff of their
// own, below wings that have theirs.
#pragma once

#include <chrono>

#include <cairn/supervisor.hpp>

namespace simulated::wings {

using namespace std::chrono_literals;

constexpr std::chrono::hours ever{24};
constexpr int rooms = 5;
constexpr int beds = 3;  // of each room
constexpr int all_guests = rooms * beds;

[[nodiscard]] constexpr int room_of(int guest) { return guest / beds; }
[[nodiscard]] constexpr int wing_of(int room) { return room < 2 ? 0 : 1; }
/// In each room there is one of each, in another order.
[[nodiscard]] constexpr cairn::restart_type type_of(int guest) {
  return cairn::restart_type{static_cast<std::uint8_t>((room_of(guest) + guest) % 3)};
}
/// It may be stopped, and come back as another one.
[[nodiscard]] constexpr bool passes_by(int guest) { return type_of(guest) == cairn::temporary; }

/// `chosen`: by the first process.
[[nodiscard]] inline cairn::supervisor_options rules_of_wing(int wing,
                                                             cairn::restart_strategy chosen) {
  cairn::supervisor_options rules;
  rules.attempts = 1000;
  rules.strategy = wing == 0 ? cairn::one_for_one : chosen;
  rules.intensity = {.restarts = 2, .within = ever};
  rules.backoff = {.first = 1ms, .most = 4ms};
  return rules;
}
[[nodiscard]] inline cairn::supervisor_options plain_rules_of(int room) {
  constexpr cairn::restart_strategy strategies[rooms] = {cairn::one_for_all, cairn::one_for_one,
                                                         cairn::one_for_one, cairn::rest_for_one,
                                                         cairn::one_for_all};
  constexpr std::chrono::milliseconds backoffs[rooms] = {1ms, 0ms, 1ms, 2ms, 0ms};
  cairn::supervisor_options rules;
  rules.attempts = 1000;
  rules.strategy = strategies[room];
  rules.intensity = {.restarts = room == 0 ? 2U : 1U, .within = ever};
  rules.backoff = {.first = backoffs[room], .most = 8ms};
  rules.exceeded = room == 0 ? cairn::suspend : cairn::escalate;
  return rules;
}

/// Who is suspended together, and goes on together: a room of the wing whose rooms are restarted by
/// themselves, or the other wing.
[[nodiscard]] constexpr int unit_of(int room) { return room < 2 ? room : 2; }
constexpr int units = 3;

}  // namespace simulated::wings
