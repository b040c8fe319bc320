// An actor that both translation units use.
#pragma once

#include <cairn/cairn.hpp>

struct add {
  int amount;
  void serialize(auto& archive) { archive(amount); }
};
struct total {};

struct counter {
  using protocol = cairn::protocol<add, total>;
  int sum = 0;
  void serialize(auto& archive) { archive(sum); }

  void on(add more) { sum += more.amount; }
  int on(total) { return sum; }
};

/// Counts to 3, without a system.
int count_elsewhere();
