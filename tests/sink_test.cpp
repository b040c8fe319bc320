#include <cairn/cairn.hpp>
#include <cairn/sink.hpp>

#include <fstream>
#include <future>
#include <iterator>
#include <mutex>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "catch.hpp"

namespace sink_test {

using namespace std::chrono_literals;

/// What is outside: it outlives the systems of a test.
struct outside {
  std::mutex guard;
  std::string content;             ///< what has been delivered
  std::vector<std::string> calls;  ///< "prepare 0 abc", "publish 3 def"
  bool refuse_prepare = false;
  bool refuse_publish = false;

  void note(const char* what, const cairn::batch& of) {
    calls.push_back(std::string{what} + " " + std::to_string(of.offset) + " " + of.bytes);
  }
  void clear() { content.clear(), calls.clear(), refuse_prepare = refuse_publish = false; }
};
outside world;

struct recorder {
  std::string name{};

  void prepare(const cairn::batch& what) const {
    const std::lock_guard lock{world.guard};
    world.note("prepare", what);
    if (world.refuse_prepare) throw std::runtime_error{name + " is not ready"};
  }
  void publish(const cairn::batch& what) const {
    const std::lock_guard lock{world.guard};
    world.note("publish", what);
    if (world.refuse_publish) throw std::runtime_error{name + " is away"};
    world.content.resize(what.offset);
    world.content += what.bytes;
  }
  void serialize(auto& archive) { archive(name); }
};

using recording = cairn::sink_actor<recorder>;
using filing = cairn::sink_actor<cairn::file_sink>;

/// Writes numbered lines that also name the process, so that no two processes write the same.
struct go_on {
  std::uint64_t process = 0;
  std::uint64_t until = 0;
  void serialize(auto& archive) { archive(process, until); }
};
struct get_written {};

struct counter {
  using protocol = cairn::protocol<go_on, get_written>;
  cairn::ref<filing> to{};
  std::uint64_t next = 0;
  std::string written{};

  void on(go_on word, cairn::context<counter>& self) {
    if (next >= word.until) return;
    const std::string line = std::to_string(next++) + " by " + std::to_string(word.process) + "\n";
    written += line;
    to.tell<cairn::write>(line);
    self.ref().tell<go_on>(word.process, word.until);
  }
  std::string on(get_written) const { return written; }
  void serialize(auto& archive) { archive(to, next, written); }
};

using all = cairn::actors<recording, filing, counter>;

/// Epochs only when a test asks for one.
cairn::options by_hand(const cairn::memory_store& store) {
  cairn::options chosen;
  chosen.store = store;
  chosen.workers = 2;
  chosen.epoch.every = 0ns;
  chosen.epoch.messages = 0;
  chosen.epoch.bytes = 0;
  chosen.on_event = [](const cairn::event&) {};
  return chosen;
}

/// Runs the root task. Then the system ends in order, or as in a crash.
void run(const cairn::memory_store& store, cairn::application app, bool orderly) {
  cairn::system<all> system{by_hand(store)};
  system.start(std::move(app));
  system.wait();
  if (orderly) CHECK(system.stop().code == 0);
}

cairn::ref<recording> recorder_of(cairn::root& root) {
  return root.supervise("ends", {.intensity = {.restarts = 100}})
      .spawn<recording>("out", recorder{"out"});
}

cairn::task<cairn::delivery_state> state_of(cairn::ref<recording> out) {
  auto asked = out.ask<cairn::get_delivery>();
  co_return co_await std::move(asked);
}

/// Writes "abc", commits, writes "def" after the cut and before anything is published.
cairn::task<int> write_twice(cairn::root& root) {
  const auto out = recorder_of(root);
  out.tell<cairn::write>("a");
  out.tell<cairn::write>("bc");
  (void)co_await state_of(out);  // they are consumed
  co_await root.checkpoint();
  out.tell<cairn::write>("def");
  const auto now = co_await state_of(out);
  CHECK(now.written == 6);
  CHECK(now.published == 3);
  co_return 0;
}

/// Until everything written is published.
cairn::task<int> look(cairn::root& root, cairn::delivery_state* found) {
  const auto out = recorder_of(root);
  do {
    *found = co_await state_of(out);
  } while (found->published != found->written);
  co_return 0;
}

cairn::task<int> fail_to_commit(cairn::root& root) {
  const auto out = recorder_of(root);
  out.tell<cairn::write>("lost");
  (void)co_await state_of(out);
  auto committed = root.checkpoint();
  bool abandoned = false;
  try {
    co_await std::move(committed);
  } catch (const cairn::ask_error& why) {
    abandoned = std::string{why.what()}.find("out is not ready") != std::string::npos;
  }
  CHECK(abandoned);
  co_return 0;
}

cairn::task<int> write_one(cairn::root& root, std::string text) {
  const auto out = recorder_of(root);
  out.tell<cairn::write>(text);
  (void)co_await state_of(out);
  co_await root.checkpoint();
  (void)co_await state_of(out);  // after on_commit
  co_return 0;
}

using calls = std::vector<std::string>;

}  // namespace sink_test

template <>
inline constexpr std::string_view cairn::type_name<sink_test::recorder> = "recorder";

using namespace sink_test;

TEST_CASE("a sink delivers what an epoch wrote once it is committed, and nothing later") {
  world.clear();
  const cairn::memory_store store;
  run(store, write_twice, false);  // a crash: "def" was not committed
  CHECK(world.content == "abc");
  CHECK(world.calls == calls{"prepare 0 abc", "publish 0 abc"});
}

TEST_CASE("an orderly end commits and delivers the rest") {
  world.clear();
  const cairn::memory_store store;
  run(store, write_twice, true);
  CHECK(world.content == "abcdef");
  CHECK(world.calls == calls{"prepare 0 abc", "publish 0 abc", "prepare 3 def", "publish 3 def"});
}

TEST_CASE("a crash after the commit: what was published is published again, the same") {
  world.clear();
  const cairn::memory_store store;
  run(store, write_twice, false);
  cairn::delivery_state found;
  run(store, [&](cairn::root& root) { return look(root, &found); }, false);
  CHECK(world.content == "abc");
  CHECK(world.calls == calls{"prepare 0 abc", "publish 0 abc", "publish 0 abc"});
  CHECK(found.written == 3);
  CHECK(found.published == 3);
}

TEST_CASE("a crash between commit and publish: the next process publishes") {
  world.clear();
  const cairn::memory_store store;
  world.refuse_publish = true;
  run(store, [](cairn::root& root) { return write_one(root, "abc"); }, false);
  CHECK(world.content.empty());
  world.refuse_publish = false;
  run(store, [](cairn::root& root) { return write_one(root, "def"); }, true);
  CHECK(world.content == "abcdef");
}

TEST_CASE("a publish that fails leaves its batch first, and the next commit delivers all") {
  world.clear();
  const cairn::memory_store store;
  world.refuse_publish = true;
  run(store, [](cairn::root& root) { return write_one(root, "abc"); }, true);
  CHECK(world.content.empty());
  world.refuse_publish = false;
  run(store, [](cairn::root& root) { return write_one(root, "def"); }, true);
  run(store, [](cairn::root& root) { return write_one(root, "ghi"); }, true);
  CHECK(world.content == "abcdefghi");
}

TEST_CASE("a prepare that fails abandons the epoch, and nothing of it is published") {
  world.clear();
  const cairn::memory_store store;
  run(store, [](cairn::root& root) { return write_one(root, "abc"); }, true);
  world.refuse_prepare = true;
  run(store, fail_to_commit, false);
  CHECK(world.content == "abc");
  world.refuse_prepare = false;
  run(store, [](cairn::root& root) { return write_one(root, "def"); }, true);
  CHECK(world.content == "abcdef");
}

namespace sink_test {

/// A directory that goes when the test ends.
class folder {
 public:
  folder() : path_{"/tmp/cairn-sink-XXXXXX"} {
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error{"mkdtemp"};
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() {
    ::unlink(file().c_str());
    ::rmdir(path_.c_str());
  }
  [[nodiscard]] std::string file() const { return path_ + "/out"; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string content_of(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::string error_of(const cairn::file_sink& to, const cairn::batch& what, bool publish) {
  try {
    publish ? to.publish(what) : to.prepare(what);
  } catch (const cairn::error& why) {
    return why.what();
  }
  return {};
}

}  // namespace sink_test

TEST_CASE("a file holds what was published and nothing beyond, however often it is done") {
  const folder where;
  const cairn::file_sink to{where.file()};
  std::ofstream{where.file()} << "left over by an older job, and longer than what comes";
  const cairn::batch first{cairn::epoch{1}, 0, "one\n"};
  const cairn::batch second{cairn::epoch{2}, 4, "two\n"};
  to.prepare(first);
  CHECK(content_of(where.file()).size() > 8);  // nothing has been committed yet
  to.publish(first);
  CHECK(content_of(where.file()) == "one\n");
  to.prepare(second);
  to.prepare(second);
  CHECK(content_of(where.file()) == "one\n");
  to.publish(second);
  to.publish(second);
  CHECK(content_of(where.file()) == "one\ntwo\n");
  to.publish(first);  // as after falling back to an older epoch
  CHECK(content_of(where.file()) == "one\n");
  to.publish({cairn::epoch{2}, 4, ""});
  CHECK(content_of(where.file()) == "one\n");
}

TEST_CASE("a file that is made by a sink is empty until something is published") {
  const folder where;
  const cairn::file_sink to{where.file()};
  to.prepare({cairn::epoch{1}, 0, "one\n"});
  struct stat found{};
  REQUIRE(::stat(where.file().c_str(), &found) == 0);
  CHECK(found.st_size == 0);
}

TEST_CASE("a file sink says which file it could not write, and why") {
  const folder where;
  const cairn::file_sink missing{where.path() + "/none/out"};
  for (const bool publish : {false, true}) {
    CHECK(error_of(missing, {cairn::epoch{1}, 0, "x"}, publish) ==
          where.path() + "/none/out: cannot open: No such file or directory");
  }
  const cairn::file_sink to{where.file()};
  to.publish({cairn::epoch{1}, 0, "abc"});
  CHECK(error_of(to, {cairn::epoch{2}, 10, "x"}, true) ==
        where.file() + ": 3 bytes, but 10 were published");
  CHECK(content_of(where.file()) == "abc");
}

namespace sink_test {

/// What one process sees of the job, and how far it is to go.
struct process {
  std::string path{};
  std::uint64_t number = 0;
  std::uint64_t until = 0;
  std::string found{};    ///< what the counter had written when this process began
  std::string reached{};  ///< and when it ended
};

cairn::task<std::string> written_by(cairn::ref<counter> whom) {
  auto asked = whom.ask<get_written>();
  co_return co_await std::move(asked);
}

cairn::task<> count_up_to(cairn::ref<counter> counting, process* mine, std::uint64_t until) {
  counting.tell<go_on>(mine->number, until);
  const std::string last = "\n" + std::to_string(until - 1) + " by ";
  while (mine->reached.find(last) == std::string::npos) {
    mine->reached = co_await written_by(counting);
  }
}

cairn::task<int> count(cairn::root& root, process* mine) {
  auto ends = root.supervise("ends");
  auto out = ends.spawn<filing>("file", cairn::file_sink{mine->path});
  auto counting = ends.spawn<counter>("counter", out);
  mine->found = co_await written_by(counting);
  co_await count_up_to(counting, mine, mine->until - 50);
  co_await root.checkpoint();
  if (mine->number % 2 == 0) {  // else the crash may come before or while it is published
    auto asked = out.ask<cairn::get_delivery>();
    (void)co_await std::move(asked);
  }
  co_await count_up_to(counting, mine, mine->until);
  auto asked = out.ask<cairn::get_delivery>();  // behind the last line: it is consumed
  (void)co_await std::move(asked);
  co_return 0;
}

bool begins_with(const std::string& whole, const std::string& part) {
  return whole.compare(0, part.size(), part) == 0;
}

}  // namespace sink_test

TEST_CASE("killed again and again, a file holds what the surviving state says was written") {
  constexpr std::uint64_t crashes = 20;
  const folder where;
  const cairn::memory_store store;
  std::string before;
  std::uint64_t published = 0;
  std::uint64_t lost = 0;
  for (std::uint64_t number = 1; number <= crashes + 1; ++number) {
    process mine{where.file(), number, number * 100, {}, {}};
    {
      auto chosen = by_hand(store);
      chosen.epoch.every = 1ns;  // as often as they can be made
      cairn::system<all> system{std::move(chosen)};
      system.start([&](cairn::root& root) { return count(root, &mine); });
      system.wait();
      if (number > crashes) CHECK(system.stop().committed);
    }
    const std::string now = content_of(where.file());
    REQUIRE(begins_with(mine.found, before));  // what was published has never been lost
    published += !now.empty();
    lost += now != mine.reached;
    before = now;
    if (number > crashes) CHECK(now == mine.reached);
  }
  CHECK(published >= crashes / 2);
  CHECK(lost > 0);
}

TEST_CASE("what a sink keeps in a state has a class version") {
  CHECK(cairn::detail::schema_of<cairn::batch>() == 1);
  CHECK(cairn::detail::schema_of<cairn::file_sink>() == 1);
}
