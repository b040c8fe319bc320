// What a snapshot or a journal holds, and this program does not read.
#pragma once

#include "../error.hpp"
#include "turn.hpp"

namespace cairn::detail {

/// Thrown in the turn that is handed such bytes. By then the system has failed and commits nothing
/// any more: to try the turn again, or to give up its message, would be to lose them. (Of a message
/// that waits the type is known at the start, which refuses it; here who takes it has the type.)
class unreadable : public error {
 public:
  using error::error;
};

/// Calls `decode`, in a turn of the actor's.
/// Errors: `unreadable`, where that throws `newer_schema`, `damaged` or `unknown_type`.
template <class Decode>
void decode_kept(const cell& one, Decode&& decode) {
  try {
    decode();
  } catch (const error& why) {
    const errc code = why.code();
    if (code != errc::newer_schema && code != errc::damaged && code != errc::unknown_type) throw;
    one.owner->cannot_read(one, why);
    throw unreadable{code, why.what()};
  }
}

}  // namespace cairn::detail
