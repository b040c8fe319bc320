// expect: give this type a stable name
#include "cairn/type_name.hpp"

namespace {
struct hidden {};
}  // namespace

constexpr auto name = cairn::type_name<hidden>;
