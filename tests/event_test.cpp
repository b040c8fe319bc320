#include <cairn/event.hpp>

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "catch.hpp"

namespace event_test {

using cairn::event_kind;

struct known {
  event_kind kind{};
  std::string_view name{};
};
// In the order of their declaration, all of them.
constexpr known kinds[] = {{event_kind::restored, "restored"},
                           {event_kind::undeclared, "undeclared"},
                           {event_kind::started, "started"},
                           {event_kind::failed, "failed"},
                           {event_kind::restarted, "restarted"},
                           {event_kind::given_up, "given_up"},
                           {event_kind::suspended, "suspended"},
                           {event_kind::resumed, "resumed"},
                           {event_kind::stopped, "stopped"},
                           {event_kind::timed_out, "timed_out"},
                           {event_kind::diverged, "diverged"},
                           {event_kind::dead_letter, "dead_letter"},
                           {event_kind::slow_turn, "slow_turn"},
                           {event_kind::stuck, "stuck"},
                           {event_kind::epoch_begun, "epoch_begun"},
                           {event_kind::committed, "committed"},
                           {event_kind::abandoned, "abandoned"},
                           {event_kind::store_warning, "store_warning"},
                           {event_kind::unfinished, "unfinished"},
                           {event_kind::rolled_back, "rolled_back"},
                           {event_kind::nondeterministic, "nondeterministic"},
                           {event_kind::paused, "paused"},
                           {event_kind::continued, "continued"},
                           {event_kind::savepoint, "savepoint"},
                           {event_kind::savepoint_removed, "savepoint_removed"},
                           {event_kind::cloned, "cloned"},
                           {event_kind::delivered_again, "delivered_again"},
                           {event_kind::letter_dropped, "letter_dropped"},
                           {event_kind::no_rollback, "no_rollback"}};

}  // namespace event_test

TEST_CASE("every kind of event is called what it is, and the docs say when it is told") {
  using namespace event_test;
  std::ifstream page{CAIRN_SOURCE_DIR "/docs/event.md"};
  const std::string docs{std::istreambuf_iterator<char>{page}, {}};
  unsigned at = 0;
  for (const auto& [kind, name] : kinds) {
    INFO(name);
    CHECK(static_cast<unsigned>(kind) == at++);
    CHECK(to_string(kind) == name);
    bool told = false;  // in the first column of a row
    for (std::size_t line = docs.find("\n| `"); line != docs.npos;
         line = docs.find("\n| `", line + 1)) {
      const auto column = docs.substr(line + 3, docs.find(" |", line + 3) - line - 3);
      told |= column.find("`" + std::string{name} + "`") != column.npos;
    }
    CHECK(told);
  }
  CHECK(to_string(static_cast<event_kind>(at)) == "unknown");
}
