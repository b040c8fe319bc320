// A program over a damaged store: it refuses by name, and goes back with the operator's word.
#include <cairn/asio.hpp>
#include <cairn/run.hpp>

#include <asio/use_future.hpp>
#include <cstdio>

#include "../child_process.hpp"
#include "../small_store.hpp"
#include "fixture.hpp"

namespace damaged_programs {

using cairn::event_kind;
using fixture::bench;
using store_fixture::contains;
using store_fixture::directory;
using store_fixture::errc;
using store_fixture::files;
using store_fixture::load;
using store_fixture::tree;

struct add {};
struct total {};

struct tally {
  using protocol = cairn::protocol<add, total>;
  std::int64_t sum = 0;
  void serialize(auto& ar) { ar(sum); }
  void on(add) { ++sum; }
  std::int64_t on(total) const { return sum; }
};
/// What it hears leaves with the commit.
struct listener {
  using protocol = cairn::protocol<total>;
  void serialize(auto&) {}
  std::int64_t on(total) const { return 0; }
  void on_commit(cairn::epoch) {}
};
using actors = cairn::actors<tally, listener>;

template <bool Loud>
cairn::task<int> count(cairn::root& root) {
  auto all = root.supervise("all");
  if (Loud) (void)all.template spawn<listener>("ear");
  auto one = all.template spawn<tally>("one");
  one.template tell<add>();
  std::printf("> %d\n", static_cast<int>(co_await one.template ask<total>()));
  std::fflush(stdout);
  co_return 0;
}
constexpr auto quietly = &count<false>;
constexpr auto loudly = &count<true>;

cairn::options stored_in(const std::string& path, bool accept_older) {
  cairn::options chosen;
  chosen.store = cairn::file_store{path};
  chosen.epoch.every = {};  // nothing is committed but by the end
  chosen.workers = 1;
  chosen.accept_older = accept_older;
  return chosen;
}

// Run by the others as a process; by itself it has nothing to do.
TEST_CASE("a program over what is left of its store", "[.child]") {
  const char* path = std::getenv("CAIRN_TEST_STORE");
  const char* word = std::getenv("CAIRN_TEST_WORD");
  if (path == nullptr || word == nullptr) return;
  const int code = cairn::run<actors>(quietly, stored_in(path, word == std::string{"older"}));
  std::fflush(nullptr);
  std::_Exit(code);
}

struct program : child_process::child {
  program(const directory& in, const std::string& word)
      : child{"a program over what is left of its store",
              {"CAIRN_TEST_STORE=" + in.store(), "CAIRN_TEST_WORD=" + word}} {}
};

void run_well(const directory& in, const std::string& says) {
  program one{in, "none"};
  CHECK(one.line() == says);
  CHECK(one.exit_code() == 0);
}

/// Cuts off the last frame of the latest manifest, and returns its path.
std::string cut_manifest(const std::string& path) {
  auto all = load(path);
  std::string last;
  for (const auto& [name, text] : all) {
    if (contains(name, "manifest-")) last = name;
  }
  auto& text = all.at(last);
  const auto bytes = store_fixture::bytes_of(text);
  const auto found = cairn::detail::scan_frames(bytes, cairn::detail::file_header_bytes);
  REQUIRE(found.frames.size() > 1);
  const auto whole = cairn::detail::frame_overhead + found.frames.back().payload.size();
  text.resize(text.size() - whole);
  store_fixture::save(path, all);
  return path + "/" + last;
}

TEST_CASE("a program refuses a manifest that was cut, and goes back with the operator's word") {
  const directory in;
  run_well(in, "1");  // the state and the first commit: two frames
  const auto manifest = cut_manifest(in.store());
  const auto before = load(in.store());
  {
    program refuses{in, "none"};
    CHECK(contains(refuses.error_line(), "cairn: " + manifest + ", offset "));
    CHECK(refuses.exit_code() == cairn::exit_code::damaged);
    CHECK(load(in.store()) == before);
  }
  {
    program goes_back{in, "older"};
    const auto said = goes_back.error_line();
    CHECK(contains(said, "cairn: store_warning: " + manifest + ", offset "));
    CHECK(contains(said, "going on with what is there, up to snapshot 0"));
    CHECK(goes_back.line() == "1");  // what was counted is lost
    CHECK(goes_back.exit_code() == 0);
  }
  run_well(in, "2");
}

/// Damages the newest record of the store's last segment, a byte of its payload.
void damage_newest(const std::string& path) {
  auto all = load(path);
  std::string last;
  for (const auto& [name, text] : all) {
    if (contains(name, "segment-")) last = name;
  }
  auto& text = all.at(last);
  auto at = text.size();
  while (store_fixture::is_idle(text, at - 1)) --at;
  text[at - 9] = static_cast<char>(text[at - 9] ^ 4);
  store_fixture::save(path, all);
}

TEST_CASE("a damaged newest snapshot stops the start only where its outputs may have left") {
  for (const bool released : {false, true}) {
    const directory in;
    for (int life = 0; life < 2; ++life) {
      cairn::system<actors> all{stored_in(in.store(), false)};
      all.start(released ? loudly : quietly);
      all.wait();
      REQUIRE(all.stop().committed);
    }
    damage_newest(in.store());
    std::ofstream{in.store() + "/LOCK"} << "process 1 since ever\n";
    const auto before = tree(in.path());
    bench on;
    const auto options = [&](bool accept_older) {
      auto chosen = stored_in(in.store(), accept_older);
      chosen.on_event = [&](const cairn::event& what) { on.told.add(what); };
      return chosen;
    };
    if (released) {
      const auto refused =
          store_fixture::error_of([&] { const cairn::system<actors> never{options(false)}; });
      CHECK(refused.first == errc::damaged);
      CHECK(contains(refused.second, in.store() + "/segment-00000"));
      CHECK(on.told.text().empty());
      CHECK(tree(in.path()) == before);
    }
    cairn::system<actors> back{options(released)};
    REQUIRE(on.told.count(event_kind::store_warning) == 1);
    CHECK(contains(on.told.text(), "is damaged, going back to "));
    CHECK(back.restored());
    back.start(quietly);
    back.wait();
    CHECK(back.stop().committed);
  }
}

bool last_is_released(cairn::memory_store store) { return store.open().snapshots.back().released; }

cairn::task<int> serve(cairn::root& root, std::promise<cairn::ref<tally>>* to) {
  to->set_value(root.supervise("all").spawn<tally>("one"));
  co_await root.until_stopped();
  co_return 0;
}

TEST_CASE("an epoch whose outputs wait for its commit is marked by that commit") {
  bench quiet;
  fixture::finish<actors>(quiet, quietly);
  CHECK_FALSE(last_is_released(quiet.store));

  bench heard;
  fixture::finish<actors>(heard, loudly);
  CHECK(last_is_released(heard.store));

  bench answered;
  std::promise<cairn::ref<tally>> made;
  auto ready = made.get_future();
  {
    auto chosen = answered.options();
    chosen.epoch.messages = 1;
    cairn::system<actors> all{std::move(chosen)};
    all.start([&](cairn::root& root) { return serve(root, &made); });
    const auto one = ready.get();
    const cairn::outside_ask held{.when = cairn::committed};
    CHECK(cairn::async_ask<total>(one, held, asio::use_future).get() == 0);
  }  // a crash, after the answer has left
  CHECK(last_is_released(answered.store));
}

}  // namespace damaged_programs
