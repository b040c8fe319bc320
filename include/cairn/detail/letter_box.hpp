// Where a system's dead letters are kept: nowhere, until there is the first one.
#pragma once

#include <cstddef>
#include <mutex>

#include "cell.hpp"

namespace cairn::detail {

/// Any thread. The keeper itself is an actor, see `letter_keeper`.
class letter_box {
 public:
  /// The keeper, or nobody.
  [[nodiscard]] address keeper() const {
    const std::lock_guard lock{guard_};
    return there() ? keeper_ : address{};
  }
  /// The one that a snapshot gave back.
  void found(const address& restored) {
    const std::lock_guard lock{guard_};
    keeper_ = restored;
  }
  /// The keeper, whom `make` brings to life where there is none: one, whoever comes first.
  template <class Make>
  [[nodiscard]] address keeper_or(Make&& make) {
    const std::lock_guard lock{guard_};
    if (!there()) keeper_ = make();
    return keeper_;
  }

  std::size_t most = 1000;  ///< letters that are kept; 0: none. Constant while the system runs

 private:
  [[nodiscard]] bool there() const noexcept {
    return keeper_.where != nullptr && keeper_.where->is(keeper_.id);
  }

  mutable std::mutex guard_;
  address keeper_{};
};

}  // namespace cairn::detail
