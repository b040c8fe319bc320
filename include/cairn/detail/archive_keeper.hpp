// One archive for many values, each of which would be written the same by one of its own.
#pragma once

#include <optional>
#include <utility>

#include "archive.hpp"

namespace cairn::detail {

/// An archive for one value after the other: to make one costs more than to write most values. One
/// thread at a time.
class archive_keeper {
 public:
  /// Writes what `put(output_archive&)` puts there.
  template <class Put>
  void write(buffer& to, Put&& put) {
    if (std::exchange(busy_, true)) {  // within another value, whose functions encode this one
      output_archive own{to};
      return put(own);
    }
    const is_over at_end{*this};
    kept_ ? kept_->begin(to) : void(kept_.emplace(to));
    put(*kept_);
    kept_->let_go();
    good_ = !kept_->remembers();
  }

 private:
  /// One that something was thrown out of is used no more, either.
  struct is_over {
    archive_keeper& of;
    ~is_over() {
      if (!std::exchange(of.good_, false)) of.kept_.reset();
      of.busy_ = false;
    }
  };

  std::optional<output_archive> kept_{};
  bool busy_ = false;
  bool good_ = false;
};

/// Of the worker whose step this thread takes; null elsewhere. As `current_pool`.
inline constinit thread_local archive_keeper* current_archives = nullptr;

}  // namespace cairn::detail
