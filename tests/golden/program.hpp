// The program whose store lies in format-1/. It must stay as it is: a store of a later format gets
// a program of its own.
#pragma once

#include <array>
#include <atomic>
#include <cairn/system.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace golden {

using namespace std::chrono_literals;

/// Outside of the actors, as a file or a device would be.
inline std::atomic<int> pages_read{0};
inline std::atomic<bool> jammed{false};
inline std::atomic<bool> clerk_waits{false};

inline std::string read_page(int number) {
  pages_read.fetch_add(1, std::memory_order_relaxed);  // a figure
  return "page " + std::to_string(number);
}
inline int wait_for_clerk() {
  clerk_waits.wait(false, std::memory_order_acquire);  // pairs with the release in the clerk
  return 0;
}

enum class currency : std::uint8_t { none, euro, crown };

/// Written with a class version.
struct house {
  std::string street{};
  std::uint16_t number = 0;
  void serialize(auto& ar, std::uint32_t version) {
    ar(street);
    if (version >= 2) ar(number);
  }
};

}  // namespace golden

CEREAL_CLASS_VERSION(golden::house, 2)

namespace golden {

struct account;
struct caller;
struct clerk;
struct spinner;
struct vault;

struct deposit {
  std::int64_t cents = 0;
  std::string from{};
  void serialize(auto& ar) { ar(cents, from); }
};
struct remind {
  std::int64_t cents = 0;
  void serialize(auto& ar) { ar(cents); }
};
struct fill {
  std::uint32_t lines = 0;
  void serialize(auto& ar) { ar(lines); }
};
struct furnish {};
struct show {};
struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct watch_over {
  cairn::ref<account> one{};
  cairn::ref<clerk> two{};
  cairn::ref<vault> three{};
  void serialize(auto& ar) { ar(one, two, three); }
};
struct unlock {
  int door = 0;
  void serialize(auto& ar) { ar(door); }
};
struct errand {
  int door = 0;
  void serialize(auto& ar) { ar(door); }
};
struct memo {
  std::string text{};
  void serialize(auto& ar) { ar(text); }
};
struct print {
  int page = 0;
  void serialize(auto& ar) { ar(page); }
};
struct ring {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
struct call {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
struct spin {
  int left = 0;
  cairn::ref<spinner> other{};
  std::vector<cairn::ref<caller>> callers{};
  int calls = 0;
};

/// A state of many kinds of members.
struct account {
  using protocol = cairn::protocol<deposit, remind, fill, furnish, show>;
  std::int64_t cents = 0;
  std::string owner{};
  cairn::ref<account> heir{};
  currency in = currency::none;
  double rate = 0;
  std::vector<std::string> lines{};
  std::map<std::string, std::uint32_t> tags{};
  std::optional<house> home{};
  std::array<std::uint16_t, 3> code{};
  std::variant<int, std::string> extra{};
  std::shared_ptr<const std::string> motto{};
  std::shared_ptr<const std::string> again{};
  void serialize(auto& ar) {
    ar(cents, owner, heir, in, rate, lines, tags, home, code, extra, motto, again);
  }

  void on(deposit what) {
    cents += what.cents;
    lines.push_back(std::to_string(what.cents) + " " + what.from);
  }
  void on(remind what, cairn::context<account>& self) {
    self.send_after<deposit>(1h, what.cents, "reminder");
  }
  void on(fill what) { lines.assign(what.lines, "a line of a long statement"); }
  void on(furnish) {
    in = currency::crown;
    rate = -0.125;
    tags = {{"open", 1}, {"since", 1987}};
    home = house{"Main Street", 12};
    code = {1, 256, 65535};
    extra = "more";
    motto = again = std::make_shared<const std::string>("slow and steady");
  }
  std::string on(show) const {
    std::string text = std::to_string(cents) + " of " + owner;
    for (const auto& line : lines) text += ", " + line;
    if (in != currency::crown) return text;
    for (const auto& [name, value] : tags) text += ", " + name + "=" + std::to_string(value);
    if (home) text += ", " + home->street + " " + std::to_string(home->number);
    for (const auto digit : code) text += ", " + std::to_string(digit);
    if (const auto* more = std::get_if<std::string>(&extra)) text += ", " + *more;
    if (rate == -0.125) text += ", at -0.125";
    if (motto && motto == again) text += ", twice " + *motto;
    return text + (heir ? ", with an heir" : "");
  }
};

/// A state that is copied as bytes.
struct tally {
  using protocol = cairn::protocol<add, show>;
  std::int64_t sum = 0;
  void serialize(auto& ar) { ar(sum); }
  void on(add what) { sum += what.value; }
  std::string on(show) const { return std::to_string(sum); }
};
static_assert(std::is_trivially_copyable_v<tally>);

/// Told of its birth, of commits and of who has stopped.
struct witness {
  using protocol = cairn::protocol<watch_over, cairn::stopped, show>;
  std::string seen{};
  std::uint64_t committed = 0;
  void serialize(auto& ar) { ar(seen, committed); }
  void on_birth(cairn::context<witness>& self) { seen = "born as " + std::string{self.name()}; }
  void on_commit(cairn::epoch number) { committed = raw(number); }
  void on(watch_over what, cairn::context<witness>& self) {
    if (what.one) self.watch(what.one);
    if (what.two) self.watch(what.two);
    if (what.three) self.watch(what.three);
  }
  void on(cairn::stopped what) { seen += ", " + what.reason; }
  std::string on(show) const { return seen; }
};

/// Takes an hour.
struct vault {
  using protocol = cairn::protocol<unlock, show>;
  int opened = 0;
  void serialize(auto& ar) { ar(opened); }
  cairn::task<std::string> on(unlock what, cairn::context<vault>& self) {
    co_await self.sleep(1h);
    ++opened;
    co_return "key " + std::to_string(what.door);
  }
  int on(show) const { return opened; }
};

/// Is handed everything that a handler can be handed, and then waits for the vault.
struct clerk {
  using protocol = cairn::protocol<errand, memo, show>;
  cairn::ref<account> customer{};
  cairn::ref<account> nobody{};
  cairn::ref<vault> safe{};
  cairn::ref<account> helper{};
  std::string diary{};
  void serialize(auto& ar) { ar(customer, nobody, safe, helper, diary); }

  cairn::task<void> on(errand what, cairn::context<clerk>& self) {
    const auto when = std::chrono::floor<std::chrono::seconds>(self.now().time_since_epoch());
    const auto chance = self.random() % 1000;
    diary = "at " + std::to_string(when.count()) + ", chance " + std::to_string(chance);
    helper = self.spawn<account>("helper", account{.owner = "helper"});
    helper.tell<deposit>(7, "clerk");
    const auto account_text = co_await customer.ask<show>();
    const auto lost = co_await nobody.ask<show>().as_result();
    const auto page = co_await self.run("page", &read_page, 3);
    diary += "; " + account_text + "; " + std::string{to_string(lost.code())} + "; " + page;
    clerk_waits.store(true, std::memory_order_release);  // pairs with wait_for_clerk()
    clerk_waits.notify_all();
    const auto key = co_await safe.ask<unlock>(what.door);
    diary += "; " + key;
    helper.tell<deposit>(8, "clerk");
  }
  void on(memo what) { diary += "; " + what.text; }
  cairn::task<std::string> on(show) {
    const auto help = co_await helper.ask<show>();
    co_return diary + "; " + help;
  }
};

/// Fails while something outside is jammed.
struct press {
  using protocol = cairn::protocol<print, show>;
  int pages = 0;
  void serialize(auto& ar) { ar(pages); }
  void on(print what) {
    // Relaxed: set while nothing runs.
    if (jammed.load(std::memory_order_relaxed)) throw std::runtime_error{"jammed"};
    pages = pages * 10 + what.page;
  }
  int on(show) const { return pages; }
};

struct bell {
  using protocol = cairn::protocol<ring, show>;
  int rung = 0;
  void serialize(auto& ar) { ar(rung); }
  int on(ring what) { return ++rung, what.left; }
  int on(show) const { return rung; }
};
struct caller {
  using protocol = cairn::protocol<call, show>;
  cairn::ref<bell> to{};
  std::int64_t sum = 0;
  void serialize(auto& ar) { ar(to, sum); }
  cairn::task<void> on(call what, cairn::context<caller>& self) {
    const int heard = co_await to.ask<ring>(what.left);
    sum += heard;
    if (what.left > 1) self.ref().tell<call>(what.left - 1);
  }
  std::int64_t on(show) const { return sum; }
};

/// Lets a worker's turns pass, and then the callers begin. Leaves nothing in the store.
struct spinner {
  using protocol = cairn::protocol<spin>;
  using persistence = cairn::ephemeral;
  void on(spin what, cairn::context<spinner>& self) {
    if (what.left > 0) {
      what.other.tell<spin>(what.left - 1, self.ref(), what.callers, what.calls);
      return;
    }
    for (const auto& each : what.callers) each.tell<call>(what.calls);
  }
};

using all = cairn::actors<account, tally, witness, vault, clerk, press, bell, caller, spinner>;

/// The doors to all that the root task spawns or finds again.
struct office {
  cairn::supervisor top;
  cairn::ref<account> alice, bob, temp;
  cairn::ref<tally> sum;
  cairn::ref<witness> eye;
  cairn::ref<vault> safe;
  cairn::ref<clerk> desk;
  cairn::ref<press> paper;
  std::array<cairn::ref<bell>, 2> bells;
  std::array<cairn::ref<caller>, 2> callers;
};

inline office enter(cairn::root& root) {
  const auto top = root.supervise("office");
  const auto works = root.supervise("works", {.intensity = {.restarts = 0, .within = 1h}});
  office o;
  o.top = top;
  o.bob = top.spawn<account>("bob", account{.owner = "Bob"});
  o.alice = top.spawn<account>("alice", account{.owner = "Alice", .heir = o.bob});
  o.sum = top.spawn<tally>("sum");
  o.eye = top.spawn<witness>("eye");
  o.safe = top.spawn<vault>("safe");
  if (!root.restored()) o.temp = top.spawn<account>("temp", account{.owner = "Temp"});
  o.desk = top.spawn<clerk>("desk", clerk{.customer = o.alice, .nobody = o.temp, .safe = o.safe});
  o.paper = works.spawn<press>("paper");
  for (std::size_t at = 0; at < 2; ++at) {
    o.bells[at] = top.spawn<bell>("bell " + std::to_string(at));
    o.callers[at] = top.spawn<caller>("caller " + std::to_string(at), caller{.to = o.bells[at]});
  }
  return o;
}

}  // namespace golden
