// Two full mailboxes, whose overflow leads from one to the other and back, while more arrives. What
// other workers would push is pushed by the test.
#include <memory>
#include <utility>
#include <vector>

#include "by_hand.hpp"

namespace arriving {

using namespace std::chrono_literals;
using cairn::event_kind;

struct rest {};
struct mark {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};

/// Both wait until the clock says so; meanwhile their mailboxes are full.
struct latest {
  using protocol = cairn::protocol<rest, mark>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 3,
                                                  .when_full = cairn::overflow::drop_oldest};
  std::vector<int> seen{};
  void serialize(auto& ar) { ar(seen); }
  cairn::task<> on(rest, cairn::context<latest>& self) { co_await self.sleep(1h); }
  void on(mark what) { seen.push_back(what.value); }
};
struct first {
  using protocol = cairn::protocol<rest, mark>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 1};
  int handled = 0;
  void serialize(auto& ar) { ar(handled); }
  cairn::task<> on(rest, cairn::context<first>& self) { co_await self.sleep(1h); }
  void on(mark) { ++handled; }
};
using all = cairn::actors<latest, first>;

/// As another worker's turn sends it. `asker`: who waits for an answer, if anybody.
void push(const cairn::detail::address& to, int value, const cairn::detail::address& asker = {}) {
  auto made = cairn::detail::make_envelope(mark{value});
  made->index = 1;
  made->to = to.where;
  made->target = to.id;
  made->sent = to.where->at;
  if (asker.where != nullptr) made->answer = {asker.where, asker.id, 77, false};
  to.where->box.incoming.push(made.release());
}

cairn::task<int> app(cairn::root& root, cairn::ref<latest>* a, cairn::ref<first>* b) {
  const auto top = root.supervise("top");
  *a = top.spawn<latest>("a");
  *b = top.spawn<first>("b");
  a->tell<rest>();
  b->tell<rest>();
  co_await root.until_stopped();
  co_return 0;
}

}  // namespace arriving

TEST_CASE("what arrives while a mailbox overflows comes after what had arrived before") {
  using namespace arriving;
  fixture::bench on;
  played::by_hand hand;
  cairn::ref<latest> a;
  cairn::ref<first> b;
  bool more = false;
  auto chosen = on.options();
  chosen.schedulers = [&](cairn::seats of) {
    return std::make_unique<played::by_hand::seat>(hand, of);
  };
  chosen.on_event = [&](const cairn::event& what) {
    if (what.kind != event_kind::dead_letter || what.name != "b" || std::exchange(more, true)) {
      return;
    }
    push(a.where(), 3);
  };
  cairn::system<all> running{std::move(chosen)};
  running.start([&](cairn::root& root) { return app(root, &a, &b); });
  hand.until_quiet();
  push(a.where(), -3, b.where());
  push(a.where(), -2);
  push(a.where(), -1);
  push(b.where(), 0);
  const auto take = [&](cairn::detail::cell& one) {
    one.queued = true;
    running.inner().workers.front()->wakes.push(&one);
    hand.until_quiet();
  };
  take(*a.where().where);
  take(*b.where().where);
  CHECK(on.told.count(event_kind::dead_letter) == 0);

  // 1 displaces an ask of b's, whose refusal has b look at what has arrived: an ask of a's, whose
  // refusal comes back to a.
  push(a.where(), 1);
  push(a.where(), 2);
  push(b.where(), 4);
  push(b.where(), 5, a.where());
  take(*a.where().where);
  CHECK(more);
  on.clock.advance(1h);
  hand.until_quiet();
  CHECK(cairn::detail::held<latest>(*a.where().where).state.seen == std::vector{1, 2, 3});
}
