// The actor that keeps dead letters: cairn's own, a child of the root that nobody declares.
//
// A letter is sent to it by the very turn that gives the message up, and what it delivers again
// leaves with its own turn. So each letter is on the same side of a cut as the giving up, in one
// place, like any message.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../context.hpp"
#include "../dead_letter.hpp"
#include "control.hpp"
#include "world.hpp"

namespace cairn::detail {

/// With the index of its target's cell: what delivers it again finds the actor there. A number, so
/// that a tool that has no cells can write it again.
struct stored_letter {
  std::uint32_t cell = 0;
  kept_letter what{};

  void serialize(auto& archive) { archive(cell, what); }
  [[nodiscard]] std::size_t bytes() const noexcept {
    return what.letter.payload.size() + what.letter.text.size();
  }
};

/// Tells the subscriber what becomes of a letter that is kept.
inline void tell_kept(runtime& of, event_kind kind, epoch at, const kept_letter& kept,
                      std::string_view how = {}) {
  world& all = static_cast<world&>(of);
  if (!all.tells_of(kind)) return;
  event what;
  what.kind = kind;
  what.at = at;
  what.actor = kept.letter.target;
  what.name = kept.letter.name;
  what.text = "letter " + std::to_string(raw(kept.id)) + std::string{how} + ": " +
              kept.letter.message + ": " + kept.letter.text;
  what.code = kept.letter.code;
  what.consumed = kept.letter.at;
  what.letter = &kept.letter;
  all.report(what);
}

struct keep_letter {
  stored_letter one{};     ///< without a number: it is new
  std::uint64_t most = 0;  ///< that may be kept, this one included
  void serialize(auto& archive) { archive(one, most); }
};

struct list_letters {};

enum class letter_verb : std::uint8_t { deliver, drop, drop_all };

/// Of the root task. The answer goes to its await of this number: the actor that is to handle the
/// letter gives it.
struct letter_order {
  letter_verb verb{};
  std::uint64_t which = 0;
  std::uint64_t await = 0;
  void serialize(auto& archive) { archive(verb, which, await); }
};

struct letter_keeper {
  using protocol = cairn::protocol<keep_letter, list_letters, letter_order>;
  /// Of payloads and texts. One letter is kept however large it is.
  static constexpr std::size_t most_bytes = std::size_t{64} << 20U;

  std::vector<stored_letter> letters{};  ///< by number
  std::uint64_t last = 0;
  std::uint64_t displaced = 0;

  void serialize(auto& archive) { archive(letters, last, displaced); }

  void on(keep_letter given, context<letter_keeper>& self) {
    for (const auto& each : take_in(std::move(given)))
      tell_dropped(self, each, ", for want of room");
  }
  /// Returns those that give way to it. Also for who reads a keeper's mail without a system.
  std::vector<stored_letter> take_in(keep_letter given) {
    std::uint64_t number = raw(given.one.what.id);
    if (number == 0) number = ++last;  // else it has come back
    given.one.what.id = letter_id{number};
    letters.insert(place_of(number), std::move(given.one));
    std::size_t all = 0;
    for (const auto& each : letters) all += each.bytes();
    std::size_t gone = 0;
    while (letters.size() - gone > std::max<std::uint64_t>(given.most, 1) ||
           (all > most_bytes && letters.size() - gone > 1)) {
      all -= letters[gone++].bytes();
    }
    const auto kept = letters.begin() + static_cast<std::ptrdiff_t>(gone);
    std::vector<stored_letter> displaced_now{std::make_move_iterator(letters.begin()),
                                             std::make_move_iterator(kept)};
    letters.erase(letters.begin(), kept);
    displaced += gone;
    return displaced_now;
  }

  kept_letters on(list_letters) const {
    kept_letters all;
    for (const auto& each : letters) all.letters.push_back(each.what);
    all.displaced = displaced;
    return all;
  }

  void on(letter_order order, context<letter_keeper>& self) {
    turn& here = turn_here("a dead letter");
    const return_address asker{self.where().owner->locate(1), actor_id{1}, order.await, false};
    if (order.verb == letter_verb::drop_all) {
      for (const auto& each : letters) tell_dropped(self, each);
      letters.clear();
      return answer(here, asker, errc::ok, {});
    }
    const auto found = place_of(order.which);
    if (found == letters.end() || raw(found->what.id) != order.which) {
      return answer(here, asker, errc::not_found, no_such(order.which));
    }
    if (order.verb == letter_verb::drop) {
      tell_dropped(self, *found);
      letters.erase(found);
      return answer(here, asker, errc::ok, {});
    }
    const address to{self.where().owner->locate(found->cell), found->what.letter.target};
    if (to.where == nullptr) {
      return answer(here, asker, errc::stopped, "the actor is not there any more");
    }
    buffer bytes;
    cairn::encode(*found, bytes);
    auto word = make_control(control::deliver, {},
                             {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    word->answer = asker;
    here.send(std::move(word), to);
    letters.erase(found);
  }

  [[nodiscard]] static std::string no_such(std::uint64_t number) {
    return "there is no dead letter " + std::to_string(number);
  }
  static void answer(turn& here, const return_address& asker, errc code, std::string text) {
    auto reply = code == errc::ok ? make_envelope(unit{}) : make_envelope(std::move(text));
    reply->kind = envelope_kind::reply;
    reply->code = code;
    reply->answer = asker;
    here.send(std::move(reply), {asker.asker, asker.id});
  }

 private:
  static void tell_dropped(context<letter_keeper>& self, const stored_letter& one,
                           std::string_view how = {}) {
    if (self.replaying()) return;
    tell_kept(*self.where().owner, event_kind::letter_dropped, self.where().at, one.what, how);
  }
  [[nodiscard]] std::vector<stored_letter>::iterator place_of(std::uint64_t number) {
    return std::lower_bound(
        letters.begin(), letters.end(), number,
        [](const stored_letter& each, std::uint64_t than) { return raw(each.what.id) < than; });
  }
};

}  // namespace cairn::detail

template <>
inline constexpr std::string_view cairn::type_name<cairn::detail::letter_keeper> =
    "cairn.dead_letters";
template <>
inline constexpr std::string_view cairn::type_name<cairn::detail::keep_letter> =
    "cairn.dead_letters.keep";
template <>
inline constexpr std::string_view cairn::type_name<cairn::detail::list_letters> =
    "cairn.dead_letters.list";
template <>
inline constexpr std::string_view cairn::type_name<cairn::detail::letter_order> =
    "cairn.dead_letters.order";
