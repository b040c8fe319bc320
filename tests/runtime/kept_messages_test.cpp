// What becomes of a message that owns memory, whose handler may be given it once more. An actor
// whose state is copied as bytes is given a copy, and nothing is logged; else a log holds one. A
// handler that takes a const reference reads the message itself, and nothing is copied.
#include <string>
#include <utility>
#include <vector>

#include "fixture.hpp"

namespace kept_messages {

using cairn::errc;
using cairn::event_kind;

fixture::faults planned;
std::atomic<int> copies_left{-1};  // before one throws; negative: none does
std::atomic<int> copies{0};

struct parcel {
  int number = 0;
  std::string text{};

  parcel() = default;
  parcel(int given, std::string what) : number{given}, text{std::move(what)} {}
  parcel(const parcel& other) : number{other.number}, text{other.text} {
    ++copies;
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

constexpr int parcels = 200;
constexpr std::uint64_t letters = 30;  // of each: too many for a string without memory of its own

[[nodiscard]] std::string text() { return std::string(letters, 'x'); }

/// Reads its messages. Its state is copied as bytes.
struct reader {
  using protocol = cairn::protocol<parcel, weigh, sum>;
  std::uint64_t read = 0;
  std::uint64_t parcels = 0;
  void serialize(auto& ar) { ar(read, parcels); }

  void on(const parcel& what) {
    planned.check(what.number);
    read += what.text.size();
    ++parcels;
  }
  std::uint64_t on(const weigh& what) const {
    planned.check(-1);
    return what.text.size();
  }
  std::uint64_t on(sum) { return 1'000'000 * parcels + read; }
};
static_assert(cairn::detail::is_direct<reader, parcel>);

/// The same from a log, which grows while it reads.
struct scholar {
  using protocol = cairn::protocol<parcel, weigh, sum>;
  std::vector<std::uint64_t> all{};
  void serialize(auto& ar) { ar(all); }

  void on(const parcel& what, cairn::context<scholar>& self) {
    all.push_back(what.text.size());
    for (int at = 0; at < 200; ++at) all.back() += self.random() % 1;
    planned.check(what.number);
    if (what.text != text()) all.back() = 0;
  }
  std::uint64_t on(const weigh& what) const {
    planned.check(-1);
    return what.text.size();
  }
  std::uint64_t on(sum) {
    std::uint64_t read = 0;
    for (const auto each : all) read += each;
    return 1'000'000 * all.size() + read;
  }
};
static_assert(cairn::detail::is_direct<scholar, parcel>);
static_assert(cairn::detail::reads_logged<scholar, parcel>);
static_assert(!cairn::detail::reads_logged<librarian, parcel>);

/// The same with no state to keep.
struct visitor {
  using protocol = cairn::protocol<parcel, sum>;
  using persistence = cairn::ephemeral;
  std::uint64_t read = 0;
  std::uint64_t parcels = 0;

  void on(const parcel& what) {
    read += what.text.size();
    ++parcels;
  }
  std::uint64_t on(sum) const { return 1'000'000 * parcels + read; }
};

/// Messages that no log takes as they are.
struct only_moved {
  std::string text{};
  only_moved() = default;
  explicit only_moved(std::string what) : text{std::move(what)} {}
  only_moved(only_moved&&) noexcept = default;
  void serialize(auto& ar) { ar(text); }
};
struct alignas(32) aligned {
  std::string text{};
  void serialize(auto& ar) { ar(text); }
};
struct roughly_moved {
  std::string text{};
  roughly_moved() = default;
  explicit roughly_moved(std::string what) : text{std::move(what)} {}
  roughly_moved(const roughly_moved&) = default;
  roughly_moved(roughly_moved&& other) noexcept(false) : text{other.text} {}
  void serialize(auto& ar) { ar(text); }
};

/// Reads each of them; it fails at the first of each.
template <class Kept>
struct curious {
  using protocol = cairn::protocol<only_moved, aligned, roughly_moved, sum>;
  Kept kept{};
  void serialize(auto& ar) { ar(kept); }

  void on(const only_moved& what) { read(what.text, 1); }
  void on(const aligned& what) { read(what.text, 2); }
  void on(const roughly_moved& what) { read(what.text, 3); }
  std::uint64_t on(sum) const {
    if constexpr (std::is_trivially_copyable_v<Kept>) {
      return kept;
    } else {
      return kept.size();
    }
  }
  void read(const std::string& given, int number) {
    if constexpr (std::is_trivially_copyable_v<Kept>) {
      kept += given.size();
    } else {
      kept += given;
    }
    planned.check(number);
  }
};

}  // namespace kept_messages

template <class Kept>
inline constexpr std::string_view cairn::type_name<kept_messages::curious<Kept>> = "curious";

namespace kept_messages {

using all = cairn::actors<clerk, librarian, reader, scholar, visitor>;

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
                   "", clerk, librarian, reader, scholar) {
  fixture::bench on;
  planned.clear();
  planned.plan(0, 1);
  planned.plan(77, 1);
  planned.plan(parcels - 1, 1);
  CHECK(delivered<TestType>(on) == sum_of(parcels));
  CHECK(on.told.count(event_kind::failed, "it") == 3);
  CHECK(on.told.count(event_kind::given_up) == 0);
}

TEMPLATE_TEST_CASE("a message that always fails is given up alone", "", clerk, librarian, reader,
                   scholar) {
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

TEMPLATE_TEST_CASE("a handler that reads its message spares it every copy", "", reader, scholar,
                   visitor) {
  fixture::bench on;
  planned.clear();
  copies = 0;
  CHECK(delivered<TestType>(on) == sum_of(parcels));
  CHECK(copies == 0);
  CHECK(on.told.count(event_kind::failed) == 0);
}

template <class A>
cairn::task<int> deliver_and_settle(cairn::root& root, std::uint64_t* to) {
  co_await deliver<A>(root, to);
  for (int at = 0; at < 8; ++at) co_await root.checkpoint();  // at least one audit comes in each
  co_return 0;
}

TEMPLATE_TEST_CASE("a handler that reads its messages is audited like others", "", reader,
                   scholar) {
  fixture::bench on;
  planned.clear();
  std::uint64_t found = 0;
  cairn::options chosen = on.options();
  chosen.audit = 1;
  fixture::crash<all>(std::move(chosen), [&](cairn::root& root) {
    return deliver_and_settle<TestType>(root, &found);
  });
  CHECK(found == sum_of(parcels));
  CHECK(on.told.count(event_kind::nondeterministic) == 0);
}

template <class Kept>
cairn::task<int> tell_odd_ones(cairn::root& root, std::uint64_t* to) {
  auto top = root.supervise("top");
  auto it = top.spawn<curious<Kept>>("it");
  for (int at = 0; at < 5; ++at) {
    it.template tell<only_moved>(text());
    it.template tell<aligned>(text());
    it.template tell<roughly_moved>(text());
  }
  *to = co_await it.template ask<sum>();
  co_return 0;
}

TEMPLATE_TEST_CASE("messages that no log takes are read all the same", "", std::uint64_t,
                   std::string) {
  fixture::bench on;
  planned.clear();
  for (const int number : {1, 2, 3}) planned.plan(number, 1);
  std::uint64_t found = 0;
  fixture::crash<cairn::actors<curious<TestType>>>(
      on, [&](cairn::root& root) { return tell_odd_ones<TestType>(root, &found); });
  INFO(on.told.text());
  CHECK(found == 15 * letters);
  CHECK(on.told.count(event_kind::failed, "it") == 3);
  CHECK(on.told.count(event_kind::given_up) == 0);
  planned.clear();
}

template <class A>
cairn::task<int> ask_weight(cairn::root& root, std::uint64_t* to) {
  auto top = root.supervise("top");
  auto it = top.spawn<A>("it");
  it.template tell<parcel>(1, text());
  *to = co_await it.template ask<weigh>(text());
  co_return 0;
}

TEMPLATE_TEST_CASE("a question that owns memory is asked once more where its handler fails", "",
                   clerk, reader, scholar) {
  fixture::bench on;
  planned.clear();
  planned.plan(-1, 1);
  std::uint64_t found = 0;
  fixture::crash<all>(on, [&](cairn::root& root) { return ask_weight<TestType>(root, &found); });
  CHECK(found == letters);
  CHECK(on.told.count(event_kind::failed, "it") == 1);
  planned.clear();
}

}  // namespace kept_messages
