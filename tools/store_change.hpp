// What an operator changes in a store: each verb is one new epoch, or nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <cairn/detail/actor_parts.hpp>
#include <cairn/detail/letter_keeper.hpp>
#include <cairn/file_store.hpp>

namespace cairn_store {

using cairn::detail::actor_parts;
using cairn::detail::letter_keeper;

/// One actor of a snapshot, to be written anew.
struct stored_actor {
  cairn::record_header header{};
  cairn::detail::buffer payload{};
  /// A new record takes the place of answers that wait: they are said again with it.
  std::vector<std::pair<cairn::record_header, cairn::detail::buffer>> replies{};
};

/// The records of a change, of the epoch after all that were.
class change {
 public:
  void put(const stored_actor& one, cairn::epoch in) {
    put(one.header, one.payload.view(), in);
    for (const auto& [header, payload] : one.replies) put(header, payload.view(), in);
  }
  [[nodiscard]] cairn::bytes_view records() const noexcept { return records_.view(); }

 private:
  void put(cairn::record_header header, cairn::bytes_view payload, cairn::epoch in) {
    header.epoch = in;
    cairn::detail::append_record(records_, header, payload);
  }
  cairn::detail::buffer records_{};
};

/// Commits a change as the latest snapshot. Nothing that is retained is dropped for it.
///
/// Errors: throws what the store throws; it is as it was then.
inline cairn::epoch commit(cairn::file_store& store, const cairn::opened& found,
                           const std::function<void(change&, cairn::epoch)>& make) {
  const auto number = next(std::max(found.latest.value_or(cairn::epoch{}), found.newest));
  change all;
  make(all, number);
  store.begin(number);
  try {
    store.append(all.records());
    store.commit();
  } catch (...) {
    store.abort();
    throw;
  }
  try {
    store.settle();
  } catch (const std::exception&) {  // the change stands; the next commit removes what is left over
  }
  return number;
}

/// Reads the actors that `wanted` names, with the answers that wait for them.
inline std::vector<stored_actor> read_actors(
    cairn::file_store& store, cairn::epoch number,
    const std::function<bool(const cairn::record_header&)>& wanted) {
  std::vector<stored_actor> found;
  store.read(number, [&](const cairn::record_view& each) {
    if (each.header.kind == cairn::record_kind::actor && wanted(each.header)) {
      found.push_back({each.header, {}, {}});
      found.back().payload.append(each.payload);
    }
    if (each.header.kind != cairn::record_kind::reply || found.empty()) return;
    if (found.back().header.actor != each.header.actor) return;
    found.back().replies.push_back({each.header, {}});
    found.back().replies.back().second.append(each.payload);
  });
  return found;
}

/// The dead letters of a snapshot, those that were on their way to their keeper included.
class letters {
 public:
  letters(cairn::file_store& store, cairn::epoch number) {
    bool folds = true;
    store.read(number, [&](const cairn::record_view& each) {
      if (each.header.kind == cairn::record_kind::actor &&
          each.header.type == cairn::type_hash<letter_keeper>) {
        take_keeper(each);
      }
      if (!keeper_ || each.header.actor != keeper_->header.actor) return;
      if (each.header.kind == cairn::record_kind::mail) folds = folds && take_mail(each);
    });
  }

  [[nodiscard]] const std::vector<cairn::detail::stored_letter>& all() const noexcept {
    return state_.letters;
  }
  [[nodiscard]] std::uint64_t displaced() const noexcept { return state_.displaced; }

  /// Errors: throws `errc::not_found` naming the first that is not there.
  void drop(const std::vector<std::uint64_t>& ids) {
    for (const auto id : ids) {
      const auto gone =
          std::erase_if(state_.letters, [&](const auto& each) { return raw(each.what.id) == id; });
      if (gone == 0) {
        throw cairn::error{cairn::errc::not_found, letter_keeper::no_such(id)};
      }
    }
  }
  void drop_all() { state_.letters.clear(); }

  /// The keeper's record with what is left.
  [[nodiscard]] std::optional<stored_actor> keeper() const {
    if (!keeper_) return std::nullopt;
    stored_actor one = *keeper_;
    cairn::detail::buffer state;
    cairn::encode(state_, state);
    one.payload.clear();
    actor_parts{keeper_->payload.view()}.put_with_state(one.payload, state.view(),
                                                        one.header.floor);
    return one;
  }

 private:
  void take_keeper(const cairn::record_view& each) {
    keeper_ = stored_actor{each.header, {}, {}};
    keeper_->payload.append(each.payload);
    const actor_parts parts{each.payload};
    if (parts.log_entries != 0) {
      throw cairn::error{cairn::errc::misuse, "the keeper of dead letters has failed at one"};
    }
    cairn::decode(state_, parts.state);
  }
  /// False: it is something else, and so what comes after it waits too.
  bool take_mail(const cairn::record_view& each) {
    cairn::detail::reader from{each.payload};
    const actor_parts::message_parts mail{from};
    if (mail.type != cairn::type_hash<cairn::detail::keep_letter>) return false;
    (void)state_.take_in(cairn::decode<cairn::detail::keep_letter>(mail.value));
    keeper_->header.floor = each.header.place;
    keeper_->header.position = next(keeper_->header.position);
    return true;
  }

  std::optional<stored_actor> keeper_{};
  letter_keeper state_{};
};

}  // namespace cairn_store
