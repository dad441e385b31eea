// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "config/types/ip_address.h"

namespace lbdp::vrrp {

/// Paces the gratuitous ARPs and neighbour advertisements of one interface. A takeover of 1,000 addresses asks for
/// 5,000 frames; sent in one go they hold up the reactor and overrun switches and neighbours. Here each address is
/// announced once before any is announced again, in batches: kBatch frames at once, then kBatch every kInterval (8,000
/// frames a second); or, where the configuration asks for it (garp_interval, gna_interval), one frame each interval.
/// Pure; the caller sends.
class GarpQueue {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  static constexpr size_t kBatch = 32;
  static constexpr std::chrono::milliseconds kInterval{4};

  struct Entry {
    uint32_t owner = 0;
    IpAddress address;
  };

  /// Queues `rounds` announcements of each address, one frame each `interval`; 0: in batches. `owner` may cancel them.
  /// The same request again does not make the queue longer: it starts its rounds anew.
  void add(uint32_t owner, const std::vector<IpAddress>& addresses, unsigned rounds,
           std::chrono::microseconds interval = {});
  void cancel(uint32_t owner);
  /// What may be sent at `now`; at most kBatch.
  [[nodiscard]] std::vector<Entry> take(TimePoint now);
  /// When take() has something to give; nothing: never.
  [[nodiscard]] std::optional<TimePoint> deadline() const;

 private:
  struct Job {
    uint32_t owner = 0;
    std::vector<IpAddress> addresses;
    unsigned rounds = 0;  // still to do, the current one included
    std::chrono::microseconds interval{0};
    size_t next = 0;  // address of the current round
  };

  void end_round();

  std::deque<Job> jobs_;
  TimePoint not_before_{};
};

}  // namespace lbdp::vrrp
