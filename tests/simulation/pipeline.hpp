// A source, two stages that talk to each other, and a sink: what is outside at the end is what an
// undisturbed run puts there, byte for byte, and at any time a beginning of it.
#pragma once

#include "world.hpp"

#include <cairn/sink.hpp>
#include <cairn/source.hpp>

namespace simulated::pipeline {

constexpr int lines = 60;

inline std::string line(int at) { return "line " + std::to_string(at) + "\n"; }
inline std::string everything() {
  std::string all;
  for (int at = 0; at < lines; ++at) all += line(at);
  return all;
}

/// Delivers to a file of the outer world.
struct outer_file {
  std::string name{};
  void serialize(auto& ar) { ar(name); }
  void prepare(const cairn::batch&) const {
    if (outside->sick()) throw std::runtime_error{"no room"};
  }
  void publish(const cairn::batch& what) const {
    if (outside->dying) return;
    std::string& file = outside->files[name];
    if (!what.bytes.empty() && file.size() > what.offset) {
      cairn::detail::sometimes("batch published again");
    }
    if (file.size() < what.offset) complain("a hole in what was published");
    file.resize(what.offset);
    file += what.bytes;
    if (!everything().starts_with(file)) complain("something else was published");
  }
};
using drain = cairn::sink_actor<outer_file>;

struct item {
  int at = 0;
  void serialize(auto& ar) { ar(at); }
};
struct next {};
struct check_item {
  int at = 0;
  void serialize(auto& ar) { ar(at); }
};

/// Is asked about every line.
struct judge {
  using protocol = cairn::protocol<check_item>;
  int seen = 0;
  void serialize(auto& ar) { ar(seen); }
  int on(check_item what) {
    may_fail();
    if (what.at != seen) complain("a line judged out of order");
    return seen++;
  }
};

struct stage {
  using protocol = cairn::protocol<item>;
  cairn::ref<judge> by{};
  cairn::ref<drain> to{};
  void serialize(auto& ar) { ar(by, to); }
  cairn::task<> on(item what) {
    may_fail();
    const int judged = co_await by.ask<check_item>(what.at);
    may_fail();
    to.tell<cairn::write>(line(judged));
  }
};

/// A replayable input of the outer world: the numbers of the lines.
struct outer_lines {
  using item = int;
  using place = int;
  int at = 0;
  std::optional<int> next() { return at < lines ? std::optional{at++} : std::nullopt; }
  [[nodiscard]] int position() const { return at; }
  void seek(int where) { at = where; }
  void serialize(auto& ar) { ar(at); }
};
static_assert(cairn::source<outer_lines>);

struct feeder {
  using protocol = cairn::protocol<next>;
  cairn::ref<stage> to{};
  outer_lines from{};
  void serialize(auto& ar) { ar(to, from); }
  void on(next, cairn::context<feeder>& me) {
    may_fail();
    const auto line = from.next();
    if (!line) return;
    to.tell<item>(*line);
    me.ref().template tell<next>();
  }
};

inline cairn::task<int> app(cairn::root& root) {
  auto top = root.supervise("pipeline", forgiving());
  auto sink = top.spawn<drain>("drain", outer_file{"out"});
  auto by = top.spawn<judge>("judge");
  auto middle = top.spawn<stage>("stage", stage{by, sink});
  auto source = top.spawn<feeder>("feeder", feeder{middle});
  if (!root.restored()) source.tell<next>();
  for (;;) {
    const auto state = co_await sink.ask<cairn::get_delivery>();
    if (state.written == everything().size()) break;
  }
  outside->result = "written";
  co_return 0;
}

inline const std::string expected = "written";

}  // namespace simulated::pipeline

template <>
inline constexpr std::string_view cairn::type_name<simulated::pipeline::drain> = "sink<outer>";
