// A child that has stopped is forgotten by its parent: at once, or in the order of the parent's
// messages where that makes a difference.
#include <string>

#include "fixture.hpp"

namespace forgotten {

struct leave {
  std::string name{};
  void serialize(auto& archive) { archive(name); }
};
struct fresh {};
struct gone {
  std::string name{};
  void serialize(auto& archive) { archive(name); }
};
struct outcome {};

struct parent;

/// Tells its parent that it goes, and goes.
struct child {
  using protocol = cairn::protocol<leave>;
  void on(leave what, cairn::context<child>& self);
  void serialize(auto& archive) { archive(above); }
  cairn::ref<parent> above{};
};

/// Whether it could spawn a child of the same name when it was told, and afterwards.
struct parent {
  using protocol = cairn::protocol<leave, gone, fresh, outcome>;

  void on(leave what, cairn::context<parent>& self) {
    self.spawn<child>(what.name, self.ref()).tell<leave>(what.name);
  }
  void on(gone what, cairn::context<parent>& self) {
    seen += could_spawn(what.name, self) ? "free " : "taken ";
    self.ref().tell<fresh>();  // behind the word of the child's end
  }
  void on(fresh, cairn::context<parent>& self) {
    seen += could_spawn("named", self) ? "free" : "taken";
  }
  std::string on(outcome) const { return seen; }
  void serialize(auto& archive) { archive(seen); }

  static bool could_spawn(const std::string& name, cairn::context<parent>& self) {
    try {
      (void)self.spawn<child>(name, self.ref());
      return true;
    } catch (const cairn::error& why) {
      return why.code() != cairn::errc::name_taken;
    }
  }
  std::string seen{};
};

inline void child::on(leave what, cairn::context<child>& self) {
  above.tell<gone>(what.name);
  self.stop();
}

using all = cairn::actors<parent, child>;

inline std::string after(fixture::bench& on, const std::string& name) {
  std::string seen;
  fixture::crash<all>(on, [&](cairn::root& root) {
    return [](cairn::root& top, std::string of, std::string* to) -> cairn::task<int> {
      auto above = top.supervise("top").spawn<parent>("parent");
      above.tell<leave>(of);
      while (to->find(' ') == std::string::npos || to->back() == ' ') {
        *to = co_await above.ask<outcome>();
      }
      co_return 0;
    }(root, name, &seen);
  });
  return seen;
}

}  // namespace forgotten

TEST_CASE("a child's name is its own until its parent has handled what it had sent before") {
  fixture::bench on;
  CHECK(forgotten::after(on, "named") == "taken free");
}

TEST_CASE("a child without a name is forgotten before, and nobody can tell") {
  fixture::bench on;
  CHECK(forgotten::after(on, "") == "free free");
}
