// What waits in the mailboxes of a system that stands still: from whom it is, what comes next, and
// all of it as text.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "../../root.hpp"

namespace cairn::detail {

/// Nobody's id: what a thread outside has sent is from there.
inline constexpr actor_id outside_id{};

/// Who has sent what waits. An envelope does not say it: of each turn the new tickets are noted.
class sender_book {
 public:
  /// What has come since the last look is from `sender`.
  void note(const cell& one, actor_id sender) {
    auto& page = page_of(one.slot_index);
    const auto& box = one.box;
    page.of.erase(page.of.begin(), page.of.upper_bound(box.done_ticket));
    for (auto ticket = std::max(page.seen, box.done_ticket); ticket < box.last_ticket;) {
      page.of.insert_or_assign(page.of.end(), ++ticket, sender);
    }
    page.seen = box.last_ticket;
  }
  /// The actors are back at what an older snapshot says: newer tickets will be given again.
  void go_back(const cell_table& cells) {
    for (std::uint32_t index = 0; index < pages_.size(); ++index) {
      const cell* one = cells.at(index);
      auto& page = pages_[index];
      page.seen = one != nullptr ? one->box.last_ticket : 0;
      page.of.erase(page.of.upper_bound(page.seen), page.of.end());
    }
  }
  [[nodiscard]] actor_id sender_of(const cell& one, std::uint64_t ticket) const {
    if (one.slot_index >= pages_.size()) return outside_id;
    const auto& of = pages_[one.slot_index].of;
    const auto found = of.find(ticket);
    return found != of.end() ? found->second : outside_id;
  }
  void set(const cell& one, std::uint64_t ticket, actor_id sender) {
    page_of(one.slot_index).of[ticket] = sender;
  }

 private:
  struct sent {
    std::uint64_t seen = 0;
    std::map<std::uint64_t, actor_id> of{};
  };
  [[nodiscard]] sent& page_of(std::uint32_t index) {
    if (index >= pages_.size()) pages_.resize(index + 1);
    return pages_[index];
  }
  std::vector<sent> pages_{};
};

/// Looks at a system between its steps.
class mail_view {
 public:
  /// `top`: the supervisor that paths leave out.
  mail_view(program& of, const sender_book& senders, const cell* top) noexcept
      : of_{of}, senders_{senders}, top_{top} {}

  template <class Each>
  void each_actor(Each&& each) const {
    for (std::uint32_t index = 2; index < of_.cells.used(); ++index) {
      cell& one = *of_.cells.at(index);
      if (one.type != nullptr && !one.stopped) each(one);
    }
  }

  /// An answer from another actor. The ends of sleeps, timeouts, results of runs and asks that a
  /// restart has interrupted are the actor's own, and what nobody awaits any more is nobody's.
  [[nodiscard]] static bool is_held_reply(cell& one, const envelope& reply) {
    const slot* found = one.is(reply.target) ? one.find_slot(reply.answer.number) : nullptr;
    if (found == nullptr || found->arrived || found->from.id == actor_id{}) return false;
    return reply.code != errc::timeout && reply.code != errc::interrupted;
  }
  /// A message that a handler will be given.
  [[nodiscard]] static bool is_held_message(const cell& one, const envelope& message) {
    return message.kind == envelope_kind::message && message.code == errc::ok &&
           one.is(message.target) && message.ops != &ops_of<birth_note> &&
           message.ops != &ops_of<commit_note>;
  }

  [[nodiscard]] actor_id sender_of(cell& one, const envelope& what) const {
    if (what.kind != envelope_kind::reply) return senders_.sender_of(one, what.ticket);
    const slot* found = one.find_slot(what.answer.number);
    return found != nullptr ? found->from.id : outside_id;
  }

  /// What the actor can be given next, of all senders or of one; null: nothing now.
  [[nodiscard]] envelope* next_for(cell& one, std::optional<actor_id> from) const {
    if (one.stopped || one.suspended || one.dormant) return nullptr;
    const auto meant = [&](const envelope& each) { return !from || sender_of(one, each) == *from; };
    if (one.busy()) {
      for (envelope* each = one.box.replies.front(); each != nullptr; each = each->next) {
        if (is_held_reply(one, *each) && meant(*each)) return each;
      }
      return nullptr;
    }
    for (envelope* each = one.box.queue.front(); each != nullptr; each = each->next) {
      if (!meant(*each)) continue;
      return is_held_message(one, *each) ? each : nullptr;  // a word comes before what follows it
    }
    return nullptr;
  }

  /// Everything that waits for the actor, answers first.
  [[nodiscard]] static std::vector<envelope*> all_for(cell& one) {
    std::vector<envelope*> all;
    for (envelope* each = one.box.replies.front(); each != nullptr; each = each->next) {
      if (is_held_reply(one, *each)) all.push_back(each);
    }
    for (envelope* each = one.box.queue.front(); each != nullptr; each = each->next) {
      all.push_back(each);
    }
    return all;
  }

  [[nodiscard]] std::string name_of(actor_id id) const {
    if (id == outside_id) return "outside";
    if (id == actor_id{1}) return "root";
    std::string name = "#" + std::to_string(raw(id));
    for (std::uint32_t index = 2; index < of_.cells.used(); ++index) {
      const cell& one = *of_.cells.at(index);
      if (one.type != nullptr && one.is(id)) name = path_of(one);
    }
    return name;
  }

  /// The names from the supervisor down, such as "desk/drawer".
  [[nodiscard]] std::string path_of(const cell& one) const {
    std::string path = world::label(one);
    actor_id up = one.parent.id;
    for (const cell* each = one.parent.where; each != nullptr && each->is(up);
         each = each->parent.where) {
      if (each == top_ || each->slot_index == 1) break;
      path = world::label(*each) + "/" + path;
      up = each->parent.id;
    }
    return path;
  }

  [[nodiscard]] std::string text_of(cell& one, const envelope& what) const {
    const std::string from = " from " + name_of(sender_of(one, what));
    if (what.kind == envelope_kind::control) {
      constexpr std::array words{"stop",          "stop by path", "watch",  "unwatch",
                                 "child stopped", "room request", "resume", "suspend"};
      return (what.index < words.size() ? words[what.index] : "nothing") + from;
    }
    if (what.kind == envelope_kind::message) return std::string{what.ops->name} + from;
    const slot* found = one.find_slot(what.answer.number);
    std::string text = "answer";
    if (found != nullptr) text += " to " + std::string{found->what};
    text += from;
    if (what.code != errc::ok) text += " (" + std::string{to_string(what.code)} + ")";
    return text;
  }

  /// What keeps the actor from its next message, empty where nothing does.
  [[nodiscard]] std::string state_of(const cell& one) const {
    if (one.stopped) return "stopped";
    if (one.suspended) return "suspended";
    if (one.dormant) return "restored and not declared";
    if (!one.busy()) return {};
    std::string text = "in its handler of " + std::string{one.more->handler.what};
    const char* between = ", which awaits ";
    for (const slot& each : one.more->slots) {
      if (each.arrived) continue;
      text += between + std::string{each.what};
      if (each.from.id != actor_id{}) text += " of " + name_of(each.from.id);
      between = ", ";
    }
    return text;
  }

  /// One line for each actor for which something waits, or which waits itself.
  [[nodiscard]] std::string text() const {
    std::string text;
    each_actor([&](cell& one) {
      const auto all = all_for(one);
      const auto state = state_of(one);
      if (all.empty() && state.empty()) return;
      text += "\n  " + path_of(one) + (state.empty() ? "" : ", " + state) + ": ";
      for (std::size_t at = 0; at < std::min(all.size(), most_listed); ++at) {
        text += (at == 0 ? "" : "; ") + text_of(one, *all[at]);
      }
      if (all.size() > most_listed) {
        text += "; and " + std::to_string(all.size() - most_listed) + " more";
      }
      if (all.empty()) text += "nothing";
    });
    return text.empty() ? "nothing waits" : "waiting:" + text;
  }

 private:
  static constexpr std::size_t most_listed = 10;

  program& of_;
  const sender_book& senders_;
  const cell* top_;
};

}  // namespace cairn::detail
