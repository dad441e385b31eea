// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>

#include "vrrp/packet.h"

namespace lbdp::vrrp {

/// What one instance counted since it was configured.
struct InstanceCounters {
  uint64_t rx_advertisements = 0;  // passed all checks, priority 0 included
  uint64_t rx_priority_zero = 0;
  uint64_t address_list_mismatch = 0;  // of rx_advertisements
  uint64_t other_checksum = 0;         // of rx_advertisements: version 3 over IPv4, the other reading of the checksum
  std::array<uint64_t, kRejectReasons> rejected{};
  uint64_t tx_advertisements = 0;  // handed to the kernel, priority 0 included
  uint64_t tx_priority_zero = 0;
  uint64_t tx_errors = 0;
  uint64_t tx_garp = 0;
  uint64_t tx_garp_errors = 0;
  uint64_t late_timers = 0;  // our own timer came more than one advert_int too late
};

/// What arrived on an interface and belongs to none of its instances.
struct LinkCounters {
  uint64_t other_virtual_router = 0;  // normal where several virtual routers share a segment
  uint64_t unreadable = 0;            // too short to have a virtual router ID
};

}  // namespace lbdp::vrrp
