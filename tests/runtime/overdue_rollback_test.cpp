// Reminders that are overdue where the system goes back: by the wall clock, and as they were
// declared.
#include <algorithm>
#include <string>
#include <vector>

#include <cairn/reminder.hpp>

#include "fixture.hpp"

namespace overdue_rollback {

using cairn::overdue;
using fixture::bench;
using namespace std::chrono_literals;

using lines = std::vector<std::string>;

struct beat {
  std::string what{};
  void serialize(auto& ar) { ar(what); }
};
struct begin {};
struct show {};

struct heart {
  using protocol = cairn::protocol<beat, begin, show>;
  lines came{};
  void serialize(auto& ar) { ar(came); }
  void on(begin, cairn::context<heart>& self) {
    const auto now = self.now();
    self.send_at<beat>({.when = now + 1h}, "at");
    self.send_at<beat>({.when = now + 1h, .missed = overdue::skip}, "skipped at");
    self.send_at<beat>({.when = now + 3h, .missed = overdue::skip}, "later at");
    self.send_after<beat>(1h, "after");
    self.send_after<beat>({.delay = 1h, .missed = overdue::skip}, "skipped after");
    self.send_every<beat>({.period = 1h}, "every");
    self.send_every<beat>({.period = 1h, .missed = overdue::skip}, "skipping every");
  }
  void on(beat what) { came.push_back(what.what); }
  lines on(show) const { return came; }
};

using all = cairn::actors<heart>;

cairn::task<> settle(cairn::root& root) {
  for (int at = 0; at < 20; ++at) co_await root.sleep(0ns);
}
cairn::task<lines> after(cairn::root& root, cairn::ref<heart> one) {
  co_await settle(root);
  lines found = co_await one.ask<show>();
  std::sort(found.begin(), found.end());
  co_return found;
}

/// Two and a half hours pass until the system goes back to where all were set.
cairn::task<int> live(cairn::root& root, const bench* on, bool late_in_life, int* runs) {
  auto one = root.supervise("top").spawn<heart>("one");
  if (++*runs == 1) {
    one.tell<begin>();
    co_await settle(root);
    co_await root.checkpoint();
    on->clock.advance(150min);
    if (late_in_life) {  // what is too late in life comes
      const auto found = co_await after(root, one);
      CHECK(found ==
            lines{"after", "at", "every", "skipped after", "skipped at", "skipping every"});
    }
    co_await root.rollback();
  }
  const auto back = co_await after(root, one);
  CHECK(back == lines{"at", "every"});
  on->clock.advance(30min);  // three hours since the beginning
  const auto on_the_hour = co_await after(root, one);
  CHECK(on_the_hour == lines{"at", "every", "every", "later at", "skipping every"});
  on->clock.advance(30min);  // an hour since it went back: of a delay, what was left counts
  const auto at_last = co_await after(root, one);
  CHECK(at_last == lines{"after", "at", "every", "every", "later at", "skipping every"});
  co_return 0;
}

TEST_CASE("a reminder declared skip that is overdue at a rollback does not come any more") {
  const bool late_in_life = GENERATE(false, true);
  INFO(late_in_life);
  bench on;
  int runs = 0;
  fixture::crash<all>(on, [&](cairn::root& root) { return live(root, &on, late_in_life, &runs); });
  CHECK(runs == 2);
  CHECK(on.told.count(cairn::event_kind::rolled_back) == 1);
}

}  // namespace overdue_rollback
