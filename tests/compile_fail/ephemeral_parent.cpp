// expect: an ephemeral actor spawns ephemeral ones only
#include <cairn/actor.hpp>

struct go {};

struct kept {
  using protocol = cairn::protocol<go>;
  void serialize(auto&) {}
  void on(go) {}
};

struct lost {
  using protocol = cairn::protocol<go>;
  using persistence = cairn::ephemeral;
  void on(go, cairn::context<lost>& self) { self.spawn<kept>("kept"); }
};

template void cairn::detail::begin_handler<lost, go>(cairn::detail::cell&, cairn::detail::turn&,
                                                     cairn::detail::envelope&);
