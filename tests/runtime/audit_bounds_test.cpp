// What audits may take and tell at most, in a system whose steps the test takes.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "auditing.hpp"
#include "by_hand.hpp"

namespace audit_bounds {

using audited::add;
using audited::bag;
using audited::event_kind;
using audited::pointing;
using fixture::bench;
using played::by_hand;

/// A mebibyte.
struct weighty {
  using protocol = cairn::protocol<add>;
  std::string text = std::string(std::size_t{1} << 20U, 'a');
  void serialize(auto& ar) { ar(text); }
  void on(add what, cairn::context<weighty>& self) {
    audited::notice(self);
    text[0] = static_cast<char>('a' + what.value);
  }
};

using all = cairn::actors<bag, pointing, weighty>;

/// One message to each, then an epoch, and that again.
template <class A>
cairn::task<int> rounds(cairn::root& root, int actors, int epochs) {
  auto top = root.supervise("top");
  std::vector<cairn::ref<A>> them;
  for (int at = 0; at < actors; ++at) them.push_back(top.spawn<A>(std::to_string(at)));
  for (int at = 1; at <= epochs; ++at) {
    for (const auto& each : them) each.template tell<add>(at);
    co_await root.checkpoint();
  }
  co_await root.until_stopped();
  co_return 0;
}

/// Everybody is audited in each epoch. One worker, which audits one actor in each of its steps.
struct stage {
  bench on{};
  by_hand hand{};
  std::vector<int> at_commits{};  ///< turns that audits had run again by then
  std::unique_ptr<cairn::system<all>> running{};

  explicit stage(const cairn::application& app) {
    audited::again = 0;
    auto chosen = on.options();
    chosen.audit = 1;
    chosen.on_event = [this](const cairn::event& what) {
      on.told.add(what);
      if (what.kind == event_kind::committed) at_commits.push_back(audited::again);
    };
    chosen.schedulers = [this](cairn::seats of) {
      return std::make_unique<by_hand::seat>(hand, of);
    };
    running = std::make_unique<cairn::system<all>>(std::move(chosen));
    running->start(app);
  }
  void until_quiet(int actors) {
    for (int steps = 0; steps < 3 * actors + 200; steps += 100) hand.until_quiet();
  }
};

}  // namespace audit_bounds

TEST_CASE("a cut does not wait for audits: an epoch is committed while those of before wait") {
  using namespace audit_bounds;
  stage play{[](cairn::root& root) { return rounds<bag>(root, 60, 2); }};
  play.until_quiet(60);
  INFO(play.on.told.text());
  REQUIRE(play.at_commits.size() == 2);
  CHECK(play.at_commits[1] < 60);   // of the first epoch
  CHECK(audited::again == 2 * 60);  // nobody is forgotten
  CHECK(play.on.told.count(event_kind::nondeterministic) == 0);
}

TEST_CASE("who is named while it waits for one more audit is not named again") {
  using namespace audit_bounds;
  stage play{[](cairn::root& root) { return rounds<pointing>(root, 60, 2); }};
  play.until_quiet(60);
  REQUIRE(play.at_commits.size() == 2);
  CHECK(play.at_commits[1] < 60);
  for (int at = 0; at < 60; ++at) {
    INFO(at);
    CHECK(play.on.told.count(event_kind::nondeterministic, std::to_string(at)) == 1);
  }
}

TEST_CASE("once a worker has named a thousand it names nobody any more, whoever waits") {
  using namespace audit_bounds;
  stage play{[](cairn::root& root) { return rounds<pointing>(root, 1010, 2); }};
  play.until_quiet(1010);
  CHECK(play.at_commits.size() == 2);
  CHECK(play.on.told.count(event_kind::nondeterministic) == 1000);
}

TEST_CASE("who comes when 4 MiB wait for their audit is passed over") {
  using namespace audit_bounds;
  // Of each both states are kept: two of them take 4 MiB.
  stage play{[](cairn::root& root) { return rounds<weighty>(root, 7, 1); }};
  play.until_quiet(7);
  CHECK(play.at_commits.size() == 1);
  CHECK(audited::again == 2);
  CHECK(play.on.told.count(event_kind::nondeterministic) == 0);
}
