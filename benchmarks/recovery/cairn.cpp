// `recovery…`: from opening the store until every actor is there and has handled one message, in
// ms; the page cache is warm, or cold where the name says so. The process is a new one each time.
// `restart`: from a handler's exception, with the actor's log filled to its bound, to the same
// handler's beginning again, in us; `restart-replay`: what that many messages take in life.
#include <fcntl.h>

#include <cairn/detail/bases.hpp>

#include "../with/crowd_cairn.hpp"

namespace bench {

/// Runs `work` in a process of its own.
template <class Work>
void in_child(Work work) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    try {
      work();
    } catch (const std::exception& why) {
      std::fprintf(stderr, "%s\n", why.what());
      std::_Exit(1);
    }
    std::_Exit(0);
  }
  int status = 1;
  require(child > 0 && waitpid(child, &status, 0) == child && status == 0, "the first process");
}

void forget_pages(const std::string& directory) {
  for (const auto& each : std::filesystem::recursive_directory_iterator{directory}) {
    if (!each.is_regular_file()) continue;
    const int file = open(each.path().c_str(), O_RDONLY);
    require(file >= 0 && posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0, "posix_fadvise");
    close(file);
  }
}

cairn::task<int> fill(cairn::root& root, std::uint32_t actors) {
  crowd some;
  co_await spawn_crowd(root, actors, some);
  co_await touch_crowd(root, some.home, some);
  co_return 0;
}

cairn::task<int> go_on(cairn::root& root, std::uint32_t actors, double& ended) {
  require(root.restored(), "nothing was restored");
  auto top = root.supervise("top");
  auto home = top.spawn<village>("village");
  home.tell<touch_all>();
  while (idler::touched.sum() < actors) co_await root.sleep(std::chrono::microseconds{50});
  ended = now_ns();
  co_return 0;
}

template <std::uint32_t Actors, bool Cold>
double recovery(const settings& how, const setup& with) {
  const temporary_directory place{how.directory};
  setup kept = with;
  kept.store = place.path() + "/store";
  const std::uint32_t actors = crowd_size(how, Actors);
  in_child([&] {
    run<village, idler>(how, kept, [&](cairn::root& root) { return fill(root, actors); });
  });
  if (Cold) forget_pages(kept.store);
  double ended = 0;
  const double began = now_ns();
  run<village, idler>(how, kept, [&](cairn::root& root) { return go_on(root, actors, ended); });
  return (ended - began) / 1e6;
}

struct step {
  std::uint64_t number = 0;
  void serialize(auto& archive) { archive(number); }
};

/// What is seen of the one who fails; no part of its state.
struct failing {
  bool armed = false;
  std::size_t log_bytes = 0;  ///< before the latest turn
  double last = 0;
  double failed = 0;
  std::vector<double> turns{};     ///< ns from one to the next
  std::uint64_t replayed = 0;      ///< since the latest failure
  std::vector<double> messages{};  ///< replayed by each restart
  std::vector<double> restarts{};  ///< ns
};
inline failing seen;

/// 64 bytes of state, which only its codec can copy.
struct fragile {
  using protocol = cairn::protocol<step>;

  void on(step s, cairn::context<fragile>& self) {
    count += s.number;
    if (self.replaying()) return (void)++seen.replayed;
    look(self.where().saved->log.bytes());
  }
  void serialize(auto& archive) { archive(count, text); }

  /// Throws where one message more would make the log too long.
  static void look(std::size_t log_bytes) {
    const double now = now_ns();
    if (seen.failed > 0) {
      seen.restarts.push_back(now - std::exchange(seen.failed, 0));
      seen.messages.push_back(static_cast<double>(std::exchange(seen.replayed, 0)));
      seen.armed = false;
    } else if (seen.last > 0) {
      seen.turns.push_back(now - seen.last);
    }
    const std::size_t before = std::exchange(seen.log_bytes, log_bytes);
    const std::size_t one = log_bytes > before ? log_bytes - before : 0;
    if (seen.armed && one > 0 && log_bytes + one > cairn::detail::min_log) {
      seen.last = 0;
      seen.failed = now_ns();
      throw std::runtime_error{"as planned"};
    }
    seen.last = now_ns();
  }

  std::uint64_t count = 0;
  std::string text = "a text that makes the state 64 bytes long";
};

cairn::task<int> fail_often(cairn::root& root, std::size_t times) {
  cairn::supervisor_options rules;
  rules.intensity.restarts = 1'000'000;
  auto top = root.supervise("top", rules);
  auto one = top.spawn<fragile>("one");
  while (seen.restarts.size() < times) {
    seen.armed = true;
    seen.last = 0;
    for (std::uint64_t at = 0; at < 200; ++at) one.tell<step>(at);
    co_await root.sleep(std::chrono::milliseconds{1});
  }
  co_return 0;
}

void play_failures(const settings& how, const setup& with) {
  seen = {};
  run<fragile>(how, with,
               [&](cairn::root& root) { return fail_often(root, how.quick ? 100 : 500); });
  require(quantile(seen.messages, 0) >= 100, "the log was all but empty");
}

double restart(const settings& how, const setup& with) {
  play_failures(how, with);
  return quantile(seen.restarts, 0.5) / 1e3;
}
double restart_replay(const settings& how, const setup& with) {
  play_failures(how, with);
  return quantile(seen.messages, 0.5) * quantile(seen.turns, 0.5) / 1e3;
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  std::vector<measurement> all;
  setup two;
  two.workers = 2;
  add(all, "recovery-100", &recovery<100, false>, {}, when::always, "ms");
  add(all, "recovery-1000000", &recovery<many_actors, false>, {}, when::always, "ms");
  add(all, "recovery-1000000-cold", &recovery<many_actors, true>, {}, when::always, "ms");
  add(all, "recovery-1000000@2", &recovery<many_actors, false>, two, when::full, "ms");
  add(all, "recovery-1000000-cold@2", &recovery<many_actors, true>, two, when::full, "ms");
  add(all, "recovery-of-100", &recovery<100, false>, {}, when::growth, "ms");
  add(all, "recovery-of-1000", &recovery<1'000, false>, {}, when::growth, "ms");
  add(all, "recovery-of-10000", &recovery<10'000, false>, {}, when::growth, "ms");
  add(all, "recovery-of-100000", &recovery<100'000, false>, {}, when::growth, "ms");
  add(all, "recovery-of-1000000", &recovery<many_actors, false>, {}, when::growth, "ms");
  add(all, "restart", &restart, {}, when::always, "us");
  add(all, "restart-replay", &restart_replay, {}, when::always, "us");
  return main_of(count, words, "cairn", all);
}
