// A store in a directory: `cairn::file_store{"bank.cairn"}`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "detail/disk.hpp"
#include "detail/store_core.hpp"
#include "error.hpp"
#include "ids.hpp"
#include "store.hpp"

namespace cairn {

/// How a file_store lays out its files.
struct file_store_options {
  std::uint64_t segment_bytes = std::uint64_t{64} << 20U;  ///< where a segment ends: 4 KiB to 1 GiB
};

/// Keeps snapshots in a directory that is its own. The files are described in `docs/format.md`.
///
/// Errors: every `cairn::error` names the file. `locked`: another process has opened the store.
/// `damaged`: bytes do not verify and no older snapshot may take their place; nothing is changed.
/// `newer_schema`: a newer cairn wrote it. `no_space`, `io`: what the operating system said.
///
/// Thread safety: one thread at a time; each journal has a thread of its own.
class file_store {
 public:
  /// Names the directory. Nothing is touched before `open`.
  explicit file_store(std::string directory, file_store_options options = {},
                      std::shared_ptr<detail::disk> disk = nullptr)
      : core_{std::make_unique<detail::store_core>(
            disk ? std::move(disk) : std::make_shared<detail::posix_disk>(), std::move(directory),
            options.segment_bytes)} {}

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
  /// For cairn itself.
  [[nodiscard]] std::unique_ptr<detail::disk_file> turn_page(
      const std::function<detail::buffer(bytes_view)>& make) {
    return core_->turn_page(make);
  }
  [[nodiscard]] std::string describe() const { return "file_store " + core_->directory(); }
  [[nodiscard]] store_stats stats() const { return core_->stats(); }

 private:
  std::unique_ptr<detail::store_core> core_;
};

static_assert(store<file_store>);

}  // namespace cairn
