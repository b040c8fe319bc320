// The code of docs/evolution.md, and that of pages that go with it: it stands here word for word,
// and does what the page says.
#include <cairn/system.hpp>
#include <cairn/testing/probe.hpp>
#include <fstream>
#include <sstream>
#include <string>

#include "catch.hpp"

using namespace std::chrono_literals;

namespace first_day {
// docs/evolution.md
struct money {
  std::int64_t cents = 0;
  void serialize(auto& ar, std::uint32_t /*version*/) { ar(cents); }
};
// end
}  // namespace first_day

// docs/evolution.md
namespace savings {
struct money {
  std::int64_t cents = 0;
  std::string currency = "euro";  // what older bytes mean
  void serialize(auto& ar, std::uint32_t version) {
    ar(cents);
    if (version >= 1) ar(currency);
  }
};
}  // namespace savings

CEREAL_CLASS_VERSION(savings::money, 1)
// end

// docs/evolution.md
namespace savings {
struct transfer {
  std::int64_t cents = 0;
  void serialize(auto& ar, std::uint32_t /*version*/) { ar(cents); }
};
}  // namespace savings

template <>
inline constexpr auto cairn::former_names<savings::transfer> = cairn::names("savings::payment");
// end

namespace docs_evolution {
// docs/evolution.md
struct hello {};
struct teller {
  using protocol = cairn::protocol<hello>;
  void serialize(auto& /*ar*/, std::uint32_t /*version*/) {}
  void on(hello) {}
};
using program =
    cairn::actors<teller, cairn::retired<"bank::ledger">, cairn::retired<"bank::audit">>;
// end

// docs/other_version.md
void decide(cairn::options& chosen) {
  chosen.program_version = "2";
  chosen.other_version = [](const cairn::recorded_handler& what) {
    if (what.recorded != "1") return cairn::version_answer::refuse;
    const bool same = what.message == "bank::transfer";  // its handler has not changed
    return same ? cairn::version_answer::rerun : cairn::version_answer::abandon;
  };
}
// end

// docs/reminder.md
struct tick {};
struct halt {};

struct metronome {
  using protocol = cairn::protocol<tick, halt>;
  std::int64_t ticks = 0;
  cairn::reminder each{};
  void serialize(auto& ar) { ar(ticks, each); }

  void on_birth(cairn::context<metronome>& self) {
    each = self.send_every<tick>({.period = 1h, .missed = cairn::overdue::skip});
  }
  void on(tick) { ++ticks; }
  void on(halt, cairn::context<metronome>& self) { self.cancel(each); }
};
// end

std::string text_of(const std::string& path) {
  std::ifstream in{path};
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST_CASE("docs: older money is euros, and names are known") {
  cairn::detail::buffer bytes;
  cairn::encode(first_day::money{5}, bytes);
  const auto read = cairn::decode<savings::money>(bytes.view());
  CHECK(read.cents == 5);
  CHECK(read.currency == "euro");
  cairn::detail::registry types;
  program::describe(types);
  CHECK(types.retired.size() == 2);
  CHECK(cairn::former_names<savings::transfer>.front() == "savings::payment");
}

TEST_CASE("docs: handlers of another version") {
  cairn::options chosen;
  decide(chosen);
  using cairn::version_answer;
  CHECK(chosen.other_version({"", "", "bank::transfer", "1", "2"}) == version_answer::rerun);
  CHECK(chosen.other_version({"", "", "bank::payment", "1", "2"}) == version_answer::abandon);
  CHECK(chosen.other_version({"", "", "", "0", "2"}) == version_answer::refuse);
}

TEST_CASE("docs: a periodic reminder") {
  cairn::testing::probe<cairn::actors<metronome>> all;
  const auto one = all.spawn<metronome>("one");
  all.run_for(3h);
  CHECK(all.state(one).ticks == 3);
  CHECK(all.state(one).each != cairn::reminder{});
}

TEST_CASE("docs: the code of evolution.md is tested, word for word") {
  const std::string page = text_of(CAIRN_SOURCE_DIR "/docs/evolution.md");
  const std::string tests = text_of(CAIRN_SOURCE_DIR "/tests/docs_evolution_test.cpp");
  int blocks = 0;
  for (auto at = page.find("```cpp\n"); at != std::string::npos; at = page.find("```cpp\n", at)) {
    at += 7;
    const std::string code = page.substr(at, page.find("```\n", at) - at);
    INFO(code);
    CHECK(tests.find("// docs/evolution.md\n" + code + "// end\n") != std::string::npos);
    ++blocks;
  }
  CHECK(blocks >= 4);
}

}  // namespace docs_evolution
