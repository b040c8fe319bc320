// The input's lines, and the forms of what is written. docs/flights.md describes them.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <cairn/error.hpp>
#include <cairn/source.hpp>

namespace flights {

inline constexpr std::string_view input_header = "date,delay,distance,origin,destination";
inline constexpr std::string_view alerts_header = "date,delay,origin,destination\n";
inline constexpr std::string_view report_header =
    "airport,departures,arrivals,delay_sum,delay_max\n";

/// From this many minutes on a delay goes to the alerts.
inline constexpr std::int32_t alert_delay = 120;

struct flight {
  std::string_view date{};  ///< a part of the line
  std::int32_t delay = 0;   ///< in minutes; negative: early
  std::string_view origin{};
  std::string_view destination{};
};

/// "2001/01/31 23:59"
[[nodiscard]] inline bool is_date(std::string_view text) {
  constexpr std::string_view form = "dddd/dd/dd dd:dd";
  return std::ranges::equal(text, form, [](char c, char wanted) {
    return wanted == 'd' ? c >= '0' && c <= '9' : c == wanted;
  });
}

[[nodiscard]] inline bool is_airport(std::string_view text) {
  return text.size() == 3 && std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

[[nodiscard]] inline bool read_number(std::string_view text, std::int32_t& number) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc{} && end == text.data() + text.size();
}

/// Reads a line, or says what is wrong with it.
[[nodiscard]] inline cairn::result<flight> parse(std::string_view line) {
  std::array<std::string_view, 5> field;
  std::size_t count = 0;
  for (std::size_t from = 0; from != line.npos; ++count) {
    const auto end = line.find(',', from);
    if (count < field.size()) field[count] = line.substr(from, end - from);
    from = end == line.npos ? end : end + 1;
  }
  const auto wrong = [](std::string text) {
    return cairn::failure{cairn::errc::rejected, std::move(text)};
  };
  if (count != field.size()) return wrong(fmt::format("{} instead of 5 fields", count));
  flight made{field[0], 0, field[3], field[4]};
  std::int32_t miles = 0;
  if (!is_date(made.date)) return wrong("the date is not YYYY/MM/DD HH:MM");
  if (!read_number(field[1], made.delay)) return wrong("the delay is not a number");
  if (!read_number(field[2], miles) || miles < 0) return wrong("the distance is not a number");
  if (!is_airport(made.origin)) return wrong("the origin is not an airport's code");
  if (!is_airport(made.destination)) return wrong("the destination is not an airport's code");
  return made;
}

[[nodiscard]] inline std::string alert_line(const flight& late) {
  return fmt::format("{},{},{},{}\n", late.date, late.delay, late.origin, late.destination);
}

struct extent {
  std::uint64_t bytes = 0;
  std::uint64_t lines = 0;  ///< after the header
};

/// How long the input is.
///
/// Errors: throws `cairn::error` where it cannot be read, or has another header.
[[nodiscard]] inline extent measure(const std::string& path) {
  cairn::file_lines lines{path};
  const auto first = lines.next();
  if (!first || first->text != input_header) {
    const bool windows = first && first->text == std::string{input_header} + '\r';
    throw cairn::error{cairn::errc::rejected,
                       fmt::format("{}: the first line is not \"{}\"{}", path, input_header,
                                   windows ? ": it ends in CR LF, not in LF alone" : "")};
  }
  std::uint64_t count = 0;
  while (lines.next()) ++count;
  return {lines.position().byte, count};
}

}  // namespace flights
