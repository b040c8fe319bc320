// Three kinds of failure, three tools: `result` for what is expected, exceptions for what a
// supervisor shall see, `check` for our own bugs.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace cairn {

/// What went wrong. The numbers are part of the store's format: never reuse one.
enum class errc : std::uint8_t {
  ok = 0,
  timeout = 1,             ///< an ask was not answered in time
  stopped = 2,             ///< the actor has been stopped, or never was
  failed = 3,              ///< the handler failed and the message was given up
  interrupted = 4,         ///< a crash lost the ephemeral actor that would have answered
  mailbox_full = 5,        ///< the mailbox's bound was reached
  name_taken = 6,          ///< the parent has a living child of that name
  bad_name = 7,            ///< a name is empty or holds a '/'
  unknown_type = 8,        ///< a type is not listed in `cairn::actors<…>`
  newer_schema = 9,        ///< the bytes were written by a newer version of the type or of cairn
  damaged = 10,            ///< bytes do not verify
  io = 11,                 ///< the operating system refused a file operation
  no_space = 12,           ///< the disk is full
  locked = 13,             ///< the store is in use by another process
  not_found = 14,          ///< there is no such thing
  history_exceeded = 15,   ///< one handler was handed more than its record may hold
  diverged = 16,           ///< a handler was not deterministic
  misuse = 17,             ///< an operation was called where it has no meaning
  rejected = 18,           ///< a handler's own, expected refusal
  write_buffer_full = 19,  ///< records came faster than the disk took them
};

/// The code's stable spelling.
[[nodiscard]] constexpr std::string_view to_string(errc code) noexcept {
  constexpr std::string_view names[] = {
      "ok",           "timeout",      "stopped",    "failed",
      "interrupted",  "mailbox_full", "name_taken", "bad_name",
      "unknown_type", "newer_schema", "damaged",    "io",
      "no_space",     "locked",       "not_found",  "history_exceeded",
      "diverged",     "misuse",       "rejected",   "write_buffer_full"};
  const auto at = static_cast<std::size_t>(code);
  return at < std::size(names) ? names[at] : "unknown";
}

/// Thrown for everything cairn reports: a code for programs, a text for people.
class error : public std::runtime_error {
 public:
  error(errc code, const std::string& text) : std::runtime_error{text}, code_{code} {}
  [[nodiscard]] errc code() const noexcept { return code_; }

 private:
  errc code_;
};

/// Thrown by `co_await` of an ask that was not answered.
class ask_error : public error {
 public:
  using error::error;
};

/// Why a `result` holds no value.
struct failure {
  errc code = errc::rejected;
  std::string text{};

  friend bool operator==(const failure&, const failure&) = default;

  void serialize(auto& archive) { archive(code, text); }
};

/// A value, or why there is none. A handler that is expected to fail returns one.
///
/// Errors: `value()` throws `cairn::error` where there is no value.
template <class T>
class [[nodiscard]] result {
 public:
  using value_type = T;

  result()
    requires std::is_default_constructible_v<T>
      : held_{std::in_place_index<0>} {}
  result(T value) : held_{std::in_place_index<0>, std::move(value)} {}    // NOLINT(*explicit*)
  result(failure why) : held_{std::in_place_index<1>, std::move(why)} {}  // NOLINT(*explicit*)

  [[nodiscard]] bool has_value() const noexcept { return held_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  [[nodiscard]] T& value() & { return raise_without_value(), std::get<0>(held_); }
  [[nodiscard]] const T& value() const& { return raise_without_value(), std::get<0>(held_); }
  [[nodiscard]] T value() && { return raise_without_value(), std::move(std::get<0>(held_)); }

  /// Precondition: there is a value. Where there is none, throws like `value()`.
  [[nodiscard]] T& operator*() & { return value(); }
  [[nodiscard]] const T& operator*() const& { return value(); }
  [[nodiscard]] T operator*() && { return std::move(*this).value(); }
  [[nodiscard]] T* operator->() { return &value(); }

  [[nodiscard]] T value_or(T other) const {
    return has_value() ? std::get<0>(held_) : std::move(other);
  }

  /// The code, `errc::ok` where there is a value.
  [[nodiscard]] errc code() const noexcept {
    return has_value() ? errc::ok : std::get<1>(held_).code;
  }
  /// Precondition: there is no value.
  [[nodiscard]] const failure& why() const { return std::get<1>(held_); }

  void save(auto& archive) const {
    archive(has_value());
    std::visit([&](const auto& held) { archive(held); }, held_);
  }
  void load(auto& archive) {
    bool good = false;
    archive(good);
    if (good) {
      archive(held_.template emplace<0>());
    } else {
      archive(held_.template emplace<1>());
    }
  }

 private:
  void raise_without_value() const {
    if (!has_value()) throw error{std::get<1>(held_).code, std::get<1>(held_).text};
  }

  std::variant<T, failure> held_;
};

/// A result that carries no value.
template <>
class [[nodiscard]] result<void> {
 public:
  using value_type = void;

  result() = default;
  result(failure why) : why_{std::move(why)} {}  // NOLINT(*explicit*)

  [[nodiscard]] bool has_value() const noexcept { return !why_; }
  explicit operator bool() const noexcept { return has_value(); }
  void value() const {
    if (why_) throw error{why_->code, why_->text};
  }
  [[nodiscard]] errc code() const noexcept { return why_ ? why_->code : errc::ok; }
  /// Precondition: there is no value.
  [[nodiscard]] const failure& why() const { return why_.value(); }

  void save(auto& archive) const {
    archive(has_value());
    if (why_) archive(*why_);
  }
  void load(auto& archive) {
    bool good = false;
    archive(good);
    why_.reset();
    if (!good) archive(why_.emplace());
  }

 private:
  std::optional<failure> why_{};
};

namespace detail {

/// Thrown by `check`: a bug in cairn. Nothing is ever assumed, also not in release.
class broken_invariant : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// What an exception says of itself. The code of users may throw anything.
[[nodiscard]] inline std::string text_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& why) {
    return why.what();
  } catch (...) {
    return "an exception of an unknown type";
  }
}
/// The same of the one that is being handled.
[[nodiscard]] inline std::string text_of_caught() { return text_of(std::current_exception()); }

inline void check(bool holds, const char* why) {
  if (!holds) [[unlikely]] {
    throw broken_invariant{std::string{"cairn: broken invariant, please report it: "} + why};
  }
}

}  // namespace detail
}  // namespace cairn
