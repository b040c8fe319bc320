// A store of a few hundred bytes, for the tests that damage it byte by byte.
#pragma once

#include <sys/stat.h>

#include <cairn/file_store.hpp>

#include "store_fixture.hpp"

namespace store_fixture {

using cairn::errc;
using cairn::file_store;

/// A store with three epochs; the last one may release outputs.
inline model small_store(const std::string& path, bool releases = false) {
  model expected;
  file_store store{path, {.segment_bytes = 4096}};
  store.open();
  const std::vector<std::vector<entry>> epochs{
      {state(1, 1, "one"), state(1, 2, std::string(60, 'b')),
       make(record_kind::mail, 1, 1, 1, "m")},
      {state(2, 1, "one again"), make(record_kind::meta, 2, 0, 0, "meta")},
      {state(3, 3, "three"), make(record_kind::gone, 3, 2, 0, "")}};
  for (std::uint64_t n = 1; n <= epochs.size(); ++n) {
    write(store, n, epochs[n - 1], releases && n == epochs.size());
    expected.commit(n, epochs[n - 1]);
  }
  return expected;
}

/// Everything below a directory: what each is, who may use it, and its bytes. What LOCK says is
/// left out: an opening writes that.
inline files tree(const std::string& directory) {
  files all;
  for (const auto& each : std::filesystem::recursive_directory_iterator{directory}) {
    struct stat found{};
    if (::lstat(each.path().c_str(), &found) != 0) throw std::runtime_error{"lstat"};
    auto& text = all[each.path().string()];
    text = std::to_string(found.st_mode) + " ";
    if (!each.is_regular_file() || each.path().filename() == "LOCK") continue;
    std::ifstream in{each.path(), std::ios::binary};
    text.append(std::istreambuf_iterator<char>{in}, {});
  }
  return all;
}

/// Opens a store and keeps what it was told.
struct opening {
  std::vector<std::string> warnings{};
  cairn::opened found{};
  std::pair<errc, std::string> refused{};

  opening(file_store& store, cairn::store_options how = {}) {
    how.warn = [this](const std::string& text) { warnings.push_back(text); };
    refused = error_of([&] { found = store.open(how); });
  }
  [[nodiscard]] bool warned(const std::string& of) const {
    return std::any_of(warnings.begin(), warnings.end(),
                       [&](const std::string& text) { return contains(text, of); });
  }
};

}  // namespace store_fixture
