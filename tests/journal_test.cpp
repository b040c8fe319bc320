// What was posted survives, and is handled once.
#include <cairn/journal.hpp>

#include <algorithm>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>
#include <atomic>
#include <cairn/file_store.hpp>
#include <cairn/memory_store.hpp>
#include <cairn/system.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"

namespace journal_tests {

using namespace std::chrono_literals;

struct add {
  std::int64_t what = 0;
  std::string why{};
  void serialize(auto& archive) { archive(what, why); }
};
struct seen {};

struct ledger {
  using protocol = cairn::protocol<add, seen>;
  std::vector<std::int64_t> all{};
  void serialize(auto& archive) { archive(all); }
  void on(add one) {
    if (one.why == "bad") throw std::domain_error{"as asked"};
    all.push_back(one.what);
  }
  std::vector<std::int64_t> on(seen) { return all; }
};
using actors = cairn::actors<ledger>;

struct doors {
  cairn::ref<ledger> book{};
  cairn::journal<ledger> port{};
};
std::promise<doors> made;

cairn::task<int> serve(cairn::root& root) {
  auto book = root.supervise("all").spawn<ledger>("book");
  made.set_value({book, cairn::journal<ledger>{root, "orders", book}});
  co_await root.until_stopped();
  co_return 0;
}

/// Nothing is committed but at an orderly end.
cairn::options over(cairn::any_store store, std::chrono::nanoseconds every = 0s) {
  cairn::options chosen;
  chosen.store = std::move(store);
  chosen.epoch.every = every;
  chosen.workers = 2;
  chosen.on_event = [](const cairn::event&) {};
  return chosen;
}

doors start(cairn::system<actors>& all) {
  made = {};
  auto ready = made.get_future();
  all.start(serve);
  return ready.get();
}

std::vector<std::int64_t> numbers(std::int64_t count) {
  std::vector<std::int64_t> all;
  for (std::int64_t at = 1; at <= count; ++at) all.push_back(at);
  return all;
}

void post(const doors& to, std::int64_t first, std::int64_t last) {
  std::vector<std::future<void>> sent;
  for (auto at = first; at <= last; ++at) {
    sent.push_back(to.port.async_post<add>(asio::use_future, at, "because"));
  }
  for (auto& each : sent) each.get();
}

/// What the ledger holds, once there are so many.
std::vector<std::int64_t> held(const doors& to, std::size_t count) {
  for (;;) {
    auto all = cairn::async_ask<seen>(to.book, asio::use_future).get();
    if (all.size() >= count) return all;
  }
}

TEST_CASE("acknowledged posts survive a crash that no epoch covered", "[journal]") {
  const cairn::memory_store kept;
  {
    cairn::system<actors> all{over(cairn::memory_store{kept})};
    post(start(all), 1, 100);
  }  // a crash
  {
    cairn::system<actors> all{over(cairn::memory_store{kept})};
    CHECK_FALSE(all.restored());
    const auto to = start(all);
    CHECK(held(to, 100) == numbers(100));
    post(to, 101, 150);
    CHECK(held(to, 150) == numbers(150));
    CHECK(all.stop().committed);
  }
  {
    cairn::system<actors> all{over(cairn::memory_store{kept})};
    CHECK(all.restored());
    const auto to = start(all);
    post(to, 151, 200);
    CHECK(held(to, 200) == numbers(200));
  }  // a crash: 150 are in the snapshot, 50 in the journal
  cairn::system<actors> all{over(cairn::memory_store{kept})};
  const auto to = start(all);
  post(to, 201, 201);
  CHECK(held(to, 201) == numbers(201));
}

TEST_CASE("posts survive crashes among epochs, each once", "[journal]") {
  const cairn::memory_store kept;
  constexpr std::int64_t rounds = 20;
  constexpr std::int64_t each_round = 200;
  for (std::int64_t round = 0; round < rounds; ++round) {
    cairn::system<actors> all{over(cairn::memory_store{kept}, 100us)};
    post(start(all), round * each_round + 1, (round + 1) * each_round);
  }  // a crash, wherever the epochs are
  cairn::system<actors> all{over(cairn::memory_store{kept})};
  const auto to = start(all);
  CHECK(held(to, rounds * each_round) == numbers(rounds * each_round));
}

asio::awaitable<void> posts(doors to, std::int64_t first, std::int64_t last) {
  for (auto at = first; at <= last; ++at) co_await to.port.post<add>(at, "because");
}

TEST_CASE("Asio coroutines and threads post together", "[journal]") {
  const cairn::memory_store kept;
  {
    cairn::system<actors> all{over(cairn::memory_store{kept}, 1ms)};
    const auto to = start(all);
    asio::io_context io;
    asio::co_spawn(io, posts(to, 1, 50), asio::detached);
    asio::co_spawn(io, posts(to, 51, 100), asio::detached);
    std::thread other{[to] { post(to, 101, 200); }};
    io.run();
    other.join();
    auto got = held(to, 200);
    CHECK(std::is_sorted(
        got.begin(), std::remove_if(got.begin(), got.end(), [](auto each) { return each > 50; })));
  }
  cairn::system<actors> all{over(cairn::memory_store{kept})};
  auto got = held(start(all), 200);
  std::sort(got.begin(), got.end());
  CHECK(got == numbers(200));
}

TEST_CASE("a system may end before its journal is open", "[journal]") {
  const cairn::memory_store kept;
  for (int round = 0; round < 50; ++round) {
    cairn::system<actors> all{over(cairn::memory_store{kept})};
    start(all);
  }
  cairn::system<actors> all{over(cairn::memory_store{kept})};
  const auto to = start(all);
  post(to, 1, 1);
  CHECK(held(to, 1) == numbers(1));
}

TEST_CASE("a post that its target gives up is not delivered again", "[journal]") {
  const cairn::memory_store kept;
  {
    cairn::system<actors> all{over(cairn::memory_store{kept})};
    const auto to = start(all);
    to.port.async_post<add>(asio::use_future, 1, "good").get();
    to.port.async_post<add>(asio::use_future, 2, "bad").get();
    to.port.async_post<add>(asio::use_future, 3, "good").get();
    CHECK(held(to, 2) == std::vector<std::int64_t>{1, 3});
    CHECK(all.stop().committed);
  }
  cairn::system<actors> all{over(cairn::memory_store{kept})};
  const auto to = start(all);
  post(to, 4, 4);
  CHECK(held(to, 3) == std::vector<std::int64_t>{1, 3, 4});
}

TEST_CASE("a post to a system that has ended is refused", "[journal]") {
  doors to;
  {
    cairn::system<actors> all{over(cairn::memory_store{})};
    to = start(all);
    post(to, 1, 1);
  }
  try {
    to.port.async_post<add>(asio::use_future, 2, "late").get();
    FAIL("there is no system");
  } catch (const cairn::error& why) {
    CHECK(why.code() == cairn::errc::stopped);
  }
  CHECK_THROWS_AS(cairn::journal<ledger>{}.async_post<add>(asio::use_future, 1, ""), cairn::error);
}

/// A journal that counts what it is asked for, and whose sync can fail.
struct watched_log final : cairn::journal_log {
  static std::atomic<int> syncs;
  static std::atomic<std::uint64_t> trimmed;
  static std::atomic<bool> fail_next;
  static std::size_t kept_by_failure;  ///< entries that a failed sync made durable all the same
  static std::atomic<bool> fail_trims;
  static std::atomic<bool> fail_reads;

  std::uint64_t append(cairn::bytes_view entry) override {
    entries.emplace_back(entry.begin(), entry.end());
    return entries.size();
  }
  void sync() override {
    ++syncs;
    if (fail_next.exchange(false)) {
      durable = std::min(durable + kept_by_failure, entries.size());
      entries.resize(durable);
      throw cairn::error{cairn::errc::io, "the disk is gone"};
    }
    durable = entries.size();
  }
  [[nodiscard]] std::uint64_t last() const override { return entries.size(); }
  void read_from(std::uint64_t number, const visitor& visit) override {
    if (fail_reads) throw cairn::error{cairn::errc::io, "the disk cannot be read"};
    for (auto at = number; at <= entries.size(); ++at) visit(at, entries[at - 1]);
  }
  void trim_before(std::uint64_t number) override {
    trimmed = number;
    if (fail_trims) throw cairn::error{cairn::errc::io, "the disk keeps everything"};
  }

  std::vector<std::vector<std::byte>> entries{};
  std::size_t durable = 0;
};
std::atomic<int> watched_log::syncs{0};
std::atomic<std::uint64_t> watched_log::trimmed{0};
std::atomic<bool> watched_log::fail_next{false};
std::size_t watched_log::kept_by_failure = 0;
std::atomic<bool> watched_log::fail_trims{false};
std::atomic<bool> watched_log::fail_reads{false};

struct watched_store : cairn::memory_store {
  using cairn::memory_store::memory_store;
  [[nodiscard]] std::unique_ptr<cairn::journal_log> journal(const std::string&) {
    return std::make_unique<watched_log>();
  }
};

TEST_CASE("many posts share a sync", "[journal]") {
  watched_log::syncs = 0;
  cairn::system<actors> all{over(watched_store{})};
  const auto to = start(all);
  post(to, 1, 2000);
  CHECK(watched_log::syncs < 2000);
  CHECK(held(to, 2000) == numbers(2000));
}

TEST_CASE("a failed sync fails its posts alone", "[journal]") {
  for (const std::size_t kept : {0U, 1U}) {
    watched_log::kept_by_failure = kept;
    cairn::system<actors> all{over(watched_store{})};
    const auto to = start(all);
    post(to, 1, 10);
    watched_log::fail_next = true;
    try {
      to.port.async_post<add>(asio::use_future, 11, "lost").get();
      FAIL("the sync failed");
    } catch (const cairn::error& why) {
      CHECK(why.code() == cairn::errc::io);
    }
    auto expected = numbers(kept == 0 ? 10 : 11);  // it stands in the journal, or does not
    for (std::int64_t at = 12; at <= 20; ++at) expected.push_back(at);
    post(to, 12, 20);
    CHECK(held(to, expected.size()) == expected);
  }
}

TEST_CASE("the journal is trimmed behind the oldest snapshot", "[journal]") {
  watched_log::trimmed = 0;
  auto options = over(watched_store{}, 100us);
  options.epoch.retain = 2;
  cairn::system<actors> all{std::move(options)};
  const auto to = start(all);
  for (std::int64_t at = 1; watched_log::trimmed < 5; ++at) post(to, at, at);
  const auto before = watched_log::trimmed.load();
  CHECK(before <= held(to, 0).size() + 1);
}

TEST_CASE("a journal that cannot forget goes on, and says so", "[journal]") {
  watched_log::trimmed = 0;
  watched_log::fail_trims = true;
  std::atomic<int> warnings{0};
  auto options = over(watched_store{}, 100us);
  options.on_event = [&](const cairn::event& what) {
    if (what.kind == cairn::event_kind::store_warning && what.name == "orders") ++warnings;
  };
  cairn::system<actors> all{std::move(options)};
  const auto to = start(all);
  std::int64_t posted = 0;
  while (warnings < 3) {
    ++posted;
    post(to, posted, posted);
  }
  CHECK(held(to, static_cast<std::size_t>(posted)) == numbers(posted));
  watched_log::fail_trims = false;
}

TEST_CASE("posts of a journal that cannot be read again are told so", "[journal]") {
  watched_log::kept_by_failure = 1;  // what nobody was told of must be read
  cairn::system<actors> all{over(watched_store{})};
  const auto to = start(all);
  post(to, 1, 10);
  watched_log::fail_next = true;
  CHECK_THROWS_AS(post(to, 11, 11), cairn::error);
  watched_log::fail_reads = true;
  try {
    to.port.async_post<add>(asio::use_future, 12, "durable, and not delivered").get();
    FAIL("the journal cannot be read");
  } catch (const cairn::error& why) {
    CHECK(why.code() == cairn::errc::io);
  }
  all.wait();  // it has ended: nothing may be left out in silence
  watched_log::fail_reads = false;
}

/// Starts over what is left of the store's files; returns why the system could not go on.
std::string failure_over(const std::string& store) {
  cairn::system<actors> all{over(cairn::file_store{store})};
  (void)start(all);
  (void)all.wait_for(1min);  // or it goes on, as it must not
  try {
    (void)all.stop();
  } catch (const cairn::error& why) {
    CHECK(why.code() == cairn::errc::damaged);
    return why.what();
  }
  return {};
}

TEST_CASE("posts that are lost with their files are missed", "[journal]") {
  std::string name = (std::filesystem::temp_directory_path() / "cairn-journal-XXXXXX").string();
  const std::string directory = ::mkdtemp(name.data());
  const auto store = directory + "/store";
  for (std::int64_t life = 0; life < 3; ++life) {
    cairn::system<actors> all{over(cairn::file_store{store})};
    const auto to = start(all);
    post(to, life * 10 + 1, life * 10 + 10);
    CHECK(held(to, static_cast<std::size_t>(life) * 10 + 10) == numbers(life * 10 + 10));
    if (life == 0) CHECK(all.stop().committed);
  }  // a file each; a snapshot holds the first ten, twenty are only in the journal
  const auto lose = [&](int file) {
    std::filesystem::remove(store + "/journal-orders-00000" + std::to_string(file));
  };
  const std::string all_files = directory + "/all";
  std::filesystem::copy(store, all_files);
  lose(1);
  lose(2);
  CHECK(failure_over(store) ==
        "journal \"orders\": entries 11 to 20 are missing in file_store " + store);
  lose(3);
  CHECK(failure_over(store) ==
        "journal \"orders\": entries 1 to 10 are missing in file_store " + store);
  std::filesystem::remove_all(store);
  std::filesystem::copy(all_files, store);
  lose(2);
  CHECK(failure_over(store).find("journal-orders-000003") != std::string::npos);
  std::filesystem::remove_all(directory);
}

TEST_CASE("a journal in files", "[journal]") {
  std::string name = (std::filesystem::temp_directory_path() / "cairn-journal-XXXXXX").string();
  const std::string directory = ::mkdtemp(name.data());
  for (std::int64_t round = 0; round < 3; ++round) {
    cairn::system<actors> all{over(cairn::file_store{directory + "/store"}, 1ms)};
    const auto to = start(all);
    post(to, round * 100 + 1, (round + 1) * 100);
    CHECK(held(to, static_cast<std::size_t>(round + 1) * 100) == numbers((round + 1) * 100));
  }
  std::filesystem::remove_all(directory);
}

}  // namespace journal_tests
