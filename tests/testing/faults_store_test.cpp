// file_store upon the simulated disk: every operation is a crash point and a point of failure, one
// after another. Checked is against `model`, the rules written down plainly.
#include <algorithm>
#include <cairn/file_store.hpp>
#include <cairn/testing/faults.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "store_fixture.hpp"

using namespace store_fixture;  // NOLINT(*using-namespace*)
using cairn::errc;
using cairn::file_store;
using cairn::testing::disk_faults;
using cairn::testing::simulated_disk;

namespace {

// Of what differs in a seed or a length alone, a sanitizer sees every fourth.
#ifdef CAIRN_FEW
constexpr std::uint64_t few = 4;
#else
constexpr std::uint64_t few = 1;
#endif

/// What epoch n says: states of four actors, mail, a short life, the system's own records.
std::vector<entry> said_in(std::uint64_t n, std::uint64_t seed) {
  std::mt19937_64 random{seed * 1000 + n};
  const auto text = [&](std::size_t most) {
    return std::string(random() % most, static_cast<char>('a' + n % 26));
  };
  std::vector<entry> all{make(record_kind::meta, n, 0, 0, text(50)),
                         make(record_kind::name, n, 0, n % 3, text(50))};
  for (std::uint64_t actor = 1; actor <= 4; ++actor) {
    if (random() % 2 == 0) all.push_back(make(record_kind::actor, n, actor, n * 10, text(2000)));
    if (random() % 3 == 0) all.push_back(make(record_kind::mail, n, actor, n * 10 + 5, text(300)));
  }
  all.push_back(state(n, 100 + n, text(900)));
  if (n > 2) all.push_back(make(record_kind::gone, n, 98 + n, 0, ""));
  return all;
}

/// A process with a store, and its successors, upon a disk that dies and fails; and what each of
/// them has to find there.
class trial {
 public:
  trial(simulated_disk& disk, std::uint64_t seed) : disk_{disk}, seed_{seed} {
    expected_.retain = 2;
  }

  /// The workload. After a power failure the dead process runs on, and nothing of that counts.
  void run() {
    reopen();
    for (int i = 0; i < 2; ++i) commit();
    give_up();
    commit();
    const std::string name(1 + seed_ * 23 % 512, 's');  // moves what follows over the sectors
    keep(name);
    for (int i = 0; i < 2; ++i) commit();
    commit(true);
    reopen();
    for (int i = 0; i < 2; ++i) commit(true);
    remove(name);
    commit(true);
  }

  /// The next process finds one of the states that may be left, and can go on with it.
  void recover() {
    killed = false;
    view_ = disk_.mount();
    reopen();
    commit();
    commit();
    CHECK(others_.empty());
    disk_.crash();
    view_ = disk_.mount();
    reopen();
  }

  void commit(bool releases = false) {
    const auto n = ++number_;
    const auto entries = said_in(n, seed_);
    if (!attempt([&] {
          store_->begin(cairn::epoch{n});
          store_->append(framed(entries).view());
        })) {
      store_->abort();
      return;
    }
    auto after = expected_;
    after.commit(n, entries);
    if (!publish(std::move(after), [&] { store_->commit(releases); })) store_->abort();
  }

  void keep(const std::string& name) {
    auto after = expected_;
    after.names[name] = number_;
    publish(std::move(after), [&] { store_->keep(cairn::epoch{number_}, name); });
  }

  bool killed = false;  ///< set by a test that kills the process

  /// What the living process has in memory is what it was told is committed.
  [[nodiscard]] bool as_told() { return matches(expected_); }
  [[nodiscard]] const model& expected() const { return expected_; }
  [[nodiscard]] int failures() const { return failures_; }
  void close() { store_.reset(); }

 private:
  void give_up() {
    attempt([&] {
      store_->begin(cairn::epoch{++number_});
      store_->append(framed(said_in(number_, seed_)).view());
    });
    store_->abort();
  }
  void remove(const std::string& name) {
    auto after = expected_;
    after.names.erase(name);
    publish(std::move(after), [&] { store_->remove(name); });
  }

  /// Returns whether it went well; the disk's errors are no more than that.
  template <class Call>
  bool attempt(Call call) {
    const auto [code, text] = error_of(call);
    if (code == errc::ok || dead()) return code == errc::ok;
    INFO(text);
    ++failures_;
    // What was not committed cannot be made a savepoint of.
    const bool follows = code == errc::not_found && contains(text, "s: no s");
    CHECK((code == errc::io || code == errc::no_space || follows));
    CHECK((text.starts_with("s") || text.starts_with(".: ")));  // it names what failed
    return false;
  }
  /// From a publishing that fails on, both states may be found, until one succeeds.
  template <class Call>
  bool publish(model after, Call call) {
    const bool alive = !dead();
    if (alive) others_.push_back(after);
    if (!attempt(call)) return false;
    if (dead()) return true;
    expected_ = std::move(after);
    others_.clear();
    return true;
  }

  void reopen() {
    store_.reset();
    const auto open = [&] {
      store_ = std::make_unique<file_store>("s", cairn::file_store_options{4096}, view_);
      store_->open({.retain = expected_.retain});
    };
    if (!attempt(open)) {
      INFO("opened twice in a row");
      REQUIRE(error_of(open).second.empty());
    }
    if (!dead()) adopt();
  }

  /// Takes the state that the store is in for the one that is expected.
  void adopt() {
    if (!matches(expected_)) {
      const auto found =
          std::find_if(others_.begin(), others_.end(), [&](const model& m) { return matches(m); });
      INFO("committed: " << (expected_.committed.empty() ? 0 : expected_.committed.back()));
      INFO("found: " << (store_->list().empty() ? 0 : raw(store_->list().back().number)));
      REQUIRE(found != others_.end());
      expected_ = *found;
    }
    others_.clear();
    number_ = expected_.committed.empty() ? 0 : expected_.committed.back();
  }
  bool dead() const { return killed || disk_.crashed(); }
  /// A read that fails once does not fail twice.
  bool matches(const model& state) {
    bool same = false;
    const auto code = error_of([&] { same = holds(state); }).first;
    if (code == errc::ok) return same;
    CHECK(code == errc::io);
    ++failures_;
    return holds(state);
  }
  bool holds(const model& state) {
    std::vector<std::uint64_t> numbers;
    std::map<std::string, std::uint64_t> names;
    for (const auto& info : store_->list()) {
      numbers.push_back(raw(info.number));
      if (!info.name.empty()) names[info.name] = raw(info.number);
    }
    return numbers == state.snapshots() && names == state.names &&
           std::all_of(numbers.begin(), numbers.end(),
                       [&](std::uint64_t n) { return read(*store_, n) == state.read(n); });
  }

  simulated_disk& disk_;
  std::uint64_t seed_;
  model expected_{};
  std::vector<model> others_{};
  std::shared_ptr<cairn::detail::disk> view_ = disk_.mount();
  std::unique_ptr<file_store> store_{};
  std::uint64_t number_ = 0;
  int failures_ = 0;
};

/// Opens the store of a disk that may not give back what it was given: an error that names a file,
/// or a snapshot as it was written, and an older one not in silence. Returns which it was; "spared"
/// is the newest with a warning.
std::string looked_at(simulated_disk& disk, const model& expected, errc allowed) {
  const auto newest = expected.committed.back();
  std::vector<std::string> warnings;
  cairn::opened found;
  std::string outcome = "newest";
  const auto refused = [&](const std::pair<errc, std::string>& problem) {
    if (problem.first == errc::ok) return;
    INFO(problem.second);
    const bool named =
        contains(problem.second, "segment-0") || contains(problem.second, "manifest");
    CHECK((problem.first == allowed && (named || allowed == errc::io)));
    CHECK(problem.second.starts_with("s"));
    outcome = "error";
  };
  file_store store{"s", {4096}, disk.mount()};
  refused(error_of([&] {
    found = store.open({.retain = expected.retain,
                        .warn = [&](const std::string& text) { warnings.push_back(text); }});
  }));
  if (outcome == "error") return outcome;
  REQUIRE(found.latest);
  if (raw(*found.latest) != newest) {
    CHECK((allowed == errc::damaged && !warnings.empty()));
    outcome = "older";
  } else if (!warnings.empty()) {
    outcome = "spared";
  }
  for (const auto& info : found.snapshots) {
    refused(error_of([&] {
      const auto content = read(store, raw(info.number));
      CHECK(content == expected.read(raw(info.number)));
    }));
  }
  return outcome;
}

}  // namespace

TEST_CASE("the power may fail before any operation of a store") {
  for (std::uint64_t seed = 0; seed < 8 / few; ++seed) {
    std::uint64_t n = 0;
    for (bool crashed = true; crashed; ++n) {
      INFO("seed " << seed << ", operation " << n);
      simulated_disk disk{seed * 1000 + n};
      disk.crash_after(n);
      trial store{disk, seed};
      store.run();
      crashed = disk.crashed();
      disk.crash();
      store.recover();
    }
    CHECK(n > 100);
  }
}

TEST_CASE("an edit may be torn wherever it lies over the sectors") {
  for (std::uint64_t pad = 1; pad <= 512; pad += few) {
    for (const bool released : {false, true}) {
      INFO(pad << " bytes in front, released: " << released);
      simulated_disk disk{pad};
      trial store{disk, pad};
      store.recover();
      store.keep(std::string(pad, 's'));
      disk.on_operation = [&](std::string_view name, const std::string& path) {
        if (name == "sync" && contains(path, "manifest")) disk.crash();
      };
      store.commit(released);
      REQUIRE(disk.crashed());
      disk.on_operation = {};
      store.recover();
    }
  }
}

TEST_CASE("a process may be killed before any operation, and the power fail after that") {
  for (const bool power : {false, true}) {
    std::uint64_t n = 0;
    for (bool killed = true; killed; ++n) {
      INFO("operation " << n << ", power fails: " << power);
      simulated_disk disk{n};
      trial store{disk, n};
      disk.on_operation = [&](std::string_view, const std::string&) {
        if (disk.operations() != n) return;
        disk.kill();
        store.killed = true;
      };
      store.run();
      killed = store.killed;
      disk.on_operation = {};
      if (power) disk.crash();
      store.recover();
    }
    CHECK(n > 100);
  }
}

TEST_CASE("any operation of a store may fail: an epoch is given up, the older ones stay") {
  for (const auto code : {errc::io, errc::no_space}) {
    int failures = 0;
    std::uint64_t n = 2;  // a store's own name that may be lost after a failed sync stays lost
    for (bool more = true; more; ++n) {
      INFO(to_string(code) << " at operation " << n);
      simulated_disk disk{n};
      disk.fail_after(n, code);
      trial store{disk, n};
      store.run();
      more = n < disk.operations();
      failures += store.failures();
      CHECK(store.as_told());
      n % 2 == 0 ? disk.crash() : disk.kill();
      store.recover();
    }
    CHECK(failures > 40);
  }
}

TEST_CASE("a disk that fails now and then, until the power fails, loses nothing committed") {
  for (std::uint64_t seed = 0; seed < 400 / few; ++seed) {
    INFO("seed " << seed);
    constexpr double often = 0.03;
    simulated_disk disk{seed};
    trial store{disk, seed};
    store.recover();
    disk.set_faults({.write_error = often, .no_space = often, .sync_error = often});
    disk.crash_after(seed % 150);
    for (int i = 0; i < 12; ++i) store.commit();
    disk.crash();
    disk.set_faults({});
    store.recover();
  }
}

TEST_CASE("a disk that is full keeps what it has, and takes more when there is room") {
  for (std::uint64_t capacity = 1000; capacity < 16'000; capacity += 500) {
    INFO(capacity << " bytes");
    simulated_disk disk{capacity};
    trial store{disk, capacity};
    store.recover();
    disk.set_faults({.capacity = capacity});
    for (int i = 0; i < 8; ++i) store.commit();
    CHECK((capacity > 8000 || store.failures() > 0));
    CHECK(store.as_told());
    capacity % 1000 == 0 ? disk.crash() : disk.kill();
    disk.set_faults({});
    store.recover();
  }
}

TEST_CASE("flipped bits and failed reads are never taken for content, nor for absence") {
  std::map<std::string, int> at_rest, on_read, unread;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    INFO("seed " << seed);
    simulated_disk disk{seed};
    trial store{disk, seed};
    store.recover();
    for (int i = 0; i < 3; ++i) store.commit();
    store.close();
    disk.set_faults({.flip_on_read = 0.2});
    ++on_read[looked_at(disk, store.expected(), errc::damaged)];
    disk.set_faults({.read_error = 0.2});
    ++unread[looked_at(disk, store.expected(), errc::io)];
    disk.set_faults({});
    CHECK(looked_at(disk, store.expected(), errc::ok) == "newest");
    const auto view = disk.mount();
    const auto names = view->list("s");
    const auto path = "s/" + names[seed % names.size()];
    const auto text = text_of(cairn::detail::read_whole(*view, path).view());
    const auto bit = seed * 7919 % (text.size() * 8);
    disk.flip(path, bit);
    const auto outcome = looked_at(disk, store.expected(), errc::damaged);
    const bool counts =
        contains(path, "manifest") || (contains(path, "segment") && !is_idle(text, bit / 8));
    if (outcome == "newest" && counts) {  // then no snapshot has anything in it
      view->remove(path);
      CHECK(looked_at(disk, store.expected(), errc::ok) == "newest");
    }
    ++at_rest[outcome];
  }
  for (auto& outcomes : {at_rest, on_read}) {
    for (const auto* each : {"newest", "older", "error"}) CHECK(outcomes.count(each) == 1);
  }
  CHECK(at_rest["spared"] > 0);
  CHECK((unread["newest"] > 0 && unread["error"] > 0 && unread["older"] == 0));
}
