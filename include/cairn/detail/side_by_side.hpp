// A few pieces of work on a few threads, each piece by itself, and what is made of them in order.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace cairn::detail {

/// Calls `work(at)` for each `at` below `count`, on this thread and on others, `threads` in all at
/// most; on this one alone where no other can be had. On this one it calls `then(at)` for each in
/// their order, as soon as its work and that of all before it is done. Returns when all is done.
///
/// Errors: throws what the first of them has thrown, by its number; `then` is called for none
/// behind that. Work after it is done or not.
/// Thread safety: `work` is called by several threads at a time; what it has written is read by
/// `then` of the same number, and after the return.
template <class Work, class Then>
void side_by_side(std::size_t count, std::size_t threads, Work&& work, Then&& then) {
  std::vector<std::exception_ptr> failed(count);
  std::vector<std::atomic<bool>> done(count);
  std::atomic<std::size_t> next{0};
  std::atomic<bool> ended{false};
  const auto do_one = [&] {
    // Relaxed: the one says no more than its number, the other that more would be in vain.
    if (ended.load(std::memory_order_relaxed)) return false;
    const auto at = next.fetch_add(1, std::memory_order_relaxed);
    if (at >= count) return false;
    try {
      work(at);
    } catch (...) {
      // Whoever has a lower number has taken it before, and ends it.
      failed[at] = std::current_exception();
      ended.store(true, std::memory_order_relaxed);
    }
    done[at].store(true, std::memory_order_release);  // pairs with the acquires below
    done[at].notify_one();
    return true;
  };
  std::vector<std::thread> helpers;
  struct joined {
    std::vector<std::thread>& all;
    std::atomic<bool>& ended;
    ~joined() {
      ended.store(true, std::memory_order_relaxed);  // as above
      for (auto& each : all) each.join();
    }
  } const at_end{helpers, ended};
  try {
    while (helpers.size() + 1 < std::min(count, threads)) {
      helpers.emplace_back([&] {
        while (do_one()) {
        }
      });
    }
  } catch (const std::system_error&) {  // those that there are do it
  }
  for (std::size_t at = 0; at < count; ++at) {
    // What comes next is under way with another, or done, or this thread does it.
    while (!done[at].load(std::memory_order_acquire)) {
      if (!do_one()) done[at].wait(false, std::memory_order_acquire);
    }
    if (failed[at]) std::rethrow_exception(failed[at]);
    then(at);
  }
}

}  // namespace cairn::detail
