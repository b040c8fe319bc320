#include "cairn/fwd.hpp"

// Names may be used before their definitions, and agree with them when those follow.
struct early {
  cairn::ref<early>* to;
  cairn::result<int> (*call)(cairn::context<early>&);
};

#include "cairn/error.hpp"
#include "cairn/message.hpp"
#include "cairn/task.hpp"
#include "catch.hpp"

static cairn::result<int> five(cairn::context<early>&) { return 5; }

TEST_CASE("forward declarations name what is defined later") {
  const early made{nullptr, &five};
  CHECK(made.call == &five);
  CHECK(cairn::protocol<early>::size == 1);
}
