// expect: a protocol lists each message once
#include "cairn/message.hpp"

struct ping {};

constexpr auto size = cairn::protocol<ping, ping>::size;
