// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <rte_mbuf.h>

namespace lbdp::dataplane {

/// Makes a frame one of VLAN `vlan` (0: untagged), whatever tag it had, in its bytes or taken out of them by the
/// driver; the priority bits stay (IEEE 802.1Q). A priority tag (VLAN id 0) stays in a frame that is to be untagged.
/// The first segment holds an Ethernet header, and the whole tag if there is one. False, and nothing changed: no
/// headroom for a tag.
[[nodiscard]] bool set_vlan(rte_mbuf& frame, uint16_t vlan) noexcept;

}  // namespace lbdp::dataplane
