#include <cairn/memory_store.hpp>
#include <cairn/store.hpp>

#include "catch.hpp"
#include "store_fixture.hpp"

using namespace store_fixture;  // NOLINT(*using-namespace*)
using cairn::any_store;
using cairn::errc;

namespace {

struct not_a_store {
  void begin(epoch) {}
};

static_assert(!cairn::store<not_a_store>);
static_assert(!std::constructible_from<any_store, not_a_store>);
static_assert(std::constructible_from<any_store, cairn::memory_store>);
static_assert(!std::copyable<any_store>);

}  // namespace

TEST_CASE("any_store passes every verb on") {
  const cairn::memory_store content;
  any_store store = content;
  REQUIRE(store);
  CHECK(store.describe() == "memory_store");
  CHECK(!store.open({}).latest);
  write(store, 1, {state(1, 1, "a")});
  store.begin(epoch{2});
  store.append(framed({state(2, 1, "b")}).view());
  store.abort();
  CHECK(read(store, 1) == std::vector{state(1, 1, "a")});
  store.keep(epoch{1}, "kept");
  CHECK(store.list().at(0).name == "kept");
  CHECK_FALSE(store.list().at(0).released);
  CHECK(store.list().at(0).records == 1);
  CHECK(store.list().at(0).bytes == cairn::detail::record_overhead + 1);
  store.remove("kept");
  CHECK(store.list().at(0).name.empty());
  write(store, 3, {}, true);
  CHECK(store.list().at(1).released);
  CHECK(store.journal("j")->append(bytes_of("x")) == 1);
  CHECK(store.stats().live_bytes == cairn::detail::record_overhead + 1);

  any_store moved = std::move(store);
  CHECK(!store);  // NOLINT(*use-after-move*)
  any_store other = content;
  CHECK(error_of([&] { other.open({}); }).first == errc::locked);
  moved.close();
  CHECK(other.open({}).latest == epoch{3});
}

TEST_CASE("an any_store that holds nothing says so") {
  any_store store;
  CHECK(!store);
  CHECK(store.describe() == "no store");
  CHECK(error_of([&] { store.open({}); }).first == errc::misuse);
  store.abort();  // harmless
}

TEST_CASE("verbs out of order are misuse, and change nothing") {
  any_store store = cairn::memory_store{};
  CHECK(error_of([&] { store.begin(epoch{1}); }).first == errc::misuse);
  store.open({});
  CHECK(error_of([&] { store.open({}); }).first == errc::misuse);
  CHECK(error_of([&] { store.commit(); }).first == errc::misuse);
  CHECK(error_of([&] { store.append(framed({state(1, 1, "a")}).view()); }).first == errc::misuse);
  store.begin(epoch{1});
  CHECK(error_of([&] { store.begin(epoch{2}); }).first == errc::misuse);
  CHECK(error_of([&] { store.append(framed({state(2, 1, "a")}).view()); }).first == errc::misuse);
  store.abort();
  store.begin(epoch{2});
  const auto claim = make(record_kind::claim, 2, 0, 9, "");
  CHECK(error_of([&] { store.append(framed({claim}).view()); }).first == errc::misuse);
  store.abort();
  store.begin(epoch{2});
  auto bad = framed({state(2, 1, "a")});
  bad.data()[70] ^= std::byte{1};
  CHECK(error_of([&] { store.append(bad.view()); }).first == errc::damaged);
  store.abort();
  CHECK(store.list().empty());
  write(store, 3, {});  // an epoch in which nothing changed
  CHECK(store.list().size() == 1);
  CHECK(read(store, 3).empty());
}
