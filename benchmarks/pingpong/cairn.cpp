// Two actors send one message back and forth, on one worker. ns per message.
//
// usage: pingpong_cairn [MESSAGES] [EPOCH_MS]    EPOCH_MS 0: no epochs while it runs
#include <cairn/cairn.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace bench {

struct player;

struct ball {
  std::uint64_t left;
  void serialize(auto& archive) { archive(left); }
};
struct meet {
  cairn::ref<player> other;
  void serialize(auto& archive) { archive(other); }
};
struct serve {
  std::uint64_t messages;
  void serialize(auto& archive) { archive(messages); }
};
struct finished {};

struct player {
  using protocol = cairn::protocol<ball, meet, serve, finished>;

  void on(meet m) { other = m.other; }
  void on(ball b) {
    if (b.left > 1) {
      other.tell<ball>(b.left - 1);
    } else {
      over = true;
    }
  }
  cairn::task<> on(serve s, cairn::context<player>& self) {
    other.tell<ball>(s.messages);
    co_await self.sleep(std::chrono::nanoseconds{0});
  }
  bool on(finished) { return over; }

  void serialize(auto& archive) { archive(other, over); }

  cairn::ref<player> other{};
  bool over = false;
};

cairn::task<int> play(cairn::root& root, std::uint64_t messages) {
  auto table = root.supervise("table");
  auto one = table.spawn<player>("one");
  auto two = table.spawn<player>("two");
  one.tell<meet>(two);
  two.tell<meet>(one);
  co_await root.checkpoint();
  const auto begin = std::chrono::steady_clock::now();
  co_await one.ask<serve>(messages);
  for (;;) {
    const bool first = co_await one.ask<finished>();
    const bool second = co_await two.ask<finished>();
    if (first || second) break;
    co_await root.sleep(std::chrono::milliseconds{1});
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
  std::printf("%.1f\n", took.count() / static_cast<double>(messages));
  co_return 0;
}

}  // namespace bench

int main(int count, char** words) {
  const std::uint64_t messages = count > 1 ? std::strtoull(words[1], nullptr, 10) : 5'000'000;
  const std::chrono::milliseconds every{count > 2 ? std::atol(words[2]) : 0};
  cairn::options how;
  how.workers = 1;
  how.epoch.every = every;
  how.epoch.messages = 0;
  how.epoch.bytes = 0;
  return cairn::run<cairn::actors<bench::player>>(
      [messages](cairn::root& root) { return bench::play(root, messages); }, std::move(how));
}
