// Records that are carried along so that their segments can go: none is passed over, none is lost,
// none that is dead comes back, and the space does come back.
#include <cairn/detail/store_reclaim.hpp>

#include <algorithm>
#include <cairn/file_store.hpp>
#include <optional>
#include <random>
#include <set>

#include "../catch.hpp"
#include "../store_fixture.hpp"
#include "fickle_disk.hpp"

using namespace store_fixture;  // NOLINT(*using-namespace*)

namespace {

constexpr std::uint64_t segment_bytes = 4096;

using key = std::pair<std::uint64_t, std::uint64_t>;  // the actor; 0 is its state, else mail
using content = std::map<key, std::string>;

/// A store, and what its newest snapshot must hold.
class followed_store {
 public:
  explicit followed_store(std::size_t retain) : retain_{retain} { reopen(); }

  [[nodiscard]] std::uint64_t next() const { return last_ + 1; }
  [[nodiscard]] const content& expected() const { return expected_; }

  /// Ends the store as a crash does, and opens the next.
  void reopen() {
    store_.reset();
    store_.emplace("s", cairn::file_store_options{segment_bytes}, disk_);
    const auto found = store_->open({
        .retain = retain_,
        .warn = [](const std::string& text) { FAIL_CHECK(text); },
    });
    if (committed_ != 0) REQUIRE(found.latest == epoch{committed_});
    check();
  }

  void commit(const std::vector<entry>& entries) {
    commit_unseen(entries);
    check();
  }
  /// Given up before anything was carried, or after.
  void give_up(std::vector<entry> entries, bool after_carrying) {
    entries.push_back(pulse("never seen"));
    begin(entries);
    if (after_carrying) {
      disk_->fail_segment_sync = true;
      REQUIRE(error_of([&] { store_->commit(); }).first == cairn::errc::io);
    }
    store_->abort();
    check();
  }
  void crash_within(const std::vector<entry>& entries) {
    begin(entries);
    reopen();
  }

  void keep(const std::string& name) {
    store_->keep(epoch{committed_}, name);
    kept_[name] = {committed_, expected_};
  }
  void remove(const std::string& name) {
    const auto& [number, held] = kept_.at(name);
    REQUIRE(content_of(number) == held);
    store_->remove(name);
    kept_.erase(name);
    check();
  }
  [[nodiscard]] const std::map<std::string, std::pair<std::uint64_t, content>>& kept() const {
    return kept_;
  }

  /// Small epochs, as many as the bounds of one epoch's carrying allow for what lies on the disk;
  /// then what is dead has gone.
  void settle() {
    const auto before = store_->stats();
    const std::string text(300, 'p');
    const auto budget = 2 * framed({pulse(text)}).size() + segment_bytes / 64;
    const auto epochs =
        2 * (before.disk_bytes / (4 * budget) + before.live_bytes / budget) + retain_ + 4;
    for (std::uint64_t i = 0; i < epochs; ++i) commit_unseen({pulse(text)});
    check();
    const auto sizes = store_->stats();
    INFO(sizes.disk_bytes << " bytes, of them " << sizes.live_bytes << " live, in "
                          << sizes.segments << " segments after " << epochs << " epochs");
    REQUIRE(sizes.live_bytes <= known_bytes() + (retain_ + 1) * budget);
    REQUIRE(sizes.disk_bytes <= 2 * sizes.live_bytes + 2 * segment_bytes);
    REQUIRE(sizes.segments <= 8 + 4 * sizes.live_bytes / segment_bytes + retain_ + 1);
    // A file beyond these is the one that is being written, without an epoch that counts.
    const auto names = disk_->list("s");
    const auto files = std::count_if(names.begin(), names.end(),
                                     [](const auto& name) { return contains(name, "segment-"); });
    REQUIRE(static_cast<std::size_t>(files) <= sizes.segments + 1);
  }

  /// Epochs in which next to nothing changes.
  void tick(int epochs) {
    for (int i = 0; i < epochs; ++i) commit_unseen({pulse("tick")});
    check();
  }

 private:
  [[nodiscard]] entry pulse(const std::string& text) const { return state(next(), 1, text); }

  /// What the newest snapshot and the savepoints take at most, and tombstones.
  [[nodiscard]] std::uint64_t known_bytes() const {
    std::uint64_t sum = stopped_ * cairn::detail::record_overhead;
    const auto add = [&](const content& all) {
      for (const auto& [at, text] : all) sum += cairn::detail::record_overhead + text.size();
    };
    add(expected_);
    for (const auto& [name, held] : kept_) add(held.second);
    return sum;
  }

  /// Several appends, so that an epoch may take several segments.
  void begin(const std::vector<entry>& entries) {
    store_->begin(epoch{++last_});
    for (const auto& e : entries) store_->append(framed({e}).view());
  }

  void commit_unseen(const std::vector<entry>& entries) {
    begin(entries);
    store_->commit();
    committed_ = last_;
    for (const auto& e : entries) take(e);
  }

  void take(const entry& e) {
    const auto actor = raw(e.header.actor);
    switch (e.header.kind) {
      case record_kind::actor:
        std::erase_if(expected_, [&](const auto& held) {
          return held.first.first == actor && held.first.second <= e.header.floor;
        });
        expected_[{actor, 0}] = e.payload;
        break;
      case record_kind::mail:
        expected_[{actor, e.header.place}] = e.payload;
        break;
      default:
        ++stopped_;
        std::erase_if(expected_, [&](const auto& held) { return held.first.first == actor; });
    }
  }

  content content_of(std::uint64_t number) {
    content found;
    bool twice = false;
    store_->read(epoch{number}, [&](const cairn::record_view& record) {
      const auto& h = record.header;
      const key at{raw(h.actor), h.kind == record_kind::mail ? h.place : 0};
      twice |= !found.emplace(at, text_of(record.payload)).second;
    });
    REQUIRE(!twice);
    return found;
  }
  void check() {
    if (committed_ != 0) REQUIRE(content_of(committed_) == expected_);
  }

  std::shared_ptr<fickle_disk> disk_ = std::make_shared<fickle_disk>();
  std::size_t retain_;
  std::optional<cairn::file_store> store_{};
  std::uint64_t last_ = 0;
  std::uint64_t committed_ = 0;
  content expected_{};
  std::map<std::string, std::pair<std::uint64_t, content>> kept_{};
  std::uint64_t stopped_ = 0;
};

enum class cause : std::uint8_t { overwritten, stopped, savepoint_removed };

constexpr std::uint64_t in_segment = 8;

/// The actors whose records lie in the segment of this number, from 1.
std::uint64_t actor_in(std::uint64_t segment, std::uint64_t at) { return segment * 100 + at; }

/// Four segments of which little lives: the first, the middle and the last record of each.
void half_dead(followed_store& s) {
  const std::string large(segment_bytes / in_segment, 'L');
  for (std::uint64_t segment = 1; segment <= 4; ++segment) {
    std::vector<entry> entries;
    for (std::uint64_t at = 0; at < in_segment; ++at) {
      entries.push_back(state(s.next(), actor_in(segment, at), large));
    }
    s.commit(entries);
  }
  std::vector<entry> entries;
  for (std::uint64_t segment = 1; segment <= 4; ++segment) {
    for (const std::uint64_t at : {1U, 2U, 4U, 5U, 6U}) {
      entries.push_back(state(s.next(), actor_in(segment, at), "small"));
    }
  }
  s.commit(entries);
}

std::vector<entry> end_of(std::uint64_t segment, std::uint64_t n, bool stopped) {
  std::vector<entry> entries;
  for (const std::uint64_t at : {0U, 3U, 7U}) {
    const auto actor = actor_in(segment, at);
    entries.push_back(stopped ? make(record_kind::gone, n, actor, 0, "")
                              : state(n, actor, "small"));
  }
  return entries;
}

/// Carries on for some epochs, then lets all of a segment die.
void drop_while_carrying(cause why, std::uint64_t segment, std::size_t retain, int delay) {
  INFO("cause " << static_cast<int>(why) << ", segment " << segment << ", retain " << retain
                << ", after " << delay << " epochs");
  followed_store s{retain};
  half_dead(s);
  if (why == cause::savepoint_removed) {
    s.keep("held");
    s.commit(end_of(segment, s.next(), false));
  }
  s.tick(delay);
  if (why == cause::savepoint_removed) {
    s.remove("held");
  } else {
    s.commit(end_of(segment, s.next(), why == cause::stopped));
  }
  for (int i = 0; i < 3; ++i) s.tick(1);
  s.settle();
  s.reopen();
}

/// What may become of a store, by chance.
class chance {
 public:
  explicit chance(unsigned seed) : random_{seed} {}

  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  std::vector<entry> records(std::uint64_t n) {
    std::vector<entry> entries;
    for (auto count = below(12); count > 0; --count) {
      const auto actor = first_ + below(24);
      if (!touched_.insert(actor).second) continue;
      const auto what = below(10);
      if (what == 0 && born_.contains(actor)) {
        entries.push_back(make(record_kind::gone, n, actor, 0, ""));
        dead_.insert(actor);
        continue;
      }
      if (what < 6 || !born_.contains(actor)) {
        floors_[actor] += below(3);
        entries.push_back(make(record_kind::actor, n, actor, floors_[actor], text()));
      }
      if (what > 3) {
        const auto place = floors_[actor] + 1 + below(4);
        entries.push_back(make(record_kind::mail, n, actor, place, text()));
      }
    }
    return entries;
  }
  /// What `records` gave has come to be, or has not: who was stopped is never named again.
  void settle(const std::vector<entry>& entries, bool committed) {
    touched_.clear();
    if (!committed) dead_.clear();
    for (const auto& e : entries) {
      if (committed) born_.insert(raw(e.header.actor));
    }
    if (!dead_.empty()) first_ = std::max(first_, *dead_.rbegin() + 1);
    dead_.clear();
  }

 private:
  std::string text() { return std::string(below(900), static_cast<char>('a' + below(26))); }

  std::mt19937 random_;
  std::uint64_t first_ = 10;
  std::set<std::uint64_t> touched_{};
  std::set<std::uint64_t> born_{};
  std::set<std::uint64_t> dead_{};
  std::map<std::uint64_t, std::uint64_t> floors_{};
};

void one_step(followed_store& s, chance& random) {
  const auto kind = random.below(20);
  if (kind == 0 && s.kept().size() < 3 && s.next() > 1) {
    const std::string name = "at " + std::to_string(s.next());
    if (!s.kept().contains(name)) s.keep(name);
    return;
  }
  if (kind == 1 && !s.kept().empty()) {
    auto chosen = s.kept().begin();
    std::advance(chosen, static_cast<std::ptrdiff_t>(random.below(s.kept().size())));
    s.remove(std::string{chosen->first});
    return;
  }
  if (kind == 2) return s.reopen();
  const auto entries = random.records(s.next());
  if (kind == 3 || kind == 4) {
    s.give_up(entries, kind == 3);
  } else if (kind == 5) {
    s.crash_within(entries);
  } else {
    s.commit(entries);
  }
  random.settle(entries, kind > 5);
}

}  // namespace

TEST_CASE("segments that die while they are carried from are dropped, and nothing with them") {
  for (const auto why : {cause::overwritten, cause::stopped, cause::savepoint_removed}) {
    for (const std::size_t retain : {1U, 3U}) {
      for (const std::uint64_t segment : {1U, 2U, 4U}) {
        for (int delay = 0; delay < 12; ++delay) drop_while_carrying(why, segment, retain, delay);
      }
    }
  }
}

TEST_CASE("what was carried in an epoch that is given up is where it was, and carried again") {
  for (const std::size_t retain : {1U, 3U}) {
    for (int delay = 0; delay < 12; ++delay) {
      INFO("retain " << retain << ", after " << delay << " epochs");
      followed_store s{retain};
      half_dead(s);
      s.tick(delay);
      for (int i = 0; i < 2; ++i) s.give_up({}, true);  // the second one's files are removed
      for (int i = 0; i < 3; ++i) s.tick(1);
      s.settle();
      s.reopen();
    }
  }
}

TEST_CASE("random epochs, aborts, savepoints and restarts leave the snapshot whole and small") {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    chance random{seed};
    followed_store s{1 + seed % 3};
    s.commit({state(1, 1, "")});
    for (int step = 1; step <= 120; ++step) {
      INFO("seed " << seed << ", step " << step);
      one_step(s, random);
      if (step % 40 == 0) s.settle();
    }
    s.reopen();
  }
}
