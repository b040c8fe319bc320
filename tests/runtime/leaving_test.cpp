// What becomes of the cell of an actor that has stopped.
#include "by_hand.hpp"

namespace leaving {

using cairn::event_kind;

struct end {};
struct born {};

struct guest {
  using protocol = cairn::protocol<end>;
  void serialize(auto&) {}
  void on(end, cairn::context<guest>& self) { self.stop(); }
};
/// Spawns a guest at each word.
struct host {
  using protocol = cairn::protocol<born>;
  void serialize(auto&) {}
  void on(born, cairn::context<host>& self) { self.spawn<guest>("").tell<end>(); }
};
using all = cairn::actors<host, guest>;

cairn::task<int> app(cairn::root& root, cairn::ref<host>* door) {
  *door = root.supervise("top").spawn<host>("host");
  co_await root.until_stopped();
  co_return 0;
}

}  // namespace leaving

TEST_CASE("who stops by itself leaves its cell in the same activation, and is ready no more") {
  using namespace leaving;
  fixture::bench on;
  played::by_hand hand;
  cairn::ref<host> door;
  auto chosen = on.options();
  chosen.schedulers = [&](cairn::seats of) {
    return std::make_unique<played::by_hand::seat>(hand, of);
  };
  cairn::system<all> running{std::move(chosen)};
  running.start([&](cairn::root& root) { return app(root, &door); });
  hand.until_quiet();
  running.inner().slice = 1;
  const auto& first = *running.inner().workers.front();
  REQUIRE(first.ready.empty());
  door.tell<born>();
  hand.step(0);  // the guest is born
  REQUIRE(on.told.count(event_kind::started) == 3);
  REQUIRE(on.told.count(event_kind::stopped) == 0);
  hand.step(0);  // it stops
  REQUIRE(on.told.count(event_kind::stopped) == 1);
  REQUIRE(first.vacant.size() == 1);
  CHECK(!first.vacant.front()->ready);
  CHECK(first.ready.empty());  // its parent has forgotten it already
}
