// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/interface.h"

#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

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
  } else if (entry.ifa_addr->sa_family == AF_INET6) {
    sockaddr_in6 address{};
    std::memcpy(&address, entry.ifa_addr, sizeof address);
    info.ipv6.push_back(IpAddress::v6(std::span<const uint8_t, 16>(address.sin6_addr.s6_addr, 16)));
  }
}

/// The 32 hexadecimal digits that /proc/net/if_inet6 writes for an address.
std::string proc_text(const IpAddress& address) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : address.bytes()) text += {kDigits[byte >> 4], kDigits[byte & 15]};
  return text;
}

/// The IPv6 addresses of an interface that nothing can be sent from: getifaddrs() does not tell.
std::set<std::string> unusable_ipv6(const std::string& name) {
  constexpr unsigned kTentative = 0x40;  // IFA_F_TENTATIVE
  constexpr unsigned kDadFailed = 0x08;  // IFA_F_DADFAILED
  std::set<std::string> unusable;
  std::ifstream file("/proc/thread-self/net/if_inet6");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string address, interface;
    unsigned index = 0, length = 0, scope = 0, flags = 0;
    words >> address >> std::hex >> index >> length >> scope >> flags >> interface;
    if (interface == name && (flags & (kTentative | kDadFailed)) != 0) unusable.insert(address);
  }
  return unusable;
}

bool is_link_local(const IpAddress& address) {
  const auto bytes = address.bytes();
  return !address.is_v4() && bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;  // fe80::/10
}

/// The first that is not a virtual one and is `wanted`; nothing if there is none.
template <class Wanted>
std::optional<IpAddress> first_own(const std::vector<IpAddress>& addresses,
                                   const std::set<IpAddress>& virtual_addresses, Wanted wanted) {
  const auto found =
      std::ranges::find_if(addresses, [&](const IpAddress& a) { return !virtual_addresses.contains(a) && wanted(a); });
  return found == addresses.end() ? std::nullopt : std::optional(*found);
}

std::optional<IpAddress> source_of(const InterfaceInfo& info, const SourceQuery& query) {
  if (query.wanted) return query.wanted;
  const auto any = [](const IpAddress&) { return true; };
  const auto& virtual_addresses = query.virtual_addresses;
  if (query.family == Family::kIpv4) {
    if (auto own = first_own(info.ipv4, virtual_addresses, any)) return own;
    return info.ipv4.empty() ? std::nullopt : std::optional(info.ipv4.front());
  }
  const auto global = [](const IpAddress& a) { return !is_link_local(a); };
  if (query.unicast) {
    if (auto own = first_own(info.ipv6, virtual_addresses, global)) return own;
  }
  return first_own(info.ipv6, virtual_addresses, is_link_local);
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
  if (!info.ipv6.empty()) {
    const auto unusable = unusable_ipv6(name);
    std::erase_if(info.ipv6, [&](const IpAddress& address) { return unusable.contains(proc_text(address)); });
  }
  return info;
}

LinkState to_link_state(const std::string& name, const std::optional<InterfaceInfo>& info, const SourceQuery& query) {
  if (!info) return {{}, "interface " + name + " does not exist"};
  if (!info->up) return {{}, "interface " + name + " is down"};
  if (!info->running) return {{}, "interface " + name + " has no carrier"};
  const auto source = source_of(*info, query);
  if (source) return {source, {}};
  return {{},
          "interface " + name +
              (query.family == Family::kIpv4 ? " has no IPv4 address" : " has no IPv6 address that can be used")};
}

}  // namespace lbdp::vrrp
