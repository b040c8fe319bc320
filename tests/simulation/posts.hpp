// A journal: threads outside post, and what they were told is durable is handled once, in order,
// whatever becomes of the processes.
#pragma once

#include <asio/io_context.hpp>

#include <cairn/journal.hpp>

#include "audit.hpp"

namespace simulated::posts {

struct report {};

/// A word of a thread outside, with so much paper that few go into one file of the journal: a batch
/// may be in two of them.
struct slip {
  nudge what{};
  std::string paper{};
  void serialize(auto& ar) { ar(what, paper); }
};
constexpr std::size_t paper = 700;

/// Takes what was posted.
struct till {
  using protocol = cairn::protocol<slip, report>;
  heard sold{};
  void serialize(auto& ar) { ar(sold); }
  void on(slip given) {
    may_fail();
    sold.take(given.what);
  }
  heard on(report) const { return sold; }
};

/// One process's posts. Their completions come where a thread outside or the root task looks.
struct counter {
  asio::io_context completions{};
  int under_way = 0;
};

/// Is told whether a post is durable. What a dying process is told, nobody sees.
struct completion {
  using executor_type = asio::io_context::executor_type;
  [[nodiscard]] executor_type get_executor() const noexcept {
    return at->completions.get_executor();
  }
  void operator()(const std::exception_ptr& failed) const {
    --at->under_way;
    if (!failed && !world->dying) world->confirmed.insert({what.thread, what.number});
  }
  counter* at;
  outer_world* world;
  nudge what;
};

inline void post(counter& at, const cairn::journal<till>& into, std::uint64_t thread) {
  at.completions.restart();
  at.completions.poll();
  const nudge what{thread, ++outside->posted[thread]};
  ++at.under_way;
  into.async_post<slip>(completion{&at, outside, what}, what, std::string(paper, 'p'));
}

[[nodiscard]] inline bool has_all(const heard& sold) {
  for (const auto& [thread, number] : outside->confirmed) {
    const auto found = sold.by.find(thread);
    if (found == sold.by.end()) return false;
    if (!std::binary_search(found->second.begin(), found->second.end(), number)) return false;
  }
  return true;
}

inline cairn::task<int> app(cairn::root& root) {
  auto one = root.supervise("shop", forgiving()).spawn<till>("till");
  const cairn::journal<till> sales{root, "sales", one};
  const auto at = std::make_shared<counter>();
  outside->kept.push_back(at);  // after a rollback there is another one, and posts of this one
  outside->nudge = [sales, at](const nudge& what) -> std::optional<cairn::epoch> {
    post(*at, sales, what.thread);
    return std::nullopt;
  };
  bool all = false;
  do {
    co_await root.sleep(std::chrono::milliseconds{1});
    at->completions.restart();
    at->completions.poll();
    const auto sold = co_await one.ask<report>();
    all = outside->talking == 0 && at->under_way == 0 && has_all(sold);
  } while (!all);
  outside->result = "sold";
  co_return 0;
}

/// In every snapshot: what was confirmed has been handled, waits, or stands in the journal behind
/// what the snapshot has of it. Nothing is there twice.
inline void check(const snapshot& in) {
  std::set<std::pair<std::uint64_t, std::uint64_t>> found;
  const auto add = [&](const nudge& what) {
    if (!found.insert({what.thread, what.number}).second) {
      complain("snapshot " + std::to_string(raw(in.number())) + ": a post stands in two places");
    }
  };
  std::uint64_t taken = 0;
  in.each<cairn::detail::journal_port>([&](const auto& port, const snapshot::cell& where) {
    taken = port.done;
    in.each_waiting<cairn::detail::journal_entry>(where, [&](const auto& entry) {
      if (entry.number <= taken) complain("an entry waits that was consumed");
    });
  });
  in.each<till>([&](const till& one, const snapshot::cell& where) {
    for (const auto& [thread, numbers] : one.sold.by) {
      for (const auto number : numbers) add({thread, number});
    }
    in.each_waiting<slip>(where, [&](const slip& each) { add(each.what); });
  });
  in.each_entry<slip>("sales", taken + 1, [&](const slip& each) { add(each.what); });
  for (const auto& [thread, number] : outside->confirmed) {
    if (found.contains({thread, number})) continue;
    complain("snapshot " + std::to_string(raw(in.number())) + ": post " + std::to_string(number) +
             " of thread " + std::to_string(thread) + " is lost");
  }
}

inline const std::string expected = "sold";

}  // namespace simulated::posts
