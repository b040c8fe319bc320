// Every call that a store makes to the operating system, behind an interface that tests replace.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "../error.hpp"
#include "buffer.hpp"
#include "pausing.hpp"

namespace cairn::detail {

/// An open file. Errors throw `cairn::error` with the path: `io`, or `no_space`.
class disk_file {
 public:
  disk_file() = default;
  disk_file(const disk_file&) = delete;
  disk_file& operator=(const disk_file&) = delete;
  virtual ~disk_file() = default;

  /// Reads up to `count` bytes; fewer only at the file's end.
  virtual std::size_t read(std::uint64_t offset, std::byte* to, std::size_t count) = 0;
  virtual void write(std::uint64_t offset, bytes_view bytes) = 0;
  /// Returns when the bytes are durable. Never tried again after an error: the kernel may have
  /// marked the lost pages as clean (Rebello et al., "Can applications recover from fsync
  /// failures?", USENIX ATC 2020).
  virtual void sync() = 0;
  /// The bytes from `from` to `until` will be synced soon: a disk that would do nothing else may
  /// begin with them. Nothing is durable by it, and what fails in it fails the next `sync`.
  virtual void begin_sync(std::uint64_t /*from*/, std::uint64_t /*until*/) noexcept {}
  virtual std::uint64_t size() = 0;
  /// Memory that is the file's first `bytes`, which were written: what is stored there outlives the
  /// process, not the machine. Null where the disk has none. It lives as long as the file is open.
  [[nodiscard]] virtual std::byte* map(std::size_t /*bytes*/) { return nullptr; }
  /// Errors name the file as it is called from here on.
  virtual void renamed(const std::string& /*path*/) {}
};

/// Held as long as it lives.
class disk_lock {
 public:
  disk_lock() = default;
  disk_lock(const disk_lock&) = delete;
  disk_lock& operator=(const disk_lock&) = delete;
  virtual ~disk_lock() = default;
};

/// Directories and files. A file is opened to be read, or created to be written: nothing here
/// opens an existing file for writing, or shortens one.
///
/// Errors: throws `cairn::error` with the path: `not_found` for what is not there, `no_space`,
/// `locked`, else `io`.
/// Thread safety: `open` by several threads at a time, and then each reads its own file (a store's
/// segments are verified side by side); all else by one thread at a time.
class disk {
 public:
  disk() = default;
  disk(const disk&) = delete;
  disk& operator=(const disk&) = delete;
  virtual ~disk() = default;

  virtual std::unique_ptr<disk_file> open(const std::string& path) = 0;
  /// Precondition: there is no such file.
  virtual std::unique_ptr<disk_file> create(const std::string& path) = 0;
  virtual void rename(const std::string& from, const std::string& to) = 0;
  virtual void remove(const std::string& path) = 0;
  virtual std::vector<std::string> list(const std::string& directory) = 0;
  /// Does nothing where the directory is there.
  virtual void make_directory(const std::string& path) = 0;
  virtual void sync_directory(const std::string& path) = 0;
  virtual std::unique_ptr<disk_lock> lock(const std::string& path, bool shared,
                                          std::chrono::milliseconds wait) = 0;
  /// Whether its files can be mapped.
  [[nodiscard]] virtual bool maps() const noexcept { return false; }
};

/// Names that are made in a directory, and are to be durable there.
///
/// A sync that fails may have lost what others had made in the directory too: the operating system
/// takes it for written then, and the next sync says nothing. Who syncs at the same time is told by
/// the system; who does so later is told here.
class new_names {
 public:
  /// Before the first of them is made. Relaxed, all of them: a number, and whoever came to fail
  /// before a later sync began is seen after it.
  new_names() noexcept : failed_before_{failed().load(std::memory_order_relaxed)} {}

  /// Errors: what `sync_directory` throws; `io` where another one has failed since.
  void make_durable(disk& on, const std::string& directory) const {
    try {
      on.sync_directory(directory);
    } catch (...) {
      failed().fetch_add(1, std::memory_order_relaxed);
      throw;
    }
    if (failed().load(std::memory_order_relaxed) == failed_before_) return;
    sometimes("directory in doubt after another's sync");
    throw error{errc::io,
                directory + ": cannot be synced: a sync has failed since a file was made"};
  }

 private:
  [[nodiscard]] static std::atomic<std::uint64_t>& failed() noexcept {
    static std::atomic<std::uint64_t> count{0};  // of the process: syncs fail seldom
    return count;
  }

  std::uint64_t failed_before_;
};

/// Reads a whole file.
inline buffer read_whole(disk& from, const std::string& path) {
  const auto file = from.open(path);
  buffer bytes;
  bytes.resize_unset(file->size());
  bytes.resize(file->read(0, bytes.data(), bytes.size()));
  return bytes;
}

/// Removes a file that a crash may have left.
inline void remove_leftover(disk& from, const std::string& path) {
  try {
    from.remove(path);
  } catch (const error& problem) {
    if (problem.code() != errc::not_found) throw;
  }
}

/// Throws what an error number of the operating system means here.
[[noreturn]] inline void raise_errno(int number, const char* what, const std::string& path) {
  const auto code = number == ENOSPC || number == EDQUOT ? errc::no_space
                    : number == ENOENT                   ? errc::not_found
                                                         : errc::io;
  throw error{code, path + ": " + what + ": " + std::generic_category().message(number)};
}

/// Calls again what a signal interrupted.
template <class Call>
auto retry_interrupted(Call call) {
  auto got = call();
  while (got < 0 && errno == EINTR) got = call();
  return got;
}

/// Owns a file descriptor.
class descriptor {
 public:
  explicit descriptor(int number = -1) noexcept : number_{number} {}
  descriptor(descriptor&& other) noexcept : number_{std::exchange(other.number_, -1)} {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const noexcept { return number_; }

 private:
  int number_;
};

class posix_file final : public disk_file {
 public:
  posix_file(const std::string& path, int flags) : path_{path} {
    file_ = descriptor{
        retry_interrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0600); })};
    if (file_.get() < 0) raise_errno(errno, "cannot open", path_);
  }
  posix_file(const posix_file&) = delete;
  posix_file& operator=(const posix_file&) = delete;
  ~posix_file() override {
    if (mapped_ != nullptr) ::munmap(mapped_, mapped_bytes_);
  }

  std::size_t read(std::uint64_t offset, std::byte* to, std::size_t count) override {
    std::size_t done = 0;
    while (done < count) {
      const auto got = retry_interrupted([&] {
        return ::pread(file_.get(), to + done, count - done, static_cast<off_t>(offset + done));
      });
      if (got < 0) raise_errno(errno, "cannot read", path_);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  void write(std::uint64_t offset, bytes_view bytes) override {
    while (!bytes.empty()) {
      const auto put = retry_interrupted([&] {
        return ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      });
      if (put <= 0) raise_errno(put < 0 ? errno : ENOSPC, "cannot write", path_);
      bytes = bytes.subspan(static_cast<std::size_t>(put));
      offset += static_cast<std::uint64_t>(put);
    }
  }

  void sync() override {
    if (not_begun_ != 0) raise_errno(not_begun_, "cannot sync", path_);
#if defined(__APPLE__)
    const int done = ::fcntl(file_.get(), F_FULLFSYNC);  // fsync leaves it in the drive's cache
#else
    const int done = ::fdatasync(file_.get());
#endif
    if (done != 0) raise_errno(errno, "cannot sync", path_);
  }

  void begin_sync([[maybe_unused]] std::uint64_t from,
                  [[maybe_unused]] std::uint64_t until) noexcept override {
#ifdef SYNC_FILE_RANGE_WRITE
    // Without a flag to wait, errors of the writing itself are left to fdatasync(). What a file
    // system says at once, about room that it cannot find, it may not say again.
    const auto begun =
        ::sync_file_range(file_.get(), static_cast<std::int64_t>(from),
                          static_cast<std::int64_t>(until - from), SYNC_FILE_RANGE_WRITE);
    const bool lost = begun != 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO);
    if (lost && not_begun_ == 0) not_begun_ = errno;
#endif
  }

  std::uint64_t size() override {
    struct stat found{};
    if (::fstat(file_.get(), &found) != 0) raise_errno(errno, "cannot ask for the size", path_);
    return static_cast<std::uint64_t>(found.st_size);
  }

  void renamed(const std::string& path) override { path_ = path; }

  [[nodiscard]] std::byte* map(std::size_t bytes) override {
    void* made = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
    if (made == MAP_FAILED) raise_errno(errno, "cannot map", path_);
    mapped_ = made;
    mapped_bytes_ = bytes;
    return static_cast<std::byte*>(made);
  }

  [[nodiscard]] int get() const noexcept { return file_.get(); }

 private:
  std::string path_;
  descriptor file_;
  int not_begun_ = 0;  ///< why what was begun with failed, and each sync fails; 0: it did not
  void* mapped_ = nullptr;
  std::size_t mapped_bytes_ = 0;
};

/// A lock by `flock`: the kernel lets go of it when the process ends, however it ends. Who holds
/// it stands in the file as text.
class posix_lock final : public disk_lock {
 public:
  posix_lock(const std::string& path, bool shared, std::chrono::milliseconds wait)
      : file_{path, shared ? O_RDONLY : O_RDWR | O_CREAT} {
    acquire(path, shared, wait);
    if (!shared) write_holder();
  }

 private:
  void acquire(const std::string& path, bool shared, std::chrono::milliseconds wait) {
    auto pause = std::chrono::milliseconds{1};
    auto waited = std::chrono::milliseconds{0};
    while (::flock(file_.get(), (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno != EWOULDBLOCK) raise_errno(errno, "cannot lock", path);
      if (waited >= wait) {
        throw error{errc::locked, path + ": the store is in use by " + holder()};
      }
      pause = std::min(pause, wait - waited);
      const timespec span{0, static_cast<long>(pause.count()) * 1'000'000};
      ::nanosleep(&span, nullptr);
      waited += pause;
      pause = std::min(pause * 2, std::chrono::milliseconds{50});
    }
  }

  std::string holder() {
    std::array<std::byte, 128> text{};
    const auto count = file_.read(0, text.data(), text.size());
    std::string who{reinterpret_cast<const char*>(text.data()), count};
    who.resize(std::min(who.find('\n'), who.size()));
    const bool ours =
        who.starts_with("process ") &&
        std::all_of(who.begin(), who.end(), [](char c) { return c >= ' ' && c <= '~'; });
    return ours ? who : "a process that it does not name";
  }

  void write_holder() {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    std::array<char, 32> start{};
    const auto length = std::strftime(start.data(), start.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
    auto who = "process " + std::to_string(::getpid()) + " since " +
               std::string{start.data(), length} + "\n";
    who.resize(128, ' ');  // covers all of an earlier holder's line, without shortening the file
    file_.write(0, std::as_bytes(std::span{who}));
  }

  posix_file file_;
};

/// The disk of this machine. Directories are 0700, files 0600.
class posix_disk final : public disk {
 public:
  std::unique_ptr<disk_file> open(const std::string& path) override {
    return std::make_unique<posix_file>(path, O_RDONLY);
  }
  std::unique_ptr<disk_file> create(const std::string& path) override {
    return std::make_unique<posix_file>(path, O_RDWR | O_CREAT | O_EXCL);
  }
  void rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) raise_errno(errno, "cannot rename", from);
  }
  void remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) raise_errno(errno, "cannot remove", path);
  }

  std::vector<std::string> list(const std::string& directory) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> open{::opendir(directory.c_str()), &::closedir};
    if (!open) raise_errno(errno, "cannot list", directory);
    std::vector<std::string> names;
    for (errno = 0; const auto* entry = ::readdir(open.get()); errno = 0) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
    }
    if (errno != 0) raise_errno(errno, "cannot list", directory);
    std::sort(names.begin(), names.end());
    return names;
  }

  void make_directory(const std::string& path) override {
    if (::mkdir(path.c_str(), 0700) == 0) {
      const auto slash = path.find_last_of('/');
      sync_directory(slash == std::string::npos ? "." : path.substr(0, slash + 1));
    } else if (errno != EEXIST) {
      raise_errno(errno, "cannot make the directory", path);
    }
  }

  void sync_directory(const std::string& path) override {
    const posix_file directory{path, O_RDONLY | O_DIRECTORY};
    if (::fsync(directory.get()) != 0) raise_errno(errno, "cannot sync", path);
  }

  std::unique_ptr<disk_lock> lock(const std::string& path, bool shared,
                                  std::chrono::milliseconds wait) override {
    return std::make_unique<posix_lock>(path, shared, wait);
  }
  [[nodiscard]] bool maps() const noexcept override { return true; }
};

}  // namespace cairn::detail
