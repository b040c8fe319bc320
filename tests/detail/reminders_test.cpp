#include <cairn/detail/reminders.hpp>

#include <memory>
#include <utility>

#include <cairn/context.hpp>

#include "../catch.hpp"

namespace reminded {

using namespace std::chrono_literals;
using cairn::detail::buffer;
using cairn::detail::envelope_ptr;
using cairn::detail::get_timer;
using cairn::detail::make_envelope;
using cairn::detail::put_timer;
using cairn::detail::reader;
using cairn::detail::restart_times;
using cairn::detail::timer;
using cairn::detail::timer_kind;

/// An earlier version of it could be copied.
struct unique {
  std::unique_ptr<int> value{};
  void save(auto& /*ar*/) const {}
  void load(auto& /*ar*/) {}
};

/// As the next process has it, an hour later.
timer read_again(const timer& one, std::chrono::nanoseconds now) {
  constexpr std::chrono::microseconds wall = 1000h;
  cairn::detail::make_encodable<unique>();
  buffer record;
  put_timer(record, one, now, wall);
  reader from{record.view()};
  auto found = get_timer(from, restart_times{now + 1h, wall + 1min, wall},
                         [](reader&, std::uint32_t) { return make_envelope(unique{}); });
  REQUIRE(found);
  return std::move(*found);
}

TEST_CASE("a periodic reminder that is overdue and can be copied no more comes once, at once") {
  timer every;
  every.number = 7;
  every.kind = timer_kind::every;
  every.period = 10min;
  every.due = 1h + 5min;
  every.wall = 1000h + 5min;
  every.owed = 2;
  every.message = make_envelope(unique{});
  const timer once = read_again(every, 1h);
  CHECK(once.kind == timer_kind::after);
  CHECK(once.owed == 0);
  CHECK(once.due == 2h);
  const timer later = read_again(once, 2h);  // it could not be read where anything were owed
  CHECK(later.kind == timer_kind::after);
  CHECK(later.due == 3h);
}

}  // namespace reminded
