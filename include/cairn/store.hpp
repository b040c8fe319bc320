// Where snapshots are kept: the concept that a store models, and any store behind one type.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "detail/disk.hpp"
#include "detail/record.hpp"
#include "error.hpp"
#include "ids.hpp"

namespace cairn {

using detail::bytes_view;
using detail::record_header;
using detail::record_kind;
using detail::record_view;

/// How a store is opened.
struct store_options {
  bool read_only = false;                  ///< changes nothing, shares the lock with other readers
  std::chrono::milliseconds lock_wait{0};  ///< how long to wait for the one who holds the store
  std::size_t retain = 3;                  ///< latest snapshots that are kept, at least 1
  bool accept_older = false;               ///< the operator's word: go back past released outputs
  std::optional<epoch> as_of{};            ///< go back to this one of the latest snapshots
  std::function<void(const std::string&)> warn{};  ///< told what is not quite an error
  std::size_t threads = 1;  ///< that may verify what there is, side by side; a hint
};

/// What is known of a snapshot without reading it.
struct snapshot_info {
  epoch number{};
  std::string name{};         ///< of the savepoint, or empty
  std::uint64_t records = 0;  ///< records that its epoch wrote
  std::uint64_t bytes = 0;    ///< their bytes
  bool released = false;      ///< its outputs may have left

  friend bool operator==(const snapshot_info&, const snapshot_info&) = default;
};

/// What `open` found.
struct opened {
  std::optional<epoch> latest{};  ///< the snapshot to resume from, if there is one
  std::vector<snapshot_info> snapshots{};
  epoch newest{};  ///< that was ever committed, as far as is known; 0: as `latest` says
  /// After `latest`, savepoints included: gone with the next commit. What is damaged may be
  /// unknown.
  std::vector<snapshot_info> left_behind{};
};

/// Sizes of a store, in bytes where not said otherwise.
struct store_stats {
  std::size_t segments = 0;       ///< number of segment files
  std::uint64_t disk_bytes = 0;   ///< their lengths, with what was given up at their ends
  std::uint64_t live_bytes = 0;   ///< records that stand in a retained snapshot
  std::size_t index_entries = 0;  ///< number of records and remainders the index knows
};

/// Told of each record that stands in a snapshot. The view lasts as long as the call.
using record_visitor = std::function<void(const record_view&)>;

/// A durable list of entries, numbered from 1 without a gap.
///
/// Thread safety: used by one thread at a time.
class journal_log {
 public:
  using visitor = std::function<void(std::uint64_t, bytes_view)>;

  journal_log() = default;
  journal_log(const journal_log&) = delete;
  journal_log& operator=(const journal_log&) = delete;
  virtual ~journal_log() = default;

  /// Appends an entry and returns its number. It is durable after the next `sync`.
  ///
  /// Errors: like `sync`.
  virtual std::uint64_t append(bytes_view entry) = 0;

  /// Makes every appended entry durable.
  ///
  /// Errors: throws `cairn::error`; then every entry since the last good `sync` is void, and the
  /// next one appended takes up the number after the last durable one.
  virtual void sync() = 0;

  /// The number of the last entry; what is forgotten had numbers too. 0: there was none.
  [[nodiscard]] virtual std::uint64_t last() const = 0;

  /// Visits the entries from `number` on, in order.
  ///
  /// Errors: throws `cairn::error{errc::damaged}` naming the file.
  virtual void read_from(std::uint64_t number, const visitor& visit) = 0;

  /// Makes the first entry's number `number`.
  ///
  /// Errors: throws `errc::misuse` where there are entries, or this journal does not do that.
  virtual void begin_at(std::uint64_t number);

  /// Forgets entries before `number`, as far as whole files hold nothing else.
  virtual void trim_before(std::uint64_t number) = 0;
};

inline void journal_log::begin_at(std::uint64_t number) {
  if (number != last() + 1) throw error{errc::misuse, "this journal does not begin where told"};
}

/// What keeps snapshots. Implemented by `memory_store` and `file_store`; others may follow.
///
/// - `open` takes the lock and finds the latest snapshot that verifies. It throws `cairn::error`
///   that names the file: `locked`, `damaged`, `io`, `newer_schema`.
/// - `open` with `as_of` gives that snapshot as the latest; those after it are gone with the next
///   commit. It throws `not_found`, or `misuse` where it goes back past released outputs.
/// - `begin(n)`: n is beyond every committed epoch. One epoch is open at a time.
/// - `append` takes whole framed records whose epoch is n.
/// - `commit(releases)` returns when n is durable and the latest; it, or the next verb, drops what
///   is no longer retained. `releases` says that outputs of n may leave from then on, and is as
///   durable as n: no opening returns in silence to an older snapshot.
/// - `abort` forgets what was appended since `begin`. It follows every error of `append` and
///   `commit`; the next epoch has a higher number.
/// - `read` visits the records that stand in n, each verified: meta, names, then for each actor its
///   record, its mail and its replies, both by place.
/// - `keep` makes n a savepoint, retained until `remove`.
/// - `journal` opens or creates a journal of that name, by one at a time.
/// - `settle`, where there is one, does what a commit has left to the next verb: it is called while
///   nobody waits. A store over another one passes it on.
///
/// Thread safety: one thread at a time; journals have a thread each.
template <class S>
concept store = std::movable<S> && requires(S s, const S& c, epoch n, bytes_view bytes,
                                            bool releases, const store_options& options,
                                            const record_visitor& visit, const std::string& name) {
  { s.open(options) } -> std::same_as<opened>;
  { s.begin(n) } -> std::same_as<void>;
  { s.append(bytes) } -> std::same_as<void>;
  { s.commit(releases) } -> std::same_as<void>;
  { s.abort() } noexcept -> std::same_as<void>;
  { s.read(n, visit) } -> std::same_as<void>;
  { s.list() } -> std::same_as<std::vector<snapshot_info>>;
  { s.keep(n, name) } -> std::same_as<void>;
  { s.remove(name) } -> std::same_as<void>;
  { s.journal(name) } -> std::same_as<std::unique_ptr<journal_log>>;
  { c.describe() } -> std::convertible_to<std::string>;
  { c.stats() } -> std::same_as<store_stats>;
};

/// Any store behind one type. Its verbs are those of the concept; destroying it closes the store.
///
/// Errors: throws `cairn::error{errc::misuse}` where it holds no store.
class any_store {
 public:
  using page_maker = std::function<detail::buffer(bytes_view before)>;

  any_store() = default;

  template <class S>
    requires(!std::same_as<std::remove_cvref_t<S>, any_store> && store<std::remove_cvref_t<S>>)
  any_store(S&& model)  // NOLINT(*explicit*): every model is a store
      : held_{std::make_unique<holder<std::remove_cvref_t<S>>>(std::forward<S>(model))} {}

  explicit operator bool() const noexcept { return held_ != nullptr; }

  opened open(const store_options& options) { return get().open(options); }
  void begin(epoch n) { get().begin(n); }
  void append(bytes_view framed_records) { get().append(framed_records); }
  void commit(bool releases = false) { get().commit(releases); }
  /// For cairn itself: what a commit has left to the next verb, while nobody waits.
  void settle() { get().settle(); }
  void abort() noexcept {
    if (held_) held_->abort();
  }
  void read(epoch n, const record_visitor& visit) { get().read(n, visit); }
  [[nodiscard]] std::vector<snapshot_info> list() { return get().list(); }
  void keep(epoch n, const std::string& name) { get().keep(n, name); }
  void remove(const std::string& name) { get().remove(name); }
  [[nodiscard]] std::unique_ptr<journal_log> journal(const std::string& name) {
    return get().journal(name);
  }
  /// For cairn itself: a file whose bytes outlive the process, made anew of what it held. Null
  /// where a store has none.
  [[nodiscard]] std::unique_ptr<detail::disk_file> turn_page(const page_maker& make) {
    return get().turn_page(make);
  }
  [[nodiscard]] std::string describe() const { return held_ ? held_->describe() : "no store"; }
  [[nodiscard]] store_stats stats() const { return get().stats(); }

  /// Closes the store and lets go of its lock.
  void close() noexcept { held_.reset(); }

 private:
  struct verbs {
    verbs() = default;
    verbs(const verbs&) = delete;
    verbs& operator=(const verbs&) = delete;
    virtual ~verbs() = default;
    virtual opened open(const store_options& options) = 0;
    virtual void begin(epoch n) = 0;
    virtual void append(bytes_view bytes) = 0;
    virtual void commit(bool releases) = 0;
    virtual void settle() = 0;
    virtual void abort() noexcept = 0;
    virtual void read(epoch n, const record_visitor& visit) = 0;
    virtual std::vector<snapshot_info> list() = 0;
    virtual void keep(epoch n, const std::string& name) = 0;
    virtual void remove(const std::string& name) = 0;
    virtual std::unique_ptr<journal_log> journal(const std::string& name) = 0;
    virtual std::unique_ptr<detail::disk_file> turn_page(const page_maker& make) = 0;
    virtual std::string describe() const = 0;
    virtual store_stats stats() const = 0;
  };

  template <class S>
  struct holder final : verbs {
    template <class From>
    explicit holder(From&& from) : model{std::forward<From>(from)} {}
    opened open(const store_options& options) override { return model.open(options); }
    void begin(epoch n) override { model.begin(n); }
    void append(bytes_view bytes) override { model.append(bytes); }
    void commit(bool releases) override { model.commit(releases); }
    void settle() override {
      if constexpr (requires { model.settle(); }) model.settle();
    }
    void abort() noexcept override { model.abort(); }
    void read(epoch n, const record_visitor& visit) override { model.read(n, visit); }
    std::vector<snapshot_info> list() override { return model.list(); }
    void keep(epoch n, const std::string& name) override { model.keep(n, name); }
    void remove(const std::string& name) override { model.remove(name); }
    std::unique_ptr<journal_log> journal(const std::string& name) override {
      return model.journal(name);
    }
    std::unique_ptr<detail::disk_file> turn_page(const page_maker& make) override {
      if constexpr (requires { model.turn_page(make); }) {
        return model.turn_page(make);
      } else {
        return nullptr;
      }
    }
    std::string describe() const override { return model.describe(); }
    store_stats stats() const override { return model.stats(); }
    S model;
  };

  verbs& get() const {
    if (!held_) throw error{errc::misuse, "there is no store"};
    return *held_;
  }

  std::unique_ptr<verbs> held_;
};

static_assert(store<any_store> && !std::copyable<any_store>);

}  // namespace cairn
