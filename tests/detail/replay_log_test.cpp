#include <cairn/detail/replay_log.hpp>

#include <cstdint>
#include <span>
#include <string>

#include "../catch.hpp"

namespace {

using cairn::errc;
using cairn::detail::envelope_kind;
using cairn::detail::envelope_ptr;
using cairn::detail::found_entry;
using cairn::detail::log_entry;
using cairn::detail::log_kind;
using cairn::detail::make_envelope;
using cairn::detail::ops_of;
using cairn::detail::replay_log;

std::string text_of(const log_entry& entry) {
  return *static_cast<const std::string*>(entry.value());
}

template <class T>
envelope_ptr message(T value, std::uint64_t ticket) {
  auto made = make_envelope(std::move(value));
  made->index = 3;
  made->ticket = ticket;
  return made;
}

void append_text(replay_log& log, const std::string& text, std::uint64_t ticket = 0) {
  log.append_input(*message(text, ticket));
}

void end_turn(replay_log& log) { log.append_turn({}, 0, 0, true, 0, 0); }

/// Appends a message of a word and its turn's end, which takes no room.
void take_word(replay_log& log, std::uint64_t word) {
  const auto input = message(word, word);
  if (!log.append_at_once(*input)) log.append_input(*input);
  end_turn(log);
}

}  // namespace

TEST_CASE("a replay log gives back what was appended, across its chunks") {
  replay_log log;
  CHECK(log.empty());
  for (std::size_t at = 0; at < 300; ++at) append_text(log, std::string(at, 'x'), at);
  replay_log::cursor at{};
  for (std::size_t expected = 0; expected < 300; ++expected) {
    const found_entry entry = log.next(at);
    REQUIRE(entry);
    REQUIRE(entry->kind == log_kind::message);
    REQUIRE(entry->index == 3);
    REQUIRE(entry->ticket == expected);
    REQUIRE(entry->type == ops_of<std::string>.hash);
    REQUIRE(text_of(*entry).size() == expected);
  }
  CHECK_FALSE(log.next(at));
}

TEST_CASE("a truncated log ends where it was cut and goes on from there") {
  replay_log log;
  const std::string big(9000, 'b');
  append_text(log, "small");
  const auto cut = log.end();
  const auto bytes = log.bytes();
  for (int at = 0; at < 200; ++at) append_text(log, big);
  log.append_value(7, std::as_bytes(std::span{big}));
  log.truncate(cut);
  CHECK(log.bytes() == bytes);
  CHECK(log.end() == cut);
  end_turn(log);
  replay_log::cursor at{};
  CHECK(text_of(*log.next(at)) == "small");
  CHECK(log.next(at)->kind == log_kind::turn);
  CHECK_FALSE(log.next(at));
  log.clear();
  CHECK(log.empty());
  CHECK(log.end() == replay_log::cursor{});
}

TEST_CASE("a turn's end that takes no room is read where it stood, also across chunks") {
  replay_log log;
  constexpr std::uint64_t words = 400;
  for (std::uint64_t word = 0; word < words; ++word) take_word(log, word);
  CHECK(log.bytes() == words * 32);
  replay_log::cursor at{};
  for (std::uint64_t word = 0; word < words; ++word) {
    const auto before = at;
    const found_entry input = log.next(at);
    REQUIRE(input);
    REQUIRE(input->ticket == word);
    REQUIRE(*static_cast<const std::uint64_t*>(input->value()) == word);
    const found_entry ended = log.next(at);
    REQUIRE(ended);
    REQUIRE(ended->kind == log_kind::turn);
    REQUIRE(ended->effects == 0);
    REQUIRE(log.bytes_before(before) == word * 32);
  }
  CHECK(at == log.end());
  CHECK_FALSE(log.next(at));
}

namespace {

/// Thrown by what cannot be copied.
struct no_copy {};

struct copied_once {
  copied_once() = default;
  copied_once(copied_once&&) noexcept {}
  copied_once(const copied_once&) { throw no_copy{}; }
  std::uint64_t words[2] = {};
};
/// The same, for which no usual chunk has room.
struct large_once : copied_once {
  using copied_once::copied_once;
  std::uint64_t more[700] = {};
};

}  // namespace

TEST_CASE("a log to which an entry could not be copied ends where reading ends") {
  for (std::uint64_t words = 1; words < 18; ++words) {
    INFO(words);
    replay_log log;
    for (std::uint64_t word = 0; word < words; ++word) take_word(log, word);
    const auto before = log.end();
    CHECK_THROWS_AS(log.append_input(*message(copied_once{}, 7)), no_copy);
    CHECK(log.end() == before);
    CHECK_THROWS_AS(log.append_input(*message(large_once{}, 7)), no_copy);
    CHECK(log.end() == before);
    CHECK_THROWS_AS(log.append_input(*message(large_once{}, 7)), no_copy);
    CHECK(log.end() == before);
    replay_log::cursor at{};
    while (log.next(at)) {
    }
    CHECK(at == before);
    take_word(log, 1000);
    CHECK(log.next(at)->ticket == 1000);
  }
}

TEST_CASE("what owns memory is moved out of an input that the log takes") {
  replay_log log;
  const auto input = message(std::string(100, 'x'), 7);
  const auto* letters = static_cast<const std::string*>(input->payload())->data();
  log.take_input(*input);
  replay_log::cursor at{};
  const found_entry entry = log.next(at);
  REQUIRE(entry);
  CHECK(entry->ticket == 7);
  CHECK(text_of(*entry) == std::string(100, 'x'));
  CHECK(static_cast<const std::string*>(entry->value())->data() == letters);

  SECTION("that is answered, too") {
    const auto question = message(std::string(100, 'y'), 8);
    question->answer.number = 3;
    const auto* others = static_cast<const std::string*>(question->payload())->data();
    log.take_input(*question);
    const found_entry whole = log.next(at);
    REQUIRE(whole);
    CHECK(whole->answer.number == 3);
    CHECK(static_cast<const std::string*>(whole->value())->data() == others);
  }
}

TEST_CASE("a log that is cut behind or before a turn's end holds it or not") {
  for (const std::uint64_t words : {1U, 15U, 16U, 17U, 143U, 144U, 145U}) {
    INFO(words);
    replay_log log;
    for (std::uint64_t word = 0; word < words; ++word) take_word(log, word);
    const auto behind = log.end();
    take_word(log, 1000);
    auto at = behind;
    CHECK(log.next(at)->ticket == 1000);  // the end before it has been read
    log.truncate_behind(behind);
    CHECK(log.bytes() == (words + 1) * 32);
    at = behind;
    CHECK(log.next(at)->ticket == 1000);
    CHECK_FALSE(log.next(at));
    log.truncate(behind);
    CHECK(log.end() == behind);
    auto last = replay_log::cursor{};
    for (std::uint64_t each = 0; each + 1 < 2 * words; ++each) REQUIRE(log.next(last));
    auto its_end = last;
    CHECK(log.next(its_end)->kind == log_kind::turn);
    CHECK(its_end == behind);
    log.truncate(last);
    CHECK_FALSE(log.next(last));
  }
}

TEST_CASE("what is said besides is read as it was written, and where it is little takes less") {
  replay_log log;
  const std::uint64_t word = 5;
  auto asked = message(word, 9);
  asked->answer = {nullptr, cairn::actor_id{7}, 11, true};
  CHECK_FALSE(log.append_at_once(*asked));
  log.append_input(*asked);
  auto answer = make_envelope(word);
  answer->kind = envelope_kind::reply;
  answer->answer.number = 12;
  log.append_input(*answer);
  answer->code = errc::timeout;
  log.append_input(*answer);
  const std::uint64_t mixed[] = {1, 2};
  log.append_turn(std::as_bytes(std::span{mixed}), 2, 21, true, 22, 23);
  log.append_turn(std::as_bytes(std::span{mixed}), 2, 21, false, 22, 23);

  replay_log::cursor at{};
  const found_entry first = log.next(at);
  CHECK(first->answer.id == cairn::actor_id{7});
  CHECK(first->answer.number == 11);
  CHECK(first->ticket == 9);
  const found_entry handed = log.next(at);
  CHECK(handed->kind == log_kind::handed);
  CHECK(handed->number == 12);
  CHECK(handed->code == errc::ok);
  const found_entry late = log.next(at);
  CHECK(late->number == 12);
  CHECK(late->code == errc::timeout);
  CHECK(handed->room < late->room);
  const found_entry ended = log.next(at);
  CHECK(ended->effects == 2);
  CHECK(ended->number == 21);
  CHECK(ended->ticket == 22);
  CHECK(ended->type == 23);
  CHECK(ended->schema == cairn::detail::values_known);
  CHECK(ended->length == sizeof mixed);
  CHECK(log.next(at)->schema == 0);

  CHECK(log.forget_answer({}).number == 11);
  CHECK(log.forget_answer({}).number == 0);
  log.forget_values();
  at = {};
  while (const found_entry each = log.next(at)) {
    if (each->kind == log_kind::turn) CHECK((each->ticket == 0 && each->schema == 0));
  }
}

TEST_CASE("a log is small until its actor has consumed more than a few messages") {
  replay_log log;
  CHECK(log.is_small());
  while (log.bytes() < 480) take_word(log, log.bytes());
  CHECK(log.is_small());
  while (log.bytes() < 640) take_word(log, log.bytes());
  CHECK_FALSE(log.is_small());
  log.clear();
  CHECK_FALSE(log.is_small());  // the next messages find its room
}
