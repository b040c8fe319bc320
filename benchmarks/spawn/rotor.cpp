// A supervisor spawns actors, each is sent one message, once it has been initialized, and shuts
// itself down. ns per child.
#include "../with/rotor.hpp"

namespace bench {

struct job {};
struct batch_done {};

struct game {
  games all;
  std::uint64_t batches = 0;
  std::uint32_t left = 0;  ///< of the batch
  std::uint64_t done = 0;
  r::address_ptr_t parent{};
};

class child : public r::actor_base_t {
 public:
  using r::actor_base_t::actor_base_t;

  void set(game& of) { of_ = &of; }
  void configure(r::plugin::plugin_base_t& plugin) noexcept override {
    r::actor_base_t::configure(plugin);
    plugin.with_casted<r::plugin::starter_plugin_t>(
        [](auto& starter) { starter.subscribe_actor(&child::on_job); });
  }

 private:
  void on_job(r::message_t<job>&) noexcept {
    ++of_->done;
    if (--of_->left == 0) send<batch_done>(of_->parent);
    do_shutdown();
  }

  game* of_ = nullptr;
};

class parent : public rth::supervisor_thread_t {
 public:
  using rth::supervisor_thread_t::supervisor_thread_t;

  void set(game& of) {
    of_ = &of;
    of.parent = get_address();
  }
  void configure(r::plugin::plugin_base_t& plugin) noexcept override {
    rth::supervisor_thread_t::configure(plugin);
    plugin.with_casted<r::plugin::starter_plugin_t>(
        [](auto& starter) { starter.subscribe_actor(&parent::on_done); });
  }
  void on_start() noexcept override {
    rth::supervisor_thread_t::on_start();
    begin();
  }
  /// Its message has to wait for this: who has not been initialized gets none.
  void on_child_init(r::actor_base_t* one, const r::extended_error_ptr_t& error) noexcept override {
    require(one != nullptr && !error, "a child has not been initialized");
    send<job>(one->get_address());
  }

 private:
  void begin() {
    of_->batches = of_->all.begin() / spawn_batch;
    spawn_all();
  }
  void on_done(r::message_t<batch_done>&) noexcept {
    if (--of_->batches > 0) return spawn_all();
    if (!of_->all.ended()) return do_shutdown();
    begin();
  }
  void spawn_all() {
    of_->left = spawn_batch;
    for (std::uint32_t at = 0; at < spawn_batch; ++at) {
      create_actor<child>().timeout(rotor_system::patience()).finish()->set(*of_);
    }
  }

  game* of_ = nullptr;
};

double spawn(const settings& how) {
  rotor_system_of<parent> engine;
  game of{{how, spawn_batch}};
  engine.supervisor().set(of);
  engine.run();
  require(of.done == of.all.played(), "not every child has handled its message");
  return of.all.per_round();
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "rotor", {{"spawn", "ns", when::always, &spawn}});
}
