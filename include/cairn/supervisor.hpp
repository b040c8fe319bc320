// What a supervisor does about its children's failures.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "context.hpp"

namespace cairn {

/// Who is restarted when one child fails, as in Erlang/OTP.
enum class restart_strategy : std::uint8_t { one_for_one };

/// Only the child that failed.
inline constexpr restart_strategy one_for_one = restart_strategy::one_for_one;

/// More than `restarts` within `within` suspend the child.
struct restart_intensity {
  std::uint32_t restarts = 3;
  std::chrono::nanoseconds within = std::chrono::seconds{5};
};

namespace detail {

struct supervision {
  restart_strategy strategy = one_for_one;
  restart_intensity intensity{};
  /// How often a failing turn is tried again before its message is given up.
  std::uint32_t attempts = 1;

  void save(auto& archive) const {
    archive(static_cast<std::uint8_t>(strategy), intensity.restarts,
            static_cast<std::int64_t>(intensity.within.count()), attempts);
  }
  void load(auto& archive) {
    std::uint8_t kind = 0;
    std::int64_t within = 0;
    archive(kind, intensity.restarts, within, attempts);
    strategy = restart_strategy{kind};
    intensity.within = std::chrono::nanoseconds{within};
  }
};

/// What actors that ordinary actors spawn are supervised by.
inline const auto default_supervision = std::make_shared<const supervision>();

/// The actor behind a supervisor. Its children are the cell's; it handles nothing itself.
struct supervisor_actor {
  using protocol = cairn::protocol<>;
  std::shared_ptr<const supervision> options = default_supervision;

  void save(auto& archive) const { archive(*options); }
  void load(auto& archive) {
    supervision read;
    archive(read);
    options = std::make_shared<const supervision>(read);
  }
};

}  // namespace detail

template <>
inline constexpr std::string_view type_name<detail::supervisor_actor> = "cairn.supervisor";

using supervisor_options = detail::supervision;

/// A door to a supervisor. Used by the root task, within its turns.
class supervisor {
 public:
  supervisor() = default;
  /// For cairn itself.
  explicit supervisor(cairn::ref<detail::supervisor_actor> self) noexcept : self_{self} {}

  /// The child of this name: the one that the store gave back, or else a new one, whose first
  /// state is built in place from `args`.
  ///
  /// Errors: throws `errc::name_taken` where this run of the program has spawned it already or the
  /// stored one is of another type, `errc::bad_name`, `errc::unknown_type`.
  template <class C, class... Args>
  cairn::ref<C> spawn(std::string_view name, Args&&... args) const {
    detail::turn& here = detail::turn_here("supervisor::spawn()");
    if (self_.where().where == nullptr || self_.where().where->parent.where != here.self) {
      throw error{errc::misuse, "a supervisor is used outside of the root task"};
    }
    if (!self_.where().where->is(self_.id()) || self_.where().where->stopped) {
      throw error{errc::stopped, "the supervisor is stopped"};
    }
    return detail::spawn<C>(here, *self_.where().where, name, std::forward<Args>(args)...);
  }

  [[nodiscard]] actor_id id() const noexcept { return self_.id(); }

 private:
  cairn::ref<detail::supervisor_actor> self_{};
};

}  // namespace cairn
