// A handler of an actor whose state is copied as bytes is given a copy of a message that owns
// memory: nothing is logged of it, and where it fails it is given the same once more.
#include <string>
#include <utility>
#include <vector>

#include "fixture.hpp"

namespace kept_messages {

using cairn::errc;
using cairn::event_kind;

fixture::faults planned;
std::atomic<int> copies_left{-1};  // before one throws; negative: none does

struct parcel {
  int number = 0;
  std::string text{};

  parcel() = default;
  parcel(int given, std::string what) : number{given}, text{std::move(what)} {}
  parcel(const parcel& other) : number{other.number}, text{other.text} {
    if (copies_left >= 0 && copies_left-- == 0) throw std::runtime_error{"no copy"};
  }
  parcel(parcel&&) noexcept = default;
  parcel& operator=(parcel&&) noexcept = default;
  void serialize(auto& ar) { ar(number, text); }
};
struct weigh {
  std::string text{};
  void serialize(auto& ar) { ar(text); }
};
struct sum {};

struct clerk {
  using protocol = cairn::protocol<parcel, weigh, sum>;
  std::uint64_t letters = 0;
  std::uint64_t parcels = 0;
  void serialize(auto& ar) { ar(letters, parcels); }

  void on(parcel what) {
    const std::string mine = std::move(what.text);
    letters += mine.size();
    ++parcels;
    planned.check(what.number);
  }
  std::uint64_t on(weigh what) {
    const std::string mine = std::move(what.text);
    planned.check(-1);
    return mine.size();
  }
  std::uint64_t on(sum) { return 1'000'000 * parcels + letters; }
};
static_assert(cairn::detail::keeps_message<clerk, parcel>);
static_assert(cairn::detail::is_direct<clerk, parcel>);
static_assert(!cairn::detail::keeps_message<clerk, sum>);

/// The same, but that its state owns memory: a log holds a copy of each message.
struct librarian {
  using protocol = cairn::protocol<parcel, sum>;
  std::vector<std::string> all{};
  void serialize(auto& ar) { ar(all); }

  void on(parcel what) {
    all.push_back(std::move(what.text));
    planned.check(what.number);
  }
  std::uint64_t on(sum) {
    std::uint64_t letters = 0;
    for (const auto& each : all) letters += each.size();
    return 1'000'000 * all.size() + letters;
  }
};
static_assert(!cairn::detail::keeps_message<librarian, parcel>);
static_assert(cairn::detail::is_direct<librarian, parcel>);

using all = cairn::actors<clerk, librarian>;
constexpr int parcels = 200;
constexpr std::uint64_t letters = 30;  // of each: too many for a string without memory of its own

[[nodiscard]] std::string text() { return std::string(letters, 'x'); }

/// Sends all parcels; then what the actor has in all.
template <class A>
cairn::task<int> deliver(cairn::root& root, std::uint64_t* to) {
  auto top = root.supervise("top");
  auto it = top.spawn<A>("it");
  for (int at = 0; at < parcels; ++at) {
    it.template tell<parcel>(at, text());
    if (at % 50 == 20) co_await root.checkpoint();
  }
  *to = co_await it.template ask<sum>();
  co_return 0;
}

template <class A>
[[nodiscard]] std::uint64_t delivered(fixture::bench& on) {
  std::uint64_t found = 0;
  fixture::crash<all>(on, [&](cairn::root& root) { return deliver<A>(root, &found); });
  planned.clear();
  copies_left = -1;
  return found;
}

[[nodiscard]] constexpr std::uint64_t sum_of(std::uint64_t count) {
  return count * (1'000'000 + letters);
}

TEMPLATE_TEST_CASE("a handler that fails after it has moved its message is given the same again",
                   "", clerk, librarian) {
  fixture::bench on;
  planned.clear();
  planned.plan(0, 1);
  planned.plan(77, 1);
  planned.plan(parcels - 1, 1);
  CHECK(delivered<TestType>(on) == sum_of(parcels));
  CHECK(on.told.count(event_kind::failed, "it") == 3);
  CHECK(on.told.count(event_kind::given_up) == 0);
}

TEMPLATE_TEST_CASE("a message that always fails is given up alone", "", clerk, librarian) {
  fixture::bench on;
  planned.clear();
  planned.plan(77, 1000);
  CHECK(delivered<TestType>(on) == sum_of(parcels - 1));
  CHECK(on.told.count(event_kind::given_up, "it") == 1);
}

TEST_CASE("a message that could not be copied for its handler is given it the second time") {
  fixture::bench on;
  planned.clear();
  copies_left = 100;
  const std::uint64_t found = delivered<clerk>(on);
  INFO(on.told.text());
  CHECK(found == sum_of(parcels));
  CHECK(on.told.count(event_kind::failed, "it") == 1);
}

TEST_CASE("a question that owns memory is asked once more where its handler fails") {
  fixture::bench on;
  planned.clear();
  planned.plan(-1, 1);
  std::uint64_t found = 0;
  fixture::crash<all>(on, [&](cairn::root& root) {
    return [](cairn::root& task_root, std::uint64_t* to) -> cairn::task<int> {
      auto top = task_root.supervise("top");
      auto it = top.spawn<clerk>("it");
      it.tell<parcel>(1, text());
      *to = co_await it.ask<weigh>(text());
      co_return 0;
    }(root, &found);
  });
  CHECK(found == letters);
  CHECK(on.told.count(event_kind::failed, "it") == 1);
  planned.clear();
}

}  // namespace kept_messages
