// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>

namespace lbdp::dataplane {

/// Where an IP packet lies in its frame: its header, found to be sound, at `l3_offset`; what it carries, behind options
/// and IPv6's extension headers, at `l4_offset`.
struct IpPlace {
  uint32_t l3_offset = 0;
  uint32_t l4_offset = 0;
  bool is_v6 = false;
};

}  // namespace lbdp::dataplane
