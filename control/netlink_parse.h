// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>

#include "control/netlink.h"

struct nlmsghdr;

namespace lbdp::control {

/// RTM_NEWROUTE, as the answer to RTM_GETROUTE for one destination.
std::optional<Route> parse_route(nlmsghdr* header);

/// RTM_NEWLINK. Empty if it is malformed.
std::optional<LinkInfo> parse_link(nlmsghdr* header);

/// RTM_NEWNEIGH or RTM_DELNEIGH. Empty for entries that are no IP neighbour (a bridge's, say) and for malformed ones.
std::optional<NeighbourEvent> parse_neighbour(nlmsghdr* header);

}  // namespace lbdp::control
