// Examples of the pages in docs/ about what becomes of failures.
#include <atomic>
#include <cairn/cairn.hpp>
#include <filesystem>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"

using namespace std::chrono_literals;

namespace docs_dead_letter {
// docs/dead_letter.md
struct letter {
  std::string text{};
  void serialize(auto& ar) { ar(text); }
};

std::string unread(const cairn::event& what) {
  if (what.kind != cairn::event_kind::dead_letter) return {};
  if (what.letter->message != cairn::type_name<letter>) return {};
  const auto lost = cairn::decode<letter>(what.letter->payload);
  return what.letter->name + " did not read \"" + lost.text + "\": " + what.letter->text;
}

/// Once tom has found his glasses.
cairn::task<> again(cairn::root& root) {
  const auto kept = co_await root.dead_letters();
  for (const auto& each : kept.letters) {
    if (each.letter.name == "tom") co_await root.deliver_again(each.id);
  }
}
// end

std::atomic<bool> glasses{false};
struct reader {
  using protocol = cairn::protocol<letter>;
  int read = 0;
  void serialize(auto& ar) { ar(read); }
  int on(letter what) {
    if (what.text.empty()) return read;
    if (!glasses) throw std::runtime_error{"no glasses"};
    return ++read;
  }
};
cairn::task<int> app(cairn::root& root) {
  auto tom = root.supervise("house").spawn<reader>("tom");
  (void)co_await tom.ask<letter>("hello").as_result();
  glasses = true;
  co_await again(root);
  co_return co_await tom.ask<letter>();
}
}  // namespace docs_dead_letter

TEST_CASE("docs: a dead letter can be read") {
  std::vector<std::string> told;
  std::mutex guard;
  cairn::options chosen;
  chosen.epoch = {.every = 0ms, .messages = 0, .bytes = 0};
  chosen.workers = 1;
  chosen.ask_timeout = 1000h;
  chosen.on_event = [&](const cairn::event& what) {
    const std::lock_guard lock{guard};
    if (auto text = docs_dead_letter::unread(what); !text.empty()) told.push_back(text);
  };
  cairn::system<cairn::actors<docs_dead_letter::reader>> all{std::move(chosen)};
  all.start(docs_dead_letter::app);
  all.wait();
  CHECK(all.stop().code == 1);
  CHECK(told == std::vector<std::string>{"tom did not read \"hello\": no glasses"});
}

namespace docs_determinism {
// docs/determinism.md
struct visitor {
  std::string name{};
  void serialize(auto& ar) { ar(name); }
};

struct desk {
  using protocol = cairn::protocol<visitor>;
  std::vector<std::string> served{};
  void serialize(auto& ar) { ar(served); }

  void on(visitor who) {
    static int last = 0;  // in no snapshot: a replay goes on counting
    served.push_back(std::to_string(++last) + " " + who.name);
  }
};

void look_for_such(cairn::options& chosen) { chosen.audit = 0.1; }  // a tenth of the actors
// end

cairn::task<int> app(cairn::root& root) {
  auto first = root.supervise("hotel").spawn<desk>("desk");
  first.tell<visitor>("anna");
  for (int at = 0; at < 5; ++at) co_await root.checkpoint();
  co_return 0;
}
}  // namespace docs_determinism

template <>
inline constexpr std::string_view cairn::type_name<docs_determinism::desk> = "desk";

TEST_CASE("docs: an audit names who counts outside of its state") {
  std::vector<std::string> told;
  std::mutex guard;
  cairn::options chosen;
  chosen.epoch = {.every = 0ms, .messages = 0, .bytes = 0};
  chosen.workers = 1;
  chosen.on_event = [&](const cairn::event& what) {
    const std::lock_guard lock{guard};
    if (what.kind == cairn::event_kind::nondeterministic) told.push_back(cairn::to_line(what));
  };
  docs_determinism::look_for_such(chosen);
  CHECK(chosen.audit == 0.1);
  chosen.audit = 1;  // the first one at once
  cairn::system<cairn::actors<docs_determinism::desk>> all{std::move(chosen)};
  all.start(docs_determinism::app);
  all.wait();
  CHECK(all.stop().code == 0);
  CHECK(told == std::vector<std::string>{
                    "cairn: nondeterministic desk: desk, run again from position 0 to 1: another "
                    "state, from byte 17 on: it was 23 bytes, 31 20 61 6e 6e 61 and now is 23 "
                    "bytes, 32 20 61 6e 6e 61\n"});
}

namespace docs_clone {
// docs/clone.md
/// What would have become of the bank without yesterday's upgrade?
cairn::epoch look_back(const std::string& bank, const std::string& elsewhere) {
  return cairn::clone(cairn::file_store{bank}, "before-upgrade", cairn::file_store{elsewhere});
}
// end
}  // namespace docs_clone

TEST_CASE("docs: a savepoint becomes a store of its own") {
  const auto place = std::filesystem::temp_directory_path() / "cairn-docs-clone";
  std::filesystem::remove_all(place);
  const std::string bank = place / "bank";
  const std::string elsewhere = place / "elsewhere";
  std::filesystem::create_directory(place);
  {
    cairn::file_store store{bank};
    store.open();
    store.begin(cairn::epoch{7});
    store.commit();
    store.keep(cairn::epoch{7}, "before-upgrade");
  }
  CHECK(docs_clone::look_back(bank, elsewhere) == cairn::epoch{7});
  cairn::file_store copy{elsewhere};
  CHECK(copy.open({.read_only = true}).latest == cairn::epoch{7});
  std::filesystem::remove_all(place);
}

namespace docs_print_events {
// docs/print_events.md
cairn::options talkative() {
  cairn::options chosen;
  chosen.on_event = cairn::print_events{cairn::event_level::notable};
  return chosen;
}
// end

TEST_CASE("docs: events as lines") {
  CHECK(talkative().on_event.target<cairn::print_events>()->least == cairn::event_level::notable);
}
}  // namespace docs_print_events
