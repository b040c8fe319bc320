// Messages to a cell rather than to the actor in it. They stand in the mailbox like any other, so
// that stops, watches and the deaths of children are consistent in every snapshot.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "turn.hpp"

namespace cairn::detail {

enum class control : std::uint16_t {
  stop,       ///< text: the reason
  stop_path,  ///< text: the names that remain, separated by '/'
  watch,      ///< who: tell this actor when you stop
  unwatch,
  child_stopped,  ///< who: a child of yours; text: the reason
  room,           ///< an ask that is answered once the mailbox has room
  resume,         ///< a suspended actor goes on
  suspend,        ///< text: the reason
  none,           ///< stands where a word stood that was obeyed out of turn
};

template <class Archive>
void save_address(Archive& archive, const address& to) {
  const std::uint32_t index = to.where != nullptr ? to.where->slot_index : 0;
  archive(raw(to.id), index);
}

template <class Archive>
void load_address(Archive& archive, address& to) {
  std::uint64_t id = 0;
  std::uint32_t index = 0;
  archive(id, index);
  to.id = actor_id{id};
  to.where = id != 0 && current_runtime != nullptr ? current_runtime->locate(index) : nullptr;
}

/// The one payload of all control messages; `envelope::index` says which it is.
struct control_note {
  address who{};
  std::string text{};

  void save(auto& archive) const {
    save_address(archive, who);
    archive(text);
  }
  void load(auto& archive) {
    load_address(archive, who);
    archive(text);
  }
};

[[nodiscard]] inline envelope_ptr make_control(control what, address who, std::string text) {
  auto made = make_envelope(control_note{who, std::move(text)});
  made->kind = envelope_kind::control;
  made->index = static_cast<std::uint16_t>(what);
  return made;
}

[[nodiscard]] inline envelope_ptr room_request() { return make_control(control::room, {}, {}); }

}  // namespace cairn::detail
