// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>
#include <cstdint>

namespace lbdp::dataplane {

/// So many events a second, after a burst of so many at once. Time is the worker's TSC, read once a burst.
struct Rate {
  uint64_t per_second = 0;
  uint64_t burst = 0;
};

/// A worker's token bucket. It counts in cycles: no clock to read and no division per event.
class Policer {
 public:
  /// Begins full. The rate is at least one a second.
  Policer(Rate rate, uint64_t tsc_hz, uint64_t now)
      : cost_(tsc_hz / std::max<uint64_t>(rate.per_second, 1)),
        limit_(cost_ * rate.burst),
        credit_(limit_),
        last_(now) {}

  /// One event at `now`, which never goes back: may it pass?
  [[nodiscard]] bool take(uint64_t now) noexcept {
    credit_ = std::min(limit_, credit_ + std::min(limit_, now - last_));
    last_ = now;
    if (credit_ < cost_) return false;
    credit_ -= cost_;
    return true;
  }

 private:
  uint64_t cost_;
  uint64_t limit_;
  uint64_t credit_;
  uint64_t last_;
};

}  // namespace lbdp::dataplane
