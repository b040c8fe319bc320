// The bare machine: one node pushed to and popped from two plain intrusive queues in turn. ns per
// push and pop.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

struct node {
  node* next = nullptr;
  std::uint64_t left = 0;
};

struct queue {
  node* head = nullptr;
  node* tail = nullptr;

  void push(node* last) {
    last->next = nullptr;
    (tail != nullptr ? tail->next : head) = last;
    tail = last;
  }
  node* pop() {
    node* first = head;
    head = first->next;
    if (head == nullptr) tail = nullptr;
    return first;
  }
};

}  // namespace

int main(int count, char** words) {
  const std::uint64_t messages = count > 1 ? std::strtoull(words[1], nullptr, 10) : 50'000'000;
  queue queues[2];
  node ball;
  ball.left = messages;
  volatile unsigned turn = 0;  // keeps the compiler from seeing through the game
  const auto begin = std::chrono::steady_clock::now();
  queues[0].push(&ball);
  for (;;) {
    node* taken = queues[turn].pop();
    if (--taken->left == 0) break;
    turn = 1 - turn;
    queues[turn].push(taken);
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
  std::printf("%.1f\n", took.count() / static_cast<double>(messages));
}
