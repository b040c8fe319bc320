// The thread of one journal: it makes posts durable, many with one sync, and then delivers them.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../asio.hpp"
#include "../store.hpp"
#include "engine.hpp"
#include "journal_port.hpp"
#include "own_thread.hpp"

namespace cairn::detail {

/// Called once, by any thread: null where the post is durable, else why it is not.
using posted_handler = std::function<void(std::exception_ptr)>;

class journal_keeper final : public attachment,
                             public std::enable_shared_from_this<journal_keeper> {
 public:
  journal_keeper(engine& of, std::string name)
      : of_{of}, name_{std::move(name)}, executor_{default_executor(of)} {}

  [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }

  /// Any thread, also when the system is gone.
  void post(std::string type, std::string payload, posted_handler done) {
    {
      const std::lock_guard lock{guard_};
      if (!stopping_ && waiting_.size() < most_waiting) {
        waiting_.push_back({std::move(type), std::move(payload), std::move(done)});
        changed_.notify_all();
        return;
      }
    }
    refuse(done, stopping_now() ? errc::stopped : errc::mailbox_full, "");
  }

  /// Root's turn, before the port lives.
  void set_port(address port) { port_ = port; }

  void begin() override {
    if (thread_.started()) return;
    auto self = shared_from_this();
    of_.writer().call([self](any_store& kept) { self->open(kept); });
    thread_.start([self] { self->work(); });
  }
  void request_stop() noexcept override {
    const std::lock_guard lock{guard_};
    stopping_ = true;
    changed_.notify_all();
  }
  void join() noexcept override {
    thread_.join();
    std::deque<waiting_post> left;
    std::unique_ptr<journal_log> closed;
    {
      const std::lock_guard lock{guard_};
      left.swap(waiting_);
      closed = std::move(log_);
    }
    for (const auto& each : left) refuse(each.done, errc::stopped, "");
  }

  /// Remembers where the port stood in each snapshot: what lies before the oldest one that the
  /// store still has, savepoints included, is not needed any more.
  void at_cut(std::uint64_t position) override {
    // Relaxed: the coordinator has set it before it began this epoch.
    const epoch before{of_.committed.load(std::memory_order_relaxed)};
    auto self = shared_from_this();
    of_.writer().call(
        [self, position, before](any_store& kept) { self->after_epoch(kept, position, before); });
  }

 private:
  static constexpr std::size_t most_waiting = 1'000'000;   ///< posts ahead of the disk
  static constexpr std::uint64_t most_under_way = 65'536;  ///< entries ahead of the port
  static constexpr std::size_t batch = 4096;               ///< posts with one sync

  struct waiting_post {
    std::string type{};
    std::string payload{};
    posted_handler done{};
  };

  // The writer's thread.

  void open(any_store& kept) {
    std::unique_ptr<journal_log> opened;
    try {
      opened = kept.journal(name_);
    } catch (...) {
      of_.fail(std::current_exception());
      return;
    }
    const std::lock_guard lock{guard_};
    if (stopping_) return;  // the writer does its last jobs after the join
    log_ = std::move(opened);
    changed_.notify_all();
  }

  void after_epoch(any_store& kept, std::uint64_t position, epoch before) {
    epoch oldest{~std::uint64_t{0}};
    epoch latest{};
    for (const auto& each : kept.list()) {
      oldest = std::min(oldest, each.number);
      latest = std::max(latest, each.number);
    }
    if (latest <= before) return;  // it was abandoned
    cuts_[latest] = position;
    auto needed = cuts_.upper_bound(oldest);
    if (needed == cuts_.begin()) return;  // a snapshot from before this process
    --needed;
    cuts_.erase(cuts_.begin(), needed);
    const std::lock_guard lock{guard_};
    trim_before_ = needed->second + 1;
    changed_.notify_all();
  }

  // The journal's thread.

  void work() {
    try {
      std::unique_lock lock{guard_};
      wait_for_change(changed_, lock, [&] { return log_ != nullptr || stopping_; });
      if (stopping_) return;
      lock.unlock();
      if (!know_position()) return;
      sent_ = known_;
      if (log_->last() < known_) complain_of_gap(log_->last() + 1, known_ + 1);
      log_->read_from(known_ + 1, [&](std::uint64_t number, bytes_view bytes) {
        if (stopping_now()) return;
        if (number != sent_ + 1) complain_of_gap(sent_ + 1, number);
        read_again(number, bytes);
      });
      while (serve()) {
      }
    } catch (...) {
      of_.fail(std::current_exception());
    }
  }

  /// Asks the port how far it has come. False: the system ends.
  [[nodiscard]] bool know_position() {
    struct answer {
      bool there = false;
      errc code = errc::ok;
      std::uint64_t value = 0;
    };
    auto got = std::make_shared<answer>();
    auto message = make_envelope(journal_position{});
    message->index = index_of<journal_position, journal_port::protocol>;
    auto self = shared_from_this();
    ask_from_outside(of_, std::move(message), port_, {.timeout = std::chrono::hours{24 * 365}},
                     [self, got](envelope_ptr reply, errc code) {
                       const std::lock_guard lock{self->guard_};
                       got->there = true;
                       got->code = code;
                       if (code == errc::ok) {
                         got->value = *static_cast<const std::uint64_t*>(reply->payload());
                       }
                       self->changed_.notify_all();
                     });
    std::unique_lock lock{guard_};
    wait_for_change(changed_, lock, [&] { return got->there || stopping_; });
    if (stopping_) return false;
    if (got->code != errc::ok) {
      throw error{got->code, "journal \"" + name_ + "\": its port does not answer: " +
                                 std::string{to_string(got->code)}};
    }
    known_ = got->value;
    return true;
  }

  /// Its numbers would be given to other posts, and those taken for what was consumed already.
  [[noreturn]] void complain_of_gap(std::uint64_t first, std::uint64_t after) const {
    throw error{errc::damaged, "journal \"" + name_ + "\": entries " + std::to_string(first) +
                                   " to " + std::to_string(after - 1) + " are missing in " +
                                   of_.chosen().store.describe()};
  }

  void read_again(std::uint64_t number, bytes_view bytes) {
    sometimes("journal entry read again");
    reader from{bytes};
    std::string type{from.get_text()};
    if (!of_.types.messages.contains(fnv1a(type))) {
      throw error{errc::unknown_type, "journal \"" + name_ + "\" holds a message \"" + type +
                                          "\" that no actor of this program handles"};
    }
    const auto rest = from.rest();
    deliver(number, std::move(type),
            std::string{reinterpret_cast<const char*>(rest.data()), rest.size()});
  }

  /// To the port, in order. It may read an entry twice and takes it once.
  void deliver(std::uint64_t number, std::string type, std::string payload) {
    if (number - known_ > most_under_way && !know_position()) return;
    auto message = make_envelope(journal_entry{number, std::move(type), std::move(payload)});
    message->index = index_of<journal_entry, journal_port::protocol>;
    message->to = port_.where;
    message->target = port_.id;
    of_.send_from_outside(std::move(message));
    sent_ = number;
  }

  /// One sync for what has come together. False: the system ends.
  [[nodiscard]] bool serve() {
    std::vector<waiting_post> now;
    std::uint64_t trim = 0;
    {
      std::unique_lock lock{guard_};
      wait_for_change(changed_, lock,
                      [&] { return stopping_ || !waiting_.empty() || trim_before_ != 0; });
      if (stopping_) return false;
      while (!waiting_.empty() && now.size() < batch) {
        now.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
      }
      trim = std::exchange(trim_before_, 0);
    }
    if (trim != 0) forget_before(trim);
    const std::uint64_t number = now.empty() ? 0 : write(now);
    if (number != 0) hand_on(number, now);
    return true;
  }

  /// What is kept for too long does no harm: the next snapshot asks for it again.
  void forget_before(std::uint64_t number) {
    sometimes("journal trimmed");
    try {
      log_->trim_before(number);
    } catch (const error& why) {
      event what;
      what.kind = event_kind::store_warning;
      what.name = name_;
      what.text = std::string{"while removing entries that are no longer needed: "} + why.what();
      what.code = why.code();
      of_.report(what);
    }
  }

  /// Delivers durable posts, the first one by its number, and tells who posted them.
  void hand_on(std::uint64_t number, std::vector<waiting_post>& all) {
    auto next = all.begin();
    try {
      // Durable entries of an earlier batch whose last sync failed: their posts were not confirmed,
      // but they stand in the journal, and whoever reads it again would find them.
      if (number != sent_ + 1) {
        sometimes("journal holds entries that were not confirmed");
        log_->read_from(sent_ + 1, [&](std::uint64_t at, bytes_view bytes) {
          if (at < number) read_again(at, bytes);
        });
      }
      for (; next != all.end(); ++next) {
        deliver(number++, std::move(next->type), std::move(next->payload));
        next->done(nullptr);
      }
    } catch (...) {  // the system ends; the next one will find them
      for (; next != all.end(); ++next) next->done(std::current_exception());
      throw;
    }
  }

  /// The number of the first one; 0: they could not be written, and have been told so.
  [[nodiscard]] std::uint64_t write(const std::vector<waiting_post>& all) {
    try {
      std::uint64_t first = 0;
      for (const auto& each : all) {
        buffer bytes;
        bytes.put_text(each.type);
        bytes.append(each.payload.data(), each.payload.size());
        const std::uint64_t number = log_->append(bytes.view());
        if (first == 0) first = number;
      }
      log_->sync();
      return first;
    } catch (const error& why) {
      sometimes("posts not written");
      for (const auto& each : all) refuse(each.done, why.code(), why.what());
      return 0;
    }
  }

  [[nodiscard]] bool stopping_now() const {
    const std::lock_guard lock{guard_};
    return stopping_;
  }

  void refuse(const posted_handler& done, errc code, const std::string& why) const {
    std::string text = "journal \"" + name_ + "\": " + std::string{to_string(code)};
    if (!why.empty()) text += ": " + why;
    done(std::make_exception_ptr(error{code, text}));
  }

  engine& of_;
  const std::string name_;
  const asio::any_io_executor executor_;
  address port_{};
  own_thread thread_{};

  mutable std::mutex guard_{};  ///< of what follows
  std::condition_variable changed_{};
  std::deque<waiting_post> waiting_{};
  std::unique_ptr<journal_log> log_{};  ///< once it is there, the journal's thread's
  std::uint64_t trim_before_ = 0;       ///< 0: nothing new
  bool stopping_ = false;

  // The journal's thread's.
  std::uint64_t known_ = 0;  ///< where the port was
  std::uint64_t sent_ = 0;   ///< the last entry that went to it

  // The writer's.
  std::map<epoch, std::uint64_t> cuts_{};
};

}  // namespace cairn::detail
