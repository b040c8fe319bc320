// What a simulated disk holds: what processes see of it, and what a power failure leaves of that.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <new>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "../../detail/buffer.hpp"

namespace cairn::detail {

/// Chance that is alike on every platform: the standard says what `mt19937_64` yields, but not what
/// its distributions make of that.
class seeded_chance {
 public:
  explicit seeded_chance(std::uint64_t seed) : next_{seed} {}

  /// From 0 to `n - 1`. Precondition: `n` is not 0, and so much less than 2^64 that nobody minds
  /// the remainder.
  std::uint64_t below(std::uint64_t n) { return next_() % n; }
  /// Draws nothing where the chance is 0: what is switched off changes nothing else.
  bool happens(double chance) {
    return chance > 0 && static_cast<double>(next_() >> 11U) * 0x1p-53 < chance;
  }

 private:
  std::mt19937_64 next_;
};

/// Memory as a map of a file has it: aligned like a page, as far as anybody minds.
template <class T>
struct page_memory {
  using value_type = T;
  static constexpr std::align_val_t alignment{64};

  page_memory() = default;
  template <class U>
  explicit page_memory(const page_memory<U>& /*other*/) noexcept {}
  [[nodiscard]] T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T), alignment));
  }
  void deallocate(T* where, std::size_t /*count*/) noexcept { ::operator delete(where, alignment); }
  friend bool operator==(const page_memory&, const page_memory&) = default;
};
using platter_bytes = std::vector<std::byte, page_memory<std::byte>>;

/// What a disk writes whole or not at all.
inline constexpr std::uint64_t sector_bytes = 512;

/// A file, or a directory (which has no bytes here; see `platter_tree`).
///
/// The operating system keeps whole sectors in memory and may write each of them at any time: on
/// the platter stands any of the contents that it has had since the last sync. So a later write
/// may be kept and an earlier one lost, but within one sector a later one brings the earlier along.
class platter_file {
 public:
  explicit platter_file(bool is_directory = false) : directory{is_directory} {}

  bool directory;
  std::size_t openings = 0;  ///< handles on it

  [[nodiscard]] std::uint64_t size() const { return seen_.size(); }

  std::size_t read(std::uint64_t offset, std::byte* to, std::size_t count) const {
    if (offset >= seen_.size()) return 0;
    const auto rest = bytes_view{seen_}.subspan(static_cast<std::size_t>(offset));
    count = std::min(count, rest.size());
    std::copy_n(rest.begin(), count, to);
    return count;
  }

  void write(std::uint64_t offset, bytes_view bytes) {
    if (bytes.empty()) return;
    const auto end = offset + bytes.size();
    if (seen_.size() < end) seen_.resize(static_cast<std::size_t>(end));
    std::copy(bytes.begin(), bytes.end(), seen_.begin() + static_cast<std::ptrdiff_t>(offset));
    for (auto at = offset / sector_bytes * sector_bytes; at < end; at += sector_bytes) {
      const auto rest = bytes_view{seen_}.subspan(static_cast<std::size_t>(at));
      const auto image = rest.first(std::min<std::size_t>(sector_bytes, rest.size()));
      unsynced_.push_back({writes_, at, {image.begin(), image.end()}});
    }
    ++writes_;
  }

  /// What is stored there is read by all processes, and may be on the platter at any time. Null
  /// beyond the end. Valid until the file grows.
  [[nodiscard]] std::byte* map(std::size_t count) {
    if (count > seen_.size()) return nullptr;
    mapped_ = true;
    return seen_.data();
  }

  void sync() {
    std::set<std::uint64_t> later;  // sectors whose newer content takes the place of a lost one
    std::vector<sector> lost;
    for (auto it = unsynced_.rbegin(); it != unsynced_.rend(); ++it) {
      if (!it->clean) later.insert(it->at);
      if (it->clean && !later.contains(it->at)) lost.push_back(std::move(*it));
    }
    for (const auto& each : unsynced_) {
      if (!each.clean) put(durable_, each);
    }
    unsynced_.assign(std::make_move_iterator(lost.rbegin()), std::make_move_iterator(lost.rend()));
  }

  /// The kernel takes the pages for clean now: no later sync writes them.
  void fail_sync() {
    for (auto& each : unsynced_) each.clean = true;
  }

  /// Flips a bit on the platter and in memory. Bits beyond the end stay as they are.
  void flip(std::uint64_t bit) {
    for (auto* bytes : {&seen_, &durable_}) {
      const auto at = static_cast<std::size_t>(bit / 8);
      if (at < bytes->size()) (*bytes)[at] ^= std::byte{1} << (bit % 8);
    }
  }

  /// What a power failure leaves. Of a file, every write since the last sync is lost, or every one
  /// is kept, or each has a fate of its own.
  [[nodiscard]] std::shared_ptr<platter_file> after_crash(seeded_chance& chance) const {
    auto left = std::make_shared<platter_file>(directory);
    left->durable_ = durable_;
    const auto all = unsynced_.empty() ? fate::each : one_of(chance, {{1, 1, 0, 0, 2}});
    auto now = all;
    for (std::size_t i = 0; i < unsynced_.size(); ++i) {
      const auto& image = unsynced_[i];
      const bool next = i == 0 || unsynced_[i - 1].write != image.write;
      if (all == fate::each && next) now = one_of(chance, {{3, 3, 3, 1, 0}});
      const bool torn_off = now == fate::torn && chance.below(2) == 0;
      if (now == fate::kept || (now == fate::torn && !torn_off)) put(left->durable_, image);
      if (now == fate::grown) grow(left->durable_, image);
    }
    if (mapped_) keep_mapped(chance, left->durable_);
    left->seen_ = left->durable_;
    return left;
  }

 private:
  struct sector {
    std::uint64_t write;  ///< which write it is of
    std::uint64_t at;     ///< offset of its first byte
    std::vector<std::byte> bytes;
    bool clean = false;
  };
  /// Of a write: `torn` keeps some of its sectors, `grown` the file's size without the bytes.
  enum class fate : std::uint8_t { lost, kept, torn, grown, each };

  struct weights {
    std::uint64_t of[5];
  };
  static fate one_of(seeded_chance& chance, weights each) {
    std::uint64_t sum = 0;
    for (const auto weight : each.of) sum += weight;
    auto drawn = chance.below(sum);
    std::uint8_t at = 0;
    while (drawn >= each.of[at]) drawn -= each.of[at++];
    return static_cast<fate>(at);
  }

  /// Each sector as it is, or as it was.
  void keep_mapped(seeded_chance& chance, platter_bytes& to) const {
    for (std::size_t at = 0; at < seen_.size(); at += sector_bytes) {
      if (chance.below(2) == 0) continue;
      const auto rest = bytes_view{seen_}.subspan(at);
      const auto image = rest.first(std::min<std::size_t>(sector_bytes, rest.size()));
      put(to, {0, at, {image.begin(), image.end()}});
    }
  }

  static void grow(platter_bytes& to, const sector& image) {
    const auto end = static_cast<std::size_t>(image.at) + image.bytes.size();
    if (to.size() < end) to.resize(end);
  }
  static void put(platter_bytes& to, const sector& image) {
    grow(to, image);
    std::copy(image.bytes.begin(), image.bytes.end(),
              to.begin() + static_cast<std::ptrdiff_t>(image.at));
  }

  platter_bytes seen_{};            ///< what processes read
  platter_bytes durable_{};         ///< what is on the platter for certain
  std::vector<sector> unsynced_{};  ///< what may be there too, in the order of writing
  std::uint64_t writes_ = 0;
  bool mapped_ = false;
};

/// Without the slashes at its end.
[[nodiscard]] inline std::string trimmed(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}
[[nodiscard]] inline std::string parent_of(const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// The names of files, by path. A directory that nobody made is there where one that somebody made
/// lies in it.
class platter_tree {
 public:
  using file_ptr = std::shared_ptr<platter_file>;
  /// Names and what they stand for from now on; a rename is one change of two of them.
  using change = std::vector<std::pair<std::string, file_ptr>>;

  struct lock {
    std::string path;
    bool shared;
    std::uint64_t number;
  };
  std::vector<lock> locks{};  ///< those of the processes that see this tree

  [[nodiscard]] file_ptr find(const std::string& path) const {
    const auto found = seen_.find(path);
    return found == seen_.end() ? nullptr : found->second;
  }
  [[nodiscard]] bool is_directory(const std::string& path) const {
    const auto found = find(path);
    if (found) return found->directory;
    const auto below = seen_.lower_bound(path + "/");
    return is_root(path) || (below != seen_.end() && below->first.starts_with(path + "/"));
  }
  [[nodiscard]] std::vector<std::string> list(const std::string& directory) const {
    std::vector<std::string> names;
    for (const auto& [path, file] : seen_) {
      if (parent_of(path) == directory) names.push_back(path.substr(path.find_last_of('/') + 1));
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  void apply(change names) {
    for (const auto& [path, file] : names) {
      if (const auto old = find(path)) removed_.push_back(old);
    }
    put(seen_, names);
    unsynced_.push_back({std::move(names)});
  }

  /// Makes the changes in a directory durable, and those that lead up to them.
  void sync(const std::string& directory) {
    std::vector<bool> done(unsynced_.size());
    for (const auto& group : groups(unsynced_, true)) {
      const bool concerned = std::any_of(group.begin(), group.end(), [&](std::size_t i) {
        return touches(unsynced_[i], directory);
      });
      auto count = concerned ? group.size() : 0;
      while (count > 0 && unsynced_[group[count - 1]].clean) --count;
      for (std::size_t i = 0; i < count; ++i) {
        put(durable_, unsynced_[group[i]].names);
        done[group[i]] = true;
      }
    }
    std::vector<step> rest;
    for (std::size_t i = 0; i < done.size(); ++i) {
      if (!done[i]) rest.push_back(std::move(unsynced_[i]));
    }
    unsynced_ = std::move(rest);
  }
  void fail_sync(const std::string& directory) {
    for (auto& each : unsynced_) each.clean |= touches(each, directory);
  }

  /// Bytes of all files, also of removed ones that are still open.
  [[nodiscard]] std::uint64_t used() {
    std::erase_if(removed_, [&](const auto& file) {
      return file->openings == 0 || std::any_of(seen_.begin(), seen_.end(), [&](const auto& each) {
               return each.second == file;
             });
    });
    std::uint64_t sum = 0;
    for (const auto& file : removed_) sum += file->size();
    for (const auto& [path, file] : seen_) sum += file->size();
    return sum;
  }

  /// What a power failure leaves: the first changes of them all, as a journal would, or the first
  /// ones of each name where names are written in any order. A rename is never half done.
  [[nodiscard]] std::shared_ptr<platter_tree> after_crash(seeded_chance& chance,
                                                          bool reorder) const {
    auto names = durable_;
    for (const auto& group : groups(unsynced_, reorder)) {
      const auto count = chance.below(group.size() + 1);
      for (std::size_t i = 0; i < count; ++i) put(names, unsynced_[group[i]].names);
    }
    auto left = std::make_shared<platter_tree>();
    for (const auto& [path, file] : names) {
      const auto parent = names.find(parent_of(path));
      const bool held = parent != names.end() || is_root(parent_of(path)) || file->directory;
      if (held) left->durable_[path] = file->after_crash(chance);
    }
    left->seen_ = left->durable_;
    return left;
  }

  /// The same for other processes: nothing that is done to one is seen in the other.
  [[nodiscard]] std::shared_ptr<platter_tree> copy() const {
    std::map<file_ptr, file_ptr> copies;
    const auto copy_of = [&](const file_ptr& file) {
      if (!file) return file;
      auto& made = copies[file];
      if (!made) {
        made = std::make_shared<platter_file>(*file);
        made->openings = 0;
      }
      return made;
    };
    auto other = std::make_shared<platter_tree>();
    for (const auto& [path, file] : seen_) other->seen_[path] = copy_of(file);
    for (const auto& [path, file] : durable_) other->durable_[path] = copy_of(file);
    other->unsynced_ = unsynced_;
    for (auto& each : other->unsynced_) {
      for (auto& [path, file] : each.names) file = copy_of(file);
    }
    return other;
  }

 private:
  using files = std::map<std::string, file_ptr>;
  struct step {
    change names;
    bool clean = false;
  };
  using steps = std::vector<step>;

  static bool is_root(const std::string& path) { return path == "." || path == "/"; }

  static void put(files& to, const change& names) {
    for (const auto& [path, file] : names) {
      if (file) {
        to[path] = file;
      } else {
        to.erase(path);
      }
    }
  }
  static bool touches(const step& one, const std::string& directory) {
    return std::any_of(one.names.begin(), one.names.end(),
                       [&](const auto& name) { return parent_of(name.first) == directory; });
  }

  /// Numbers of the steps that concern the same names, directly or through renames, in their order.
  /// Where names are not told `apart`, all of them are one group.
  static std::vector<std::vector<std::size_t>> groups(const steps& all, bool apart) {
    std::vector<std::size_t> up(all.size());
    const auto root = [&](std::size_t i) {
      while (up[i] != i) i = up[i];
      return i;
    };
    std::map<std::string, std::size_t> last;
    for (std::size_t i = 0; i < all.size(); ++i) {
      up[i] = apart ? i : 0;
      for (const auto& [path, file] : all[i].names) {
        const auto one = root(last.try_emplace(path, i).first->second);
        const auto two = root(i);
        up[std::max(one, two)] = std::min(one, two);
      }
    }
    std::map<std::size_t, std::vector<std::size_t>> found;
    for (std::size_t i = 0; i < all.size(); ++i) found[root(i)].push_back(i);
    std::vector<std::vector<std::size_t>> listed;
    for (auto& [first, group] : found) listed.push_back(std::move(group));
    return listed;
  }

  files seen_{};
  files durable_{};
  steps unsynced_{};
  std::vector<file_ptr> removed_{};
};

}  // namespace cairn::detail
