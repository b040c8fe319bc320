// As main.cpp, but that it runs no system: what is in sight, and that it links.
#include <cstdio>

#include "counter.hpp"

int main() {
  const int elsewhere = count_elsewhere();
  std::printf("cairn %s: %d\n", cairn::version_text.data(), elsewhere);
  return elsewhere == 3 ? 0 : 1;
}
