#include <cairn/detail/mailbox.hpp>

#include <cstdint>
#include <vector>

#include "../catch.hpp"

namespace marked {

using cairn::epoch;
using cairn::detail::envelope;
using cairn::detail::envelope_ptr;
using cairn::detail::mailbox;
using cairn::detail::sweep_marks;
using tickets = std::vector<std::uint64_t>;

envelope_ptr message(std::uint64_t ticket) {
  auto made = cairn::detail::make_envelope(0);
  made->ticket = ticket;
  return made;
}

/// Messages of the tickets 1 to `last`. Those from `open_from` on are left for the next sweep.
struct walked {
  mailbox box{};
  std::uint64_t open_from = ~std::uint64_t{0};
  std::uint64_t open_until = ~std::uint64_t{0};

  void add(std::uint64_t from, std::uint64_t last) {
    for (; from <= last; ++from) box.queue.push_back(message(from));
  }
  /// Which a slice of that sweep looks at. It ends behind `most`.
  tickets slice(std::uint64_t sweep, std::uint64_t most = ~std::uint64_t{0}) {
    sweep_marks& marks = box.made_marks().swept;
    tickets seen;
    envelope* each = box.queue.front();
    for (; each != nullptr && marks.is_before(*each); each = each->next) {
      seen.push_back(each->ticket);
    }
    const envelope* newest = box.queue.back();
    const std::uint64_t last_ticket = newest != nullptr ? newest->ticket : 0;
    if (envelope* last = marks.begin(each, epoch{sweep}, last_ticket)) each = last->next;
    for (; marks.is_due(each) && each->ticket <= most; each = each->next) {
      seen.push_back(each->ticket);
      marks.pass(*each, each->ticket < open_from || each->ticket > open_until);
    }
    return seen;
  }
};

TEST_CASE("a sweep goes on where its slice has ended, the next one behind what is done") {
  walked all;
  all.add(1, 6);
  CHECK(all.slice(1, 2) == tickets{1, 2});
  CHECK(all.slice(1, 4) == tickets{3, 4});
  CHECK(all.slice(1) == tickets{5, 6});
  CHECK(all.slice(1).empty());
  all.add(7, 8);
  CHECK(all.slice(2) == tickets{7, 8});
}

TEST_CASE("a sweep ends where more comes than it looks at") {
  walked all;
  all.add(1, 6);
  CHECK(all.slice(1, 4) == tickets{1, 2, 3, 4});
  all.add(7, 20);
  CHECK(all.slice(1, 5) == tickets{5});
  all.add(21, 30);
  CHECK(all.slice(1) == tickets{6});
  CHECK(all.slice(1).empty());
  // What it was to look at may be dropped meanwhile, with its places.
  CHECK(all.slice(2, 9) == tickets{7, 8, 9});
  while (all.box.queue.front()->ticket <= 30) {
    all.add(all.box.queue.back()->ticket + 1, all.box.queue.back()->ticket + 1);
    all.box.queue.pop_front().reset();
  }
  CHECK(all.slice(2).empty());
  CHECK(all.slice(3).size() == all.box.queue.size());
}

TEST_CASE("what a sweep has left for the next one ends what is done, also before what is") {
  walked all;
  all.add(1, 6);
  all.open_from = 3;
  all.open_until = 4;
  CHECK(all.slice(1, 5) == tickets{1, 2, 3, 4, 5});
  CHECK(all.slice(1) == tickets{6});
  all.open_from = ~std::uint64_t{0};
  CHECK(all.slice(2) == tickets{3, 4, 5, 6});
  CHECK(all.slice(3).empty());
}

TEST_CASE("places end with the last message that was passed") {
  walked all;
  all.add(1, 3);
  (void)all.slice(1, 2);
  for (int left = 2; left > 0; --left) (void)all.box.queue.pop_front();
  all.add(4, 5);
  CHECK(all.slice(2, 4) == tickets{3, 4});
  while (!all.box.queue.empty()) (void)all.box.queue.pop_front();
  CHECK(all.slice(2).empty());
  all.add(6, 7);
  CHECK(all.slice(3) == tickets{6, 7});
}

TEST_CASE("what is put back in front is looked at, and the places stay as long as they are there") {
  walked all;
  all.add(1, 4);
  (void)all.slice(1, 3);
  (void)all.box.queue.pop_front();
  all.box.put_in_front(message(1));
  CHECK(all.slice(1) == tickets{1, 4});
  CHECK(all.slice(2) == tickets{1});
  for (int left = 4; left > 0; --left) (void)all.box.queue.pop_front();
  all.box.put_in_front(message(4));  // another envelope than the one that was passed last
  all.add(5, 6);
  CHECK(all.slice(3) == tickets{4, 5, 6});
}

TEST_CASE("what is taken from among what was passed ends the places, what comes later does not") {
  walked all;
  all.add(1, 5);
  (void)all.slice(1, 3);
  envelope* second = all.box.queue.front()->next;
  envelope* third = second->next;
  CHECK(all.box.take_within(third)->ticket == 4);
  CHECK(all.slice(1) == tickets{5});
  all.box.take_within(second).reset();
  CHECK(all.slice(2) == tickets{1, 2, 5});
}

TEST_CASE("the marks of a mailbox go when nobody needs them") {
  mailbox box;
  box.queue.push_back(message(1));
  box.forget_swept();
  CHECK(box.marks == nullptr);
  box.attend_anew();
  CHECK(box.attended() == nullptr);
  box.made_marks().attended = box.queue.front();
  box.forget_swept();
  CHECK(box.attended() == box.queue.front());
  box.attend_anew();
  box.forget_swept();
  CHECK(box.marks == nullptr);
}

}  // namespace marked
