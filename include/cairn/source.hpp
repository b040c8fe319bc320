// Replayable inputs: what an actor reads, and how far it has come, as a part of its state.
#pragma once

#include <fcntl.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "codec.hpp"
#include "detail/disk.hpp"
#include "error.hpp"

namespace cairn {

/// A replayable input as a member of an actor's state: it serializes its position, opens its
/// resource when it is first read, and gives the same items again from the same position. So
/// handlers may read it, in replay too: what they read is a function of the state and needs no log.
/// A copy, and what has been decoded, is closed.
///
/// `next()` gives the item at the position and moves on; nothing at the end. `seek(p)` goes to a
/// position that `position()` gave.
template <class S>
concept source = encodable<S> && std::copyable<S> &&
                 requires(S& mine, const S& other, const typename S::place& where) {
                   typename S::item;
                   { mine.next() } -> std::same_as<std::optional<typename S::item>>;
                   { other.position() } -> std::convertible_to<typename S::place>;
                   { mine.seek(where) } -> std::same_as<void>;
                 };

/// The lines of a file, which must not change while it is read.
///
/// Errors: `next()` throws `cairn::error` that names the file: `not_found` and `io` with the
/// operating system's text; `damaged` where a line is longer than `max_line` bytes or the file is
/// shorter than the position. The position is then as before.
/// Thread safety: one thread at a time.
class file_lines {
 public:
  struct item {
    std::uint64_t number = 0;  ///< of the line, from 1
    std::string text{};        ///< without the line's end; the last one may have none
  };
  /// Where the next line begins.
  struct place {
    std::uint64_t byte = 0;
    std::uint64_t line = 1;  ///< its number
    friend bool operator==(const place&, const place&) = default;
    void serialize(auto& archive, std::uint32_t /*version*/) { archive(byte, line); }
  };
  static constexpr std::size_t max_line = 1024 * 1024;

  file_lines() = default;
  explicit file_lines(std::string path) : path_{std::move(path)} {}
  file_lines(const file_lines& other) : path_{other.path_}, at_{other.at_} {}
  file_lines& operator=(const file_lines& other) { return *this = file_lines{other}; }
  file_lines(file_lines&&) noexcept = default;
  file_lines& operator=(file_lines&&) noexcept = default;
  ~file_lines() = default;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const place& position() const noexcept { return at_; }
  void seek(const place& where) {
    at_ = where;
    open_.reset();
  }

  [[nodiscard]] std::optional<item> next() {
    if (!open_) open();
    std::size_t scanned = 0;
    for (;;) {
      const std::string_view held = open_->held();
      const auto end = held.find('\n', scanned);
      if (end != held.npos) return take(held.substr(0, end), end + 1);
      if (held.size() > max_line) {
        throw error{errc::damaged, path_ + ": line " + std::to_string(at_.line) +
                                       " is longer than " + std::to_string(max_line) + " bytes"};
      }
      scanned = held.size();
      if (open_->read_more()) continue;
      if (scanned == 0) return std::nullopt;
      return take(open_->held(), scanned);
    }
  }

  void save(auto& archive, std::uint32_t /*version*/) const { archive(path_, at_); }
  void load(auto& archive, std::uint32_t /*version*/) {
    archive(path_, at_);
    open_.reset();
  }

 private:
  static constexpr std::size_t block = 64 * 1024;

  /// The open file, and what has been read of it beyond the position.
  struct reading {
    reading(const std::string& path, std::uint64_t where) : file{path, O_RDONLY}, from{where} {}

    detail::posix_file file;
    std::uint64_t from;  ///< where in the file the rest begins that is not read yet
    std::string bytes{};
    std::size_t used = 0;

    [[nodiscard]] std::string_view held() const { return std::string_view{bytes}.substr(used); }
    bool read_more() {
      bytes.erase(0, std::exchange(used, 0));
      const std::size_t before = bytes.size();
      bytes.resize(before + block);
      auto* room = reinterpret_cast<std::byte*>(bytes.data() + before);
      std::size_t got = 0;
      try {
        got = file.read(from, room, block);
      } catch (...) {
        bytes.resize(before);
        throw;
      }
      bytes.resize(before + got);
      from += got;
      return got != 0;
    }
  };

  void open() {
    auto opened = std::make_unique<reading>(path_, at_.byte);
    if (opened->file.size() < at_.byte) {
      throw error{errc::damaged, path_ + ": shorter than byte " + std::to_string(at_.byte) +
                                     ", from where it was to be read on"};
    }
    open_ = std::move(opened);
  }

  [[nodiscard]] item take(std::string_view text, std::size_t bytes) {
    item taken{at_.line, std::string{text}};
    open_->used += bytes;
    at_.byte += bytes;
    ++at_.line;
    return taken;
  }

  std::string path_{};
  place at_{};
  std::unique_ptr<reading> open_{};
};

static_assert(source<file_lines>);

}  // namespace cairn
