// How the store in format-1/ came to be: two lives of the program, and a journal's entries.
#pragma once

#include <cairn/codec.hpp>
#include <cairn/file_store.hpp>

#include "../runtime/fixture.hpp"
#include "program.hpp"

namespace golden {

constexpr std::uint64_t segment_bytes = 4096;
constexpr int calls = 40;

inline cairn::options options_of(fixture::bench& on, const std::string& directory) {
  auto chosen = on.options();
  chosen.store = cairn::file_store{directory, {.segment_bytes = segment_bytes}};
  return chosen;
}

inline cairn::task<int> first_life(cairn::root& root) {
  const auto o = enter(root);
  o.alice.tell<deposit>(100, "Bob");
  o.bob.tell<deposit>(-100, "a transfer to Alice, with a text that is longer than most of them");
  o.alice.tell<furnish>();
  o.eye.tell<watch_over>(o.temp, cairn::ref<clerk>{}, o.safe);
  co_await root.checkpoint();
  for (int value = 1; value <= 5; ++value) o.sum.tell<add>(value);
  co_await root.savepoint("before");
  jammed.store(true, std::memory_order_relaxed);  // read by this very thread
  o.paper.tell<print>(1);
  o.paper.tell<print>(2);
  o.temp.stop("moved away");
  co_await root.checkpoint();
  // Segments of which little lives, and time to carry that along.
  for (int round = 0; round < 3; ++round) {
    o.bob.tell<fill>(160U);
    if (round == 0) o.sum.tell<add>(6);
    if (round == 1) o.desk.tell<memo>("a memo");
    if (round == 2) o.alice.tell<deposit>(1, "a friend");
    co_await root.checkpoint();
    o.bob.tell<fill>(2U);
    co_await root.checkpoint();
  }
  for (int at = 0; at < 6; ++at) {
    o.bob.tell<deposit>(at, "a line");
    co_await root.checkpoint();
  }
  co_return 0;
}

inline cairn::task<int> second_life(cairn::root& root) {
  const auto o = enter(root);
  o.alice.tell<remind>(5);
  co_await root.savepoint("after");
  o.sum.tell<add>(7);
  co_await root.savepoint("for a while");
  co_await root.remove_savepoint("for a while");
  o.desk.tell<errand>(9);
  co_await root.run("until the clerk waits", &wait_for_clerk);
  o.desk.tell<memo>("first memo");
  o.desk.tell<memo>("second memo");
  o.eye.tell<watch_over>(cairn::ref<account>{}, o.desk, cairn::ref<vault>{});
  // The callers begin so late that the worker looks for the epoch while they are about it.
  const auto one = o.top.spawn<spinner>("");
  const auto other = o.top.spawn<spinner>("");
  one.tell<spin>(234, other, std::vector<cairn::ref<caller>>{o.callers[0], o.callers[1]}, calls);
  co_await root.checkpoint();
  co_return 0;
}

/// What is posted and then read from the journal of this name.
inline constexpr const char* journal_name = "new orders";

inline void write_journal(cairn::file_store& store) {
  const auto log = store.journal(journal_name);
  for (const std::int64_t cents : {11, 22}) {
    cairn::detail::buffer bytes;
    bytes.put_text(cairn::type_name<deposit>);
    bytes.put(cairn::detail::schema_of<deposit>());
    cairn::encode(deposit{cents, "a post"}, bytes);
    log->append(bytes.view());
  }
  log->sync();
}

/// Writes the store anew. The directory must not be there.
inline void write_store(const std::string& directory) {
  clerk_waits.store(false, std::memory_order_relaxed);  // nothing runs yet
  for (const auto life : {&first_life, &second_life}) {
    fixture::bench on;
    fixture::crash<all>(options_of(on, directory), life);
  }
  jammed.store(false, std::memory_order_relaxed);  // nothing runs any more
  cairn::file_store store{directory};
  store.open();
  write_journal(store);
}

}  // namespace golden
