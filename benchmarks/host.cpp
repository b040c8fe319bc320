// The system behind every benchmark of cairn, compiled once.
#include <optional>

#include <cairn/file_store.hpp>
#include <cairn/system.hpp>

#include "with/cairn.hpp"

namespace bench {
namespace {

/// What `cairn::actors<…>` is to `cairn::system`: the list is only known when it runs.
struct described {
  static inline void (*by)(cairn::detail::registry&) = nullptr;
  static void describe(cairn::detail::registry& types) { by(types); }
};

struct watcher {
  std::atomic<unsigned> lost{0};
  std::function<void(const cairn::event&)> also{};

  void operator()(const cairn::event& what) {
    if (also) also(what);
    switch (what.kind) {
      case cairn::event_kind::dead_letter:
      case cairn::event_kind::abandoned:
      case cairn::event_kind::suspended:
        if (lost.fetch_add(1, std::memory_order_relaxed) == 0) {
          std::fprintf(stderr, "%s\n", what.text.c_str());
        }
        break;
      default:
        break;
    }
  }
};

}  // namespace

void run_described(void (*describe)(cairn::detail::registry&), const settings& how,
                   const setup& with, cairn::application app) {
  described::by = describe;
  watcher seen;
  seen.also = with.on_event;
  std::optional<temporary_directory> place;
  cairn::options chosen;
  chosen.workers = with.workers;
  chosen.epoch.every = with.epochs ? with.every : std::chrono::milliseconds{0};
  chosen.epoch.messages = 0;
  chosen.epoch.bytes = 0;
  chosen.epoch.retain = with.retain;
  chosen.ask_timeout = std::chrono::minutes{10};
  chosen.shutdown = std::chrono::minutes{5};
  chosen.slow_turn = {};
  // Who runs for speed is not told of each actor that starts or stops.
  if (!with.on_event) chosen.least_event = cairn::event_level::notable;
  chosen.on_event = [&](const cairn::event& what) { seen(what); };
  if (!with.store.empty()) {
    chosen.store = cairn::file_store{with.store};
  } else if (with.epochs) {
    place.emplace(how.directory);
    chosen.store = cairn::file_store{place->path()};
  }
  bool during = false;
  {
    cairn::system<described> all{std::move(chosen)};
    all.start(std::move(app));
    all.wait();
    during = raw(all.status().committed) > 0;
    const cairn::ended end = all.stop();
    require(end.finished && end.code == 0 && end.committed, end.text);
  }
  require(!with.epochs || during, "no epoch was committed");
  require(seen.lost.load(std::memory_order_relaxed) == 0, "messages or epochs were lost");
}

bool try_move(const cairn::detail::address& which, unsigned worker) {
  cairn::detail::cell& one = *which.where;
  auto& all = static_cast<cairn::detail::world&>(*one.owner);
  cairn::detail::worker& here = *cairn::detail::current_worker;
  if (here.open || one.ready) return false;
  return cairn::detail::give_away(all, here, one, *all.workers[worker]);
}

unsigned home_of(const cairn::detail::address& which) {
  return which.where->home.load(std::memory_order_acquire)->index;  // pairs with give_away()
}

}  // namespace bench
