// The actor through which a journal's entries enter the system: its position is in its cut, what it
// sends in its epoch.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "../context.hpp"
#include "../type_name.hpp"
#include "attachment.hpp"
#include "control.hpp"
#include "delivery.hpp"
#include "unreadable.hpp"
#include "world.hpp"

namespace cairn::detail {

/// An entry on its way to the port, as it stands in the journal.
struct journal_entry {
  std::uint64_t number = 0;
  std::string type{};     ///< the message's
  std::string payload{};  ///< its schema, and its encoding
  void serialize(auto& archive) { archive(number, type, payload); }
};

struct journal_position {};

/// Whom the port sends to. The keeper begins with it: then nothing overtakes what was in flight.
struct journal_target {
  address to{};
  void save(auto& archive) const { save_address(archive, to); }
  void load(auto& archive) { load_address(archive, to); }
};

struct journal_port {
  using protocol = cairn::protocol<journal_entry, journal_position, journal_target>;
  /// The keeper bounds what is under way; an entry that were dropped would be a gap.
  static constexpr mailbox_options mailbox{.capacity = std::numeric_limits<std::size_t>::max()};

  std::uint64_t done = 0;  ///< the last entry consumed
  address target{};
  attachment* keeper = nullptr;  ///< of this process; null where the program has not opened it

  void save(auto& archive) const {
    save_address(archive, target);
    archive(done);
  }
  void load(auto& archive) {
    load_address(archive, target);
    archive(done);
  }

  void on(const journal_entry& entry, context<journal_port>& self) {
    if (entry.number <= done) return;  // read again after a restart
    if (entry.number != done + 1) {
      throw error{errc::damaged, "entry " + std::to_string(entry.number) + " follows entry " +
                                     std::to_string(done)};
    }
    done = entry.number;
    turn& here = turn_here("a journal");
    envelope_ptr message;
    decode_kept(*here.self, [&] { message = message_of(entry, *self.where().owner); });
    message->index = delivery::any_index;
    here.send(std::move(message), target);
  }
  std::uint64_t on(journal_position) { return done; }
  void on(journal_target given) {
    target = given.to;
    if (keeper != nullptr) keeper->begin();
  }

  void on_start(context<journal_port>& self) {
    keeper = static_cast<world&>(*self.where().owner).beside.find(std::string{self.name()});
  }
  [[nodiscard]] std::function<void()> prepare_outputs() const {
    if (keeper == nullptr) return {};
    return [to = keeper, at = done] { to->at_cut(at); };
  }

  /// Errors: throws `unknown_type`, and what its decoding throws.
  [[nodiscard]] static envelope_ptr message_of(const journal_entry& entry, const runtime& of) {
    const auto& types = static_cast<const world&>(of).types.messages;
    const auto known = types.find(fnv1a(entry.type));
    if (known == types.end() || known->second->decode == nullptr) {
      throw error{errc::unknown_type, "no actor handles the message \"" + entry.type + "\""};
    }
    const payload_ops& ops = *known->second;
    return make_envelope(ops, [&](void* where) {
      reader bytes{std::as_bytes(std::span{entry.payload.data(), entry.payload.size()})};
      const auto schema = bytes.get<std::uint32_t>();
      ops.decode(where, bytes.rest(), schema);
    });
  }
};

}  // namespace cairn::detail

template <>
inline constexpr std::string_view cairn::type_name<cairn::detail::journal_port> = "cairn.journal";
template <>
inline constexpr std::string_view cairn::type_name<cairn::detail::journal_entry> =
    "cairn.journal.entry";
template <>
inline constexpr std::string_view cairn::type_name<cairn::detail::journal_position> =
    "cairn.journal.position";
template <>
inline constexpr std::string_view cairn::type_name<cairn::detail::journal_target> =
    "cairn.journal.target";
