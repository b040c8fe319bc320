// A disk in memory: what a memory_store stands on.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "../error.hpp"
#include "buffer.hpp"
#include "disk.hpp"

namespace cairn::detail {

/// Files in one flat space of names. Syncing does nothing: there is nothing to lose.
///
/// Thread safety: safe to share.
class memory_disk final : public disk {
 public:
  std::unique_ptr<disk_file> open(const std::string& path) override {
    const std::lock_guard guard{mutex_};
    const auto found = files_.find(path);
    if (found == files_.end()) throw error{errc::not_found, path + ": no such file"};
    return std::make_unique<memory_file>(found->second);
  }
  std::unique_ptr<disk_file> create(const std::string& path) override {
    const std::lock_guard guard{mutex_};
    const auto [at, made] = files_.emplace(path, std::make_shared<content>());
    if (!made) throw error{errc::io, path + ": the file is there already"};
    return std::make_unique<memory_file>(at->second);
  }
  void rename(const std::string& from, const std::string& to) override {
    const std::lock_guard guard{mutex_};
    auto node = files_.extract(from);
    if (!node) throw error{errc::not_found, from + ": no such file"};
    files_[to] = std::move(node.mapped());
  }
  void remove(const std::string& path) override {
    const std::lock_guard guard{mutex_};
    if (files_.erase(path) == 0) throw error{errc::not_found, path + ": no such file"};
  }
  std::vector<std::string> list(const std::string& directory) override {
    const std::lock_guard guard{mutex_};
    std::vector<std::string> names;
    const auto prefix = directory + "/";
    for (const auto& [path, held] : files_) {
      if (path.starts_with(prefix)) names.push_back(path.substr(prefix.size()));
    }
    return names;
  }
  void make_directory(const std::string&) override {}
  void sync_directory(const std::string&) override {}

  std::unique_ptr<disk_lock> lock(const std::string& path, bool shared,
                                  std::chrono::milliseconds) override {
    const std::lock_guard guard{mutex_};
    auto& held = locks_[path];
    const auto holders = held.lock();
    if (holders && !(shared && holders->shared)) {
      throw error{errc::locked, path + ": the store is in use in this process"};
    }
    auto mine = holders ? holders : std::make_shared<holder>(holder{shared});
    held = mine;
    return std::make_unique<memory_lock>(std::move(mine));
  }

 private:
  struct content {
    std::mutex mutex{};
    std::vector<std::byte> bytes{};
  };
  struct holder {
    bool shared;
  };

  class memory_file final : public disk_file {
   public:
    explicit memory_file(std::shared_ptr<content> held) : held_{std::move(held)} {}
    std::size_t read(std::uint64_t offset, std::byte* to, std::size_t count) override {
      const std::lock_guard guard{held_->mutex};
      const auto& bytes = held_->bytes;
      if (offset >= bytes.size()) return 0;
      count = std::min(count, bytes.size() - static_cast<std::size_t>(offset));
      if (count != 0) std::memcpy(to, bytes.data() + offset, count);
      return count;
    }
    void write(std::uint64_t offset, bytes_view from) override {
      const std::lock_guard guard{held_->mutex};
      auto& bytes = held_->bytes;
      const auto end = static_cast<std::size_t>(offset) + from.size();
      if (bytes.size() < end) bytes.resize(end);
      std::copy(from.begin(), from.end(), bytes.begin() + static_cast<std::ptrdiff_t>(offset));
    }
    void sync() override {}
    std::uint64_t size() override {
      const std::lock_guard guard{held_->mutex};
      return held_->bytes.size();
    }

   private:
    std::shared_ptr<content> held_;
  };

  class memory_lock final : public disk_lock {
   public:
    explicit memory_lock(std::shared_ptr<holder> held) : held_{std::move(held)} {}

   private:
    std::shared_ptr<holder> held_;
  };

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<content>> files_{};
  std::map<std::string, std::weak_ptr<holder>> locks_{};
};

}  // namespace cairn::detail
