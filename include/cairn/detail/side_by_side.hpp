// A few pieces of work on a few threads, each piece by itself.
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
/// most; on this one alone where no other can be had. Returns when all is done.
///
/// Errors: throws what the first of them has thrown, by its number; work after it is done or not.
/// Thread safety: `work` is called by several threads at a time; what it has written is read after
/// the return, which comes after the joins.
template <class Work>
void side_by_side(std::size_t count, std::size_t threads, Work&& work) {
  std::vector<std::exception_ptr> failed(count);
  std::atomic<std::size_t> next{0};
  std::atomic<bool> ended{false};
  const auto help = [&] {
    // Relaxed: the one says no more than its number, the other that more would be in vain.
    while (!ended.load(std::memory_order_relaxed)) {
      const auto at = next.fetch_add(1, std::memory_order_relaxed);
      if (at >= count) return;
      try {
        work(at);
      } catch (...) {
        // Whoever has a lower number has taken it before, and ends it.
        failed[at] = std::current_exception();
        ended.store(true, std::memory_order_relaxed);
      }
    }
  };
  std::vector<std::thread> helpers;
  try {
    while (helpers.size() + 1 < std::min(count, threads)) helpers.emplace_back(help);
  } catch (const std::system_error&) {  // those that there are do it
  }
  help();
  for (auto& each : helpers) each.join();
  for (const auto& each : failed) {
    if (each) std::rethrow_exception(each);
  }
}

}  // namespace cairn::detail
