// Who stands outside and brings the deposits. What it was told is durable it says at once, and the
// harness holds the bank to it.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <exception>
#include <future>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <asio/use_future.hpp>
#include <cairn/asio.hpp>
#include <cairn/journal.hpp>

#include "actors.hpp"
#include "say.hpp"

namespace bank {

struct pacing {
  std::uint32_t run = 0;
  std::uint64_t pause_us = 0;  ///< after each batch
};

enum class posting : std::uint8_t { goes_on, done, given_up };

/// Most deposits come through the journal; every eighth is asked for, and answered when committed.
class poster {
 public:
  poster(cairn::ref<counter> to, cairn::journal<counter> port, pacing how,
         std::atomic<posting>& now)
      : to_{to}, port_{std::move(port)}, how_{how}, now_{&now} {}

  /// Until every deposit is there, it is refused too often, or the system has ended.
  void operator()() {
    try {
      auto asked = cairn::async_ask<get_missing>(to_, patient, asio::use_future);
      const auto missing = asked.get();
      const std::chrono::microseconds pause{how_.pause_us};
      left_.assign(missing.begin(), missing.end());
      while (!left_.empty() && refused_ < patience && post_some()) {
        std::this_thread::sleep_for(pause);
      }
    } catch (const cairn::error& why) {
      if (why.code() != cairn::errc::stopped) say("event poster : {}", why.what());
    } catch (const std::exception& why) {
      say("event poster : {}", why.what());
    }
    // pairs with the load in the root task
    now_->store(left_.empty() ? posting::done : posting::given_up, std::memory_order_release);
  }

 private:
  static constexpr cairn::outside_ask patient{.timeout = 10min};
  static constexpr cairn::outside_ask durable{.when = cairn::committed, .timeout = 10min};
  static constexpr std::size_t batch = 4;
  static constexpr unsigned patience = 100;

  struct posted {
    std::uint64_t k = 0;
    char way = 'j';
    std::uint32_t number = 0;
    std::future<void> answer{};
  };

  [[nodiscard]] posted post(std::uint64_t k) {
    const bool asks = k % 8 == 0;
    posted one{k, asks ? 'a' : 'j', asks ? ++asks_ : ++posts_, {}};
    // Two rows of numbers: between a post and an ask there is no order. An ask's run is odd.
    const attempt by{2 * how_.run + (asks ? 1U : 0U), one.number};
    one.answer = asks ? cairn::async_ask<deposit>(to_, durable, asio::use_future, k, by)
                      : port_.async_post<deposit>(asio::use_future, k, by);
    return one;
  }

  /// False: the system has ended.
  [[nodiscard]] bool post_some() {
    std::vector<posted> under_way;
    for (auto count = std::min(batch, left_.size()); count > 0; --count) {
      under_way.push_back(post(left_.front()));
      left_.pop_front();
    }
    bool goes_on = true;
    for (auto& each : under_way) {
      try {
        each.answer.get();
        say("ack {}{}.{}", each.way, how_.run, each.number);
        refused_ = 0;
      } catch (const cairn::error& why) {
        if (why.code() == cairn::errc::stopped) goes_on = false;
        say("refused {}{}.{}: {}", each.way, how_.run, each.number, why.what());
        left_.push_back(each.k);
        ++refused_;
      }
    }
    return goes_on;
  }

  cairn::ref<counter> to_;
  cairn::journal<counter> port_;
  pacing how_;
  std::atomic<posting>* now_;
  std::deque<std::uint64_t> left_{};
  std::uint32_t posts_ = 0;
  std::uint32_t asks_ = 0;
  unsigned refused_ = 0;  ///< in a row
};

}  // namespace bank
