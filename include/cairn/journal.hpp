// `cairn::journal`: a durable door. What was posted is never lost, and handled once.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <asio/async_result.hpp>
#include <asio/use_awaitable.hpp>

#include "asio.hpp"
#include "detail/journal_keeper.hpp"
#include "root.hpp"

namespace cairn {

namespace detail {

struct start_post {
  template <class Handler>
  void operator()(Handler&& handler, std::shared_ptr<journal_keeper> to, std::string type,
                  std::string payload) const {
    using waits = pending<void, std::decay_t<Handler>>;
    auto kept = std::make_shared<waits>(std::forward<Handler>(handler), to->executor());
    to->post(std::move(type), std::move(payload),
             [kept](std::exception_ptr why) { kept->finish(nullptr, std::move(why)); });
  }
};

[[nodiscard]] inline std::shared_ptr<journal_keeper> open_journal(cell& top,
                                                                  const std::string& name,
                                                                  const address& target) {
  turn& here = turn_here("a journal");
  require(target);
  auto& of = static_cast<program&>(*top.owner);  // the only runtime that there is
  const std::string port_name = "journal." + name;
  const auto made = std::make_shared<journal_keeper>(of, name);
  // After a rollback the one that there is goes on, and its port has the id that it had.
  auto keeper = std::static_pointer_cast<journal_keeper>(of.beside.add(port_name, made));
  try {
    const auto port = spawn<journal_port>(here, top, port_name, std::uint64_t{0}, target);
    if (keeper == made) keeper->set_port(port.where());
    if (port.where().where->dormant) of.wake_below(*port.where().where);
    port.template tell<journal_target>(target);
  } catch (...) {
    of.beside.remove(port_name);
    throw;
  }
  return keeper;
}

}  // namespace detail

/// A journal in the program's store whose entries go to one actor, in the order of their posts.
/// Opened by the root task; then copied to whoever posts. An entry is delivered again after a crash
/// where no committed epoch covers it, and takes effect once. Entries that every snapshot of the
/// store covers are forgotten, file by file.
///
/// Thread safety: any thread posts through any copy, also when the system has ended.
template <class A>
class journal {
 public:
  journal() = default;

  /// Preconditions: within a turn of the root task, in every run of the program: the entries of a
  /// journal that is not opened wait.
  ///
  /// Errors: throws `errc::name_taken`, `errc::bad_name`. A journal that cannot be read stops the
  /// system with an error that names the file.
  journal(root& here, const std::string& name, const ref<A>& target)
      : keeper_{detail::open_journal(here.where(), name, target.where())} {}

  /// Posts a message that is built in place, and completes, with nothing, when it is durable.
  /// The completion's executor is chosen as by `async_ask`.
  ///
  /// Errors: completes with `cairn::error`: `stopped` where the system has ended first and
  /// `mailbox_full` where a million posts wait for the disk; then it was not made. Or with what the
  /// disk said: then it may still have become durable with others, and is delivered if it has.
  template <class M, class Token, class... Args>
  auto async_post(Token&& token, Args&&... args) const {
    detail::check_message<M, typename A::protocol, Args...>();
    if (!keeper_) throw error{errc::misuse, "a post to an empty journal"};
    auto built = detail::build_envelope<M>(
        [&](void* where) { detail::construct_message<M>(where, std::forward<Args>(args)...); });
    detail::buffer bytes;
    bytes.put(detail::schema_of<M>());
    cairn::encode(*static_cast<const M*>(built->payload()), bytes);
    return asio::async_initiate<Token, void(std::exception_ptr)>(
        detail::start_post{}, token, keeper_, std::string{type_name<M>},
        std::string{reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }

  /// The same in an Asio coroutine: `co_await port.post<deposit>(100)`.
#if defined(ASIO_HAS_CO_AWAIT)
  template <class M, class... Args>
  [[nodiscard]] auto post(Args&&... args) const {
    return async_post<M>(asio::use_awaitable, std::forward<Args>(args)...);
  }
#else
  template <class M, class... Args>
  void post(Args&&...) const {
    static_assert(sizeof(M) == 0,
                  "Asio below 1.26 does not know that Clang has coroutines: compile everything "
                  "with -DASIO_HAS_CO_AWAIT=1, as cairn's CMake targets do");
  }
#endif

 private:
  std::shared_ptr<detail::journal_keeper> keeper_{};
};

}  // namespace cairn
