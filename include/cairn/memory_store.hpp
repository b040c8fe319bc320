// A store in memory, for tests and for restarts within one process.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "detail/store_core.hpp"
#include "detail/store_memory.hpp"
#include "ids.hpp"
#include "store.hpp"

namespace cairn {

/// Keeps snapshots in memory, by the very code of `file_store` on a disk that is memory. It is a
/// handle: copies refer to the same content, so that a test can end a system and start another one
/// over what the first has committed. A copy is closed; one handle at a time can be open.
///
/// Errors: `locked` where another handle is open.
///
/// Thread safety: one thread at a time for each handle.
class memory_store {
 public:
  memory_store() : memory_store{std::make_shared<detail::memory_disk>()} {}
  memory_store(const memory_store& other) : memory_store{other.disk_} {}
  memory_store& operator=(const memory_store& other) { return *this = memory_store{other}; }
  memory_store(memory_store&& other) noexcept = default;
  memory_store& operator=(memory_store&& other) noexcept = default;
  ~memory_store() = default;

  opened open(const store_options& options = {}) { return core_->open(options); }
  void begin(epoch n) { core_->begin(n); }
  void append(bytes_view framed_records) { core_->append(framed_records); }
  void commit(bool releases = false) { core_->commit(releases); }
  /// For cairn itself: what a commit has left to the next verb.
  void settle() { core_->settle(); }
  void abort() noexcept { core_->abort(); }
  void read(epoch n, const record_visitor& visit) { core_->read(n, visit); }
  [[nodiscard]] std::vector<snapshot_info> list() { return core_->list(); }
  void keep(epoch n, const std::string& name) { core_->keep(n, name); }
  void remove(const std::string& name) { core_->remove(name); }
  [[nodiscard]] std::unique_ptr<journal_log> journal(const std::string& name) {
    return core_->journal(name);
  }
  [[nodiscard]] std::string describe() const { return "memory_store"; }
  [[nodiscard]] store_stats stats() const { return core_->stats(); }

  /// Closes this handle: what was not committed is gone, another one can be opened.
  void close() { core_ = make(disk_); }

 private:
  using core_ptr = std::unique_ptr<detail::store_core>;

  explicit memory_store(std::shared_ptr<detail::memory_disk> disk)
      : disk_{std::move(disk)}, core_{make(disk_)} {}
  static core_ptr make(const std::shared_ptr<detail::memory_disk>& disk) {
    return std::make_unique<detail::store_core>(disk, "memory", std::uint64_t{1} << 20U);
  }

  std::shared_ptr<detail::memory_disk> disk_;
  core_ptr core_;
};

static_assert(store<memory_store> && std::copyable<memory_store>);

}  // namespace cairn
