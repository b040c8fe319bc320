// Sinks: what leaves the system for good, exactly once, with the epoch that wrote it.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec.hpp"
#include "context.hpp"
#include "detail/disk.hpp"
#include "error.hpp"
#include "ids.hpp"
#include "message.hpp"
#include "task.hpp"

namespace cairn {

/// The bytes that one epoch has for a sink, and where they stand in the whole output.
struct batch {
  epoch of{};
  std::uint64_t offset = 0;
  std::string bytes{};

  friend bool operator==(const batch&, const batch&) = default;
  void serialize(auto& archive, std::uint32_t /*version*/) { archive(of, offset, bytes); }
};

/// Where a `sink_actor` delivers to, in two phases.
///
/// `prepare` is called before the epoch is committed and may be in vain: what it throws abandons
/// the epoch. `publish` is called after it, batch by batch in order, and again after a crash until
/// the fact is committed. Both are idempotent; a batch of the same offset may come with other bytes
/// only if it was never published. Both may run at the same time, on copies, on threads of the
/// system's. What `publish` throws fails the sink's actor; the batch stays first.
template <class S>
concept sink = encodable<S> && std::copyable<S> && requires(const S& to, const batch& what) {
  { to.prepare(what) } -> std::same_as<void>;
  { to.publish(what) } -> std::same_as<void>;
};

/// A file that holds what was published and nothing else.
///
/// Errors: `cairn::error` with the file's name: what the operating system refused; `damaged` where
/// the file is shorter than what was published to it.
class file_sink {
 public:
  file_sink() = default;
  explicit file_sink(std::string path) : path_{std::move(path)} {}

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// Makes the file and reserves room on the disk, so that what is missing is missing before the
  /// commit and not after it.
  void prepare(const batch& what) const {
    const auto file = open();
    if (what.bytes.empty()) return;
    const auto got = detail::retry_interrupted([&] {
      return ::fallocate(file.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(what.offset),
                         static_cast<off_t>(what.bytes.size()));
    });
    if (got != 0 && errno == ENOSPC) detail::raise_errno(errno, "cannot reserve room", path_);
  }

  /// Writes the bytes at their offset, cuts off what lies beyond, and syncs.
  void publish(const batch& what) const {
    const auto file = open();
    check_size(file, what.offset);
    std::string_view left = what.bytes;
    std::uint64_t at = what.offset;
    while (!left.empty()) {
      const auto put = detail::retry_interrupted(
          [&] { return ::pwrite(file.get(), left.data(), left.size(), static_cast<off_t>(at)); });
      if (put <= 0) detail::raise_errno(put < 0 ? errno : ENOSPC, "cannot write", path_);
      left.remove_prefix(static_cast<std::size_t>(put));
      at += static_cast<std::uint64_t>(put);
    }
    if (::ftruncate(file.get(), static_cast<off_t>(at)) != 0) {
      detail::raise_errno(errno, "cannot shorten", path_);
    }
    if (::fdatasync(file.get()) != 0) detail::raise_errno(errno, "cannot sync", path_);
    if (what.offset == 0) sync_directory();  // the file may be new
  }

  void serialize(auto& archive, std::uint32_t /*version*/) { archive(path_); }

 private:
  [[nodiscard]] detail::descriptor open() const {
    detail::descriptor file{detail::retry_interrupted(
        [&] { return ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666); })};
    if (file.get() < 0) detail::raise_errno(errno, "cannot open", path_);
    return file;
  }

  void check_size(const detail::descriptor& file, std::uint64_t offset) const {
    struct stat found{};
    if (::fstat(file.get(), &found) != 0) {
      detail::raise_errno(errno, "cannot ask for the size", path_);
    }
    if (static_cast<std::uint64_t>(found.st_size) >= offset) return;
    throw error{errc::damaged, path_ + ": " + std::to_string(found.st_size) + " bytes, but " +
                                   std::to_string(offset) + " were published"};
  }

  void sync_directory() const {
    const auto slash = path_.find_last_of('/');
    detail::posix_disk{}.sync_directory(slash == path_.npos ? "." : path_.substr(0, slash + 1));
  }

  std::string path_{};
};

/// To a `sink_actor`: bytes to deliver.
struct write {
  std::string bytes{};
  void serialize(auto& archive) { archive(bytes); }
};

/// To a `sink_actor`: how far is it?
struct get_delivery {};

/// What it answers, as of the turn that answers.
struct delivery_state {
  std::uint64_t written = 0;    ///< bytes in all
  std::uint64_t published = 0;  ///< of them, those that are delivered
  void serialize(auto& archive) { archive(written, published); }
};

/// Delivers what it is sent, in the order in which it consumes it, when the epoch is committed:
/// `spawn<sink_actor<file_sink>>("alerts", file_sink{"alerts.csv"})`. One actor to each output.
///
/// Exactly once, byte for byte: each write is tagged with the epoch of the turn that consumed it
/// (recorded, so that replay tags it alike). A snapshot n holds the turns of epochs up to n and no
/// others, so when n is committed every batch tagged n or less is in it and can never be unsaid,
/// and none tagged later is published. From the cut on a batch cannot grow: later turns have later
/// epochs. After a crash the actor stands as of a snapshot n; all its batches are tagged n or less
/// and their `on_commit(n)` is told again, so what may have been published is published once more:
/// the same bytes at the same offset. Batches are forgotten by a turn after their publishing, in
/// order, so the offset never moves past a byte that is not outside.
///
/// Effects: the first batch is empty, so that the output exists and begins at offset 0, whatever
/// was there before. Errors: an exception of `publish` is a failure like a handler's; what is not
/// published waits for the next commit. What has been written and not yet published is part of the
/// state; the mailbox's bound limits the rest.
template <sink S>
class sink_actor {
 public:
  using protocol = cairn::protocol<write, get_delivery>;

  sink_actor() = default;
  explicit sink_actor(S to) : to_{std::move(to)} {}

  void on_birth(context<sink_actor>& self) { batches_.push_back({self.epoch(), 0, {}}); }

  void on(const write& what, context<sink_actor>& self) {
    const epoch now = self.epoch();
    if (batches_.empty() || batches_.back().of != now) batches_.push_back({now, written_, {}});
    batches_.back().bytes += what.bytes;
    written_ += what.bytes.size();
  }

  [[nodiscard]] delivery_state on(get_delivery) const {
    return {written_, batches_.empty() ? written_ : batches_.front().offset};
  }

  task<> on_commit(epoch number, context<sink_actor>& self) {
    committed_ = std::max(committed_, number);
    while (!batches_.empty() && batches_.front().of <= number) {
      auto publishing = self.run("publish", &publish, to_, batches_.front());
      co_await std::move(publishing);
      batches_.erase(batches_.begin());
    }
  }

  /// Called at the actor's cut. Batches of epochs already committed are prepared.
  [[nodiscard]] std::function<void()> prepare_outputs() const {
    std::vector<batch> open;
    for (const batch& each : batches_) {
      if (each.of > committed_) open.push_back(each);
    }
    if (open.empty()) return {};
    return [to = to_, open = std::move(open)] {
      for (const batch& each : open) to.prepare(each);
    };
  }

  void serialize(auto& archive) { archive(to_, batches_, written_, committed_); }

 private:
  static void publish(S to, batch what) { to.publish(what); }

  S to_{};
  std::vector<batch> batches_{};  ///< written and not known to be published, in order
  std::uint64_t written_ = 0;
  epoch committed_{};
};

namespace detail {
inline constexpr std::string_view sink_of = "sink<";
}  // namespace detail

template <sink S>
inline constexpr std::string_view type_name<sink_actor<S>> =
    detail::joined<detail::sink_of, type_name<S>, detail::closing>::text;

static_assert(sink<file_sink>);

}  // namespace cairn
