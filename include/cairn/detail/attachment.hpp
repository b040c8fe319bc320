// What works beside the workers, on threads of its own, and ends with the system.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "../error.hpp"

namespace cairn::detail {

struct attachment {
  attachment() = default;
  attachment(const attachment&) = delete;
  attachment& operator=(const attachment&) = delete;
  virtual ~attachment() = default;

  /// Begins to work, if it has not yet. By a worker.
  virtual void begin() = 0;
  /// The writer, before an epoch in which its actor stands at `position` is committed.
  virtual void at_cut(std::uint64_t position) = 0;
  virtual void request_stop() noexcept = 0;
  virtual void join() noexcept = 0;
};

/// By the names of their actors. Any thread.
class attachments {
 public:
  /// The one that works under this name from now on: the given one, or that of before a rollback.
  ///
  /// Errors: throws `errc::name_taken`.
  std::shared_ptr<attachment> add(const std::string& name, std::shared_ptr<attachment> one) {
    const std::lock_guard lock{guard_};
    const auto [at, added] = all_.emplace(name, std::move(one));
    if (!added && idle_.erase(name) == 0) {
      throw error{errc::name_taken, "\"" + name + "\" is open already"};
    }
    return at->second;
  }
  /// A rollback: each may be opened again, and goes on where it is.
  void renew() {
    const std::lock_guard lock{guard_};
    for (const auto& [name, each] : all_) idle_.insert(name);
  }
  void remove(const std::string& name) noexcept {
    const std::lock_guard lock{guard_};
    all_.erase(name);
  }
  /// Null where there is none. It lives as long as the system.
  [[nodiscard]] attachment* find(const std::string& name) const {
    const std::lock_guard lock{guard_};
    const auto found = all_.find(name);
    return found == all_.end() ? nullptr : found->second.get();
  }
  void stop() noexcept {
    for (const auto& [name, each] : all_) each->request_stop();  // no worker runs any more
    for (const auto& [name, each] : all_) each->join();
  }

 private:
  mutable std::mutex guard_;
  std::map<std::string, std::shared_ptr<attachment>> all_;
  std::set<std::string> idle_;  ///< of them, those that the program has not opened again
};

}  // namespace cairn::detail
