// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/parameters.h"

namespace lbdp::dataplane {

/// A real server in a Maglev table.
struct MaglevServer {
  SlotId slot{};
  uint64_t identity = 0;  // stable_hash() of its endpoint: where it stands, whatever its slot
  uint32_t weight = 1;    // 0: gets no place
};

/// A Maglev look-up table (Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016,
/// section 3.4) with weights: `size` places, each server's share proportional to its weight, and when a server leaves
/// nearly all places of the others stay. A server whose share is below half a place gets none. Pure; the same list in
/// the same order gives the same places on every director. Empty if no server has a weight.
///
/// `size` is a prime (maglev_size()). Takes about size * ln(size) steps.
[[nodiscard]] std::vector<SlotId> build_maglev(std::span<const MaglevServer> servers, uint32_t size);

/// A prime that is at least `least` and at least eight times the number of servers.
[[nodiscard]] uint32_t maglev_size(size_t servers, uint32_t least);

}  // namespace lbdp::dataplane
