#include <cairn/event.hpp>

#include <set>

#include "catch.hpp"

TEST_CASE("every kind of event has a name of its own") {
  std::set<std::string_view> names;
  unsigned kind = 0;
  while (to_string(static_cast<cairn::event_kind>(kind)) != "unknown") {
    names.insert(to_string(static_cast<cairn::event_kind>(kind++)));
  }
  CHECK(names.size() == kind);
  CHECK(kind > static_cast<unsigned>(cairn::event_kind::store_warning));
  CHECK(to_string(cairn::event_kind::store_warning) == "store_warning");
}
