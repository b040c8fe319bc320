// A house whose children say that they start, and in which order they do.
#pragma once

#include <cairn/supervisor.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "by_hand.hpp"
#include "supervising.hpp"

namespace tending {

/// Starts only where nothing is planned against its number.
struct touchy {
  using protocol = cairn::protocol<work, look>;
  int number = 0;
  int sum = 0;
  void serialize(auto& ar) { ar(number, sum); }
  void on_start(cairn::context<touchy>&) {
    done.add("start " + std::to_string(number));
    planned.check(number);
  }
  void on(work what) {
    sum += what.value;
    done.add("work " + std::to_string(number));
  }
  int on(look) const { return sum; }
};
using these = cairn::actors<touchy, member, begun>;

struct orderly {
  cairn::supervisor house{};
  std::vector<cairn::ref<touchy>> all{};
};
/// 1, then 2 and 3 in a room, then 4, then 5 and 6 in another one, then 7.
inline orderly move_in(cairn::root& root, bool second_room = true) {
  orderly made{root.supervise("house"), {}};
  const auto put = [&](const cairn::supervisor& at, int number) {
    made.all.push_back(at.spawn<touchy>(std::to_string(number), number));
  };
  put(made.house, 1);
  auto room = made.house.supervise("room");
  put(room, 2);
  put(room, 3);
  put(made.house, 4);
  if (second_room) {
    auto other = made.house.supervise("other");
    put(other, 5);
    put(other, 6);
  }
  put(made.house, 7);
  return made;
}
inline cairn::task<int> settle(cairn::root& root) {
  const orderly made = move_in(root);
  for (const auto& each : made.all) each.tell<work>(1);
  for (const auto& each : made.all) (void)co_await each.ask<look>();
  co_await root.checkpoint();
  // In flight in the snapshot that this leads to: a mailbox that waits at the next start.
  for (const auto& each : made.all) each.tell<work>(10);
  co_await root.checkpoint();
  co_return 0;
}
/// The starts alone.
inline std::string starts() {
  std::string text;
  for (const auto& each : done.lines()) {
    if (each.starts_with("start ")) text += each.substr(6) + " ";
  }
  return text;
}
/// Nobody handles anything before it has started.
inline void check_works() {
  const auto lines = done.lines();
  for (std::size_t at = 0; at < lines.size(); ++at) {
    if (!lines[at].starts_with("work ")) continue;
    const auto of = std::find(lines.begin(), lines.end(), "start " + lines[at].substr(5));
    CHECK(of < lines.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

}  // namespace tending
