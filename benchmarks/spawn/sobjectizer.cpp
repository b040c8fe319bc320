// An agent spawns others, each is sent one message and deregistered. ns per child.
#include "../with/sobjectizer.hpp"

namespace bench {

struct batch {
  tally done;
  std::uint32_t left = 0;
  so_5::mbox_t parent;
};
struct job final : so_5::signal_t {};
struct begin {
  std::uint64_t batches;
};
struct batch_done final : so_5::signal_t {};

class child final : public so_5::agent_t {
 public:
  child(context_t context, batch& of) : so_5::agent_t{std::move(context)}, of_{of} {}
  void so_define_agent() override { so_subscribe_self().event(&child::on_job); }

 private:
  void on_job(mhood_t<job>) {
    ++of_.done.count;
    if (--of_.left == 0) so_5::send<batch_done>(of_.parent);
    so_deregister_agent_coop_normally();
  }

  batch& of_;
};

class parent final : public so_5::agent_t {
 public:
  parent(context_t context, batch& of) : so_5::agent_t{std::move(context)}, of_{of} {}
  void so_define_agent() override {
    so_subscribe_self().event(&parent::on_begin).event(&parent::on_done);
  }

 private:
  void on_begin(mhood_t<begin> b) {
    batches_ = b->batches;
    spawn_all();
  }
  void on_done(mhood_t<batch_done>) {
    if (--batches_ == 0) return timing.stop();
    spawn_all();
  }
  void spawn_all() {
    of_.left = spawn_batch;
    for (std::uint32_t at = 0; at < spawn_batch; ++at) {
      so_5::mbox_t made;
      so_5::introduce_child_coop(*this, so_this_coop_disp_binder(), [&](so_5::coop_t& coop) {
        made = coop.make_agent<child>(std::ref(of_))->so_direct_mbox();
      });
      so_5::send<job>(made);
    }
  }

  batch& of_;
  std::uint64_t batches_ = 0;
};

double spawn(const settings& how) {
  batch of;
  so_system all{1};
  of.parent = all.make<parent>(0, std::ref(of))->so_direct_mbox();
  std::uint64_t wanted = 0;
  const double each = play_games(how, spawn_batch, [&](std::uint64_t rounds) {
    wanted += rounds;
    so_5::send<begin>(of.parent, rounds / spawn_batch);
  });
  require(of.done.count == wanted, "not every child has handled its message");
  of.parent = nullptr;
  return each;
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "sobjectizer", {{"spawn", "ns", when::always, &spawn}});
}
