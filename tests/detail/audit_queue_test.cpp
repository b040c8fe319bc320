#include <cairn/detail/audit_queue.hpp>

#include <cstdint>
#include <memory>
#include <string>

#include "../catch.hpp"

namespace audit_queue_test {

using cairn::actor_id;
using cairn::detail::audit_queue;
using cairn::detail::buffer;
using cairn::detail::cell;
using cairn::detail::recovery;

constexpr std::size_t kib = 1024;

/// Of one actor at its cut, in bytes.
struct sizes {
  std::size_t before = 0;    ///< its state at its base
  std::size_t consumed = 1;  ///< since
  std::size_t after = 0;     ///< its state now
};

buffer zeros(std::size_t count) {
  buffer made;
  const std::string from(count, '\0');
  made.append(from.data(), from.size());
  return made;
}

std::unique_ptr<recovery> base_of(std::size_t state) {
  auto made = std::make_unique<recovery>();
  made->state = zeros(state);
  made->valid = true;
  return made;
}

std::unique_ptr<cell> actor_of(std::uint64_t id, sizes of = {}) {
  auto made = std::make_unique<cell>();
  made->id.store(actor_id{id}, std::memory_order_relaxed);  // one thread
  made->saved = base_of(of.before);
  const auto consumed = zeros(of.consumed);
  cairn::detail::log_entry entry;
  entry.length = static_cast<std::uint32_t>(consumed.size());
  made->saved->log.append(entry, consumed.view().data());
  return made;
}

/// Cuts so many actors.
void cut(audit_queue& into, int count, sizes of) {
  for (int at = 0; at < count; ++at) {
    const auto one = actor_of(100 + static_cast<std::uint64_t>(at), of);
    cairn::detail::renew_audited(&into, *one, [&] { one->saved = base_of(of.after); });
  }
}

int take_all(audit_queue& from) {
  int taken = 0;
  for (; !from.empty(); ++taken) (void)from.take();
  return taken;
}

}  // namespace audit_queue_test

TEST_CASE("what waits for its audit takes 4 MiB and one actor more at most, the rest is passed") {
  using namespace audit_queue_test;
  audit_queue queue{1, 7};
  const auto next = actor_of(99);
  // Five of them take less than 4 MiB, six of them more: whatever it is that takes it.
  for (const sizes of : {sizes{.before = 700 * kib}, sizes{.consumed = 700 * kib},
                         sizes{.after = 700 * kib}, sizes{300 * kib, 200 * kib, 200 * kib}}) {
    INFO(of.before << " " << of.consumed << " " << of.after);
    cut(queue, 8, of);
    CHECK_FALSE(queue.wants(*next));
    (void)queue.take();
    CHECK(queue.wants(*next));
    CHECK(take_all(queue) == 5);
  }
  cut(queue, 3, {.after = 5000 * kib});
  CHECK_FALSE(queue.wants(*next));
  queue.clear();
  CHECK(queue.wants(*next));
  cut(queue, 3, {.after = 5000 * kib});
  CHECK(take_all(queue) == 1);
}

TEST_CASE("a handler that is suspended counts with its base, its log and its state") {
  using namespace audit_queue_test;
  cairn::detail::actor_type type;
  type.encode = [](const cell&, buffer& to) { to.append(zeros(200 * kib).view()); };
  audit_queue queue{1, 7};
  int added = 0;
  for (std::uint64_t id = 2; id < 14; ++id) {
    const auto one = actor_of(id, {.before = 300 * kib, .consumed = 200 * kib});
    one->type = &type;
    if (!queue.wants(*one)) continue;
    queue.add_suspended(*one);
    ++added;
  }
  CHECK(added == 6);
}

TEST_CASE("who has been named is not wanted again, and after a thousand names nobody is") {
  using namespace audit_queue_test;
  audit_queue queue{1, 7};
  const auto first = actor_of(1000);
  const auto other = actor_of(5000);
  CHECK(queue.wants(*first));
  for (std::uint64_t id = 1000; id < 1999; ++id) queue.note_named(actor_id{id});
  queue.note_named(actor_id{1000});  // is one of them already
  CHECK_FALSE(queue.wants(*first));
  CHECK(queue.wants(*other));
  queue.clear();  // as a rollback does
  CHECK_FALSE(queue.wants(*first));
  queue.note_named(actor_id{1999});
  CHECK_FALSE(queue.wants(*other));
}
