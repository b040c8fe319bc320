// expect: shared ownership is of constants only
#include "cairn/codec.hpp"

struct state {
  std::shared_ptr<int> shared;
  void serialize(auto& archive) { archive(shared); }
};

void save(const state& value, cairn::detail::buffer& to) { cairn::encode(value, to); }
