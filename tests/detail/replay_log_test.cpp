#include <cairn/detail/replay_log.hpp>

#include <string>

#include "../catch.hpp"

namespace {

using cairn::detail::log_kind;
using cairn::detail::ops_of;
using cairn::detail::replay_log;

std::string text_of(const cairn::detail::log_entry& entry) {
  return *static_cast<const std::string*>(entry.value());
}

}  // namespace

TEST_CASE("a replay log gives back what was appended, across its chunks") {
  replay_log log;
  CHECK(log.empty());
  for (int at = 0; at < 300; ++at) {
    const std::string text(static_cast<std::size_t>(at), 'x');
    log.append_object(log_kind::message, ops_of<std::string>, &text).ticket =
        static_cast<std::uint64_t>(at);
  }
  replay_log::cursor at{};
  for (std::size_t expected = 0; expected < 300; ++expected) {
    const auto* entry = log.next(at);
    REQUIRE(entry != nullptr);
    REQUIRE(entry->ticket == expected);
    REQUIRE(text_of(*entry).size() == expected);
  }
  CHECK(log.next(at) == nullptr);
}

TEST_CASE("a truncated log ends where it was cut and goes on from there") {
  replay_log log;
  const std::string big(9000, 'b');
  const std::string small = "small";
  log.append_object(log_kind::message, ops_of<std::string>, &small);
  const auto cut = log.end();
  const auto bytes = log.bytes();
  for (int at = 0; at < 200; ++at) {
    log.append_object(log_kind::message, ops_of<std::string>, &big);
  }
  log.append_bytes(log_kind::value, std::as_bytes(std::span{big}));
  log.truncate(cut);
  CHECK(log.bytes() == bytes);
  CHECK(log.end() == cut);
  log.append_bytes(log_kind::turn, {});
  replay_log::cursor at{};
  CHECK(text_of(*log.next(at)) == "small");
  CHECK(log.next(at)->kind == log_kind::turn);
  CHECK(log.next(at) == nullptr);
  log.clear();
  CHECK(log.empty());
}
