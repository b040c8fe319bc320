// What an actor consumed since its base, and what its handlers were handed: enough to run them
// again. Compact and append-only; values are copied as objects, and encoded only where they cannot
// be.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "log_entry.hpp"

namespace cairn::detail {

/// Entries in chunks that never move. Home worker only.
class replay_log {
 public:
  /// Where reading stands.
  struct cursor {
    std::size_t chunk = 0;
    std::size_t at = 0;
    bool told = false;  ///< that before the entry there a turn ended
    friend bool operator==(const cursor&, const cursor&) = default;
  };

  replay_log() = default;
  replay_log(replay_log&& other) noexcept { swap(other); }
  replay_log& operator=(replay_log&& other) noexcept {
    replay_log{std::move(other)}.swap(*this);
    return *this;
  }
  ~replay_log() {
    if (owning_ != 0) destroy_behind({});
  }

  /// Appends an entry with a copy of its value: an object of its `ops`, or so many plain bytes.
  /// What cannot be copied is encoded instead.
  void append(log_entry fields, const void* value) { (void)append(fields, value, &copied); }
  void append(const log_entry& of) { append(of, of.value()); }

  /// Appends what is handed over at once.
  void append_value(std::uint64_t number, bytes_view bytes) {
    const std::size_t room = log_room(sizeof(logged_value), bytes.size());
    auto* made = ::new (reserve(room))
        logged_value{head_of(room, 0, log_kind::value, log_form::value),
                     static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(bytes.size())};
    copy_value(nullptr, bytes.size(), made + 1, bytes.data());
    commit(room);
  }

  /// Appends what a turn is given: a message, or the answer that its handler waited for.
  void append_input(const envelope& input) { (void)append_given(input, &copied); }
  /// The same; what owns memory is moved out of it, where it can be copied. Returns where the value
  /// stands as long as the entry does.
  void* take_input(envelope& input) { return append_given(input, &moved); }

  /// The same of a message whose bytes may be copied, where there is room for it at once. False:
  /// it is not appended.
  [[nodiscard, gnu::always_inline]] bool append_at_once(const envelope& message) noexcept {
    const payload_ops& ops = *message.ops;
    const std::size_t room = log_room(sizeof(logged_object), ops.size);
    if (room > static_cast<std::size_t>(end_ - at_) || !is_for_nobody(message)) return false;
    auto* made = ::new (at_) logged_object{
        head_of(room, message.index, log_kind::message, log_form::object), &ops, message.ticket};
    copy_bytes(made + 1, message.payload(), ops.size);
    commit(room);
    return true;
  }

  /// Appends a turn's end; see `log_entry`.
  [[gnu::always_inline]] void append_turn(bytes_view first_mixed, std::uint32_t effects,
                                          std::uint64_t digest, bool knows_values,
                                          std::uint64_t values, std::uint64_t other_values) {
    if (effects == 0 && end_turn()) return;  // there was nothing of which there could be values
    const std::size_t room = log_room(sizeof(logged_turn), first_mixed.size());
    auto* made = ::new (reserve(room)) logged_turn{head_of(room, 0, log_kind::turn, log_form::turn),
                                                   effects,
                                                   knows_values ? values_known : 0U,
                                                   digest,
                                                   knows_values ? values : 0,
                                                   knows_values ? other_values : 0};
    copy_value(nullptr, first_mixed.size(), made + 1, first_mixed.data());
    commit(room);
  }

  /// The same of a turn without any effect, where that takes no room. False: it does.
  [[nodiscard, gnu::always_inline]] bool end_turn() noexcept {
    if (behind_turn_ || empty()) [[unlikely]]
      return false;
    behind_turn_ = true;
    return true;
  }

  /// The entry at `at`, which moves on; nothing at the end.
  [[nodiscard]] found_entry next(cursor& at) noexcept {
    const cursor here = at_entry(at);
    const bool is_end = here.chunk >= chunks_.size();
    if (!at.told && (is_end ? behind_turn_ : head_at(here)->behind_turn())) {
      at.told = true;
      return empty_turn();
    }
    if (is_end) return std::nullopt;
    log_head* head = head_at(here);
    at = {here.chunk, here.at + head->room, false};
    return unpack(*head);
  }

  [[nodiscard, gnu::always_inline]] cursor end() const noexcept {
    if (at_ == begin_) [[unlikely]]
      return end_before();
    return {last_, static_cast<std::size_t>(at_ - begin_), behind_turn_};
  }
  /// The bytes of the entries before `at`.
  [[nodiscard]] std::size_t bytes_before(const cursor& at) const noexcept {
    std::size_t sum = at.at;
    for (std::size_t whole = 0; whole < at.chunk; ++whole) sum += used(whole);
    return sum;
  }
  [[nodiscard]] bool empty() const noexcept { return bytes_ == 0; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  /// Whether it has taken no more room than a short one.
  [[nodiscard]] bool is_small() const noexcept { return chunks_.size() <= small_chunks; }

  /// Destroys every entry from `from` on.
  void truncate(const cursor& from) noexcept {
    if (owning_ != 0) destroy_behind(from);
    bytes_ = bytes_before(from);
    behind_turn_ = from.told;
    if (from.chunk >= chunks_.size()) return;
    go_to(from.chunk, from.at);
    // Some are kept, for what comes: an actor's base is renewed for each so many bytes.
    constexpr std::size_t kept = small_chunks + 1;
    if (chunks_.size() > last_ + kept) chunks_.resize(last_ + kept);
    if (bytes_ != 0 || !has_large_ones()) return;
    chunks_.clear();
    last_ = 0;
    begin_ = at_ = end_ = nullptr;
  }
  /// Every entry behind the one at `at`.
  void truncate_behind(cursor at) noexcept {
    (void)next(at);
    truncate(at);
  }
  void clear() noexcept { truncate({}); }

  /// Nobody waits for the answer to the message at `at` any more. Returns who did.
  return_address forget_answer(const cursor& at) noexcept {
    log_head& head = *head_at(at_entry(at));
    if (head.form() != log_form::whole) return {};
    return std::exchange(behind<logged_whole>(head).answer, {});
  }
  /// What left the turns is compared without what it carried.
  void forget_values() noexcept {
    for (cursor at{}; (at = at_entry(at)).chunk < chunks_.size();) {
      log_head& head = *head_at(at);
      at.at += head.room;
      if (head.kind != log_kind::turn) continue;
      if (head.form() == log_form::turn) {
        auto& turn = behind<logged_turn>(head);
        turn.values = turn.other_values = turn.schema = 0;
      } else {
        auto& turn = behind<logged_whole>(head);
        turn.ticket = turn.type = turn.schema = 0;
      }
    }
  }

  void swap(replay_log& other) noexcept {
    std::swap(begin_, other.begin_);
    std::swap(at_, other.at_);
    std::swap(end_, other.end_);
    std::swap(bytes_, other.bytes_);
    std::swap(behind_turn_, other.behind_turn_);
    std::swap(chunks_, other.chunks_);
    std::swap(last_, other.last_);
    std::swap(owning_, other.owning_);
  }

 private:
  struct chunk {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
    std::size_t used = 0;  ///< of the last one `at_` says it
  };
  // The first ones are small: a million actors have each consumed a few messages since their bases.
  static constexpr std::size_t small_chunks = 2;
  static constexpr std::size_t small_bytes = 256;
  static constexpr std::size_t chunk_bytes = 4096;
  static constexpr std::size_t most_room = std::numeric_limits<std::uint32_t>::max();

  [[nodiscard]] bool has_large_ones() const noexcept {
    return std::any_of(chunks_.begin(), chunks_.end(),
                       [](const chunk& one) { return one.size > chunk_bytes; });
  }

  [[nodiscard]] static bool may_hold(const payload_ops& ops) noexcept {
    return ops.copy != nullptr && ops.align <= log_align;
  }
  [[nodiscard]] static bool is_for_nobody(const envelope& message) noexcept {
    const return_address& to = message.answer;
    return (raw(to.id) | to.number) == 0 && to.asker == nullptr;
  }
  /// Whether it is said with its type and one number.
  [[nodiscard]] static bool is_short(const envelope& input) noexcept {
    if (input.code != errc::ok) return false;
    return input.kind == envelope_kind::message ? is_for_nobody(input) : input.ticket == 0;
  }

  /// How a value that owns memory comes into the log.
  using placing = void (*)(const payload_ops& ops, void* to, const void* from);
  static void copied(const payload_ops& ops, void* to, const void* from) { ops.copy(to, from); }
  static void moved(const payload_ops& ops, void* to, const void* from) {
    ops.move(to, const_cast<void*>(from));  // of a message that is not const
  }

  void* append(log_entry fields, const void* value, placing place) {
    const payload_ops* ops = fields.ops;
    buffer bytes;
    if (ops != nullptr && !may_hold(*ops)) {
      ops->encode(value, bytes);
      fields.ops = ops = nullptr;
      fields.length = static_cast<std::uint32_t>(std::min(bytes.size(), most_room));
      value = bytes.data();
    }
    const std::size_t size = ops != nullptr ? ops->size : fields.length;
    const std::size_t room = log_room(sizeof(logged_whole), size);
    if (room > most_room) throw error{errc::no_space, "a value of 4 GiB is too large for a log"};
    auto* made = ::new (reserve(room))
        logged_whole{head_of(room, fields.index, fields.kind, log_form::whole),
                     fields.length,
                     fields.effects,
                     fields.schema,
                     fields.code,
                     ops,
                     fields.number,
                     fields.answer,
                     fields.ticket,
                     fields.type};
    copy_value(ops, size, made + 1, value, place);
    commit(room);
    return made + 1;
  }

  void* append_given(const envelope& input, placing place) {
    const payload_ops& ops = *input.ops;
    const bool message = input.kind == envelope_kind::message;
    if (!is_short(input) || !may_hold(ops)) return append_whole(input, place);
    const std::size_t room = log_room(sizeof(logged_object), ops.size);
    auto* made = ::new (reserve(room))
        logged_object{head_of(room, input.index, message ? log_kind::message : log_kind::handed,
                              log_form::object),
                      &ops, message ? input.ticket : input.answer.number};
    copy_value(&ops, ops.size, made + 1, input.payload(), place);
    commit(room);
    return made + 1;
  }
  void* append_whole(const envelope& input, placing place) {
    const bool message = input.kind == envelope_kind::message;
    log_entry made;
    made.ops = input.ops;
    made.kind = message ? log_kind::message : log_kind::handed;
    made.number = message ? 0 : input.answer.number;
    made.answer = message ? input.answer : return_address{};
    made.ticket = input.ticket;
    made.type = input.ops->hash;
    made.schema = input.ops->schema;
    made.index = input.index;
    made.code = input.code;
    return append(made, input.payload(), place);
  }

  /// Entries that could not be copied may have left empty chunks: reading stands before them.
  [[nodiscard, gnu::noinline]] cursor end_before() const noexcept {
    std::size_t which = last_;
    while (which != 0 && used(which) == 0) --which;
    return {which, chunks_.empty() ? 0 : used(which), behind_turn_};
  }

  [[nodiscard]] std::size_t used(std::size_t which) const noexcept {
    return which == last_ ? static_cast<std::size_t>(at_ - begin_) : chunks_[which].used;
  }
  /// The same place, as the next entry has it; behind all chunks there is none.
  [[nodiscard]] cursor at_entry(cursor at) const noexcept {
    while (at.chunk < chunks_.size() && at.at == used(at.chunk)) at = {at.chunk + 1, 0, at.told};
    return at;
  }
  [[nodiscard]] log_head* head_at(const cursor& at) const noexcept {
    return std::launder(reinterpret_cast<log_head*>(chunks_[at.chunk].bytes.get() + at.at));
  }

  /// What is appended next stands there.
  void go_to(std::size_t which, std::size_t at) noexcept {
    for (std::size_t behind = which + 1; behind < chunks_.size(); ++behind)
      chunks_[behind].used = 0;
    last_ = which;
    begin_ = chunks_[which].bytes.get();
    at_ = begin_ + at;
    end_ = begin_ + chunks_[which].size;
  }

  [[gnu::noinline]] void add_chunk(std::size_t room) {
    std::size_t wanted = 0;
    if (!chunks_.empty()) {
      wanted = last_ + 1;
      chunks_[last_].used = used(last_);
    }
    if (wanted == chunks_.size() || chunks_[wanted].size < room) {
      const std::size_t size = std::max(room, wanted < small_chunks ? small_bytes : chunk_bytes);
      chunk made{std::make_unique_for_overwrite<std::byte[]>(size), size, 0};
      chunks_.resize(wanted);  // one that was kept is too small
      chunks_.push_back(std::move(made));
    }
    go_to(wanted, 0);
  }

  /// Without reading whole entries: each turn that begins from a copy of the state ends here, too.
  void destroy_behind(cursor at) noexcept {
    while (owning_ != 0 && (at = at_entry(at)).chunk < chunks_.size()) {
      log_head& head = *head_at(at);
      at.at += head.room;
      if (head.form() == log_form::object) {
        destroy_value(behind<logged_object>(head));
      } else if (head.form() == log_form::whole) {
        destroy_value(behind<logged_whole>(head));
      }
    }
  }
  template <class Logged>
  void destroy_value(Logged& entry) noexcept {
    if (entry.ops == nullptr || entry.ops->trivial) return;
    entry.ops->destroy(&entry + 1);
    --owning_;
  }

  /// Room at the end, which is no part of the log before it is committed: copying a value may
  /// throw.
  [[nodiscard, gnu::always_inline]] std::byte* reserve(std::size_t room) {
    if (room > static_cast<std::size_t>(end_ - at_)) [[unlikely]]
      add_chunk(room);
    return at_;
  }
  [[gnu::always_inline]] void commit(std::size_t room) noexcept {
    at_ += room;
    bytes_ += room;
    behind_turn_ = false;
  }
  [[nodiscard, gnu::always_inline]] log_head head_of(std::size_t room, std::uint16_t index,
                                                     log_kind kind, log_form form) const noexcept {
    return {static_cast<std::uint32_t>(room), index, kind, log_head::marks_of(form, behind_turn_)};
  }
  [[gnu::always_inline]] void copy_value(const payload_ops* ops, std::size_t size, void* to,
                                         const void* from, placing place = &copied) {
    if (ops != nullptr && !ops->trivial) [[unlikely]] {
      place(*ops, to, from);
      ++owning_;
    } else {
      copy_bytes(to, from, size);
    }
  }

  // The chunk that is appended to, and where the next entry comes.
  std::byte* begin_ = nullptr;
  std::byte* at_ = nullptr;
  std::byte* end_ = nullptr;
  std::size_t bytes_ = 0;
  bool behind_turn_ = false;  ///< a turn without any effect ended behind the last entry
  std::vector<chunk> chunks_;
  std::size_t last_ = 0;    ///< the chunk that is appended to; those behind it are empty
  std::size_t owning_ = 0;  ///< entries whose value is to be destroyed
};

}  // namespace cairn::detail
