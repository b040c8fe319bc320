// A child that has an `on_birth` alone is born where its parent lives, in the order of its
// siblings, before others may have it.
#include <algorithm>
#include <vector>

#include "by_hand.hpp"

namespace born_at_home {

using namespace std::chrono_literals;

constexpr int many = 8;

unsigned stepping = 0;  ///< the worker that has its step now
unsigned home = 0;      ///< the worker with which the parent lived then
std::vector<int> born;
std::vector<unsigned> born_at;
int calls = 0;  ///< of those with a birth

struct call {};
struct beget {};

struct child {
  using protocol = cairn::protocol<call>;
  int number = 0;
  void serialize(auto& ar) { ar(number); }
  void on_birth(cairn::context<child>&) {
    born.push_back(number);
    born_at.push_back(stepping);
  }
  void on(call) { ++calls; }
};
/// The same without a birth.
struct plain {
  using protocol = cairn::protocol<call>;
  int number = 0;
  void serialize(auto& ar) { ar(number); }
  void on(call) {}
};

template <class Child, class At>
std::vector<cairn::ref<Child>> family_of(At& at) {
  std::vector<cairn::ref<Child>> all;
  for (int number = 0; number < many; ++number) {
    all.push_back(at.template spawn<Child>(std::to_string(number), Child{number}));
  }
  return all;
}

std::vector<cairn::ref<child>> children;
std::vector<cairn::ref<plain>> others;

struct parent {
  using protocol = cairn::protocol<beget>;
  bool plainly = false;
  void serialize(auto& ar) { ar(plainly); }
  void on(beget, cairn::context<parent>& self) {
    home = stepping;
    plainly ? void(others = family_of<plain>(self)) : void(children = family_of<child>(self));
  }
};

using all = cairn::actors<child, plain, parent>;

/// Who has eight children, and of which kind.
struct family {
  bool of_supervisor = false;
  bool plainly = false;
};

cairn::task<int> live(cairn::root& root, family which) {
  auto top = root.supervise("top");
  if (which.of_supervisor) {
    which.plainly ? void(others = family_of<plain>(top)) : void(children = family_of<child>(top));
  } else {
    top.spawn<parent>("parent", parent{which.plainly}).tell<beget>();
  }
  co_await root.sleep(1000h);
  co_return 0;
}

/// Two workers, each of which asks for actors whenever it has none. One activation in a step, so
/// that the other has always some to give away.
struct play {
  explicit play(family which) {
    born.clear();
    born_at.clear();
    home = 0;  // of supervisors
    calls = 0;
    on.workers = 2;
    auto chosen = on.options();
    chosen.schedulers = [this](cairn::seats of) {
      return std::make_unique<played::by_hand::seat>(hand, of);
    };
    running = std::make_unique<cairn::system<all>>(std::move(chosen));
    running->inner().slice = 1;
    running->inner().always_shares = true;
    running->start([which](cairn::root& root) { return live(root, which); });
    pass();
  }
  void pass() {
    for (int at = 0; at < 200; ++at) {
      for (const unsigned each : {1U, 0U}) {
        stepping = each;
        hand.step(each);
      }
    }
  }
  /// How many of these live with the other worker.
  template <class A>
  [[nodiscard]] int away(const std::vector<cairn::ref<A>>& these) const {
    const cairn::detail::worker* other = running->inner().workers[1 - home].get();
    int found = 0;
    for (const auto& each : these) {
      // Relaxed: one thread steps all.
      found += each.where().where->home.load(std::memory_order_relaxed) == other ? 1 : 0;
    }
    return found;
  }

  fixture::bench on{};
  played::by_hand hand{};
  std::unique_ptr<cairn::system<all>> running{};
};

TEST_CASE("a child that has only a birth is not given away before it, and may be after it") {
  const bool of_supervisor = GENERATE(false, true);
  INFO(of_supervisor);
  {
    const play others_go{{of_supervisor, true}};
    REQUIRE(others_go.away(others) > 0);  // else nobody is given away here at all
  }
  play all_stay{{of_supervisor, false}};
  CHECK(born_at == std::vector<unsigned>(many, home));
  CHECK(std::is_sorted(born.begin(), born.end()));  // none has lost its place either
  for (const auto& each : children) each.tell<call>();
  all_stay.pass();
  CHECK(calls == many);
  CHECK(all_stay.away(children) > 0);
}

}  // namespace born_at_home
