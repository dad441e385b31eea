// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "config/types/mac_address.h"
#include "dataplane/exception_rings.h"
#include "dataplane/parameters.h"

namespace lbdp::dataplane {

/// A port as one worker sees it. Give a worker all ports, also those that it does not poll: servers may be behind them.
struct WorkerPort {
  PortId id{};
  MacAddress mac;
  std::optional<uint16_t> rx_queue;
  /// Without one, frames for this port go to its hand-over ring, and the worker that owns its queue 0 sends them.
  std::optional<uint16_t> tx_queue;
  bool sends_for_others = false;  // this worker owns the port's transmit queue 0, and so drains its rings
};

/// A worker's ways out: a transmit queue of its own, or the ring to the worker that has one. Gathers a burst's frames
/// by port.
class TxPorts {
 public:
  static constexpr uint16_t kBurst = 32;
  static constexpr uint16_t kSpare = 64;  // frames beside a burst

  TxPorts(std::span<const WorkerPort> ports, const ExceptionRings& rings);

  /// For any port number below 64.
  [[nodiscard]] bool knows(uint16_t port) const noexcept { return (known_ >> port & 1) != 0; }
  /// Gathers a frame for a known port; at most kBurst + kSpare between two flushes.
  void put(uint16_t port, rte_mbuf* frame) noexcept {
    Port& p = ports_[port];
    p.frames[p.count++] = frame;
  }
  struct Flushed {
    unsigned sent = 0;
    unsigned refused = 0;  // freed
  };
  Flushed flush() noexcept;
  /// Sends a whole burst to one known port, when nothing is gathered for it. Frames that it has no room for are freed.
  Flushed send_all(uint16_t port, std::span<rte_mbuf*> frames) noexcept;
  /// Sends at once; returns how many were taken. The rest stays the caller's.
  unsigned send(uint16_t port, rte_mbuf** frames, unsigned count) noexcept;

 private:
  struct Port {
    std::optional<uint16_t> queue;
    rte_ring* handover = nullptr;
    uint32_t count = 0;
    std::array<rte_mbuf*, kBurst + kSpare> frames{};
  };

  uint64_t known_ = 0;          // a bit a port
  std::vector<Port> ports_;     // by port id
  std::vector<uint16_t> used_;  // the ids of known ports
};

}  // namespace lbdp::dataplane
