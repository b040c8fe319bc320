// A turn's own effects may bring messages of the next epoch, and have its actor cut while they
// leave. What comes next of the same type is no part of the row any more: the actor has a base.
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

#include "by_hand.hpp"

namespace row_cuts {

using namespace std::chrono_literals;
using cairn::event_kind;

/// Within the first message.
inline std::function<void()> meanwhile;
inline bool fails = false;

struct mark {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
/// Its state may be copied as bytes. Holds three.
struct adder {
  using protocol = cairn::protocol<mark>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 3};
  std::int64_t sum = 0;
  void serialize(auto& ar) { ar(sum); }
  void on(mark what, cairn::context<adder>& self) {
    if (what.value == 2 && std::exchange(fails, false)) throw std::runtime_error{"as planned"};
    sum += what.value;
    if (what.value != 10) return;
    meanwhile();
    self.ref().tell<mark>(1000);
  }
};
struct burst {
  int from = 0;
  int to = 0;
  void serialize(auto& ar) { ar(from, to); }
};
struct teller {
  using protocol = cairn::protocol<burst>;
  cairn::ref<adder> to{};
  void serialize(auto& ar) { ar(to); }
  void on(burst some) {
    for (int value = some.from; value < some.to; ++value) to.tell<mark>(value);
  }
};
using all = cairn::actors<adder, teller>;

}  // namespace row_cuts

TEST_CASE("who is cut while its effects leave handles the next message from its own base") {
  using namespace row_cuts;
  fixture::bench on;
  on.workers = 2;
  played::by_hand hand;
  cairn::ref<adder> to;
  cairn::ref<teller> from;
  auto chosen = on.options();
  chosen.schedulers = [&](cairn::seats of) {
    return std::make_unique<played::by_hand::seat>(hand, of);
  };
  cairn::system<all> running{std::move(chosen)};
  running.start([&](cairn::root& root) -> cairn::task<int> {
    return [](cairn::root& top, cairn::ref<adder>* a, cairn::ref<teller>* b) -> cairn::task<int> {
      const auto door = top.supervise("top");
      *a = door.spawn<adder>("to");
      *b = door.spawn<teller>("from", *a);
      co_await top.sleep(10h);
      co_return 0;
    }(root, &to, &from);
  });
  hand.until_quiet();
  auto& inner = running.inner();
  auto& one = *to.where().where;
  REQUIRE(cairn::detail::give_away(inner, *inner.workers[0], one, *inner.workers[1]));
  hand.until_quiet();
  one.pinned = true;
  for (int times = 0; times < 3; ++times) {  // its worker has room for a copy of it then
    from.tell<burst>(0, 1);
    hand.until_quiet();
  }

  // What is sent in the next epoch comes while the first one is handled in the one before.
  fails = true;
  bool met = false;
  meanwhile = [&] {
    // As another thread.
    const cairn::detail::scoped_current<cairn::detail::turn> none{cairn::detail::current_turn,
                                                                  nullptr};
    const auto before = inner.workers[1]->seen;
    inner.want_epoch();
    hand.step(0, 3);
    from.tell<burst>(1, 6);
    hand.step(0, 3);
    met = inner.workers[0]->seen > before && inner.workers[1]->seen == before;
  };
  from.tell<burst>(10, 11);
  hand.step(0, 3);
  hand.step(1);
  hand.until_quiet();
  CHECK(met);
  CHECK(!fails);
  CHECK(on.told.count(event_kind::dead_letter, "to") == 2);
  CHECK(on.told.count(event_kind::restarted, "to") == 1);
  CHECK(on.told.count(event_kind::committed) > 0);
  CHECK(cairn::detail::held<adder>(one).state.sum == 10 + 1 + 2 + 3 + 1000);
}
