// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <rte_ring.h>

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/punt_class.h"

namespace lbdp::dataplane {

/// The rings between the workers and the exception thread. Elements are rte_mbuf*; mbuf->port says which port's tap.
/// Created and freed by the exception path; the pointers never change while workers run.
struct ExceptionRings {
  /// Workers (multi-producer) -> exception thread (single consumer), one a class.
  std::array<rte_ring*, kPuntClasses> punt{};
  /// By port id: exception thread (single producer) -> the one worker that owns the port's transmit queue 0 (single
  /// consumer), which sends them on that port.
  std::vector<rte_ring*> inject;
  /// By port id: workers that have no transmit queue of their own on that port (multi-producer) -> the same worker. A
  /// ring of its own, so that a flood of forwarded frames leaves no frame of the kernel's (VRRP's advertisements among
  /// them) without room, and no worker ever waits for the exception thread, preempted in the middle of an enqueue.
  std::vector<rte_ring*> handover;
};

}  // namespace lbdp::dataplane
