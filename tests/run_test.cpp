// A program in the world: signals, exit codes, the service manager, a predecessor that still runs.
#include <cairn/file_store.hpp>
#include <cairn/run.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "catch.hpp"
#include "child_process.hpp"

namespace run_tests {

using namespace std::chrono_literals;

struct add {
  std::int64_t what = 0;
  void serialize(auto& archive) { archive(what); }
};
struct total {};

struct tally {
  using protocol = cairn::protocol<add, total>;
  std::int64_t sum = 0;
  void serialize(auto& archive) { archive(sum); }
  void on(add one) { sum += one.what; }
  std::int64_t on(total) { return sum; }
};
using actors = cairn::actors<tally>;

void say(const std::string& text) {
  std::printf("> %s\n", text.c_str());  // the runner of the tests prints too
  std::fflush(stdout);
}

/// Adds one and says what that comes to.
cairn::task<> count(cairn::root& root) {
  auto all = root.supervise("all");
  auto one = all.spawn<tally>("one");
  one.tell<add>(1);
  const auto sum = co_await one.ask<total>();
  say(std::to_string(sum));
}

cairn::task<int> returns(cairn::root& root) {
  co_await count(root);
  co_return 3;
}
cairn::task<int> serves(cairn::root& root) {
  co_await count(root);
  say("ready");
  co_await root.until_stopped();
  say("asked");
  co_return 5;
}
cairn::task<int> minds_nothing(cairn::root& root) {
  co_await count(root);
  say("ready");
  co_await root.sleep(1h);
  co_return 0;
}
cairn::task<int> does_not_end(cairn::root& root) {
  co_await count(root);
  say("ready");
  co_await root.until_stopped();
  say("asked");
  co_await root.sleep(1h);
  co_return 0;
}
void stuck() {
  say("ready");
  for (;;) ::pause();
}
cairn::task<int> is_stuck(cairn::root& root) {
  co_await count(root);
  co_await root.run("stuck", &stuck);
  co_return 0;
}
cairn::task<int> throws(cairn::root& root) {
  co_await count(root);
  throw std::domain_error{"no root, no tree"};
}

cairn::options stored_in(const char* directory) {
  cairn::options chosen;
  chosen.store = cairn::file_store{directory};
  chosen.epoch.every = 0s;  // nothing is committed but by the end
  chosen.workers = 2;
  return chosen;
}

/// Fails to open the store, says so, and waits for it.
int waits_for_lock(const char* directory) {
  try {
    cairn::system<actors> refused{stored_in(directory)};
    return 1;
  } catch (const cairn::error& why) {
    say(std::string{cairn::to_string(why.code())});
  }
  auto chosen = stored_in(directory);
  chosen.lock_wait = 10min;
  return cairn::run<actors>(returns, std::move(chosen));
}

int scenario(const std::string& name, const char* directory) {
  auto chosen = stored_in(directory);
  if (name == "returns") return cairn::run<actors>(returns, std::move(chosen));
  if (name == "has no bound") chosen.shutdown = std::chrono::milliseconds::max();
  if (name == "serves" || name == "has no bound")
    return cairn::run<actors>(serves, std::move(chosen));
  if (name == "minds nothing") return cairn::run<actors>(minds_nothing, std::move(chosen));
  if (name == "throws") return cairn::run<actors>(throws, std::move(chosen));
  if (name == "waits for the lock") return waits_for_lock(directory);
  if (name == "is stuck") {
    chosen.shutdown = 1s;
    return cairn::run<actors>(is_stuck, std::move(chosen));
  }
  chosen.shutdown = name == "does not end in time" ? 4s : 2h;
  return cairn::run<actors>(does_not_end, std::move(chosen));
}

// Run by the others as a process; by itself it has nothing to do.
TEST_CASE("a program as a process", "[.child]") {
  const char* name = std::getenv("CAIRN_TEST_SCENARIO");
  const char* directory = std::getenv("CAIRN_TEST_STORE");
  if (name == nullptr || directory == nullptr) return;
  const int code = scenario(name, directory);
  std::fflush(nullptr);
  std::_Exit(code);
}

struct directory {
  std::string path = [] {
    std::string name = (std::filesystem::temp_directory_path() / "cairn-run-XXXXXX").string();
    return std::string{::mkdtemp(name.data())};
  }();
  directory() = default;
  directory(const directory&) = delete;
  directory& operator=(const directory&) = delete;
  ~directory() { std::filesystem::remove_all(path); }
  [[nodiscard]] std::string store() const { return path + "/store"; }
};

struct program : child_process::child {
  program(const std::string& name, const directory& in, std::vector<std::string> more = {})
      : child{"a program as a process", environment(name, in, std::move(more))} {}
  static std::vector<std::string> environment(const std::string& name, const directory& in,
                                              std::vector<std::string> more) {
    more.push_back("CAIRN_TEST_SCENARIO=" + name);
    more.push_back("CAIRN_TEST_STORE=" + in.store());
    return more;
  }
};

TEST_CASE("the root task's result is the exit code", "[run]") {
  const directory in;
  program one{"returns", in};
  CHECK(one.line() == "1");
  CHECK(one.exit_code() == 3);
  program two{"returns", in};
  CHECK(two.line() == "2");  // the end was an epoch
  CHECK(two.exit_code() == 3);
}

TEST_CASE("a signal lets the root task end by itself", "[run]") {
  for (const int signal : {SIGTERM, SIGINT}) {
    const directory in;
    program one{"serves", in};
    CHECK(one.line() == "1");
    CHECK(one.line() == "ready");
    one.kill(signal);
    CHECK(one.line() == "asked");
    CHECK(one.exit_code() == 5);
    program two{"returns", in};
    CHECK(two.line() == "2");
    CHECK(two.exit_code() == 3);
  }
}

TEST_CASE("an end without a bound leaves nobody by force", "[run]") {
  const directory in;
  program one{"has no bound", in};
  CHECK(one.line() == "1");
  CHECK(one.line() == "ready");
  one.kill(SIGTERM);
  CHECK(one.line() == "asked");
  CHECK(one.exit_code() == 5);
}

TEST_CASE("a root task that does not end is ended with a last epoch", "[run]") {
  const std::string name = GENERATE(as<std::string>{}, "minds nothing", "does not end in time");
  const directory in;
  program one{name, in};
  CHECK(one.line() == "1");
  CHECK(one.line() == "ready");
  one.kill(SIGTERM);
  CHECK(one.exit_code() == 128 + SIGTERM);
  program two{"returns", in};
  CHECK(two.line() == "2");
  CHECK(two.exit_code() == 3);
}

TEST_CASE("a run that never ends does not keep the process from its end", "[run]") {
  const directory in;
  program one{"is stuck", in};
  CHECK(one.line() == "1");
  CHECK(one.line() == "ready");
  one.kill(SIGTERM);
  CHECK(one.exit_code() == cairn::exit_code::io);
  program two{"returns", in};
  CHECK(two.line() == "2");  // the last epoch was committed all the same
  CHECK(two.exit_code() == 3);
}

TEST_CASE("a second signal ends the process at once", "[run]") {
  const directory in;
  program one{"does not end", in};
  CHECK(one.line() == "1");
  CHECK(one.line() == "ready");
  one.kill(SIGTERM);
  CHECK(one.line() == "asked");
  one.kill(SIGINT);
  CHECK(one.exit_code() == 128 + SIGINT);
  program two{"returns", in};
  CHECK(two.line() == "1");  // nothing was committed
  CHECK(two.exit_code() == 3);
}

TEST_CASE("errors are a line and a documented code", "[run]") {
  const directory in;
  SECTION("the root task throws") {
    program one{"throws", in};
    CHECK(one.error_line() == "cairn: no root, no tree");
    CHECK(one.exit_code() == cairn::exit_code::software);
  }
  SECTION("another process holds the store") {
    const cairn::system<actors> holder{stored_in(in.store().c_str())};
    program one{"returns", in};
    const std::string text = one.error_line();
    CHECK(text.find("cairn: ") == 0);
    CHECK(text.find(in.store()) != std::string::npos);
    CHECK(one.exit_code() == cairn::exit_code::locked);
  }
}

TEST_CASE("a program waits for its predecessor", "[run]") {
  const directory in;
  std::optional<cairn::system<actors>> holder{std::in_place, stored_in(in.store().c_str())};
  program next{"waits for the lock", in};
  CHECK(next.line() == "locked");
  holder.reset();
  CHECK(next.line() == "1");
  CHECK(next.exit_code() == 3);
}

TEST_CASE("SIGUSR1 prints the status", "[run]") {
  const directory in;
  program one{"serves", in};
  CHECK(one.line() == "1");
  CHECK(one.line() == "ready");
  one.kill(SIGUSR1);
  CHECK(one.error_line() == "actors    2 on 2 workers");
  CHECK(one.error_line() == "messages  3 handled, 0 waiting; 0 restarts");
  one.kill(SIGTERM);
  CHECK(one.line() == "asked");
  CHECK(one.exit_code() == 5);
}

/// The socket of a service manager.
struct manager {
  explicit manager(const std::string& name) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, name.data(), name.size());
    if (name[0] == '@') at.sun_path[0] = '\0';
    socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto length = offsetof(sockaddr_un, sun_path) + name.size();
    REQUIRE(::bind(socket, reinterpret_cast<sockaddr*>(&at), static_cast<socklen_t>(length)) == 0);
  }
  manager(const manager&) = delete;
  manager& operator=(const manager&) = delete;
  ~manager() { ::close(socket); }
  [[nodiscard]] std::string told() const {
    std::array<char, 1000> text{};
    const auto got = ::recv(socket, text.data(), text.size(), 0);
    return got < 0 ? "" : std::string{text.data(), static_cast<std::size_t>(got)};
  }
  int socket = -1;
};

TEST_CASE("a service manager is told", "[run]") {
  const directory in;
  const bool abstract = GENERATE(false, true);
  const std::string name =
      abstract ? "@cairn-test-" + std::to_string(::getpid()) : in.path + "/notify";
  const manager listens{name};
  program one{"serves", in, {"NOTIFY_SOCKET=" + name, "WATCHDOG_USEC=20000"}};
  CHECK(one.line() == "1");
  CHECK(one.line() == "ready");
  std::string text = listens.told();
  for (; text == "WATCHDOG=1"; text = listens.told()) {
  }
  CHECK(text == "READY=1\nSTATUS=running");
  CHECK(listens.told() == "WATCHDOG=1");
  CHECK(listens.told() == "WATCHDOG=1");
  one.kill(SIGTERM);
  for (text = listens.told(); text == "WATCHDOG=1"; text = listens.told()) {
  }
  CHECK(text.find("STOPPING=1") == 0);
  CHECK(one.exit_code() == 5);
}

TEST_CASE("the watchdog's environment", "[run]") {
  const std::string own = std::to_string(::getpid());
  using cairn::detail::watchdog_interval;
  CHECK(watchdog_interval("30000000", nullptr) == 15s);
  CHECK(watchdog_interval("30000000", own.c_str()) == 15s);
  CHECK(watchdog_interval("30000000", "1") == 0s);
  CHECK(watchdog_interval(nullptr, nullptr) == 0s);
  CHECK(watchdog_interval("soon", nullptr) == 0s);
  CHECK(watchdog_interval("12x", nullptr) == 0s);
  CHECK_FALSE(cairn::detail::notifier{"not a socket"}.send("READY=1"));
  CHECK_FALSE(cairn::detail::notifier{""}.is_wanted());
}

TEST_CASE("exit codes follow the kind of error", "[run]") {
  using cairn::errc;
  using cairn::detail::exit_code_of;
  CHECK(exit_code_of(errc::damaged) == 65);
  CHECK(exit_code_of(errc::diverged) == 70);
  CHECK(exit_code_of(errc::no_space) == 74);
  CHECK(exit_code_of(errc::locked) == 75);
  CHECK(exit_code_of(errc::unknown_type) == 78);
}

TEST_CASE("a warning is a line", "[run]") {
  cairn::event what;
  what.kind = cairn::event_kind::failed;
  what.name = "bank";
  what.text = "two\nlines";
  CHECK(cairn::to_line(what) == "cairn: failed bank: two lines\n");
  CHECK(level_of(what.kind) == cairn::event_level::warning);
  CHECK(level_of(cairn::event_kind::committed) == cairn::event_level::detail);
}

}  // namespace run_tests
