// SPDX-License-Identifier: BSD-2-Clause
#include "control/neighbour_protocol.h"

#include "control/arp.h"
#include "control/ndp.h"

namespace lbdp::control {

const NeighbourProtocol& neighbour_protocol(Family family) {
  return family == Family::kIpv4 ? arp_protocol() : ndp_protocol();
}

}  // namespace lbdp::control
