// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/types/ip_address.h"
#include "config/types/mac_address.h"
#include "vrrp/instance.h"

namespace lbdp::vrrp {

/// A kernel interface at one moment.
struct InterfaceInfo {
  unsigned index = 0;
  bool up = false;       // administratively
  bool running = false;  // carrier
  MacAddress mac;
  std::vector<IpAddress> ipv4;  // in the kernel's order: primary addresses first

  friend bool operator==(const InterfaceInfo&, const InterfaceInfo&) = default;
};

/// Asks the kernel; nothing if there is no such interface.
[[nodiscard]] std::optional<InterfaceInfo> query_interface(const std::string& name);

/// What an instance needs to know about it. The primary address is the first that is not a virtual one: those come and
/// go with the MASTER state. If there is none but virtual ones (an owner's), the first of them. Pure.
[[nodiscard]] LinkState to_link_state(const std::string& name, const std::optional<InterfaceInfo>& info,
                                      const std::set<IpAddress>& virtual_addresses);

}  // namespace lbdp::vrrp
