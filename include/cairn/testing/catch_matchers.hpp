// Matchers for Catch2, 2.13 and 3.x, for tests with a probe. Where there is no Catch2 this header
// is empty.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "probe.hpp"

#if defined(CATCH_AMALGAMATED_HPP_INCLUDED)  // 3.x in one file, which the test has included
#elif __has_include(<catch2/matchers/catch_matchers.hpp>)
#include <catch2/catch_tostring.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#elif __has_include(<catch2/catch.hpp>)
#include <catch2/catch.hpp>
#endif

#if defined(CATCH_AMALGAMATED_HPP_INCLUDED) || \
    __has_include(<catch2/matchers/catch_matchers.hpp>) || __has_include(<catch2/catch.hpp>)

namespace cairn::testing {
namespace detail_of_catch {

// The base of matchers is in Catch in 2.13, and in Catch::Matchers in 3.x.
using namespace Catch;
using namespace Catch::Matchers;
template <class T>
using base = MatcherBase<T>;

}  // namespace detail_of_catch

/// A message of this type waits on the route: `CHECK_THAT(p, waits_for<deposit>(alice))`.
template <class M>
class waits_for final : public detail_of_catch::base<probe_base> {
 public:
  explicit waits_for(route along) : along_{along} {}

  bool match(const probe_base& in) const override { return in.waits<M>(along_); }

 protected:
  std::string describe() const override {
    const cairn::detail::cell* to = along_.to.where;
    return "waits for " + cairn::detail::name_in_text<M>() + " to " +
           (to != nullptr ? cairn::detail::world::label(*to) : "nobody");
  }

 private:
  route along_;
};

/// The system has told of this, at all or so often:
/// `CHECK_THAT(p, has_events(cairn::event_kind::restarted, 1))`.
class has_events final : public detail_of_catch::base<probe_base> {
 public:
  explicit has_events(event_kind kind, std::optional<std::size_t> count = {})
      : kind_{kind}, count_{count} {}

  bool match(const probe_base& in) const override {
    std::size_t found = 0;
    for (const event& each : in.events()) found += each.kind == kind_ ? 1 : 0;
    return count_ ? found == *count_ : found != 0;
  }

 protected:
  std::string describe() const override {
    return "has " + (count_ ? std::to_string(*count_) + " " : std::string{}) + "events of kind " +
           std::string{to_string(kind_)};
  }

 private:
  event_kind kind_;
  std::optional<std::size_t> count_;
};

/// A dead letter of this type of message, for this reason where one is given:
/// `CHECK_THAT(p.dead_letters().back(), is_dead_letter<deposit>(cairn::errc::failed))`.
template <class M>
class is_dead_letter final : public detail_of_catch::base<dead_letter> {
 public:
  explicit is_dead_letter(std::optional<errc> code = {}) : code_{code} {}

  bool match(const dead_letter& letter) const override {
    return letter.message == type_name<M> && (!code_ || letter.code == *code_);
  }

 protected:
  std::string describe() const override {
    return "is a dead letter of " + std::string{type_name<M>} +
           (code_ ? ", " + std::string{to_string(*code_)} : std::string{});
  }

 private:
  std::optional<errc> code_;
};

}  // namespace cairn::testing

/// How Catch2 shows a dead letter.
template <>
struct Catch::StringMaker<cairn::dead_letter> {
  static std::string convert(const cairn::dead_letter& of) {
    return of.message + " to " + of.name + " (" + std::string{cairn::to_string(of.code)} +
           (of.text.empty() ? "" : ": " + of.text) + ")";
  }
};

#endif
