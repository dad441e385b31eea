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
  std::vector<IpAddress> ipv6;  // those that can be used: duplicate address detection is over

  friend bool operator==(const InterfaceInfo&, const InterfaceInfo&) = default;
};

/// Asks the kernel; nothing if there is no such interface.
[[nodiscard]] std::optional<InterfaceInfo> query_interface(const std::string& name);

/// Whose source address is asked for.
struct SourceQuery {
  Family family = Family::kIpv4;
  bool unicast = false;
  std::optional<IpAddress> wanted;        // by configuration: it is taken as it is
  std::set<IpAddress> virtual_addresses;  // of all instances: they come and go with the MASTER state
};

/// What an instance needs to know about its interface. IPv4: the primary address is the first that is not a virtual
/// one; if there is none but virtual ones (an owner's), the first of them. IPv6: the link-local address (RFC 5798
/// section 5.1.2.2); for unicast a global one if there is any. Pure.
[[nodiscard]] LinkState to_link_state(const std::string& name, const std::optional<InterfaceInfo>& info,
                                      const SourceQuery& query);

}  // namespace lbdp::vrrp
