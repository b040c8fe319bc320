// The names that headers need of each other before they are defined.
#pragma once

namespace cairn {

template <class... Messages>
struct protocol;
template <class A>
class context;
template <class A>
class ref;
template <class T>
class task;
template <class T>
class result;

}  // namespace cairn
