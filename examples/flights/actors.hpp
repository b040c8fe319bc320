// Who works: a reader with the input, an actor for every airport and one for its desk; and apart
// from them a clerk, who knows which job the store belongs to.
//
//   reader --depart--> airport --depart--> desk --arrive?--> the destination's airport
//      ^                  ^                  |
//      `----counted-------`-----departed-----'
//
// The desk is an actor of its own because it waits: while it asks the destination, its airport can
// be asked itself. Airports never wait, so whoever asks one is answered.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <cairn/cairn.hpp>
#include <cairn/sink.hpp>
#include <cairn/source.hpp>

#include "csv.hpp"

namespace flights {

struct airport;
struct desk;
using alert_sink = cairn::sink_actor<cairn::file_sink>;

/// A flight, to its origin and on to the desk there.
struct depart {
  cairn::ref<airport> to{};
  std::int32_t delay = 0;
  void serialize(auto& archive) { archive(to, delay); }
};
/// The origin's desk asks the destination.
struct arrive {};
/// From the desk to its airport: the destination has agreed.
struct departed {
  std::int32_t delay = 0;
  void serialize(auto& archive) { archive(delay); }
};
struct get_figures {};

struct figures {
  std::uint64_t departures = 0;
  std::uint64_t arrivals = 0;
  std::int64_t delay_sum = 0;  ///< of the departures, in minutes
  std::int32_t delay_max = 0;  ///< of the departures; 0 where there is none
  void serialize(auto& archive) { archive(departures, arrivals, delay_sum, delay_max); }
};

/// What is to be done; a store belongs to one job.
struct job {
  std::string input{};  ///< this path and the next one are as files.hpp gives them
  std::string alerts{};
  std::uint64_t bytes = 0;   ///< of the input
  std::uint64_t lines = 0;   ///< of the input, after its header
  std::uint64_t repeat = 1;  ///< how often it is read

  [[nodiscard]] std::uint64_t events() const noexcept { return lines * repeat; }
  void serialize(auto& archive) { archive(input, alerts, bytes, lines, repeat); }
};

/// To the reader, whenever the program starts.
struct pace {
  std::uint64_t rate = 0;  ///< events per second, 0: as fast as they are handled
  void serialize(auto& archive) { archive(rate); }
};
/// The reader's word to itself.
struct next_batch {
  std::uint64_t pace = 0;  ///< which `pace` it belongs to
  void serialize(auto& archive) { archive(pace); }
};
/// One flight has departed and arrived.
struct counted {};
struct get_progress {};
struct get_airports {};
struct get_skipped {};

struct progress {
  std::uint64_t position = 0;  ///< events taken from the input
  std::uint64_t flights = 0;
  std::uint64_t alerts = 0;
  std::uint64_t skipped = 0;  ///< malformed lines of one reading
  bool complete = false;      ///< every event is taken, every flight counted
  void serialize(auto& archive) { archive(position, flights, alerts, skipped, complete); }
};

struct skipped_line {
  std::uint64_t number = 0;
  std::string why{};
  void serialize(auto& archive) { archive(number, why); }
};
/// Of one reading of the input.
struct skipped {
  std::uint64_t count = 0;
  std::vector<skipped_line> first{};
  void serialize(auto& archive) { archive(count, first); }
};

using airports = std::map<std::string, cairn::ref<airport>>;

struct get_state {};
struct job_state {
  job of{};
  bool finished = false;
  std::uint64_t alert_bytes = 0;  ///< when it is finished
  void serialize(auto& archive) { archive(of, finished, alert_bytes); }
};
/// The job's outputs are where they belong.
struct finish {
  std::uint64_t alert_bytes = 0;
  void serialize(auto& archive) { archive(alert_bytes); }
};

/// Has a supervisor of its own: the others sleep until what he knows has been asked for.
struct clerk {
  using protocol = cairn::protocol<get_state, finish>;

  job_state all{};

  [[nodiscard]] job_state on(get_state) const { return all; }
  void on(finish end) {
    all.finished = true;
    all.alert_bytes = end.alert_bytes;
  }
  void serialize(auto& archive) { archive(all); }
};

/// Reads the input, its position in its state, and has never more than `window` flights under way.
struct reader {
  using protocol =
      cairn::protocol<pace, next_batch, counted, get_progress, get_airports, get_skipped>;
  static constexpr std::uint64_t window = 1024;
  static constexpr std::uint64_t batch = 64;
  static constexpr std::size_t most_named = 10;  ///< skipped lines that are named

  cairn::file_lines lines{};
  std::uint64_t repeat = 1;
  cairn::ref<alert_sink> alerts{};
  airports known{};
  skipped bad{};
  std::uint64_t readings = 0;  ///< of the whole input, so far
  std::uint64_t position = 0;
  std::uint64_t flown = 0;
  std::uint64_t late = 0;
  std::uint64_t under_way = 0;
  std::uint64_t rate = 0;
  std::uint64_t paces = 0;
  bool waiting = false;  ///< for flights to be counted, before the next batch

  void on_start(cairn::context<reader>& self);
  void on(pace wanted, cairn::context<reader>& self);
  void on(next_batch word, cairn::context<reader>& self);
  void on(counted, cairn::context<reader>& self);
  [[nodiscard]] progress on(get_progress) const {
    return {position, flown, late, bad.count, readings == repeat && under_way == 0};
  }
  [[nodiscard]] airports on(get_airports) const { return known; }
  [[nodiscard]] skipped on(get_skipped) const { return bad; }

  void serialize(auto& archive) {
    archive(lines, repeat, alerts, known, bad, readings, position, flown, late, under_way, rate,
            paces, waiting);
  }

 private:
  void take(const cairn::file_lines::item& line, cairn::context<reader>& self);
  cairn::ref<airport> find(std::string_view code, cairn::context<reader>& self);
  [[nodiscard]] std::uint64_t batch_size() const {
    return rate == 0 ? batch : std::clamp<std::uint64_t>(rate / 100, 1, batch);
  }
};

/// Counts, and answers at once.
struct airport {
  using protocol = cairn::protocol<depart, arrive, departed, get_figures>;

  cairn::ref<reader> counts_for{};
  cairn::ref<desk> departures{};
  figures all{};

  void on_birth(cairn::context<airport>& self);
  void on(depart flight) const;
  void on(arrive) { ++all.arrivals; }
  void on(departed flight);
  [[nodiscard]] figures on(get_figures) const { return all; }

  void serialize(auto& archive) { archive(counts_for, departures, all); }
};

/// Takes one departure at a time: only when the destination has agreed does its airport count it.
struct desk {
  using protocol = cairn::protocol<depart>;

  cairn::ref<airport> home{};

  cairn::task<> on(depart flight);

  void serialize(auto& archive) { archive(home); }
};

using actors = cairn::actors<clerk, reader, airport, desk, alert_sink>;

inline void airport::on_birth(cairn::context<airport>& self) {
  departures = self.spawn<desk>("desk", self.ref());
}

inline void airport::on(depart flight) const { departures.tell<depart>(flight.to, flight.delay); }

inline void airport::on(departed flight) {
  all.delay_max = all.departures == 0 ? flight.delay : std::max(all.delay_max, flight.delay);
  all.delay_sum += flight.delay;
  ++all.departures;
  counts_for.tell<counted>();
}

inline cairn::task<> desk::on(depart flight) {
  // Airports never wait: only an overloaded machine is slow, and a flight must not be lost to it.
  auto arrival = flight.to.ask<arrive>().within(std::chrono::hours{24});
  co_await std::move(arrival);
  home.tell<departed>(flight.delay);
}

}  // namespace flights
