// expect: state must serialize: write void serialize
#include "cairn/codec.hpp"

struct state {
  int x = 0;
  void serialise(auto& archive) { archive(x); }
};

void save(const state& value, cairn::detail::buffer& to) { cairn::encode(value, to); }
