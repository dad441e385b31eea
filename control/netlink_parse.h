// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>

#include "control/netlink.h"

struct nlmsghdr;

namespace lbdp::control {

/// RTM_NEWNEIGH or RTM_DELNEIGH. Empty for entries that are no IP neighbour (a bridge's, say) and for malformed ones.
std::optional<NeighbourEvent> parse_neighbour(nlmsghdr* header);

}  // namespace lbdp::control
