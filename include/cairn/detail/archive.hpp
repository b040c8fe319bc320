// cereal archives over our own bytes. The layout is that of cereal's portable binary archive.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeindex>
#include <utility>
#include <vector>

#include <cereal/cereal.hpp>
#include <cereal/types/memory.hpp>

#include "../error.hpp"
#include "../type_name.hpp"
#include "buffer.hpp"
#include "codec_floor.hpp"
#include "codec_ownership.hpp"
#include "codec_wrappers.hpp"
#include "hashing.hpp"

namespace cairn::detail {

/// How deep classes and containers may lie in each other: what a worker's stack can bear.
inline constexpr std::size_t max_nesting = 256;

/// How many elements that take no bytes a whole value may have: nothing else bounds their number.
inline constexpr std::size_t max_empty_elements = std::size_t{1} << 20;

class output_archive;

template <class T>
concept versioned = cereal::traits::has_member_versioned_serialize<T, output_archive>::value ||
                    cereal::traits::has_non_member_versioned_serialize<T, output_archive>::value ||
                    cereal::traits::has_member_versioned_save<T, output_archive>::value ||
                    cereal::traits::has_non_member_versioned_save<T, output_archive>::value;

/// The version that the program gives to `T`. cereal keeps versions in one map for all threads and
/// inserts at the first use of a type: this does it before `main`, after that the map is only read.
/// A registered version may be initialized later than this, so it is not read but registered.
template <class T>
inline const std::uint32_t version_of = [] {
  using version = cereal::detail::Version<T>;
  if constexpr (requires { version::registerVersion(); }) {
    return version::registerVersion();
  } else {
    return cereal::detail::StaticObject<cereal::detail::Versions>::getInstance().find(
        std::type_index(typeid(T)).hash_code(), 0);
  }
}();

/// One for each type, whose address names it.
template <class T>
inline constexpr char type_mark{};

/// What bytes are made for.
enum class purpose : std::uint8_t {
  storing,
  comparing,  ///< equal values give equal bytes, see `codec_sorted.hpp`
  digesting,  ///< the same for their hash: see `codec_digest.hpp`
};

// `long double` is left out: its size and padding are not portable.

template <class T>
concept portable_number = std::is_arithmetic_v<T> && !std::is_same_v<T, long double>;

/// Writes one value and what it holds.
class output_archive
    : public cereal::OutputArchive<output_archive, cereal::AllowEmptyClassElision> {
 public:
  explicit output_archive(buffer& to, purpose why = purpose::storing)
      : OutputArchive{this}, to_{&to}, why_{why} {
    to_->put(true);
  }
  /// For one more value. Precondition: it remembers none of those before.
  void begin(buffer& to) {
    to_ = &to;
    begin_value();
    to_->put(true);
  }
  [[nodiscard]] purpose is_for() const noexcept { return why_; }

  /// A number at once: cereal finds its way back here through four pointers, one after the other.
  template <class... Values>
  output_archive& operator()(Values&&... values) {
    const auto put = [this]<class Value>(Value&& value) {
      if constexpr (portable_number<std::remove_cvref_t<Value>>) {
        write(&value, sizeof value);
      } else {
        OutputArchive::operator()(std::forward<Value>(value));
      }
    };
    (put(std::forward<Values>(values)), ...);
    return *this;
  }

  void write(const void* from, std::size_t count) {
    if (count > most_copied && why_ == purpose::digesting) [[unlikely]] {
      return to_->put(hash_bytes({static_cast<const std::byte*>(from), count}));
    }
    to_->append(from, count);
  }

  // What `input_archive` would refuse is refused here first.

  void enter(std::size_t floor, bool check_floor) {
    if (++depth_ > max_nesting) throw error{errc::misuse, "values are nested too deep to be saved"};
    floor_ = floor;
    checked_ = check_floor && why_ != purpose::digesting;
    if (checked_) least_size_.push_back(0);
  }
  void leave(bool check_floor) {
    --depth_;
    floor_ = 1;
    checked_ = false;
    if (!check_floor || why_ == purpose::digesting) return;
    if (to_->size() < least_size_.back()) {
      throw error{errc::misuse, "elements that write nothing must be of an empty type"};
    }
    least_size_.pop_back();
  }
  void write_size(cereal::size_type count) {
    if (floor_ == 0) {
      if (count > max_empty_elements - empties_) {
        throw error{errc::misuse, "too many empty elements to be saved"};
      }
      empties_ += count;
    }
    to_->put(count);
    if (checked_) least_size_.back() = to_->size() + count;
    checked_ = false;
  }

  /// The number that stands for what `shared` points to, and whether it is met for the first time.
  /// A member shares its address with what it lies in, so the type counts, too.
  template <class T>
  [[nodiscard]] std::pair<std::uint32_t, bool> share(const std::shared_ptr<T>& shared) {
    const auto number = static_cast<std::uint32_t>(shared_.size() + 1);
    const auto [at, added] = shared_.try_emplace({shared.get(), &type_mark<T>}, number, shared);
    return {static_cast<std::uint32_t>(at->second.first), added};
  }

  /// An archive may be used for one value after the other. Where it remembers something, the next
  /// one would be written otherwise: cereal writes a class's version, and what a virtual base
  /// holds, once, and what was deferred again. Digesting, versions are left out in any case.
  void begin_value() noexcept {
    depth_ = empties_ = 0;
    floor_ = 1;
    let_go();
  }
  /// Once a value is written nobody asks for what it shares: it is not to live on here.
  void let_go() noexcept {
    if (!shared_.empty()) shared_.clear();
  }
  [[nodiscard]] bool remembers() const noexcept { return remembers_; }
  void remember() noexcept { remembers_ = true; }

  /// The hash of what `put()` writes, which is not written.
  template <class Put>
  [[nodiscard]] std::uint64_t digest(Put&& put) {
    const auto from = to_->size();
    put();
    const std::uint64_t hash = hash_bytes(to_->view_from(from));
    to_->resize(from);
    return hash;
  }
  template <class T, class Put>
  [[nodiscard]] std::uint64_t digest_once(const std::shared_ptr<T>& shared, Put&& put) {
    const std::pair<const void*, const char*> key{shared.get(), &type_mark<T>};
    const auto known = shared_.find(key);
    if (known != shared_.end()) return known->second.first;
    const std::uint64_t hash = digest(put);
    shared_.try_emplace(key, hash, shared);
    return hash;
  }

 private:
  static constexpr std::size_t most_copied =
      256;  ///< bytes in one piece that is hashed with others

  buffer* to_;
  purpose why_;
  bool remembers_ = false;
  std::size_t depth_ = 0;
  std::size_t floor_ = 1;
  std::size_t empties_ = 0;  ///< elements so far that take no bytes
  bool checked_ = false;     // a container has just begun, and its elements must not vanish
  std::vector<std::size_t> least_size_{};
  // Held as well: else a temporary's address could come back as another object's.
  std::map<std::pair<const void*, const char*>,
           std::pair<std::uint64_t, std::shared_ptr<const void>>>
      shared_{};
};

/// Reads one value and what it holds. Nothing is allocated for a size that cannot be true.
class input_archive : public cereal::InputArchive<input_archive, cereal::AllowEmptyClassElision> {
 public:
  /// `versioned`: the outermost value's version stands before it. Else it is version 0: it was
  /// written when its type had none.
  explicit input_archive(reader& from, bool versioned = true)
      : InputArchive{this}, from_{from}, versioned_{versioned} {
    if (from_.get<std::uint8_t>() != 1) throw error{errc::damaged, "bytes are not little-endian"};
  }

  void read(void* to, std::size_t count) { from_.take(to, count); }
  [[nodiscard]] bytes_view take(std::size_t count) { return from_.take(count); }
  [[nodiscard]] std::uint32_t read_u32() { return from_.get<std::uint32_t>(); }

  /// A count of elements, in view of what is left.
  [[nodiscard]] cereal::size_type read_size() {
    const auto count = from_.get<cereal::size_type>();
    const auto most = floor_ == 0 ? max_empty_elements - empties_ : from_.left() / floor_;
    if (count > most) throw error{errc::damaged, "a size is larger than what is left"};
    if (floor_ == 0) empties_ += count;
    return count;
  }

  /// `floor`: the fewest bytes of an element, if a container begins here.
  void enter(std::size_t floor, std::uint32_t newest_version, std::string_view name) {
    if (++depth_ > max_nesting) throw error{errc::damaged, "values are nested too deep"};
    floor_ = floor;
    newest_version_ = newest_version;
    entered_ = name;
  }
  void leave() noexcept {
    --depth_;
    floor_ = 1;
  }

  /// Whether the version of the class that was entered last stands in the bytes.
  [[nodiscard]] bool has_version() const noexcept { return versioned_ || depth_ != 1; }
  /// cereal reads a class's version right after it has entered the class.
  void check_version(std::uint32_t read) const {
    if (read <= newest_version_) return;
    throw error{errc::newer_schema, "version " + std::to_string(read) + " of " +
                                        std::string{entered_} + " is above this program's " +
                                        std::to_string(newest_version_)};
  }

  /// What a number stood for. Objects whose reading has not ended are not there yet.
  template <class T>
  [[nodiscard]] std::shared_ptr<T> shared(std::uint32_t number) const {
    if (number == 0) return nullptr;
    if (number > shared_.size() || shared_[number - 1].second != &type_mark<T>) {
      throw error{errc::damaged, "a shared value is not there"};
    }
    return std::static_pointer_cast<T>(shared_[number - 1].first);
  }
  /// Takes the next number for an object that is going to be read.
  void expect_shared(std::uint32_t number) {
    shared_.emplace_back();
    if (number != shared_.size()) throw error{errc::damaged, "shared values are out of order"};
  }
  template <class T>
  void set_shared(std::uint32_t number, std::shared_ptr<T> read) {
    shared_[number - 1] = {std::move(read), &type_mark<T>};
  }

 private:
  reader& from_;
  bool versioned_;
  std::size_t depth_ = 0;
  std::size_t floor_ = 1;
  std::size_t empties_ = 0;  ///< elements so far that take no bytes
  std::uint32_t newest_version_ = 0;
  std::string_view entered_{};
  std::vector<std::pair<std::shared_ptr<const void>, const char*>> shared_{};
};

template <class Archive>
concept own_archive = std::same_as<Archive, output_archive> || std::same_as<Archive, input_archive>;

// Found by cereal through the archive: called before and after each value.

template <class T>
void prologue(output_archive& archive, const T&) {
  static_assert(check_ownership<T>());
  if constexpr (is_virtual_base<T> || is_deferred<T>) archive.remember();
  if constexpr (!is_wrapper<T>) {
    using bare = typename unwrapped_base<T>::type;
    if constexpr (versioned<bare>) (void)version_of<bare>;
    archive.enter(element_floor<T>, needs_floor_check<T>);
  }
}

template <class T>
void epilogue(output_archive& archive, const T&) {
  if constexpr (!is_wrapper<T>) archive.leave(needs_floor_check<T>);
}

template <class T>
void prologue(input_archive& archive, const T&) {
  static_assert(check_ownership<T>());
  if constexpr (!is_wrapper<T>) {
    using bare = typename unwrapped_base<T>::type;
    std::uint32_t newest_version = 0;
    if constexpr (versioned<bare>) newest_version = version_of<bare>;
    static constexpr std::string_view name = spelled_name<bare>();  // found while compiling
    archive.enter(element_floor<T>, newest_version, name);
  }
}

template <class T>
void epilogue(input_archive& archive, const T&) {
  if constexpr (!is_wrapper<T>) archive.leave();
}

template <portable_number T>
void save(output_archive& archive, const T& value) {
  archive.write(&value, sizeof value);
}

template <portable_number T>
void load(input_archive& archive, T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    const auto byte = std::to_integer<unsigned>(archive.take(1).front());
    if (byte > 1) throw error{errc::damaged, "a bool is neither 0 nor 1"};
    value = byte == 1;
  } else {
    archive.read(&value, sizeof value);
  }
}

template <own_archive Archive, class T>
void serialize(Archive& archive, cereal::NameValuePair<T>& pair) {
  if constexpr (std::is_same_v<Archive, input_archive> &&
                std::is_same_v<std::remove_reference_t<T>, std::uint32_t>) {
    if (std::string_view{pair.name} == "cereal_class_version") {
      pair.value = 0;
      if (archive.has_version()) archive(pair.value);
      archive.check_version(pair.value);
      return;
    }
  }
  if constexpr (std::is_same_v<Archive, output_archive>) {
    if (std::string_view{pair.name} == "cereal_class_version") {
      // Which element is the first to need its class's version depends on the order.
      if (archive.is_for() == purpose::digesting) return;
      archive.remember();
    }
  }
  archive(pair.value);
}

template <class T>
void save(output_archive& archive, const cereal::SizeTag<T>& tag) {
  archive.write_size(static_cast<cereal::size_type>(tag.size));
}
template <class T>
void load(input_archive& archive, cereal::SizeTag<T>& tag) {
  tag.size = static_cast<std::remove_reference_t<T>>(archive.read_size());
}

template <class T>
void save(output_archive& archive, const cereal::BinaryData<T>& bytes) {
  archive.write(bytes.data, static_cast<std::size_t>(bytes.size));
}
template <class T>
void load(input_archive& archive, cereal::BinaryData<T>& bytes) {
  using pointed = std::remove_pointer_t<std::remove_reference_t<T>>;
  using element = std::remove_cv_t<std::remove_all_extents_t<pointed>>;
  const auto count = static_cast<std::size_t>(bytes.size);
  if constexpr (std::is_same_v<element, bool>) {
    for (auto* to = static_cast<bool*>(bytes.data); to != static_cast<bool*>(bytes.data) + count;
         ++to) {
      load(archive, *to);
    }
  } else {
    archive.read(bytes.data, count);
  }
}

}  // namespace cairn::detail

CEREAL_SETUP_ARCHIVE_TRAITS(cairn::detail::input_archive, cairn::detail::output_archive)
