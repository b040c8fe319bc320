// The program that the crash tests kill: a bank that comes to the same end and the same ledger
// however often it is started again. What it says is for crash_test.py.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <cairn/cairn.hpp>

#include "actors.hpp"
#include "as_of.hpp"
#include "poster.hpp"
#include "say.hpp"

namespace {

using namespace bank;

struct settings {
  std::string store{};
  std::string ledger{};
  std::uint64_t deposits = 400;
  pacing posts{};
  unsigned workers = 2;
  std::uint64_t epoch_us = 2000;
  std::uint64_t epoch_messages = 0;
  std::uint64_t segment_bytes = 16384;
  std::size_t max_abandoned = 5;
  std::uint64_t as_of = 0;
  bool list = false;
  mutable std::atomic<posting> outside{posting::goes_on};
};

struct staff {
  all_accounts owners{};
  std::vector<cairn::ref<teller>> hands{};
  cairn::ref<auditor> books{};
  cairn::ref<ledger_sink> ledger{};
  cairn::ref<counter> door{};
};

staff hire(cairn::root& root, const settings& of) {
  const auto bank = root.supervise("bank");
  staff all;
  all.ledger = root.supervise("ends").spawn<ledger_sink>("ledger", cairn::file_sink{of.ledger});
  all.books = bank.spawn<auditor>("auditor", all.ledger);
  for (std::uint64_t each = 0; each < accounts; ++each) {
    all.owners.push_back(bank.spawn<account>(fmt::format("account {}", each)));
  }
  for (std::uint64_t each = 0; each < tellers; ++each) {
    const auto name = fmt::format("teller {}", each);
    all.hands.push_back(bank.spawn<teller>(name, each, all.owners, all.books));
  }
  const std::vector<std::uint8_t> none(of.deposits);
  all.door = bank.spawn<counter>("counter", all.owners, all.hands, none);
  if (root.restored()) root.resume(all.ledger);  // it may have met a failing disk too often
  return all;
}

void say_start(const cairn::root& root) {
  if (!root.restored()) return say("started");
  const auto& found = root.restored_counts();
  say("restored {}: {} actors, {} messages, {} handlers, {} timers", raw(found.from), found.actors,
      found.messages, found.suspended_handlers, found.timers);
}

/// Whether nothing is under way any more: every transfer is done, every cent has arrived.
cairn::task<bool> is_at_rest(const staff& all, const settings& of) {
  auto audited = all.books.ask<get_audit>();
  const audit now = co_await std::move(audited);
  if (now.written != of.deposits) co_return false;
  for (const auto& each : all.hands) {
    auto asked = each.ask<get_work>();
    const work has = co_await std::move(asked);
    if (has.open != 0) co_return false;
  }
  std::uint64_t moves = 0;
  for (const auto& each : all.owners) {
    auto asked = each.ask<get_books>();
    const books has = co_await std::move(asked);
    moves += has.moves;
  }
  co_return moves >= 3 * of.deposits;  // each was paid in, withdrawn, and paid in again
}

/// True: committed. An epoch that is abandoned is no reason to give up: the system says when it is.
cairn::task<bool> commit(cairn::root& root) {
  auto asked = root.checkpoint();
  const auto how = co_await std::move(asked).as_result();
  co_return how.has_value();
}

/// False: the ledger's actor has given up.
cairn::task<bool> publish_all(cairn::root& root, const staff& all) {
  for (;;) {
    auto asked = all.ledger.ask<cairn::get_delivery>();
    auto now = co_await std::move(asked).as_result();
    if (!now) co_return false;
    if (now->published == now->written) co_return true;
    const bool committed = co_await commit(root);
    if (!committed) co_await root.sleep(1ms);
  }
}

cairn::task<> say_end(const staff& all) {
  for (const auto& each : all.owners) {
    auto asked = each.ask<get_books>();
    const books has = co_await std::move(asked);
    say("end account: {} cents, {} moves, {} breaches", has.cents, has.moves, has.breaches);
  }
  for (const auto& each : all.hands) {
    auto asked = each.ask<get_work>();
    const work has = co_await std::move(asked);
    say("end teller: {} done, {} open", has.done, has.open);
  }
  auto audited = all.books.ask<get_audit>();
  const audit now = co_await std::move(audited);
  say("end auditor: {} written, {} breaches", now.written, now.breaches);
  auto asked = all.door.ask<get_taken>();
  const std::vector<attempt> taken = co_await std::move(asked);
  std::string line;
  for (const auto& each : taken) {
    line += fmt::format(" {}{}.{}", each.run % 2 == 0 ? 'j' : 'a', each.run / 2, each.number);
  }
  say("taken{}", line);
}

int give_up(const char* what) {
  fmt::print(stderr, "bank: {} cannot be written\n", what);
  return cairn::exit_code::io;
}

cairn::task<int> trade(cairn::root& root, const settings& of) {
  say_start(root);
  const staff all = hire(root, of);
  const cairn::journal<counter> port{root, "deposits", all.door};
  auto asked = all.door.ask<get_missing>();
  (void)co_await std::move(asked);  // they are born
  // Ends with this task: where the system breaks off, it is destroyed after all asks have ended.
  const std::jthread outside{poster{all.door, port, of.posts, of.outside}};
  for (;;) {
    const auto posted = of.outside.load(std::memory_order_acquire);  // pairs with poster's store
    if (posted == posting::given_up) co_return give_up("the journal");
    const bool rests = co_await is_at_rest(all, of);
    if (rests && posted == posting::done) break;
    co_await root.sleep(2ms);
  }
  const bool published = co_await publish_all(root, all);
  if (!published) co_return give_up("the ledger");
  co_await say_end(all);
  say("closing");
  co_return 0;
}

int open_bank(const settings& of) {
  cairn::options chosen;
  if (of.as_of != 0) {
    chosen.store = bank::as_of{of.store, cairn::epoch{of.as_of}};
  } else {
    chosen.store = cairn::file_store{of.store, {.segment_bytes = of.segment_bytes}};
  }
  chosen.workers = of.workers;
  chosen.epoch.every = std::chrono::microseconds{of.epoch_us};
  chosen.epoch.messages = of.epoch_messages;
  chosen.epoch.max_abandoned = of.max_abandoned;
  chosen.ask_timeout = 10min;  // a busy machine must not change the end
  chosen.program_version = "bank 1";
  chosen.on_event = &hear;
  return cairn::run<actors>([&of](cairn::root& root) { return trade(root, of); },
                            std::move(chosen));
}

}  // namespace

int main(int count, char** arguments) {
  settings of;
  CLI::App line{"A bank for crash_test.py; goes on where it was killed."};
  line.add_option("--store", of.store, "the snapshots")->required();
  line.add_option("--ledger", of.ledger, "CSV of the transfers");
  line.add_option("--deposits", of.deposits, "how many come, in all");
  line.add_option("--run", of.posts.run, "a number that no run before had");
  line.add_option("--pause-us", of.posts.pause_us, "microseconds between batches of deposits");
  line.add_option("--workers", of.workers, "threads");
  line.add_option("--epoch-us", of.epoch_us, "microseconds between snapshots; 0: no matter");
  line.add_option("--epoch-messages", of.epoch_messages, "messages between them; 0: no matter");
  line.add_option("--segment-bytes", of.segment_bytes, "where a segment ends");
  line.add_option("--max-abandoned", of.max_abandoned, "snapshots that fail in a row");
  line.add_option("--as-of", of.as_of, "resume a copy of the store from this older snapshot");
  line.add_flag("--list", of.list, "read the retained snapshots, and do nothing else");
  CLI11_PARSE(line, count, arguments);
  try {
    if (!of.list) return open_bank(of);
    list_snapshots(of.store);
    return 0;
  } catch (const std::exception& why) {
    fmt::print(stderr, "bank: {}\n", why.what());
    return cairn::exit_code::io;
  }
}
