// What the tests of stores share: records in short, a snapshot as a value, directories that go.
#pragma once

#include <algorithm>
#include <atomic>
#include <cairn/detail/record.hpp>
#include <cairn/detail/store_log.hpp>
#include <cairn/store.hpp>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace store_fixture {

using cairn::actor_id;
using cairn::epoch;
using cairn::record_header;
using cairn::record_kind;
using cairn::detail::buffer;
using cairn::detail::bytes_view;

struct entry {
  record_header header{};
  std::string payload{};

  friend bool operator==(const entry&, const entry&) = default;
  [[nodiscard]] auto order() const {
    return std::tuple{cairn::raw(header.actor), header.kind, header.place, header.epoch, payload};
  }
  friend bool operator<(const entry& a, const entry& b) { return a.order() < b.order(); }
};

inline bytes_view bytes_of(std::string_view text) { return std::as_bytes(std::span{text}); }
inline std::string text_of(bytes_view bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline entry make(record_kind kind, std::uint64_t n, std::uint64_t actor, std::uint64_t place,
                  std::string payload) {
  entry e;
  e.header.kind = kind;
  e.header.epoch = epoch{n};
  e.header.actor = actor_id{actor};
  (kind == record_kind::actor ? e.header.floor : e.header.place) = place;
  e.payload = std::move(payload);
  return e;
}

inline buffer framed(const std::vector<entry>& entries) {
  buffer bytes;
  for (const auto& e : entries) {
    cairn::detail::append_record(bytes, e.header, bytes_of(e.payload));
  }
  return bytes;
}

/// A snapshot in the order of reading.
template <class Store>
std::vector<entry> read_in_order(Store& store, std::uint64_t n) {
  std::vector<entry> found;
  store.read(epoch{n}, [&](const cairn::record_view& record) {
    found.push_back({record.header, text_of(record.payload)});
  });
  return found;
}

template <class Store>
std::vector<entry> read(Store& store, std::uint64_t n) {
  auto found = read_in_order(store, n);
  std::sort(found.begin(), found.end());
  return found;
}

template <class Store>
void write(Store& store, std::uint64_t n, const std::vector<entry>& entries,
           bool releases = false) {
  store.begin(epoch{n});
  store.append(framed(entries).view());
  store.commit(releases);
}

/// One actor's record with a payload, the usual case.
inline entry state(std::uint64_t n, std::uint64_t actor, std::string payload) {
  return make(record_kind::actor, n, actor, 0, std::move(payload));
}

/// The code and text of the `cairn::error` that `call` throws; `ok` where it throws none.
template <class Call>
std::pair<cairn::errc, std::string> error_of(Call call) {
  try {
    call();
  } catch (const cairn::error& problem) {
    return {problem.code(), problem.what()};
  }
  return {cairn::errc::ok, {}};
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A directory of its own, removed with all that is in it.
class directory {
 public:
  directory() {
    auto pattern = (std::filesystem::temp_directory_path() / "cairn-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"mkdtemp"};
    path_ = pattern;
  }
  directory(const directory&) = delete;
  directory& operator=(const directory&) = delete;
  ~directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string path() const { return path_; }
  [[nodiscard]] std::string store() const { return path_ + "/s.cairn"; }

 private:
  std::string path_;
};

using files = std::map<std::string, std::string>;

/// Every file of a store, LOCK excepted.
inline files load(const std::string& directory) {
  files all;
  for (const auto& file : std::filesystem::directory_iterator{directory}) {
    if (file.path().filename() == "LOCK") continue;
    std::ifstream in{file.path(), std::ios::binary};
    all[file.path().filename().string()] = {std::istreambuf_iterator<char>{in}, {}};
  }
  return all;
}

/// Makes the directory hold exactly these files.
inline void save(const std::string& directory, const files& all) {
  std::filesystem::remove_all(directory);
  std::filesystem::create_directory(directory);
  for (const auto& [name, text] : all) {
    std::ofstream{directory + "/" + name, std::ios::binary} << text;
  }
}

/// Whether no snapshot has this byte of a segment: it is part of a claim, or of what a crash left.
/// Precondition: no epoch was given up in it.
inline bool is_idle(const std::string& segment, std::size_t at) {
  if (at < cairn::detail::file_header_bytes) return false;
  const auto records = bytes_of(segment).subspan(cairn::detail::file_header_bytes);
  cairn::detail::record_cursor cursor{records, "segment"};
  try {
    while (const auto record = cursor.next()) {
      if (at >= cairn::detail::file_header_bytes + cursor.offset()) continue;
      return record->header.kind == record_kind::claim;
    }
  } catch (const cairn::error&) {
  }
  return true;
}

/// The rules of liveness, as slow and plain as they are written down.
struct model {
  std::vector<entry> all{};
  std::vector<std::uint64_t> committed{};
  std::map<std::string, std::uint64_t> names{};
  std::size_t retain = 3;
  std::uint64_t oldest = 0;

  void commit(std::uint64_t n, const std::vector<entry>& entries) {
    all.insert(all.end(), entries.begin(), entries.end());
    committed.push_back(n);
    if (committed.size() >= retain) oldest = committed[committed.size() - retain];
  }
  [[nodiscard]] std::vector<std::uint64_t> snapshots() const {
    std::vector<std::uint64_t> found;
    for (const auto n : committed) {
      const bool named = std::any_of(names.begin(), names.end(),
                                     [&](const auto& name) { return name.second == n; });
      if (n >= oldest || named) found.push_back(n);
    }
    return found;
  }
  [[nodiscard]] std::vector<entry> read(std::uint64_t n) const {
    std::vector<entry> found;
    for (const auto& e : all) {
      if (stands(e, epoch{n})) found.push_back(e);
    }
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  [[nodiscard]] bool stands(const entry& e, epoch n) const {
    const auto& h = e.header;
    if (h.kind == record_kind::gone || h.epoch > n) return false;
    const bool common = h.kind == record_kind::meta || h.kind == record_kind::name;
    const entry* base = nullptr;
    for (const auto& other : all) {
      const auto& o = other.header;
      if (o.epoch > n) continue;
      const bool same_key = o.kind == h.kind && (common || o.actor == h.actor) &&
                            (h.kind == record_kind::actor || o.place == h.place);
      if (same_key && o.epoch > h.epoch) return false;
      if (common || o.actor != h.actor) continue;
      if (o.kind == record_kind::gone && h.epoch <= o.epoch) return false;
      const bool newer = !base || o.epoch > base->header.epoch;
      if (o.kind == record_kind::actor && newer) base = &other;
    }
    if (!base) return true;
    if (h.kind == record_kind::mail) return h.place > base->header.floor;
    return h.kind != record_kind::reply || h.epoch >= base->header.epoch;
  }
};

}  // namespace store_fixture
