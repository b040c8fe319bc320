// A disk in memory that counts what is written to segments, and fails when told to.
#pragma once

#include <cairn/detail/store_memory.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../store_fixture.hpp"

namespace store_fixture {

/// A disk in memory; the next sync of a segment, or of a manifest, fails when told to: that of a
/// segment after all was carried.
class fickle_disk final : public cairn::detail::disk {
 public:
  bool fail_segment_sync = false;
  bool fail_manifest_sync = false;
  std::uint64_t segment_writes = 0;
  std::uint64_t segment_bytes = 0;  ///< that were written

  std::unique_ptr<cairn::detail::disk_file> open(const std::string& path) override {
    return under_.open(path);
  }
  std::unique_ptr<cairn::detail::disk_file> create(const std::string& path) override {
    return std::make_unique<file>(*this, contains(path, "segment-"), under_.create(path));
  }
  void rename(const std::string& from, const std::string& to) override { under_.rename(from, to); }
  void remove(const std::string& path) override { under_.remove(path); }
  std::vector<std::string> list(const std::string& directory) override {
    return under_.list(directory);
  }
  void make_directory(const std::string&) override {}
  void sync_directory(const std::string&) override {}
  std::unique_ptr<cairn::detail::disk_lock> lock(const std::string& path, bool shared,
                                                 std::chrono::milliseconds wait) override {
    return under_.lock(path, shared, wait);
  }

 private:
  class file final : public cairn::detail::disk_file {
   public:
    file(fickle_disk& of, bool segment, std::unique_ptr<cairn::detail::disk_file> under)
        : of_{of}, segment_{segment}, under_{std::move(under)} {}
    std::size_t read(std::uint64_t offset, std::byte* to, std::size_t count) override {
      return under_->read(offset, to, count);
    }
    void write(std::uint64_t offset, bytes_view bytes) override {
      of_.segment_writes += segment_ ? 1 : 0;
      of_.segment_bytes += segment_ ? bytes.size() : 0;
      under_->write(offset, bytes);
    }
    void sync() override {
      if (std::exchange(segment_ ? of_.fail_segment_sync : of_.fail_manifest_sync, false)) {
        throw cairn::error{cairn::errc::io, "planted"};
      }
    }
    std::uint64_t size() override { return under_->size(); }

   private:
    fickle_disk& of_;
    bool segment_;
    std::unique_ptr<cairn::detail::disk_file> under_;
  };

  cairn::detail::memory_disk under_;
};

}  // namespace store_fixture
