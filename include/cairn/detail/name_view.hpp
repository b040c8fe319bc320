// An actor's name, for threads outside: the watchdog's, and who asks for a status. It is the home
// worker's, which may be stuck in the actor's turn and may go on at any time.
//
// A name is written before its actor is anywhere, and goes with the actor's cell. So it may be read
// by whoever keeps the cell from being given to another: the reader says which cell it looks at and
// then whether the actor still lives there; the home takes the actor's id away and then waits while
// the cell is looked at. Both are sequentially consistent: one of them sees the other.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include "cell.hpp"

namespace cairn::detail {

/// Readers take turns.
class name_view {
 public:
  /// While it is there, the name stays what it is.
  class look {
   public:
    look(name_view& by, const cell& at, actor_id whose) : by_{by}, at_{at}, alone_{by.readers_} {
      by_.seen_.store(&at, std::memory_order_seq_cst);  // pairs with close(), as the next line
      lives_ = at.id.load(std::memory_order_seq_cst) == whose;
    }
    look(const look&) = delete;
    look& operator=(const look&) = delete;
    ~look() { by_.seen_.store(nullptr, std::memory_order_release); }  // pairs with close()

    /// Null: another actor lives there now, or nobody.
    [[nodiscard]] const std::string* name() const noexcept { return lives_ ? &at_.name : nullptr; }

   private:
    name_view& by_;
    const cell& at_;
    const std::lock_guard<std::mutex> alone_;  // let go once `seen_` is cleared
    bool lives_ = false;
  };

  /// Before the cell's name changes, by its home: the cell has nobody from now on. Where nobody's
  /// name is replaced by nobody's, it is not needed.
  void close(cell& gone) noexcept {
    gone.id.store(actor_id{}, std::memory_order_seq_cst);  // pairs with look(), as the next line
    while (seen_.load(std::memory_order_seq_cst) == &gone) std::this_thread::yield();  // a copy
  }

 private:
  std::atomic<const cell*> seen_{nullptr};
  std::mutex readers_{};
};

}  // namespace cairn::detail
