// Refs and the mailboxes behind them: bounds, policies, order, and what is misuse.
#include <cairn/ref.hpp>

#include "runtime/fixture.hpp"

namespace refs {

using cairn::event_kind;
using fixture::bench;

std::vector<std::string> seen;

struct put {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct question {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct flood {
  int count = 0;
  void serialize(auto& ar) { ar(count); }
};
struct polite {
  int count = 0;
  void serialize(auto& ar) { ar(count); }
};
struct oneself {};
struct show {};

template <cairn::overflow Policy>
struct bounded {
  using protocol = cairn::protocol<put, question, show>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 4, .when_full = Policy};
  std::string diary{};
  void serialize(auto& ar) { ar(diary); }
  void on(put what) { diary += std::to_string(what.value) + ";"; }
  int on(question what) { return what.value; }
  std::string on(show) const { return diary; }
};
using newest = bounded<cairn::overflow::drop_newest>;
using oldest = bounded<cairn::overflow::drop_oldest>;

}  // namespace refs

template <>
inline constexpr std::string_view cairn::type_name<refs::newest> = "refs::newest";
template <>
inline constexpr std::string_view cairn::type_name<refs::oldest> = "refs::oldest";

namespace refs {

struct sender {
  using protocol = cairn::protocol<flood, polite, oneself, put, show>;
  cairn::ref<newest> to{};
  std::string diary{};
  void serialize(auto& ar) { ar(to, diary); }
  cairn::task<std::string> on(flood what) {
    for (int at = 0; at < what.count; ++at) to.tell<put>(at);
    auto answer = co_await to.ask<question>(1).as_result();
    co_return std::string{to_string(answer.code())};
  }
  cairn::task<void> on(polite what) {
    for (int at = 0; at < what.count; ++at) co_await to.send<put>(at);
  }
  cairn::task<std::string> on(oneself, cairn::context<sender>& self) {
    for (int at = 0; at < 3; ++at) self.ref().tell<put>(at);
    try {
      (void)co_await self.ref().ask<show>();
    } catch (const cairn::error& why) {
      co_return std::string{to_string(why.code())};
    }
    co_return "answered";
  }
  void on(put what) { diary += std::to_string(what.value) + ";"; }
  std::string on(show) const { return diary; }
};

using all = cairn::actors<newest, oldest, sender>;

cairn::task<int> fill(cairn::root& root) {
  auto top = root.supervise("top");
  auto first = top.spawn<newest>("newest");
  auto second = top.spawn<oldest>("oldest");
  (void)co_await first.ask<show>();
  (void)co_await second.ask<show>();
  for (int at = 0; at < 10; ++at) first.tell<put>(at);
  for (int at = 0; at < 10; ++at) second.tell<put>(at);
  co_await root.checkpoint();
  seen.push_back(co_await first.ask<show>());
  seen.push_back(co_await second.ask<show>());
  auto it = top.spawn<sender>("it", first);
  seen.push_back(co_await it.ask<flood>(10));
  seen.push_back(co_await first.ask<show>());
  co_await it.ask<polite>(12);
  seen.push_back(co_await first.ask<show>());
  seen.push_back(co_await it.ask<oneself>());
  seen.push_back(co_await it.ask<show>());
  co_return 0;
}

TEST_CASE("a full mailbox drops the newest or the oldest into dead letters, or senders wait") {
  bench on;
  seen.clear();
  fixture::crash<all>(on, fill);
  INFO(on.told.text());
  REQUIRE(seen.size() == 7);
  CHECK(seen[0] == "0;1;2;3;");
  CHECK(seen[1] == "6;7;8;9;");
  CHECK(seen[2] == "mailbox_full");
  CHECK(seen[3] == "0;1;2;3;0;1;2;3;");
  CHECK(seen[4] == "0;1;2;3;0;1;2;3;0;1;2;3;4;5;6;7;8;9;10;11;");
  CHECK(seen[5] == "misuse");
  CHECK(seen[6] == "0;1;2;");
  CHECK(on.told.count(event_kind::dead_letter, "newest") == 6 + 7);
  const auto old = on.told.of(event_kind::dead_letter, "oldest");
  REQUIRE(old.size() == 6);
  put first_lost;
  cairn::decode(first_lost, old[0].letter.payload);
  CHECK(first_lost.value == 0);
  CHECK(old[0].letter.code == cairn::errc::mailbox_full);
}

TEST_CASE("an empty ref, and an ask outside of actors, are misuse") {
  const cairn::ref<sender> nobody;
  CHECK_FALSE(nobody);
  const auto code_of = [](auto&& call) {
    try {
      call();
    } catch (const cairn::error& why) {
      return why.code();
    }
    return cairn::errc::ok;
  };
  CHECK(code_of([&] { nobody.tell<show>(); }) == cairn::errc::misuse);
  CHECK(code_of([&] { (void)nobody.ask<show>(); }) == cairn::errc::misuse);
  bench on;
  cairn::errc outside{};
  cairn::ref<sender> kept;
  fixture::crash<all>(on, [&](cairn::root& root) {
    return [](cairn::root& top, cairn::ref<sender>* keep, cairn::errc* code) -> cairn::task<int> {
      *keep = top.supervise("top").spawn<sender>("it");
      (void)co_await keep->ask<show>();
      std::thread{[&] {
        try {
          (void)keep->ask<show>();
        } catch (const cairn::error& why) {
          *code = why.code();
        }
        for (int at = 0; at < 100; ++at) keep->tell<put>(at);  // from outside, in order
      }}.join();
      while ((co_await keep->ask<show>()).find("99;") == std::string::npos) {
      }
      seen.assign(1, co_await keep->ask<show>());
      co_return 0;
    }(root, &kept, &outside);
  });
  CHECK(outside == cairn::errc::misuse);
  std::string expected;
  for (int at = 0; at < 100; ++at) expected += std::to_string(at) + ";";
  CHECK(seen == std::vector<std::string>{expected});
}

}  // namespace refs
