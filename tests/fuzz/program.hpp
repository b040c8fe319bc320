// A program that restores actors of every sort from what the fuzzer feeds in. Whatever its messages
// and states hold, it does little and computes without overflow.
#pragma once

#include <array>
#include <cairn/system.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fuzzed {

using namespace std::chrono_literals;

/// Outside of the actors: runs of `fetch` fail while it is set. One thread.
inline bool shop_is_closed = false;

inline std::uint32_t fetch(std::uint32_t what) {
  if (shop_is_closed) throw std::runtime_error{"the shop is closed"};
  return what + 1;
}

struct label {
  std::string text{};
  std::uint16_t number = 0;
  void serialize(auto& ar, std::uint32_t version) {
    ar(text);
    if (version >= 2) ar(number);
  }
};

}  // namespace fuzzed

CEREAL_CLASS_VERSION(fuzzed::label, 2)

namespace fuzzed {

struct counter;
struct porter;
struct shelf;

struct put {
  std::string what{};
  std::uint32_t count = 0;
  void serialize(auto& ar) { ar(what, count); }
};
struct pass {
  std::uint32_t left = 0;
  cairn::ref<shelf> to{};
  void serialize(auto& ar) { ar(left, to); }
};
struct furnish {};
struct remind {};
struct look {};
struct add {
  std::uint32_t value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct errand {
  std::uint32_t what = 0;
  void serialize(auto& ar) { ar(what); }
};
struct fail_on {
  std::uint32_t bits = 0;
  void serialize(auto& ar) { ar(bits); }
};
struct guard {
  cairn::ref<shelf> one{};
  cairn::ref<porter> two{};
  void serialize(auto& ar) { ar(one, two); }
};

/// A state of many kinds of members, and a small mailbox.
struct shelf {
  using protocol = cairn::protocol<put, pass, furnish, remind, look>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 2};
  std::map<std::string, std::vector<std::uint32_t>> things{};
  std::optional<label> tag{};
  std::variant<std::monostate, std::uint64_t, std::string> extra{};
  std::shared_ptr<const std::string> motto{};
  std::shared_ptr<const std::string> again{};
  std::array<std::uint16_t, 2> code{};
  cairn::ref<shelf> next{};
  void serialize(auto& ar) { ar(things, tag, extra, motto, again, code, next); }

  void on(put what) { things[what.what.substr(0, 16)].push_back(what.count); }
  void on(pass what, cairn::context<shelf>& self) {
    if (what.left == 0 || !what.to) return;
    what.to.tell<pass>(what.left - 1, self.ref());
  }
  void on(furnish) {
    tag = label{"a label", 7};
    extra = "more";
    motto = again = std::make_shared<const std::string>("slow and steady");
    code = {1, 65535};
  }
  void on(remind, cairn::context<shelf>& self) { self.send_after<put>(1h, "reminder", 1U); }
  std::uint64_t on(look) const { return things.size() + (tag ? 100 : 0); }
};

/// A state that is copied as bytes. It fails where a bit of a message is forbidden.
struct counter {
  using protocol = cairn::protocol<add, fail_on, look>;
  std::uint64_t sum = 0;
  std::uint32_t forbidden = 0;
  void serialize(auto& ar) { ar(sum, forbidden); }
  void on(add what) {
    if ((what.value & forbidden) != 0) throw std::runtime_error{"forbidden"};
    sum += what.value;
  }
  void on(fail_on what) { forbidden = what.bits; }
  std::uint64_t on(look) const { return sum; }
};
static_assert(std::is_trivially_copyable_v<counter>);

/// Cannot be encoded: no snapshot holds one.
struct shout {
  std::string text{};
};

/// Keeps nothing.
struct echo {
  using protocol = cairn::protocol<look, shout>;
  using persistence = cairn::ephemeral;
  std::uint32_t on(look) const { return 5; }
  void on(shout) {}
};

/// Is handed everything that a handler can be handed.
struct porter {
  using protocol = cairn::protocol<errand, put, look>;
  cairn::ref<shelf> from{};
  cairn::ref<shelf> nobody{};
  cairn::ref<counter> count{};
  cairn::ref<echo> wall{};
  cairn::ref<shelf> box{};
  std::string diary{};
  void serialize(auto& ar) { ar(from, nobody, count, wall, box, diary); }

  cairn::task<void> on(errand what, cairn::context<porter>& self) {
    const auto when = self.now().time_since_epoch().count() & 1;
    diary = std::to_string(when) + " " + std::to_string(self.random() % 10);
    box = self.spawn<shelf>("box");
    box.tell<put>("from the porter", what.what);
    auto one = from.ask<look>();
    auto two = count.ask<look>();
    const auto lost = co_await nobody.ask<look>().as_result();
    const auto second = co_await std::move(two);
    const auto first = co_await std::move(one);
    diary += " " + std::to_string(first + second) + std::string{to_string(lost.code())};
    const auto fetched = co_await self.run("fetch", &fetch, what.what);
    co_await box.send<put>("fetched", fetched);
    co_await self.sleep(1h);
    diary += " " + std::to_string(raw(self.epoch()) & 1);
    self.spawn<counter>("").tell<add>(what.what);
  }
  void on(put what) { diary = what.what.substr(0, 8); }
  cairn::task<std::string> on(look) {
    const auto heard = co_await wall.ask<look>();
    co_return diary + " " + std::to_string(heard);
  }
};

/// Has every hook.
struct watcher {
  using protocol = cairn::protocol<guard, cairn::stopped, look>;
  std::string seen{};
  std::uint64_t committed = 0;
  void serialize(auto& ar) { ar(seen, committed); }
  void on_birth(cairn::context<watcher>& self) { seen = "born as " + std::string{self.name()}; }
  void on_start(cairn::context<watcher>&) {}
  void on_stop(cairn::stop_reason) {}
  void on_commit(cairn::epoch number) { committed = raw(number); }
  void on(guard what, cairn::context<watcher>& self) {
    if (what.one) self.watch(what.one);
    if (what.two) self.watch(what.two);
  }
  void on(cairn::stopped what) { seen = what.reason.substr(0, 16); }
  std::string on(look) const { return seen; }
};

using all = cairn::actors<shelf, counter, porter, watcher, echo>;

/// The doors to all that the root task spawns or finds again.
struct house {
  cairn::supervisor top;
  cairn::ref<shelf> left, right, full;
  cairn::ref<counter> sum, fragile;
  cairn::ref<porter> desk, other;
  cairn::ref<watcher> eye;
};

inline house enter(cairn::root& root) {
  house h;
  h.top = root.supervise("house");
  const auto weak = root.supervise("weak", {.intensity = {.restarts = 0, .within = 1h}});
  h.right = h.top.spawn<shelf>("right");
  h.left = h.top.spawn<shelf>("left", shelf{.next = h.right});
  h.full = h.top.spawn<shelf>("full");
  h.sum = h.top.spawn<counter>("sum");
  h.fragile = weak.spawn<counter>("fragile");
  const auto wall = h.top.spawn<echo>("");
  const porter first{.from = h.left, .nobody = h.full, .count = h.sum, .wall = wall};
  h.desk = h.top.spawn<porter>("desk", first);
  h.other = h.top.spawn<porter>("other", first);
  h.eye = h.top.spawn<watcher>("eye");
  return h;
}

/// What makes a store worth looking at.
inline cairn::task<int> first_life(cairn::root& root) {
  const auto h = enter(root);
  h.left.tell<put>("a thing", 3U);
  h.left.tell<furnish>();
  h.right.tell<remind>();
  h.eye.tell<guard>(h.full, h.desk);
  h.fragile.tell<fail_on>(1U);
  co_await root.checkpoint();
  h.fragile.tell<add>(1U);
  h.full.stop("moved away");
  h.sum.tell<add>(5U);
  co_await root.checkpoint();
  h.desk.tell<errand>(4U);
  co_await root.sleep(1s);
  h.desk.tell<put>("waits", 1U);
  h.left.tell<pass>(6U, h.right);
  h.sum.tell<add>(6U);
  h.other.tell<errand>(5U);
  co_await root.checkpoint();
  co_return 0;
}

/// What a program does with what it finds.
inline cairn::task<int> later_life(cairn::root& root) {
  const auto h = enter(root);
  const auto sum = co_await h.sum.ask<look>().as_result();
  (void)co_await h.left.ask<look>().as_result();
  (void)co_await h.desk.ask<look>().as_result();
  (void)co_await h.eye.ask<look>().as_result();
  root.resume(h.fragile);
  h.right.tell<put>("late", static_cast<std::uint32_t>(sum.value_or(0)));
  h.eye.tell<guard>(h.left, h.other);
  co_await root.checkpoint();
  h.other.stop("retired");
  h.left.stop("emptied");
  root.stop_path("house/desk/box");
  (void)co_await h.eye.ask<look>().as_result();
  co_return 0;
}

}  // namespace fuzzed
