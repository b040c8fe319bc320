// Who was resumed though two processes had died of it is held back no more once that is committed:
// wherever it was that they died, and not where the file of the workers' notes could not say so.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <cairn/file_store.hpp>

#include "../child_process.hpp"
#include "fixture.hpp"

namespace striking {

using cairn::event_kind;
using namespace std::chrono_literals;

/// Ends the process without a word, as a wild pointer does; a sanitizer would say one.
[[noreturn]] void die() {
  std::signal(SIGSEGV, SIG_DFL);
  (void)::raise(SIGSEGV);
  std::abort();
}
void say(const std::string& text) {
  std::printf("> %s\n", text.c_str());
  std::fflush(stdout);
}
std::string variable(const char* name) {
  const char* found = std::getenv(name);
  return found != nullptr ? found : "";
}

/// The one that is played here; none in the process of the tests themselves.
bool plays(const std::string& scenario) { return variable("CAIRN_STRIKE") == scenario; }
int this_run() { return std::stoi(variable("CAIRN_RUN")); }
/// The program is mended after two deaths of it.
bool kills(const std::string& scenario) {
  return plays(scenario) && (this_run() == 1 || this_run() == 2);
}
/// The run after which nobody resumes the actor any more.
int last_resume() { return plays("unwritten") ? 4 : plays("kept") ? 5 : 3; }

struct add {
  int value = 0;  ///< below 0: deadly
  void serialize(auto& ar) { ar(value); }
};
/// Deadly to write, as mail and as what a reminder sends.
struct heavy {
  void save(auto&) const {
    if (kills("mail") || kills("reminder")) die();
  }
  void load(auto&) {}
};
struct slow {};
struct remind {};
struct threaten {};
struct total {};

struct frail {
  using protocol = cairn::protocol<add, heavy, slow, remind, threaten, total>;
  int all = 0;
  void serialize(auto& ar) { ar(all); }
  void on_start(cairn::context<frail>&) {
    for (const auto* each : {"start", "kept", "unwritten", "unsynced"}) {
      if (kills(each)) die();
    }
  }
  void on(add what) {
    if (what.value < 0) die();
    all += what.value;
  }
  void on(heavy) { all += 100; }
  cairn::task<> on(slow, cairn::context<frail>& self) {
    if (self.replaying() && kills("replay")) die();
    all += 10;
    co_await self.sleep(1h);
  }
  void on(remind, cairn::context<frail>& self) { self.send_after<heavy>(1h); }
  void on(threaten, cairn::context<frail>& self) { self.send_after<add>(1h, -1); }
  int on(total) const { return all; }
};

/// All that is ready has had its turns.
cairn::task<> settle(cairn::root& root) {
  for (int at = 0; at < 20; ++at) co_await root.sleep(0ns);
}

std::string held_back;  ///< why, at last

cairn::task<std::string> look_at(cairn::root& root, cairn::ref<frail> one) {
  auto asked = one.ask<total>().as_result();
  const auto found = co_await std::move(asked);
  const auto kept = co_await root.dead_letters();
  std::string text = found ? std::to_string(found.value()) : held_back;
  for (const auto& each : kept.letters) text += ", " + each.letter.text;
  co_return text;
}

/// The first process: what is deadly in those after it is in its snapshot, or comes to it.
cairn::task<> prepare(cairn::root& root, cairn::ref<frail> one) {
  one.tell<add>(1);
  if (plays("replay") || plays("mail")) one.tell<slow>();
  if (plays("reminder")) one.tell<remind>();
  if (plays("kept")) one.tell<threaten>();
  co_await settle(root);
  co_await root.checkpoint();
}

/// Resumes who is held back. Nothing else comes to it, which would lead beyond where it was deadly.
cairn::task<> resume(cairn::root& root, cairn::ref<frail> one, fixture::hand_clock* clock) {
  if (plays("mail")) one.tell<heavy>();
  co_await settle(root);
  const std::string before = co_await look_at(root, one);
  root.resume(one);
  co_await settle(root);
  if (plays("kept") && this_run() < last_resume()) {
    say(before);
    clock->advance(2h);
    co_await settle(root);  // and dies of its message
  }
  co_await root.checkpoint();
  say(before);
}

cairn::task<int> app(cairn::root& root, fixture::hand_clock* clock) {
  auto one = root.supervise("all").spawn<frail>("one");
  if (this_run() == 0) {
    co_await prepare(root, one);
    die();
  }
  co_await settle(root);
  if (this_run() < 3) {  // alive yet, where it is deadly to write
    plays("mail") ? one.tell<heavy>() : one.tell<add>(0);
    co_await settle(root);
    co_await root.checkpoint();
    co_return 0;
  }
  if (this_run() <= last_resume()) {
    co_await resume(root, one, clock);
    die();  // of something else
  }
  clock->advance(2h);
  co_await settle(root);
  const std::string found = co_await look_at(root, one);
  say(found);
  co_return 0;
}

/// The file of the notes: in the third process after the first it is not written again, or not
/// synced.
class notes final : public cairn::detail::disk_file {
 public:
  explicit notes(std::unique_ptr<disk_file> under) : under_{std::move(under)} {}
  std::size_t read(std::uint64_t offset, std::byte* to, std::size_t count) override {
    return under_->read(offset, to, count);
  }
  void write(std::uint64_t offset, cairn::bytes_view bytes) override {
    fail_where("unwritten");
    under_->write(offset, bytes);
  }
  void sync() override {
    fail_where("unsynced");
    under_->sync();
  }
  std::uint64_t size() override { return under_->size(); }
  std::byte* map(std::size_t bytes) override {
    is_in_use_ = true;
    return under_->map(bytes);
  }
  void renamed(const std::string& path) override { under_->renamed(path); }

 private:
  void fail_where(const std::string& scenario) const {
    if (!is_in_use_ || !plays(scenario) || this_run() != 3) return;
    throw cairn::error{cairn::errc::io, "TURNS: " + scenario};
  }
  std::unique_ptr<disk_file> under_;
  bool is_in_use_ = false;
};

class machine final : public cairn::detail::disk {
 public:
  std::unique_ptr<cairn::detail::disk_file> open(const std::string& path) override {
    return under_.open(path);
  }
  std::unique_ptr<cairn::detail::disk_file> create(const std::string& path) override {
    auto made = under_.create(path);
    if (!path.ends_with("/TURNS.tmp")) return made;
    return std::make_unique<notes>(std::move(made));
  }
  void rename(const std::string& from, const std::string& to) override { under_.rename(from, to); }
  void remove(const std::string& path) override { under_.remove(path); }
  std::vector<std::string> list(const std::string& directory) override {
    return under_.list(directory);
  }
  void make_directory(const std::string& path) override { under_.make_directory(path); }
  void sync_directory(const std::string& path) override { under_.sync_directory(path); }
  std::unique_ptr<cairn::detail::disk_lock> lock(const std::string& path, bool shared,
                                                 std::chrono::milliseconds wait) override {
    return under_.lock(path, shared, wait);
  }
  bool maps() const noexcept override { return true; }

 private:
  cairn::detail::posix_disk under_{};
};

int run_in(const std::string& directory) {
  fixture::hand_clock time;
  cairn::options chosen;
  chosen.store = cairn::file_store{directory, {}, std::make_shared<machine>()};
  chosen.epoch = {.every = {}, .messages = 0, .bytes = 0};
  chosen.workers = 1;
  chosen.ask_timeout = 1000h;
  chosen.clock = time.handle();
  chosen.on_event = [](const cairn::event& what) {
    if (what.kind == event_kind::suspended) held_back = what.text;
    if (what.kind == event_kind::store_warning) say(std::string{what.text});
  };
  cairn::system<cairn::actors<frail>> running{std::move(chosen)};
  running.start([&](cairn::root& root) { return app(root, &time); });
  running.wait();
  return running.stop().code;
}

/// What each process after the first says, and whether it dies.
std::vector<std::string> live(const std::string& scenario, int runs) {
  const auto place = std::filesystem::temp_directory_path() / ("cairn-strikes-" + scenario);
  std::filesystem::remove_all(place);
  std::vector<std::string> lives;
  for (int run = 0; run < runs; ++run) {
    child_process::child one{"striking: a process",
                             {"CAIRN_STRIKE=" + scenario, "CAIRN_RUN=" + std::to_string(run),
                              "CAIRN_PLACE=" + place.string()}};
    std::string text;
    for (auto line = one.line(); !line.empty(); line = one.line()) text += line + "; ";
    text += one.exit_code() == 0 ? "ends" : "dies";
    if (run > 0) lives.push_back(std::move(text));
  }
  std::filesystem::remove_all(place);
  return lives;
}

using lives = std::vector<std::string>;

}  // namespace striking

TEST_CASE("striking: a process", "[.]") {
  CHECK(striking::run_in(striking::variable("CAIRN_PLACE")) == 0);
}

TEST_CASE("who was deadly to start is started again once it was resumed, and that is committed") {
  using namespace striking;
  CHECK(live("start", 5) ==
        lives{"dies", "dies", "the process has died of its on_start 2 times; dies", "1; ends"});
}

TEST_CASE("a handler that was deadly to run again is run again once its actor was resumed") {
  using namespace striking;
  CHECK(live("replay", 5) ==
        lives{"dies", "dies",
              "its handler was to be run again: the process has died of it 2 times; dies",
              "11; ends"});
}

TEST_CASE("mail that was deadly to write is written, and handled, once its actor was resumed") {
  using namespace striking;
  CHECK(live("mail", 5) == lives{"dies", "dies",
                                 "the process has died of serializing its mail 2 times; dies",
                                 "111; ends"});
}

TEST_CASE("a reminder that was deadly to write comes, once, where its actor was resumed") {
  using namespace striking;
  CHECK(live("reminder", 5) ==
        lives{"dies", "dies", "the process has died of serializing it 2 times; dies", "101; ends"});
}

TEST_CASE("who resumes an actor does not pardon what a reminder of it sends: it is given up") {
  using namespace striking;
  const std::string start = "the process has died of its on_start 2 times; dies";
  CHECK(live("kept", 7) ==
        lives{"dies", "dies", start, start, start, "1, the process has died of it 2 times; ends"});
}

TEST_CASE("where the strike cannot be written that is told, and the next process holds back") {
  using namespace striking;
  const std::string start = "the process has died of its on_start 2 times; dies";
  CHECK(live("unwritten", 6) == lives{"dies", "dies",
                                      "noting what kills the process: TURNS: unwritten; " + start,
                                      start, "1; ends"});
}

TEST_CASE("a strike that was written and not synced outlives the process") {
  using namespace striking;
  CHECK(live("unsynced", 5) ==
        lives{"dies", "dies",
              "noting what kills the process: TURNS: unsynced; the process has died of its "
              "on_start 2 times; dies",
              "1; ends"});
}
