#include "cairn/message.hpp"

#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "cairn/task.hpp"
#include "catch.hpp"

namespace message_test {

struct deposit {
  std::int64_t cents;
  std::string note{};
};
struct balance {};
struct retitle {
  std::unique_ptr<std::string> to;
};
struct unhandled {};
struct convertible {
  convertible(deposit) {}  // NOLINT
};
struct later;  // incomplete

struct account {
  using protocol = cairn::protocol<deposit, balance, retitle>;
  void on(deposit) {}
  std::int64_t on(balance) const noexcept { return 0; }
  cairn::task<std::string> on(retitle, cairn::context<account>&);
};
struct careless {
  using persistence = cairn::ephemeral;
  void on(balance&&) {}
  void on(convertible) {}
  cairn::task<> on(const retitle&);
};
struct reader {
  int on(const deposit&) const { return 1; }
  void on(const balance&, cairn::context<reader>&) {}
};
/// The one that is called converts the message, or moves from it.
struct converter {
  void on(convertible) {}
  void on(const deposit&, cairn::context<converter>&) {}
};
struct mover {
  void on(deposit&&) {}
  void on(const deposit&, cairn::context<mover>&) {}
};
struct late_copier {
  cairn::task<> on(const deposit&);
  cairn::task<> on(deposit, cairn::context<late_copier>&);
};
struct generic {
  int on(auto) { return 1; }
};
struct generic_coroutine {
  cairn::task<> on(auto);
};
struct generic_reader {
  int on(const auto&) { return 1; }
};

using cairn::detail::buildable_from, cairn::detail::safe_argument;

static_assert(cairn::message<retitle> && !cairn::message<const balance> && !cairn::message<int&>);
static_assert(cairn::in_protocol<retitle, account::protocol>);
static_assert(!cairn::in_protocol<unhandled, account::protocol>);
static_assert(cairn::in_protocol<later, cairn::protocol<balance, later>>);
static_assert(cairn::detail::index_of<balance, account::protocol> == 1);
static_assert(cairn::detail::index_of<unhandled, account::protocol> == 3);
static_assert(cairn::detail::protocol_size<account::protocol> == 3);

static_assert(cairn::handles<account, deposit> && cairn::handles<account, balance>);
static_assert(cairn::handles<account, retitle> && !cairn::handles<account, unhandled>);
static_assert(!cairn::handles<careless, balance> && !cairn::handles<careless, deposit>);
static_assert(!cairn::handles<careless, retitle>);
static_assert(cairn::handles<generic, balance> && cairn::handles<generic_coroutine, balance>);
static_assert(cairn::handles<reader, deposit> && cairn::handles<reader, balance>);
static_assert(cairn::handles<generic_reader, balance>);
static_assert(!cairn::handles<converter, deposit> && !cairn::handles<mover, deposit>);
static_assert(!cairn::handles<late_copier, deposit>);
static_assert(cairn::detail::takes_reference<reader, deposit>);
static_assert(cairn::detail::takes_reference<reader, balance>);
static_assert(cairn::detail::takes_reference<generic_reader, balance>);
static_assert(!cairn::detail::takes_reference<generic, balance>);
static_assert(!cairn::detail::takes_reference<account, deposit>);
static_assert(std::is_same_v<cairn::reply_of<account, deposit>, void>);
static_assert(std::is_same_v<cairn::reply_of<account, balance>, std::int64_t>);
static_assert(std::is_same_v<cairn::reply_of<account, retitle>, std::string>);
static_assert(cairn::takes_context<account, retitle> && !cairn::takes_context<account, balance>);
static_assert(cairn::is_coroutine<account, retitle> && !cairn::is_coroutine<account, deposit>);
static_assert(cairn::detail::check_handlers<account>());
static_assert(cairn::ephemeral_actor<careless> && !cairn::ephemeral_actor<account>);

static_assert(buildable_from<deposit, int> && buildable_from<deposit, std::size_t, const char*>);
static_assert(!buildable_from<deposit, double> && !buildable_from<deposit, std::string>);
static_assert(buildable_from<balance> && !buildable_from<balance, int>);
static_assert(safe_argument<int> && safe_argument<std::string> && safe_argument<deposit&>);
static_assert(!safe_argument<deposit> && !safe_argument<const deposit> && safe_argument<balance>);
static_assert(safe_argument<std::vector<deposit>>);

}  // namespace message_test

using namespace message_test;

TEST_CASE("a message is built in its place") {
  alignas(deposit) std::byte room[sizeof(deposit)];
  auto* built = cairn::detail::construct_message<deposit>(room, 5, "a note that is rather long");
  CHECK(static_cast<void*>(built) == room);
  CHECK(built->cents == 5);
  CHECK(built->note == "a note that is rather long");
  std::destroy_at(built);
}

TEST_CASE("what a message owns is moved into it") {
  alignas(retitle) std::byte room[sizeof(retitle)];
  auto* built = cairn::detail::construct_message<retitle>(room, std::make_unique<std::string>("x"));
  CHECK(*built->to == "x");
  std::destroy_at(built);
}

TEST_CASE("the messages of a protocol are visited in order") {
  std::vector<std::string_view> names;
  cairn::detail::for_each(account::protocol{},
                          [&]<class M>() { names.push_back(cairn::type_name<M>); });
  CHECK(names == std::vector<std::string_view>{"message_test::deposit", "message_test::balance",
                                               "message_test::retitle"});
}

TEST_CASE("closures that own something are no safe arguments") {
  std::string text = "owned";
  auto owning = [text] { return text.size(); };
  auto plain = [&text] { return text.size(); };
  CHECK_FALSE(safe_argument<decltype(owning)>);
  CHECK(safe_argument<decltype(owning)&>);
  CHECK(safe_argument<decltype(plain)>);
  CHECK(owning() == plain());
}
