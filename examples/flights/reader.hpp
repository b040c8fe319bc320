// The reader's handlers.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "actors.hpp"

namespace flights {

/// The position that the reader began at in this process. For people: no actor reads it.
inline std::atomic<std::uint64_t> began_at{0};

inline void reader::on_start(cairn::context<reader>&) {
  if (paces != 0) began_at.store(position, std::memory_order_relaxed);  // before the root's ask
}

inline void reader::on(pace wanted, cairn::context<reader>& self) {
  if (paces++ == 0) alerts.tell<cairn::write>(std::string{alerts_header});
  rate = wanted.rate;
  waiting = false;
  self.ref().tell<next_batch>(paces);
}

inline void reader::on(next_batch word, cairn::context<reader>& self) {
  if (word.pace != paces) return;  // of the program's run before
  for (auto left = batch_size(); left > 0 && under_way < window && readings < repeat; --left) {
    if (const auto line = lines.next()) {
      if (line->number != 1) take(*line, self);
    } else {
      ++readings;
      lines.seek({});
    }
  }
  if (readings == repeat) return;
  if (rate != 0) {
    self.send_after<next_batch>(
        batch_size() * std::chrono::nanoseconds{std::chrono::seconds{1}} / rate, paces);
  } else if (under_way < window) {
    self.ref().tell<next_batch>(paces);
  } else {
    waiting = true;
  }
}

inline void reader::on(counted, cairn::context<reader>& self) {
  --under_way;
  if (!waiting || under_way > window / 2) return;
  waiting = false;
  self.ref().tell<next_batch>(paces);
}

inline void reader::take(const cairn::file_lines::item& line, cairn::context<reader>& self) {
  ++position;
  const auto read = parse(line.text);
  if (!read) {
    if (readings != 0) return;  // named the first time
    if (bad.count++ < most_named) bad.first.push_back({line.number, read.why().text});
    return;
  }
  const flight& each = *read;
  const auto origin = find(each.origin, self);
  origin.tell<depart>(find(each.destination, self), each.delay);
  ++under_way;
  ++flown;
  if (each.delay < alert_delay) return;
  ++late;
  alerts.tell<cairn::write>(alert_line(each));
}

inline cairn::ref<airport> reader::find(std::string_view code, cairn::context<reader>& self) {
  const auto [at, is_new] = known.try_emplace(std::string{code});
  if (is_new) at->second = self.spawn<airport>(code, self.ref());
  return at->second;
}

}  // namespace flights
