// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace lbdp::dataplane {

/// Paces a flow of frames: `per_second` in the long run, `burst` at once. Pure: the caller brings the time.
class Pacer {
 public:
  using Clock = std::chrono::steady_clock;

  Pacer(uint32_t per_second, uint32_t burst) : per_second_(per_second), burst_(burst), tokens_(burst) {}

  /// How many of `wanted` may pass now; they count as passed.
  uint32_t take(uint32_t wanted, Clock::time_point now) {
    refill(now);
    const auto granted = std::min(wanted, static_cast<uint32_t>(tokens_));
    tokens_ -= granted;
    return granted;
  }
  /// Gives back what take() granted and was not used.
  void give_back(uint32_t unused) { tokens_ = std::min(tokens_ + unused, static_cast<double>(burst_)); }

 private:
  void refill(Clock::time_point now) {
    if (now > last_) {
      const double seconds = std::chrono::duration<double>(now - last_).count();
      tokens_ = std::min(tokens_ + seconds * per_second_, static_cast<double>(burst_));
      last_ = now;
    }
  }

  double per_second_;
  uint32_t burst_;
  double tokens_;
  Clock::time_point last_{};
};

}  // namespace lbdp::dataplane
