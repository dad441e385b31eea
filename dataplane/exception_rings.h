// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <rte_ring.h>

#include <array>
#include <cstdint>
#include <vector>

namespace lbdp::dataplane {

/// Classes of punted frames, first served first. A flood of one cannot starve those before it.
enum class PuntClass : uint8_t {
  kVrrp,     // IP protocol 112
  kControl,  // ARP, neighbour discovery, BFD, BGP
  kBulk,     // everything else for the kernel
};
inline constexpr size_t kPuntClasses = 3;

/// The rings between the workers and the exception thread. Elements are rte_mbuf*; mbuf->port says which port's tap.
/// Created and freed by the exception path; the pointers never change while workers run.
struct ExceptionRings {
  /// Workers (multi-producer) -> exception thread (single consumer), one a class.
  std::array<rte_ring*, kPuntClasses> punt{};
  /// By port id: exception thread, and workers that have no transmit queue of their own on that port (multi-producer)
  /// -> the one worker that owns the port's transmit queue 0 (single consumer), which sends them on that port.
  std::vector<rte_ring*> inject;
};

}  // namespace lbdp::dataplane
