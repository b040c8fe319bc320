#include <cairn/detail/mailbox.hpp>

#include <array>
#include <thread>
#include <vector>

#include "../catch.hpp"

namespace {

struct node {
  node* next = nullptr;
  int by = 0;
  int number = 0;
};
using nodes = cairn::detail::inbox<node, &node::next>;

}  // namespace

TEST_CASE("an inbox keeps each pusher's order and loses nothing") {
  constexpr int pushers = 3;
  constexpr int each = 2000;
  std::vector<node> all(pushers * each);
  nodes inbox;
  std::vector<std::thread> threads;
  for (int by = 0; by < pushers; ++by) {
    threads.emplace_back([&, by] {
      for (int at = 0; at < each; ++at) {
        node& one = all[static_cast<std::size_t>(by * each + at)];
        one.by = by;
        one.number = at;
        inbox.push(&one);
      }
    });
  }
  std::array<int, pushers> expected{};
  for (int taken = 0; taken < pushers * each;) {
    for (node* one = inbox.take_all(); one != nullptr; one = one->next, ++taken) {
      REQUIRE(one->number == expected[static_cast<std::size_t>(one->by)]++);
    }
  }
  for (auto& thread : threads) thread.join();
  CHECK(inbox.empty());
}

TEST_CASE("a list of envelopes owns them and can be opened at both ends") {
  using namespace cairn::detail;
  auto owner = std::make_shared<int>(5);
  envelope_list list;
  for (int at = 0; at < 3; ++at) list.push_back(make_envelope(std::shared_ptr<int>{owner}));
  CHECK(owner.use_count() == 4);
  auto first = list.pop_front();
  CHECK(list.size() == 2);
  first->ticket = 9;
  list.push_front(std::move(first));
  CHECK(list.front()->ticket == 9);
  CHECK(list.size() == 3);
  list.clear();
  CHECK(list.empty());
  CHECK(list.back() == nullptr);
  CHECK(owner.use_count() == 1);
}
