#include <cairn/detail/store_memory.hpp>
#include <cairn/file_store.hpp>
#include <filesystem>
#include <fstream>
#include <functional>

#include "catch.hpp"
#include "store_fixture.hpp"

using namespace store_fixture;  // NOLINT(*using-namespace*)
using cairn::errc;
using cairn::file_store;

namespace {

/// A disk that fails at the call of a given number, once or from then on.
class failing_disk final : public cairn::detail::disk {
 public:
  std::function<void(const std::string& call)> before = [](const std::string&) {};

  std::unique_ptr<cairn::detail::disk_file> open(const std::string& path) override {
    before("open " + path);
    return std::make_unique<file>(*this, under_.open(path));
  }
  std::unique_ptr<cairn::detail::disk_file> create(const std::string& path) override {
    before("create " + path);
    return std::make_unique<file>(*this, under_.create(path));
  }
  void rename(const std::string& from, const std::string& to) override {
    before("rename");
    under_.rename(from, to);
  }
  void remove(const std::string& path) override {
    before("remove");
    under_.remove(path);
  }
  std::vector<std::string> list(const std::string& directory) override {
    before("list");
    return under_.list(directory);
  }
  void make_directory(const std::string& path) override { under_.make_directory(path); }
  void sync_directory(const std::string& path) override {
    before("sync_directory");
    under_.sync_directory(path);
  }
  std::unique_ptr<cairn::detail::disk_lock> lock(const std::string& path, bool shared,
                                                 std::chrono::milliseconds wait) override {
    return under_.lock(path, shared, wait);
  }

 private:
  class file final : public cairn::detail::disk_file {
   public:
    file(failing_disk& disk, std::unique_ptr<cairn::detail::disk_file> under)
        : disk_{disk}, under_{std::move(under)} {}
    std::size_t read(std::uint64_t offset, std::byte* to, std::size_t count) override {
      disk_.before("read");
      return under_->read(offset, to, count);
    }
    void write(std::uint64_t offset, bytes_view bytes) override {
      try {
        disk_.before("write");
      } catch (...) {
        under_->write(offset, bytes.first(bytes.size() / 2));  // as far as the disk went
        throw;
      }
      under_->write(offset, bytes);
    }
    void sync() override {
      disk_.before("sync");
      under_->sync();
    }
    std::uint64_t size() override { return under_->size(); }

   private:
    failing_disk& disk_;
    std::unique_ptr<cairn::detail::disk_file> under_;
  };

  cairn::detail::memory_disk under_;
};

/// Makes two epochs with the failure at call number `at`; returns false where there is no such
/// call. A `fresh` store makes new files first. The failed epoch is given up.
bool survives(int at, errc code, bool reopen, bool fresh) {
  const auto disk = std::make_shared<failing_disk>();
  auto store = std::make_unique<file_store>("s", cairn::file_store_options{4096}, disk);
  store->open();
  model expected;
  const auto commit = [&](std::uint64_t n, const std::vector<entry>& entries) {
    write(*store, n, entries);
    expected.commit(n, entries);
  };
  commit(1, {state(1, 1, std::string(3000, 'a')), state(1, 2, std::string(3000, 'b'))});
  commit(2, {state(2, 1, std::string(3000, 'c'))});
  if (fresh) {
    store.reset();
    store = std::make_unique<file_store>("s", cairn::file_store_options{4096}, disk);
    store->open();
  }
  int calls = 0;
  bool failed = false;
  disk->before = [&](const std::string& call) {
    if (++calls != at) return;
    failed = true;
    throw cairn::error{code, "s: planted at " + call};
  };
  bool in_doubt = false;
  const std::vector<entry> third{state(3, 1, std::string(5000, 'd'))};
  const auto refused = error_of([&] { commit(3, third); });
  if (refused.first != errc::ok) {
    CHECK(refused.first == code);
    CHECK(contains(refused.second, "planted"));
    store->abort();
    in_doubt = true;
  }
  disk->before = [](const std::string&) {};
  if (reopen) {
    store.reset();
    store = std::make_unique<file_store>("s", cairn::file_store_options{4096}, disk);
    const auto found = store->open();
    REQUIRE(found.latest);
    // Whether an epoch counts whose publishing failed is open; that it is whole is not.
    if (in_doubt && found.latest == epoch{3}) expected.commit(3, third);
    CHECK(raw(*found.latest) == expected.committed.back());
  }
  for (const auto& info : store->list()) {
    CHECK(read(*store, raw(info.number)) == expected.read(raw(info.number)));
  }
  commit(4, {state(4, 3, "after"), state(4, 1, "changed")});
  store.reset();
  file_store last{"s", {4096}, disk};
  REQUIRE(last.open().latest == epoch{4});
  for (const auto& info : last.list()) {
    CHECK(read(last, raw(info.number)) == expected.read(raw(info.number)));
  }
  return failed;
}

}  // namespace

TEST_CASE("a full disk or a failed call in any step costs that epoch alone") {
  for (const auto code : {errc::no_space, errc::io}) {
    for (const int way : {0, 1, 2, 3}) {
      const bool fresh = (way & 1) != 0;
      int at = 1;
      while (survives(at, code, (way & 2) != 0, fresh)) ++at;
      CHECK(at > (fresh ? 10 : 5));
    }
  }
}

TEST_CASE("a disk that stays full does not fill up with what was given up") {
  const auto disk = std::make_shared<failing_disk>();
  file_store store{"s", {4096}, disk};
  store.open();
  write(store, 1, {state(1, 1, "good")});
  disk->before = [](const std::string& call) {
    if (call == "write") throw cairn::error{errc::no_space, "s: full"};
  };
  for (std::uint64_t n = 2; n < 20; ++n) {
    CHECK(error_of([&] { write(store, n, {state(n, 1, "lost")}); }).first == errc::no_space);
    store.abort();
  }
  disk->before = [](const std::string&) {};
  CHECK(disk->list("s").size() <= 3);  // a segment and a manifest, and one that failed
  CHECK(read(store, 1) == std::vector{state(1, 1, "good")});
  write(store, 20, {state(20, 1, "again")});
  CHECK(read(store, 20) == std::vector{state(20, 1, "again")});
}

TEST_CASE("a segment that could not be made is not missed") {
  const auto disk = std::make_shared<failing_disk>();
  std::vector<std::string> warnings;
  file_store store{"s", {4096}, disk};
  store.open({.warn = [&](const std::string& text) { warnings.push_back(text); }});
  disk->before = [](const std::string& call) {
    if (call.starts_with("create")) throw cairn::error{errc::no_space, "s: full"};
  };
  CHECK(error_of([&] { write(store, 1, {state(1, 1, "lost")}); }).first == errc::no_space);
  store.abort();
  CHECK(warnings.empty());
  disk->before = [](const std::string&) {};
  write(store, 2, {state(2, 1, "again")});
  CHECK(read(store, 2) == std::vector{state(2, 1, "again")});
}

TEST_CASE("a damaged old record stops no epoch and is not lost in silence") {
  for (const std::size_t at : {150U, 300U}) {  // of its header, of its payload
    const directory where;
    std::vector<std::string> warnings;
    const cairn::store_options options{
        .retain = 1, .warn = [&](const std::string& text) { warnings.push_back(text); }};
    file_store store{where.store(), {.segment_bytes = 4096}};
    store.open(options);
    write(store, 1, {state(1, 1, std::string(400, 'a')), state(1, 2, std::string(5000, 'b'))});
    auto all = load(where.store());
    auto& text = all["segment-000001"];
    text[at] = static_cast<char>(text[at] ^ 1);
    std::ofstream{where.store() + "/segment-000001", std::ios::binary} << text;
    for (std::uint64_t n = 2; n < 8; ++n) write(store, n, {state(n, 2, std::string(5000, 'c'))});
    REQUIRE(warnings.size() == 1);
    CHECK(contains(warnings[0], "segment-000001"));
    CHECK(error_of([&] { read(store, 7); }).first == errc::damaged);
  }
}

TEST_CASE("a journal keeps its entries over restarts and forgets what it is told to") {
  const directory where;
  const auto entries = [](cairn::journal_log& log, std::uint64_t from) {
    std::vector<std::pair<std::uint64_t, std::string>> found;
    log.read_from(from, [&](std::uint64_t number, bytes_view bytes) {
      found.emplace_back(number, text_of(bytes));
    });
    return found;
  };
  using list = std::vector<std::pair<std::uint64_t, std::string>>;
  std::string last;
  for (std::uint64_t life = 0; life < 3; ++life) {
    file_store store{where.store()};
    store.open();
    const auto log = store.journal("in/orders");
    CHECK(log->append(bytes_of("a")) == life * 2 + 1);
    CHECK(log->append(bytes_of("")) == life * 2 + 2);
    log->sync();
    last = where.store() + "/journal-in%2Forders-00000" + std::to_string(life + 1);
    CHECK(std::filesystem::exists(last));
  }
  std::ofstream{last, std::ios::binary | std::ios::app} << "torn";
  file_store store{where.store()};
  store.open();
  auto log = store.journal("in/orders");
  CHECK(entries(*log, 4) == list{{4, ""}, {5, "a"}, {6, ""}});
  log->trim_before(4);
  CHECK(entries(*log, 1) == list{{3, "a"}, {4, ""}, {5, "a"}, {6, ""}});
  log->trim_before(100);
  CHECK(log->append(bytes_of("b")) == 7);
  CHECK(entries(*log, 1) == list{{5, "a"}, {6, ""}, {7, "b"}});
  CHECK(error_of([&] { (void)store.journal(""); }).first == errc::bad_name);

  std::filesystem::resize_file(last, 40);  // entry 5 is cut off, entry 7 follows
  const auto refused = error_of([&] { (void)store.journal("in/orders"); });
  CHECK(refused.first == errc::damaged);
  CHECK(contains(refused.second, "journal-in%2Forders-000004"));
}

TEST_CASE("entries of a journal whose sync failed are void, and their numbers used again") {
  const auto disk = std::make_shared<failing_disk>();
  file_store store{"s", {}, disk};
  store.open();
  const auto log = store.journal("j");
  log->append(bytes_of("one"));
  log->sync();
  CHECK(log->append(bytes_of("lost")) == 2);
  disk->before = [](const std::string& call) {
    if (call == "sync") throw cairn::error{errc::io, "planted"};
  };
  CHECK(error_of([&] { log->sync(); }).first == errc::io);
  disk->before = [](const std::string&) {};
  CHECK(log->append(bytes_of("two")) == 2);
  log->sync();
  std::vector<std::string> found;
  store.journal("j")->read_from(
      1, [&](std::uint64_t, bytes_view bytes) { found.push_back(text_of(bytes)); });
  CHECK(found == std::vector<std::string>{"one", "two"});
}

TEST_CASE("a journal whose disk stays full does not fill it up with what it could not make") {
  const auto disk = std::make_shared<failing_disk>();
  file_store store{"s", {}, disk};
  store.open();
  const auto log = store.journal("j");
  for (const std::string failing : {"create", "write", "sync", "rename"}) {
    disk->before = [&](const std::string& call) {
      if (call.starts_with(failing)) throw cairn::error{errc::no_space, "planted"};
    };
    for (int post = 0; post < 10; ++post) {
      CHECK(error_of([&] { log->append(bytes_of("lost")); }).first == errc::no_space);
    }
  }
  disk->before = [](const std::string&) {};
  CHECK(disk->list("s").size() <= 2);  // the manifest, and one that failed
  CHECK(log->append(bytes_of("again")) == 1);
  log->sync();
  CHECK(disk->list("s") == std::vector<std::string>{"journal-j-000001", "manifest-000001"});
}
