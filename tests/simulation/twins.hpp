// A bank whose store is cloned while it runs, on a bad disk and through crashes. A clone that was
// promised holds what its origin held, others hold nothing; and it goes on by itself to its own
// end.
#pragma once

#include "bank.hpp"

namespace simulated::twins {

using namespace std::chrono_literals;

constexpr int most_attempts = 4;  // by all processes together

struct copies {
  int attempts = 0;
  std::vector<std::string> made{};  ///< that were said to be
  int alone = 0;                    ///< up to which attempt their origin may be lost
};

/// A manifest that has lost snapshots, by flipped bits, gives their numbers again.
inline void watch(const cairn::event& what) {
  if (what.kind != cairn::event_kind::store_warning) return;
  auto& notes = outside->notes<copies>();
  if (what.text.find("manifest") != std::string::npos) notes.alone = notes.attempts;
}

/// Every other one of a savepoint, which then stays.
inline cairn::task<> copy(cairn::root* root) {
  auto& notes = outside->notes<copies>();
  if (outside->dying || notes.attempts >= most_attempts || root->random() % 2 == 0) co_return;
  const int attempt = ++notes.attempts;
  const std::string to = "twin-" + std::to_string(attempt);
  std::string name;
  if (attempt % 2 == 0) {
    name = "fork-" + std::to_string(attempt);
    auto keeping = root->savepoint(name).as_result();
    const auto kept = co_await std::move(keeping);
    if (!kept) co_return;
  }
  cairn::any_store store = cairn::file_store{to, {.segment_bytes = 4096}, outside->disk};
  auto cloning = root->clone(name, std::move(store)).as_result();
  const auto cloned = co_await std::move(cloning);
  if (cloned.code() == cairn::errc::misuse) complain("a new store is refused");
  if (cloned && !outside->dying) outside->notes<copies>().made.push_back(to);
}

inline cairn::task<int> app(cairn::root& root) {
  const bank::people who = bank::open(root);
  bank::totals sum;
  bank::totals before;
  do {
    co_await copy(&root);
    before = std::exchange(sum, {});
    sum = co_await bank::count(&who);
  } while (!bank::is_settled(before, sum));
  co_await bank::close(&who, sum.cents);
  co_return 0;
}

/// What a snapshot holds, in no order.
inline std::multiset<std::string> records_of(cairn::file_store& in, cairn::epoch number) {
  std::multiset<std::string> all;
  in.read(number, [&](const cairn::record_view& each) {
    const auto& head = each.header;
    std::string text = std::to_string(static_cast<int>(head.kind)) + " " +
                       std::to_string(head.place) + " " + std::to_string(raw(head.actor)) + " " +
                       std::to_string(head.type) + " ";
    text.append(reinterpret_cast<const char*>(each.payload.data()), each.payload.size());
    all.insert(std::move(text));
  });
  return all;
}

/// Also where a flipped bit has spoilt the origin since.
[[nodiscard]] inline bool holds_the_same(cairn::file_store& from, cairn::file_store& to,
                                         cairn::epoch number) {
  const auto copied = records_of(to, number);
  try {
    return records_of(from, number) == copied;
  } catch (const cairn::error& why) {
    return why.code() == cairn::errc::damaged;
  }
}

inline void check_clone(const std::shared_ptr<cairn::detail::disk>& disk, const std::string& name) {
  const auto& [attempts, made, alone] = outside->notes<copies>();
  const bool promised = std::find(made.begin(), made.end(), name) != made.end();
  cairn::file_store store{name, {.segment_bytes = 4096}, disk};
  cairn::opened found;
  try {
    found = store.open({.read_only = true});
  } catch (const cairn::error& why) {
    if (why.code() != cairn::errc::not_found) throw;
  }
  if (promised && found.snapshots.size() != 1) complain(name + " was promised, and is not there");
  if (found.snapshots.empty()) return;
  if (found.snapshots.size() != 1) complain(name + " holds more than one snapshot");
  if (std::stoi(name.substr(name.find('-') + 1)) <= alone) return;
  const auto number = found.snapshots.front().number;
  cairn::file_store from{"store", {.segment_bytes = 4096}, disk};
  const auto all = from.open({.read_only = true}).snapshots;
  const bool there =
      std::any_of(all.begin(), all.end(), [&](const auto& each) { return each.number == number; });
  if (there && !holds_the_same(from, store, number)) {
    complain(name + " holds something else than its origin");
  }
}

inline void check_disk(const std::shared_ptr<cairn::detail::disk>& disk) {
  for (const auto& each : disk->list(".")) {
    if (each.starts_with("twin-")) check_clone(disk, each);
  }
}

/// The first and the last of them.
inline std::vector<std::string> clones() {
  auto made = outside->notes<copies>().made;
  if (made.size() > 2) made.erase(made.begin() + 1, made.end() - 1);
  return made;
}

}  // namespace simulated::twins
