// More examples of the pages in docs/, and the check that pages and tests say the same.
#include <algorithm>
#include <atomic>
#include <cairn/cairn.hpp>
#include <cairn/sink.hpp>
#include <cairn/source.hpp>
#include <cairn/version.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>
#include <string>
#include <vector>

#include "catch.hpp"

using namespace std::chrono_literals;

namespace docs_names {
// docs/ids.md
constexpr cairn::epoch now{7};
static_assert(cairn::raw(cairn::next(now)) == 8);
static_assert(!std::is_convertible_v<cairn::position, cairn::epoch>);
// end
// docs/version.md
static_assert(cairn::version >= cairn::version_number{0, 1, 0});
// end
}  // namespace docs_names

// docs/type_name.md
template <class T>
struct crate {
  T inside{};
};
template <>
inline constexpr std::string_view cairn::type_name<crate<int>> = "crate-of-int";

static_assert(cairn::type_name<std::vector<crate<int>>> == "vector<crate-of-int>");
static_assert(cairn::type_name<std::int64_t> == "i64");
// end

namespace docs_codec {
// docs/codec.md
struct route {
  std::vector<std::string> stops{};
  void serialize(auto& ar) { ar(stops); }
};
static_assert(cairn::encodable<route>);

route copy_of(const route& from) {
  cairn::detail::buffer bytes;
  cairn::encode(from, bytes);
  return cairn::decode<route>(bytes.view());
}
// end
}  // namespace docs_codec

TEST_CASE("docs: values to bytes and back") {
  CHECK(docs_codec::copy_of({{"north", "south"}}).stops.at(1) == "south");
}

namespace docs_message {
// docs/message.md
struct rename {
  std::string to{};
  void serialize(auto& ar) { ar(to); }
};
struct is_called {
  std::string name{};
  void serialize(auto& ar) { ar(name); }
};
struct get_name {};

struct person {
  using protocol = cairn::protocol<rename, is_called, get_name>;
  std::string name{};
  void serialize(auto& ar) { ar(name); }
  void on(rename message) { name = std::move(message.to); }                 // by value: it keeps it
  bool on(const is_called& message) const { return message.name == name; }  // it only reads it
  std::string on(get_name) const { return name; }
};
static_assert(cairn::handles<person, rename>);
static_assert(std::same_as<cairn::reply_of<person, get_name>, std::string>);
// end
}  // namespace docs_message

namespace docs_task {
using docs_message::get_name;
using docs_message::person;
using docs_message::rename;
// docs/task.md
cairn::task<std::string> greeting(cairn::ref<person> whom) {  // parameters by value
  auto name = co_await whom.ask<get_name>();
  co_return "Hello " + name;
}

cairn::task<int> app(cairn::root& root) {
  auto bob = root.supervise("people").spawn<person>("bob");
  bob.tell<rename>("Bo");
  const std::string said = co_await greeting(bob);
  co_return said == "Hello Bo" ? 0 : 1;
}
// end
}  // namespace docs_task

namespace docs_run {
using namespace docs_task;
// docs/run.md
int run_it() {
  return cairn::run<cairn::actors<person>>(
      app, {.store = cairn::memory_store{}, .epoch = {.every = 100ms}});
}
// end
}  // namespace docs_run

TEST_CASE("docs: a whole program returns what its root task does") {
  CHECK(docs_run::run_it() == 0);
}

namespace docs_system {
using docs_message::person;
// docs/system.md
cairn::task<int> serve(cairn::root& root) {
  auto people = root.supervise("people");
  people.spawn<person>("ann");
  co_await root.until_stopped();
  co_return 3;
}

cairn::ended serve_and_stop() {
  cairn::system<cairn::actors<person>> town{{.workers = 2}};  // nothing runs yet
  town.start(serve);
  town.request_stop();  // any thread; the root task goes on and ends
  town.wait();
  return town.stop();  // a last epoch, then every thread stopped
}
// end
}  // namespace docs_system

TEST_CASE("docs: a system ends orderly") {
  const cairn::ended how = docs_system::serve_and_stop();
  CHECK(how.code == 3);
  CHECK(how.committed);
}

namespace docs_epoch {
// docs/epoch.md
const cairn::epoch_policy often{.every = 50ms, .messages = 100'000, .retain = 2};
const cairn::epoch_policy by_cost = cairn::adaptive{.mtbf = 6h, .at_most = 1min};
const cairn::epoch_policy on_demand{.every = 0ms, .messages = 0, .bytes = 0};
// end
}  // namespace docs_epoch

TEST_CASE("docs: an epoch policy is what its members say") {
  CHECK(docs_epoch::often.retain == 2);
  CHECK(docs_epoch::by_cost.mtbf == 6h);
  CHECK(docs_epoch::by_cost.every == 1s);
  CHECK(docs_epoch::on_demand.every == 0ns);
}

namespace docs_options {
// docs/options.md
cairn::options careful(cairn::any_store store) {
  cairn::options chosen;
  chosen.store = std::move(store);
  chosen.epoch = {.every = 1s, .retain = 10};
  chosen.workers = 2;
  chosen.ask_timeout = 2s;
  chosen.program_version = "2024-1";
  return chosen;
}
// end
}  // namespace docs_options

namespace docs_status {
// docs/status.md
template <class Actors>
std::string look_at(cairn::system<Actors>& of) {
  const cairn::status now = of.status(10s);
  if (!now.silent.empty()) return "a worker does not answer\n";
  return cairn::to_text(now);  // "actors    2 on 2 workers\nmessages  …"
}
// end
}  // namespace docs_status

namespace docs_event {
// docs/event.md
struct figures {
  std::atomic<std::uint64_t> commits{0};
  std::atomic<std::uint64_t> bytes{0};
};

void count(cairn::options& chosen, figures& into) {
  chosen.on_event = [&into](const cairn::event& what) {  // any thread: atomics, no locks held long
    if (what.kind != cairn::event_kind::committed) return;
    into.commits.fetch_add(1, std::memory_order_relaxed);
    into.bytes.fetch_add(what.cost.bytes, std::memory_order_relaxed);
  };
}
// end
}  // namespace docs_event

TEST_CASE("docs: options are used, and events counted") {
  auto chosen = docs_options::careful(cairn::memory_store{});
  docs_event::figures seen;
  docs_event::count(chosen, seen);
  cairn::system<cairn::actors<docs_message::person>> town{std::move(chosen)};
  town.start(docs_task::app);
  town.wait();
  CHECK(docs_status::look_at(town).find("actors    2 on 2 workers\n") == 0);
  CHECK(town.stop().committed);
  CHECK(seen.commits.load() >= 1);
  CHECK(seen.bytes.load() > 0);
}

namespace docs_scheduler {
// docs/scheduler.md
int three_steps() {
  std::atomic<int> steps{0};
  std::promise<void> third;
  cairn::thread_scheduler threads;
  threads.start(1, [&](unsigned) {
    if (steps.fetch_add(1) == 2) third.set_value();
    return cairn::step_outcome{.busy = steps.load() < 3};  // then it sleeps until wake(0)
  });
  third.get_future().wait();
  threads.stop();
  return steps.load();
}
// end
}  // namespace docs_scheduler

TEST_CASE("docs: a scheduler calls a worker's step while it is busy") {
  CHECK(docs_scheduler::three_steps() >= 3);
}

namespace docs_ends {
// docs/source.md
struct read_one {};

struct line_reader {
  using protocol = cairn::protocol<read_one>;
  cairn::file_lines input{};
  void serialize(auto& ar) { ar(input); }

  std::string on(read_one) {
    const auto line = input.next();  // nothing at the end
    return line ? std::to_string(line->number) + " " + line->text : "end";
  }
};
// end
// docs/sink.md
using file_writer = cairn::sink_actor<cairn::file_sink>;

cairn::task<int> write_two(cairn::root& root, std::string path) {
  auto out = root.supervise("ends").spawn<file_writer>("out", cairn::file_sink{path});
  out.tell<cairn::write>("first\n");
  out.tell<cairn::write>("second\n");
  co_await root.checkpoint();  // committed: from here on the file will hold both, once
  const auto how = co_await out.ask<cairn::get_delivery>();
  co_return static_cast<int>(how.written);  // 13
}
// end

cairn::task<int> app(cairn::root& root, std::string path) {
  const int written = co_await write_two(root, path + "/out");
  auto lines = root.supervise("more").spawn<line_reader>("lines", cairn::file_lines{path + "/in"});
  const std::string first = co_await lines.ask<read_one>();
  const std::string second = co_await lines.ask<read_one>();
  co_return first == "1 one" && second == "end" ? written : -1;
}
}  // namespace docs_ends

namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in{file};
  REQUIRE(in.good());
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

}  // namespace

TEST_CASE("docs: a source is read, a sink delivers with the commit") {
  std::string path = (std::filesystem::temp_directory_path() / "cairn-docs-XXXXXX").string();
  REQUIRE(::mkdtemp(path.data()) != nullptr);
  std::ofstream{path + "/in"} << "one\n";
  using all = cairn::actors<docs_ends::file_writer, docs_ends::line_reader>;
  cairn::system<all> ends{{.workers = 1}};
  ends.start([&](cairn::root& root) { return docs_ends::app(root, path); });
  ends.wait();
  CHECK(ends.stop().code == 13);
  CHECK(text_of(path + "/out") == "first\nsecond\n");
  std::filesystem::remove_all(path);
}

namespace {

const std::filesystem::path project = CAIRN_SOURCE_DIR;

/// The pages of the words, each named like its header.
std::vector<std::filesystem::path> word_pages() {
  std::vector<std::filesystem::path> found;
  for (const auto& header : std::filesystem::directory_iterator{project / "include/cairn"}) {
    const std::string word = header.path().stem().string();
    if (!header.is_regular_file() || word == "cairn" || word == "fwd") continue;
    found.push_back(project / "docs" / (word + ".md"));
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string between(const std::string& text, const std::string& open, const std::string& close) {
  const auto from = text.find(open);
  if (from == std::string::npos) return {};
  const auto begin = from + open.size();
  return text.substr(begin, text.find(close, begin) - begin);
}

}  // namespace

TEST_CASE("docs: every public header has a page with its sections in order") {
  const std::vector<std::string> order{"Synopsis", "Example",       "Contract",
                                       "Errors",   "Thread safety", "See also"};
  for (const auto& page : word_pages()) {
    INFO(page);
    REQUIRE(std::filesystem::exists(page));
    const std::string text = text_of(page);
    CHECK(std::count(text.begin(), text.end(), '\n') <= 120);
    CHECK(text.find("\n## Synopsis\n") != std::string::npos);
    std::size_t last = 0;
    for (auto at = text.find("\n## "); at != std::string::npos; at = text.find("\n## ", at + 1)) {
      const std::string title = between(text.substr(at), "## ", "\n");
      const auto place = std::find(order.begin(), order.end(), title) - order.begin();
      INFO(title);
      REQUIRE(static_cast<std::size_t>(place) < order.size());
      CHECK(static_cast<std::size_t>(place) >= last);
      last = static_cast<std::size_t>(place) + 1;
    }
  }
}

TEST_CASE("docs: every example is tested, word for word") {
  std::string tests;
  for (const char* name :
       {"docs_test", "docs_more_test", "docs_failures_test", "docs_evolution_test"}) {
    tests += text_of(project / "tests" / (std::string{name} + ".cpp"));
  }
  int examples = 0;
  for (const auto& page : word_pages()) {
    INFO(page);
    const std::string section = between(text_of(page) + "\n## ", "\n## Example\n", "\n## ");
    if (section.empty()) continue;
    ++examples;
    const std::string shown = between(section, "```cpp\n", "```\n");
    const std::string tested =
        between(tests, "// docs/" + page.filename().string() + "\n", "// end\n");
    CHECK_FALSE(shown.empty());
    CHECK(shown == tested);
    CHECK(std::count(shown.begin(), shown.end(), '\n') <= 20);
  }
  CHECK(examples > 20);
}

TEST_CASE("docs: every page is in the index, and links lead to pages that exist") {
  const std::string index = text_of(project / "docs/README.md");
  for (const auto& page : std::filesystem::directory_iterator{project / "docs"}) {
    const std::string name = page.path().filename().string();
    INFO(name);
    if (name == "performance") continue;  // the pictures of performance.md
    if (page.is_directory()) {            // its own README stands for it
      CHECK(index.find("(" + name + "/README.md)") != std::string::npos);
      continue;
    }
    if (name != "README.md") CHECK(index.find("(" + name + ")") != std::string::npos);
    const std::string text = text_of(page.path());
    for (auto at = text.find("]("); at != std::string::npos; at = text.find("](", at + 1)) {
      const std::string link = text.substr(at + 2, text.find_first_of("#)", at) - at - 2);
      INFO(link);
      const bool is_page = link.ends_with(".md");  // else it leads elsewhere, or is code
      CHECK((!is_page || std::filesystem::exists(project / "docs" / link)));
    }
  }
}
