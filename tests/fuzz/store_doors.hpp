// Stores of damaged or forged files: opened, read, changed and opened again.
#pragma once

#include <cairn/file_store.hpp>
#include <cstdio>
#include <cstdlib>

#include "files.hpp"

namespace fuzz {

/// Ends the process: what was fed in did what no bytes may do.
[[noreturn]] inline void found(const std::string& what) {
  std::fprintf(stderr, "fuzz: %s\n", what.c_str());
  std::abort();
}
inline void require(bool holds, const char* what) {
  if (!holds) found(what);
}

/// What bytes may lead to.
inline void allow(const cairn::error& why) {
  using enum cairn::errc;
  switch (why.code()) {
    case damaged:
    case newer_schema:
    case unknown_type:
    case not_found:
    case misuse:
    case no_space:
    case name_taken:
    case bad_name:
    case diverged:
    case failed:
    case stopped:
    case timeout:
    case interrupted:
    case mailbox_full:
    case history_exceeded:
      return;
    default:
      found(std::string{"an error of code "} + std::string{to_string(why.code())} + ": " +
            why.what());
  }
}

/// Calls what may throw an error that bytes may lead to. Whether it did not.
template <class Call>
bool goes_well(Call&& call) {
  try {
    call();
    return true;
  } catch (const cairn::error& why) {
    allow(why);
    return false;
  }
}

[[nodiscard]] inline cairn::file_store store_on(
    const std::shared_ptr<cairn::detail::memory_disk>& disk) {
  return cairn::file_store{store_name, {.segment_bytes = 4096}, disk};
}

/// The oldest snapshot and the newest.
inline void read_some(cairn::file_store& store) {
  const auto all = store.list();
  if (all.empty()) return;
  for (const auto number : {all.front().number, all.back().number}) {
    goes_well([&] {
      store.read(number, [&](const cairn::record_view& record) {
        require(record.header.epoch <= number, "a snapshot holds what came later");
      });
    });
  }
}

/// Two epochs more, so that space is reclaimed, too.
inline void commit_some(cairn::file_store& store, epoch latest) {
  for (int round = 0; round < 2; ++round) {
    latest = next(latest);
    const bool done = goes_well([&] {
      store.begin(latest);
      buffer records;
      cairn::record_header header;
      header.kind = cairn::record_kind::actor;
      header.epoch = latest;
      header.actor = cairn::actor_id{1000};
      cairn::detail::append_record(records, header, view_of(std::string(200, 'a')));
      header.kind = cairn::record_kind::gone;
      header.actor = cairn::actor_id{3};
      cairn::detail::append_record(records, header, {});
      store.append(records.view());
      store.commit(true);
    });
    if (!done) return store.abort();
    require(store.list().back().number == latest, "what was committed is not the latest");
  }
}

/// What `open` refuses it leaves as it was.
[[nodiscard]] inline bool opens(cairn::file_store& store, cairn::detail::disk& disk,
                                const input& from, cairn::opened& what) {
  const auto before = files_of(disk);
  cairn::store_options how;
  how.accept_older = from.has(accept_older);
  const bool good = goes_well([&] { what = store.open(how); });
  auto after = files_of(disk);
  after.erase("LOCK");
  // What a killed process may not have synced is written again, and only then acted on.
  require(good || after == before, "an opening that was refused has changed the files");
  return good;
}

/// Like all that follow: true where what was fed in was taken for good.
[[nodiscard]] inline bool try_store(const input& from, const files& all) {
  const auto disk = disk_of(all);
  {
    auto store = store_on(disk);
    cairn::opened what;
    if (!opens(store, *disk, from, what)) return false;
    read_some(store);
    if (!from.has(go_on)) return true;
    goes_well([&] { store.keep(what.latest.value_or(epoch{}), "kept"); });
    commit_some(store, what.newest);
    goes_well([&] { store.remove("before"); });
  }
  auto store = store_on(disk);
  cairn::opened what;
  if (!opens(store, *disk, from, what)) return false;
  read_some(store);
  return true;
}

[[nodiscard]] inline bool try_journal(const input& from) {
  const auto disk = disk_of(journal_files(from));
  auto store = store_on(disk);
  cairn::opened what;
  require(opens(store, *disk, from, what), "a good store does not open");
  bool good = true;
  for (int round = 0; round < 2; ++round) {
    good &= goes_well([&] {
      const auto log = store.journal(journal_name);
      std::uint64_t last = 0;
      const auto visit = [&](std::uint64_t number, bytes_view) {
        require(last == 0 || number == last + 1, "the entries of a journal have a gap");
        last = number;
      };
      log->read_from(1, visit);
      if (!from.has(go_on)) return;
      const auto number = log->append(view_of("an entry"));
      log->sync();
      last = 0;
      log->read_from(0, visit);
      require(last == number, "what was appended to a journal is not the last entry");
      log->trim_before(number);
    });
  }
  return good;
}

}  // namespace fuzz
