// What an epoch costs, from the call to the commit, in ms: with a few dirty actors among many, and
// with all of them dirty. And the space of a store over many epochs, in times its live bytes.
#include <cairn/file_store.hpp>

#include "../with/crowd_cairn.hpp"

namespace bench {

using cairn::detail::append_record;
using cairn::detail::buffer;
using cairn::detail::record_header;
using cairn::detail::record_kind;

/// Tells so many actors, as far from each other as they can be, and returns when they have handled
/// it. The root task does it itself: an actor that did would be dirty, too.
cairn::task<> touch_some(cairn::root& root, const crowd& of, std::uint32_t dirty,
                         std::uint64_t first) {
  const std::uint64_t wanted = idler::touched.sum() + dirty;
  const std::size_t apart = of.all.size() / dirty;
  for (std::uint32_t each = 0; each < dirty; ++each) {
    of.all[first % apart + each * apart].tell<touch>();
    if (each % at_a_time == 0) co_await root.sleep(std::chrono::milliseconds{0});
  }
  while (idler::touched.sum() < wanted) co_await root.sleep(std::chrono::microseconds{200});
}

cairn::task<int> play_few(cairn::root& root, const settings& how, std::uint32_t actors,
                          std::uint32_t dirty, std::vector<double>& ms) {
  crowd some;
  co_await spawn_crowd(root, actors, some);
  co_await root.checkpoint();
  xorshift chance;
  const int epochs = dirty >= quick_actors ? 3 : how.quick || how.growth ? 20 : 60;
  for (int at = 0; at < epochs; ++at) {
    co_await touch_some(root, some, dirty, chance.next());
    const double began = now_ns();
    co_await root.checkpoint();
    ms.push_back((now_ns() - began) / 1e6);
  }
  require(idler::touched.sum() == ms.size() * dirty, "not every message was handled");
  co_return 0;
}

/// The epochs of `with` come on demand alone.
[[nodiscard]] setup on_demand() {
  setup with;
  with.epochs = true;
  with.every = std::chrono::milliseconds{0};
  return with;
}

template <std::uint32_t Dirty, std::uint32_t Actors>
double few(const settings& how, const setup&) {
  std::vector<double> ms;
  run<village, idler>(how, on_demand(), [&](cairn::root& root) {
    return play_few(root, how, crowd_size(how, Actors), Dirty, ms);
  });
  return quantile(ms, 0.5);
}

cairn::task<int> play_all(cairn::root& root, std::uint32_t actors, std::vector<double>& ms,
                          const cairn::epoch_cost& last) {
  crowd some;
  co_await spawn_crowd(root, actors, some);
  crier::all = some.all;
  const auto by = root.supervise("rest").spawn<crier>("crier");
  co_await root.checkpoint();
  for (int at = 0; at < epochs_of_all; ++at) {
    co_await touch_crowd(root, by, some);
    co_await root.checkpoint();
    ms.push_back(std::chrono::duration<double, std::milli>{last.whole}.count());
    require(last.records >= actors, "the epoch has left actors out");
    const double each = static_cast<double>(last.bytes) / static_cast<double>(last.records);
    require(actors < 10'000 || (each > 0.9 * record_bytes && each < 1.1 * record_bytes),
            "record_bytes in sizes.hpp should be " + std::to_string(each));
  }
  co_return 0;
}

template <std::uint32_t Actors>
double all_dirty(const settings& how, const setup&) {
  std::vector<double> ms;
  cairn::epoch_cost last;  // one worker: it tells of the epoch, and runs the root task
  setup with = on_demand();
  with.on_event = [&](const cairn::event& what) {
    if (what.kind == cairn::event_kind::committed) last = what.cost;
  };
  run<village, idler, crier>(how, with, [&](cairn::root& root) {
    return play_all(root, crowd_size(how, Actors), ms, last);
  });
  return quantile(ms, 0.5);
}

/// One epoch of a store: the records of some actors, 1 KiB of state each.
void write_epoch(cairn::file_store& to, std::uint64_t number,
                 const std::vector<std::uint64_t>& changed) {
  static const std::array<std::byte, 1024> state{};
  to.begin(cairn::epoch{number});
  buffer records;
  for (const std::uint64_t each : changed) {
    record_header header;
    header.kind = record_kind::actor;
    header.actor = cairn::actor_id{each};
    header.epoch = cairn::epoch{number};
    header.position = cairn::position{number};
    append_record(records, header, state);
    if (records.size() < 256 * 1024) continue;
    to.append(records.view());
    records.clear();
  }
  record_header meta;
  meta.epoch = cairn::epoch{number};
  append_record(records, meta, {});
  to.append(records.view());
  to.commit();
}

/// The most that the store takes after its first tenth of epochs, in times the bytes of the newest
/// epoch's records. One in a hundred actors changes each epoch.
double space_of(const settings& how, std::uint64_t actors, std::uint64_t epochs) {
  const temporary_directory place{how.directory};
  const std::uint64_t live = actors * (1024 + cairn::detail::record_overhead);
  // In proportion to what the default is to a million actors.
  cairn::file_store kept{place.path(), {.segment_bytes = std::max<std::uint64_t>(live / 17, 4096)}};
  cairn::store_options options;
  options.retain = 3;
  kept.open(options);
  std::vector<std::uint64_t> changed(actors);
  for (std::uint64_t at = 0; at < actors; ++at) changed[at] = at + 2;
  write_epoch(kept, 1, changed);
  changed.resize(actors / 100);
  xorshift chance;
  double most = 0;
  for (std::uint64_t number = 2; number < epochs + 2; ++number) {
    for (auto& each : changed) each = chance.next() % actors + 2;
    write_epoch(kept, number, changed);
    if (number < epochs / 10) continue;
    most = std::max(most, static_cast<double>(kept.stats().disk_bytes));
  }
  require(most > static_cast<double>(live), "a store cannot be smaller than what lives in it");
  return most / static_cast<double>(live);
}

double space(const settings& how, const setup&) {
  return how.quick ? space_of(how, 5'000, 200) : space_of(how, 50'000, 1'000);
}
double space_whole(const settings& how, const setup&) { return space_of(how, many_actors, 10'000); }

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  std::vector<measurement> all;
  add(all, "epoch-few", &few<dirty_few, many_actors>, {}, when::always, "ms");
  add(all, "epoch-all", &all_dirty<many_actors>, {}, when::always, "ms");
  add(all, "store-space", &space, {}, when::always, "times");
  add(all, "store-space-whole", &space_whole, {}, when::named, "times");
  // So many dirty actors among so many.
  add(all, "epoch-100-of-1000", &few<dirty_few, 1'000>, {}, when::growth, "ms");
  add(all, "epoch-100-of-10000", &few<dirty_few, 10'000>, {}, when::growth, "ms");
  add(all, "epoch-100-of-100000", &few<dirty_few, 100'000>, {}, when::growth, "ms");
  add(all, "epoch-100-of-1000000", &few<dirty_few, many_actors>, {}, when::growth, "ms");
  add(all, "epoch-1000-of-1000000", &few<1'000, many_actors>, {}, when::growth, "ms");
  add(all, "epoch-10000-of-1000000", &few<10'000, many_actors>, {}, when::growth, "ms");
  add(all, "epoch-100000-of-1000000", &few<100'000, many_actors>, {}, when::growth, "ms");
  add(all, "epoch-1000000-of-1000000", &few<many_actors, many_actors>, {}, when::growth, "ms");
  return main_of(count, words, "cairn", all);
}
