// Everything that is read back from a store, by one function. It returns, or ends the process.
#pragma once

#include "machine.hpp"
#include "values.hpp"

namespace fuzz {

/// Whether what was fed in was taken for good.
inline bool try_input(bytes from) {
  const auto read = input::read(from);
  switch (read.where) {
    case door::segment:
      return try_store(read, segment_files(read));
    case door::manifest:
      return try_store(read, manifest_files(read));
    case door::journal:
      return try_journal(read);
    case door::payloads:
      return try_payloads(read);
    case door::codec:
      return try_codec(read);
  }
  return false;
}

}  // namespace fuzz
