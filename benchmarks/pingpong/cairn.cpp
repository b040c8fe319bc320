// Two actors send one message back and forth. ns per message; across two workers per round trip.
#include "../with/cairn.hpp"

namespace bench {

/// How a handler is written.
enum class style { plain, coroutine, yields };

template <class Load, class Kept, style Style>
struct player;

template <class Load>
struct ball {
  std::uint64_t left = 0;
  Load load{};
  void serialize(auto& archive) { archive(left, load); }
};
template <>
struct ball<nothing> {
  std::uint64_t left = 0;
  void serialize(auto& archive) { archive(left); }
};
template <class Player>
struct meet {
  cairn::ref<Player> other{};
  bool pinned = false;
  void serialize(auto& archive) { archive(other, pinned); }
};
struct handled {};

template <class Load, class Kept, style Style>
struct player {
  using protocol = cairn::protocol<ball<Load>, meet<player>, handled>;

  void on(meet<player> m, cairn::context<player>& self) {
    other = m.other;
    self.where().pinned = m.pinned;
  }
  void on(const ball<Load>& b)
    requires(Style == style::plain)
  {
    hit(b);
  }
  cairn::task<> on(ball<Load> b)
    requires(Style == style::coroutine)
  {
    hit(b);
    co_return;
  }
  cairn::task<> on(ball<Load> b, cairn::context<player>& self)
    requires(Style == style::yields)
  {
    co_await self.yield();
    hit(b);
  }
  std::uint64_t on(handled) { return kept.handled; }

  void hit(const ball<Load>& b) {
    kept.count();
    if (b.left <= 1) return timing.stop();
    if constexpr (std::is_same_v<Load, nothing>) {
      other.template tell<ball<Load>>(b.left - 1);
    } else {
      other.template tell<ball<Load>>(b.left - 1, b.load);
    }
  }

  void serialize(auto& archive) { archive(other, kept); }

  cairn::ref<player> other{};
  Kept kept{};
};

}  // namespace bench

template <class Load, class Kept, bench::style Style>
inline constexpr std::string_view cairn::type_name<bench::player<Load, Kept, Style>> =
    "bench.player";
template <class Load>
inline constexpr std::string_view cairn::type_name<bench::ball<Load>> = "bench.ball";
template <class Player>
inline constexpr std::string_view cairn::type_name<bench::meet<Player>> = "bench.meet";

namespace bench {

template <class Load, class Player>
void send(const cairn::ref<Player>& to, std::uint64_t left, Load load) {
  if constexpr (std::is_same_v<Load, nothing>) {
    to.template tell<ball<Load>>(left);
  } else {
    to.template tell<ball<Load>>(left, std::move(load));
  }
}

template <class Load, class Kept, style Style>
cairn::task<int> play(cairn::root& root, pace& games, unsigned workers) {
  using one_player = player<Load, Kept, Style>;
  auto table = root.supervise("table");
  auto one = table.spawn<one_player>("one");
  auto two = table.spawn<one_player>("two");
  if (workers == 0) co_await move_to(root, two.where(), 1);  // pinned across two
  one.template tell<meet<one_player>>(two, workers == 0);
  two.template tell<meet<one_player>>(one, workers == 0);
  std::uint64_t sent = 0;
  while (games.goes_on()) {
    co_await root.sleep(std::chrono::milliseconds{0});
    timing.start();
    send(one, games.rounds(), make_load<Load>());
    co_await until_over(root);
    sent += games.rounds();
    games.took(timing.ns());
    co_await root.sleep(std::chrono::milliseconds{0});
  }
  const auto first = co_await one.template ask<handled>();
  const auto second = co_await two.template ask<handled>();
  require(first + second == sent, "not every ball was hit once");
  if (workers == 0) require(home_of(one.where()) != home_of(two.where()), "both on one worker");
  co_return 0;
}

template <class Load, class Kept, style Style = style::plain>
double pingpong(const settings& how, const setup& with) {
  pace games{how, 20'000, 2};
  run<player<Load, Kept, Style>>(how, with, [&](cairn::root& root) {
    return play<Load, Kept, Style>(root, games, with.workers);
  });
  return games.per_round();
}

/// A round trip is two messages.
template <class Kept>
double across(const settings& how, const setup& with) {
  pace games{how, 2'000, 2};
  setup two = with;
  two.workers = 2;
  run<player<nothing, Kept, style::plain>>(how, two, [&](cairn::root& root) {
    return play<nothing, Kept, style::plain>(root, games, 0);
  });
  return 2 * games.per_round();
}

template <class Load>
void add_load(std::vector<measurement>& to, const std::string& workload) {
  add_twins(to, workload, &pingpong<Load, plain>, &pingpong<Load, owning>);
}
template <style Style>
void add_style(std::vector<measurement>& to, const std::string& workload) {
  add_twins(to, workload, &pingpong<nothing, plain, Style>, &pingpong<nothing, owning, Style>,
            when::always);
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  std::vector<measurement> all;
  add_rows(all, "pingpong", &pingpong<nothing, plain>, &pingpong<nothing, owning>);
  add_style<style::coroutine>(all, "pingpong-coroutine");
  add_style<style::yields>(all, "pingpong-yield");
  add_load<bytes<56>>(all, "pingpong-64B");
  add_load<bytes<1016>>(all, "pingpong-1024B");
  add_load<std::string>(all, "pingpong-string");
  add_load<numbers>(all, "pingpong-vector");
  add_twins(all, "pingpong-2", &across<plain>, &across<owning>, when::always);
  return main_of(count, words, "cairn", all);
}
