// expect: give this type a stable name
#include "cairn/type_name.hpp"

template <class T>
struct box {};

constexpr auto name = cairn::type_name<box<int>>;
