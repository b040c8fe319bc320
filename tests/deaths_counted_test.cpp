// How many turns are remembered in which the process has died.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include <cairn/detail/deaths.hpp>

#include "catch.hpp"

TEST_CASE("of whatever workers were in at a death, what they were in at each one is found") {
  using cairn::detail::deadly_turn, cairn::detail::turn_file, cairn::detail::turn_note;
  constexpr std::uint64_t together = turn_file::most_notes;
  constexpr std::uint64_t type = 0xabcdef;
  std::vector<deadly_turn> counted;
  for (std::uint64_t death = 1; death <= 3; ++death) {
    cairn::detail::buffer file = turn_file::make(cairn::epoch{1}, counted);
    for (std::uint64_t worker = 0; worker < together; ++worker) {
      const bool deadly = worker + 1 == together;  // the others are in another turn each time
      const deadly_turn note{worker + 2, deadly ? 7 : death * together + worker, type, 0};
      std::memcpy(file.data() + turn_file::notes_at + worker * sizeof(turn_note), &note,
                  3 * sizeof(std::uint64_t));
    }
    counted = turn_file::read(file.view()).counted;
    // As a start finds them, which goes by cells.
    std::ranges::sort(counted, {}, &deadly_turn::actor);
    CHECK(counted.back().actor == together + 1);
    CHECK(counted.back().deaths == death);
  }
}
