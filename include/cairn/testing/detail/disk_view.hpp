// What a process sees of a simulated disk: its files, names and locks.
#pragma once

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../../detail/buffer.hpp"
#include "../../detail/disk.hpp"
#include "../../error.hpp"
#include "../faults.hpp"
#include "platters.hpp"

namespace cairn::testing {

class simulated_disk::file final : public detail::disk_file {
 public:
  using file_ptr = detail::platter_tree::file_ptr;

  /// Precondition: the disk is locked.
  file(std::shared_ptr<core> of, tree_ptr tree, std::string path, file_ptr data, bool writable)
      : core_{std::move(of)},
        tree_{std::move(tree)},
        path_{std::move(path)},
        data_{std::move(data)},
        writable_{writable} {
    ++data_->openings;
  }
  ~file() override {
    const std::lock_guard guard{core_->mutex};
    --data_->openings;
  }

  std::size_t read(std::uint64_t offset, std::byte* to, std::size_t count) override {
    const auto now = core_->begin(tree_, "read", path_, core::kind::read);
    now.fail_if_told("cannot read", path_);
    if (data_->directory) detail::raise_errno(EISDIR, "cannot read", path_);
    const auto got = data_->read(offset, to, count);
    if (now.alive && got > 0 && core_->chance.happens(core_->faults.flip_on_read)) {
      const auto bit = core_->chance.below(got * 8);
      to[bit / 8] ^= std::byte{1} << (bit % 8);
    }
    return got;
  }

  void write(std::uint64_t offset, detail::bytes_view bytes) override {
    const auto now = core_->begin(tree_, "write", path_, core::kind::change);
    if (now.alive && core_->owner->on_write) core_->owner->on_write(bytes);
    if (!writable_ && !bytes.empty()) detail::raise_errno(EBADF, "cannot write", path_);
    if (now.failure != errc::ok) {
      data_->write(offset, bytes.first(core_->chance.below(bytes.size() + 1)));
    }
    now.fail_if_told("cannot write", path_);
    const auto fits = now.alive ? room_for(offset, bytes.size()) : bytes.size();
    data_->write(offset, bytes.first(fits));
    if (fits < bytes.size()) detail::raise_errno(ENOSPC, "cannot write", path_);
  }

  void sync() override {
    const auto now = core_->begin(tree_, "sync", path_, core::kind::sync);
    if (now.failure != errc::ok) data_->fail_sync();
    now.fail_if_told("cannot sync", path_);
    data_->sync();
    if (now.alive && data_->size() > 0 && core_->chance.happens(core_->faults.flip_at_rest)) {
      data_->flip(core_->chance.below(data_->size() * 8));
    }
  }

  std::uint64_t size() override {
    const auto now = core_->begin(tree_, "size", path_, core::kind::look);
    now.fail_if_told("cannot ask for the size", path_);
    return data_->size();
  }

  std::byte* map(std::size_t bytes) override {
    const std::lock_guard guard{core_->mutex};
    return data_->map(bytes);
  }

  void renamed(const std::string& path) override { path_ = path; }

 private:
  std::size_t room_for(std::uint64_t offset, std::size_t count) const {
    const auto capacity = core_->faults.capacity;
    const auto end = offset + count;
    if (capacity == 0 || end <= data_->size()) return count;
    const auto used = tree_->used();
    const auto reach = data_->size() + (used < capacity ? capacity - used : 0);
    if (end <= reach) return count;
    return reach > offset ? static_cast<std::size_t>(reach - offset) : 0;
  }

  std::shared_ptr<core> core_;
  tree_ptr tree_;
  std::string path_;
  file_ptr data_;
  bool writable_;
};

class simulated_disk::held_lock final : public detail::disk_lock {
 public:
  held_lock(std::shared_ptr<core> of, tree_ptr tree, std::uint64_t number)
      : core_{std::move(of)}, tree_{std::move(tree)}, number_{number} {}
  ~held_lock() override {
    const std::lock_guard guard{core_->mutex};
    std::erase_if(tree_->locks, [&](const auto& each) { return each.number == number_; });
  }

 private:
  std::shared_ptr<core> core_;
  tree_ptr tree_;
  std::uint64_t number_;
};

class simulated_disk::view final : public detail::disk {
 public:
  view(std::shared_ptr<core> of, tree_ptr tree, std::uint64_t process)
      : core_{std::move(of)}, tree_{std::move(tree)}, process_{process} {}

  std::unique_ptr<detail::disk_file> open(const std::string& path) override {
    const auto now = core_->begin(tree_, "open", path, core::kind::look);
    now.fail_if_told("cannot open", path);
    return std::make_unique<file>(core_, tree_, path, existing(path, "cannot open"), false);
  }

  std::unique_ptr<detail::disk_file> create(const std::string& path) override {
    const auto now = core_->begin(tree_, "create", path, core::kind::change);
    now.fail_if_told("cannot open", path);
    require_parent(path, "cannot open", path);
    if (tree_->find(path)) detail::raise_errno(EEXIST, "cannot open", path);
    return std::make_unique<file>(core_, tree_, path, make(path, false), true);
  }

  void rename(const std::string& from, const std::string& to) override {
    const auto now = core_->begin(tree_, "rename", from, core::kind::change);
    now.fail_if_told("cannot rename", from);
    require_parent(from, "cannot rename", from);
    require_parent(to, "cannot rename", from);
    const auto moved = existing(from, "cannot rename");
    const auto target = tree_->find(to);
    if (moved->directory) detail::raise_errno(EINVAL, "cannot rename", from);
    if (target && target->directory) detail::raise_errno(EISDIR, "cannot rename", from);
    if (from != to) tree_->apply({{from, nullptr}, {to, moved}});
  }

  void remove(const std::string& path) override {
    const auto now = core_->begin(tree_, "remove", path, core::kind::remove);
    now.fail_if_told("cannot remove", path);
    if (existing(path, "cannot remove")->directory) {
      detail::raise_errno(EISDIR, "cannot remove", path);
    }
    tree_->apply({{path, nullptr}});
  }

  std::vector<std::string> list(const std::string& directory) override {
    const auto now = core_->begin(tree_, "list", directory, core::kind::look);
    now.fail_if_told("cannot list", directory);
    require_directory(directory, "cannot list");
    return tree_->list(detail::trimmed(directory));
  }

  void make_directory(const std::string& path) override {
    const auto name = detail::trimmed(path);
    {
      const auto now = core_->begin(tree_, "make_directory", path, core::kind::change);
      now.fail_if_told("cannot make the directory", path);
      if (tree_->find(name) || tree_->is_directory(name)) return;
      make(name, true);
    }
    sync_names(detail::parent_of(name), false);
  }

  void sync_directory(const std::string& path) override { sync_names(path, true); }

  [[nodiscard]] bool maps() const noexcept override { return core_->maps; }

  std::unique_ptr<detail::disk_lock> lock(const std::string& path, bool shared,
                                          std::chrono::milliseconds /*wait*/) override {
    const auto now = core_->begin(tree_, "lock", path, core::kind::change);
    now.fail_if_told("cannot lock", path);
    require_parent(path, "cannot open", path);
    if (!shared && !tree_->find(path)) make(path, false);
    const auto text = existing(path, "cannot open");
    for (const auto& other : tree_->locks) {
      if (other.path != path || (shared && other.shared)) continue;
      std::array<std::byte, 128> who{};
      const auto count = text->read(0, who.data(), who.size());
      const std::string_view line{reinterpret_cast<const char*>(who.data()), count};
      throw error{errc::locked, path + ": the store is in use by " +
                                    std::string{line.substr(0, line.find('\n'))}};
    }
    if (!shared) write_holder(*text);
    tree_->locks.push_back({path, shared, ++core_->lock_numbers});
    return std::make_unique<held_lock>(core_, tree_, core_->lock_numbers);
  }

 private:
  using file_ptr = detail::platter_tree::file_ptr;

  file_ptr existing(const std::string& path, const char* what) const {
    require_parent(path, what, path);
    auto found = tree_->find(path);
    if (!found) detail::raise_errno(ENOENT, what, path);
    return found;
  }
  void require_directory(const std::string& path, const char* what) const {
    const auto name = detail::trimmed(path);
    if (tree_->is_directory(name)) return;
    require_parent(name, what, path);
    detail::raise_errno(tree_->find(name) ? ENOTDIR : ENOENT, what, path);
  }
  void require_parent(const std::string& of, const char* what, const std::string& said) const {
    const auto parent = detail::parent_of(of);
    if (!tree_->is_directory(parent)) {
      detail::raise_errno(tree_->find(parent) ? ENOTDIR : ENOENT, what, said);
    }
  }
  file_ptr make(const std::string& path, bool directory) {
    auto made = std::make_shared<detail::platter_file>(directory);
    tree_->apply({{path, made}});
    return made;
  }
  void sync_names(const std::string& path, bool must_be_there) {
    const auto now = core_->begin(tree_, "sync_directory", path, core::kind::sync);
    if (must_be_there) require_directory(path, "cannot open");
    if (now.failure != errc::ok) tree_->fail_sync(detail::trimmed(path));
    now.fail_if_told("cannot sync", path);
    tree_->sync(detail::trimmed(path));
  }
  void write_holder(detail::platter_file& to) const {
    auto who = "process " + std::to_string(process_) + " of the simulated disk\n";
    who.resize(128, ' ');
    to.write(0, std::as_bytes(std::span{who}));
  }

  std::shared_ptr<core> core_;
  tree_ptr tree_;
  std::uint64_t process_;
};

inline std::shared_ptr<detail::disk> simulated_disk::mount() {
  const std::lock_guard guard{core_->mutex};
  core_->crashed = false;
  return std::make_shared<view>(core_, core_->live, ++core_->mounts);
}

}  // namespace cairn::testing
