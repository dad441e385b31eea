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

/// Paces the gratuitous ARPs of one interface. A takeover of 1,000 addresses asks for 5,000 frames; sent in one go they
/// hold up the reactor and overrun switches and neighbours. Here each address is announced once before any is announced
/// again, in batches: kBatch frames at once, then kBatch every kInterval (8,000 frames a second). Pure; the caller
/// sends.
class GarpQueue {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  static constexpr size_t kBatch = 32;
  static constexpr std::chrono::milliseconds kInterval{4};

  struct Entry {
    uint8_t owner = 0;
    IpAddress address;
  };

  /// Queues `rounds` announcements of each address. `owner` (a virtual router ID) may cancel them. The same request
  /// again does not make the queue longer: it starts its rounds anew.
  void add(uint8_t owner, const std::vector<IpAddress>& addresses, unsigned rounds);
  void cancel(uint8_t owner);
  /// What may be sent at `now`; at most kBatch.
  [[nodiscard]] std::vector<Entry> take(TimePoint now);
  /// When take() has something to give; nothing: never.
  [[nodiscard]] std::optional<TimePoint> deadline() const;

 private:
  struct Job {
    uint8_t owner = 0;
    std::vector<IpAddress> addresses;
    unsigned rounds = 0;  // still to do, the current one included
    size_t next = 0;      // address of the current round
  };

  std::deque<Job> jobs_;
  TimePoint not_before_{};
};

}  // namespace lbdp::vrrp
