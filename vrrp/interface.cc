// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/interface.h"

#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace lbdp::vrrp {
namespace {

void take_address(const ifaddrs& entry, InterfaceInfo& info) {
  if (entry.ifa_addr->sa_family == AF_PACKET) {
    sockaddr_ll link{};
    std::memcpy(&link, entry.ifa_addr, sizeof link);
    info.index = static_cast<unsigned>(link.sll_ifindex);
    std::copy_n(link.sll_addr, info.mac.bytes.size(), info.mac.bytes.begin());
  } else if (entry.ifa_addr->sa_family == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, entry.ifa_addr, sizeof address);
    info.ipv4.push_back(IpAddress::v4(Be<uint32_t>::from_raw(address.sin_addr.s_addr)));
  }
}

}  // namespace

std::optional<InterfaceInfo> query_interface(const std::string& name) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, &freeifaddrs);
  InterfaceInfo info;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    // An address's label may be "eth0:1"; it belongs to eth0 all the same.
    const std::string_view label = entry->ifa_name;
    if (entry->ifa_addr == nullptr || label.substr(0, label.find(':')) != name) continue;
    info.up = (entry->ifa_flags & IFF_UP) != 0;
    info.running = (entry->ifa_flags & IFF_RUNNING) != 0;
    take_address(*entry, info);
  }
  if (info.index == 0) return {};
  return info;
}

LinkState to_link_state(const std::string& name, const std::optional<InterfaceInfo>& info,
                        const std::set<IpAddress>& virtual_addresses) {
  if (!info) return {{}, "interface " + name + " does not exist"};
  if (!info->up) return {{}, "interface " + name + " is down"};
  if (!info->running) return {{}, "interface " + name + " has no carrier"};
  if (info->ipv4.empty()) return {{}, "interface " + name + " has no IPv4 address"};
  const auto own = std::ranges::find_if(info->ipv4, [&](const IpAddress& a) { return !virtual_addresses.contains(a); });
  return {own != info->ipv4.end() ? *own : info->ipv4.front(), {}};
}

}  // namespace lbdp::vrrp
