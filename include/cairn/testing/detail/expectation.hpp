// What a test expects of what waits: judging a message, finding it, and saying why it is not there.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "../../codec.hpp"
#include "prober.hpp"

namespace cairn::detail {

/// Why an ask has failed, in words, where there are any.
[[nodiscard]] inline std::string reason_in(const envelope& reply) {
  if (reply.ops == &ops_of<std::string>) return *static_cast<const std::string*>(reply.payload());
  if (reply.ops != &ops_of<encoded_value>) return {};
  const buffer& bytes = static_cast<const encoded_value*>(reply.payload())->bytes;
  return bytes.empty() ? std::string{} : cairn::decode<std::string>(bytes.view());
}

/// How an injected message was answered.
struct injected {
  bool arrived = false;
  errc code = errc::ok;
  envelope_ptr reply{};
  std::string what{};  ///< the message's type

  void require() const {
    if (!arrived) throw testing::probe_error{what + " has not been answered yet"};
  }
  void require_value() const {
    require();
    if (code == errc::ok) return;
    std::string text = "ask of " + what + ": " + std::string{to_string(code)};
    if (const auto why = reply ? reason_in(*reply) : std::string{}; !why.empty())
      text += ": " + why;
    throw ask_error{code, text};
  }
};

/// Any message will do.
struct anything {
  bool operator()(const auto&) const noexcept { return true; }
  bool operator()() const noexcept { return true; }
};

enum class verdict : std::uint8_t { other, differs, match };

/// A function of the test that returns nothing has checked for itself.
template <class Holds, class... M>
[[nodiscard]] verdict asked(Holds& holds, const M&... message) {
  static_assert(std::invocable<Holds&, const M&...>,
                "write [](const message& what) { return ...; }");
  if constexpr (std::is_void_v<std::invoke_result_t<Holds&, const M&...>>) {
    holds(message...);
    return verdict::match;
  } else {
    return holds(message...) ? verdict::match : verdict::differs;
  }
}

/// An answer that a snapshot gave back: its type is known to who awaits it alone, so it is an `M`
/// where its bytes are.
template <class M, class Holds>
[[nodiscard]] verdict judge_bytes(prober& of, const encoded_value& from, Holds& holds) {
  if constexpr (encodable<M>) {
    const scoped_current<runtime> scope{current_runtime, &of.inner()};
    std::optional<M> value{std::in_place};
    try {
      detail::decode_written(*value, from.bytes.view(), from.schema);
    } catch (const error&) {
      return verdict::other;
    }
    return asked(holds, *value);
  } else {
    return verdict::other;
  }
}

/// Whether what waits is such an `M`.
template <class M, class Holds>
[[nodiscard]] verdict judge(prober& of, const envelope& what, Holds& holds) {
  if (what.kind == envelope_kind::control) return verdict::other;
  const bool reply = what.kind == envelope_kind::reply;
  if constexpr (std::is_same_v<M, failure>) {
    if (reply && what.code != errc::ok) {
      const failure why{what.code, reason_in(what)};
      return asked(holds, why);
    }
  }
  if (reply && what.code != errc::ok) return verdict::other;
  if constexpr (std::is_void_v<M>) {
    if (!reply) return verdict::other;
    const bool empty = what.ops == &ops_of<unit> ||
                       (what.ops == &ops_of<encoded_value> &&
                        static_cast<const encoded_value*>(what.payload())->bytes.empty());
    return empty ? asked(holds) : verdict::other;
  } else {
    if (what.ops == &ops_of<M>) return asked(holds, *static_cast<const M*>(what.payload()));
    if (what.ops != &ops_of<encoded_value>) return verdict::other;
    return judge_bytes<M>(of, *static_cast<const encoded_value*>(what.payload()), holds);
  }
}

/// The type in the text of an error: by its stable name, if the program lists it.
template <class M>
[[nodiscard]] std::string name_in_text() {
  if constexpr (std::is_void_v<M>) {
    return "an answer without a value";
  } else if constexpr (std::is_same_v<M, failure>) {
    return "a failure";
  } else {
    return std::string{ops_of<M>.name.empty() ? spelled_name<M>() : ops_of<M>.name};
  }
}

/// What is next on a route.
struct candidate {
  cell* to = nullptr;
  envelope* next = nullptr;
  verdict what = verdict::other;
};

[[nodiscard]] inline candidate next_on(prober& of, const address& to,
                                       std::optional<actor_id> from) {
  of.settle();
  cell& one = of.cell_of(to);
  if (!prober::lives(one, to.id)) return {&one};
  return {&one, of.view().next_for(one, from)};
}

[[nodiscard]] inline bool waits_for(prober& of, const address& to, std::optional<actor_id> from,
                                    const std::function<bool(const envelope&)>& is_meant) {
  cell& one = of.cell_of(to);
  if (!prober::lives(one, to.id)) return false;
  const auto view = of.view();
  for (const envelope* each : mail_view::all_for(one)) {
    if ((!from || view.sender_of(one, *each) == *from) && is_meant(*each)) return true;
  }
  return false;
}

[[nodiscard]] inline std::string route_in_text(const prober& of, const std::string& what,
                                               const address& to, std::optional<actor_id> from) {
  const auto view = of.view();
  return what + (from ? " from " + view.name_of(*from) : "") + " to " + view.name_of(to.id);
}

[[noreturn]] inline void raise_missing(prober& of, const std::string& what, const address& to,
                                       std::optional<actor_id> from, verdict found) {
  const auto view = of.view();
  std::string text = "expected " + route_in_text(of, what, to, from) + ", but ";
  cell& one = of.cell_of(to);
  const bool lives = prober::lives(one, to.id);
  if (const envelope* next = lives ? view.next_for(one, from) : nullptr) {
    text += found == verdict::differs ? "the next one does not hold what it should"
                                      : "next is " + view.text_of(one, *next);
  } else if (!lives) {
    text += "it is stopped";
  } else if (const auto state = view.state_of(one); !state.empty()) {
    text += "it is " + state;
  } else {
    text += "none waits";
  }
  throw testing::probe_error{text + "\n" + view.text()};
}

[[noreturn]] inline void raise_unwanted(prober& of, const std::string& what, const address& to,
                                        std::optional<actor_id> from) {
  throw testing::probe_error{"there is " + route_in_text(of, what, to, from) + "\n" +
                             of.view().text()};
}

[[noreturn]] inline void raise_unanswered(prober& of, const address& whom, std::string_view what) {
  cell& one = of.cell_of(whom);
  const auto view = of.view();
  throw testing::probe_error{view.name_of(whom.id) + " has not answered " + std::string{what} +
                             ": it is " + view.state_of(one) + "\n" + view.text()};
}

/// Precondition: the message is new, and for an actor of this type.
[[nodiscard]] inline std::shared_ptr<injected> inject_into(prober& of, envelope_ptr message,
                                                           const address& to) {
  of.settle();
  cell& one = of.cell_of(to);
  const std::string what{message->ops->name};
  if (prober::lives(one, to.id) && (one.dormant || (one.busy() && !one.suspended))) {
    const auto view = of.view();
    throw testing::probe_error{"cannot inject " + route_in_text(of, what, to, std::nullopt) +
                               ": it is " + view.state_of(one) + "\n" + view.text()};
  }
  auto made = std::make_shared<injected>();
  made->what = what;
  const auto asked =
      of.inner().asks().add(std::chrono::nanoseconds::max(), [made](envelope_ptr reply, errc code) {
        made->arrived = true;
        made->code = code;
        made->reply = std::move(reply);
      });
  message->answer = {nullptr, {}, asked.number, false};
  message->to = to.where;
  message->target = to.id;
  of.inject(one, std::move(message));
  return made;
}

inline void plan_failure(prober& of, const address& whom, unsigned times) {
  of.settle();
  cell& one = of.cell_of(whom);
  if (!prober::lives(one, whom.id)) {
    throw testing::probe_error{of.view().name_of(whom.id) + " is stopped: it has no next turn"};
  }
  if (times != 0) of.failures().plan(whom.id, times);
}

[[nodiscard]] inline cell& cell_with_state(prober& of, const address& whom) {
  of.settle();
  cell& one = of.cell_of(whom);
  const auto view = of.view();
  if (!prober::lives(one, whom.id)) {
    throw testing::probe_error{view.name_of(whom.id) + " is stopped: it has no state"};
  }
  if (one.state == nullptr) {
    throw testing::probe_error{view.name_of(whom.id) + " has no state now: it is " +
                               view.state_of(one)};
  }
  return one;
}

[[nodiscard]] inline address find_path(prober& of, std::string_view path, std::uint64_t type,
                                       std::string_view type_text) {
  of.settle();
  const auto view = of.view();
  address found;
  std::string wrong;
  view.each_actor([&](cell& one) {
    if (view.path_of(one) != path) return;
    if (one.type->hash == type) {
      found = one.self();
    } else {
      wrong = ", but one of type " + std::string{one.type->name};
    }
  });
  if (found.where != nullptr) return found;
  throw testing::probe_error{"there is no " + std::string{type_text} + " \"" + std::string{path} +
                             "\"" + wrong};
}

}  // namespace cairn::detail
