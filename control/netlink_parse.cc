// SPDX-License-Identifier: BSD-2-Clause
#include "control/netlink_parse.h"

#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string_view>

namespace lbdp::control {
namespace {

KernelNeighbourState to_state(uint16_t state) {
  switch (state) {
    case NUD_INCOMPLETE: return KernelNeighbourState::kIncomplete;
    case NUD_REACHABLE: return KernelNeighbourState::kReachable;
    case NUD_STALE: return KernelNeighbourState::kStale;
    case NUD_DELAY: return KernelNeighbourState::kDelay;
    case NUD_PROBE: return KernelNeighbourState::kProbe;
    case NUD_FAILED: return KernelNeighbourState::kFailed;
    case NUD_NOARP: return KernelNeighbourState::kNoArp;
    case NUD_PERMANENT: return KernelNeighbourState::kPermanent;
    default: return KernelNeighbourState::kNone;
  }
}

bool is_valid(uint16_t state) {
  return (state & (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)) != 0;
}

std::optional<IpAddress> to_address(std::span<const uint8_t> bytes) {
  if (bytes.size() == 16) return IpAddress::v6(bytes.first<16>());
  if (bytes.size() != 4) return std::nullopt;
  uint32_t raw = 0;
  std::memcpy(&raw, bytes.data(), sizeof raw);
  return IpAddress::v4(Be<uint32_t>::from_raw(raw));
}

std::span<const uint8_t> bytes_of(nlattr* attribute) {
  if (attribute == nullptr) return {};
  return {static_cast<const uint8_t*>(nla_data(attribute)), static_cast<size_t>(nla_len(attribute))};
}

/// A gateway of the destination's family, or of the other one: that is an rtvia, an address behind its family.
std::optional<IpAddress> to_gateway(nlattr* gateway, nlattr* via) {
  if (via == nullptr) return to_address(bytes_of(gateway));
  const auto bytes = bytes_of(via);
  return to_address(bytes.subspan(std::min(sizeof(rtvia::rtvia_family), bytes.size())));
}

std::optional<MacAddress> to_mac(nlattr* attribute) {
  if (attribute == nullptr || nla_len(attribute) != 6) return std::nullopt;
  MacAddress mac;
  std::copy_n(static_cast<const uint8_t*>(nla_data(attribute)), 6, mac.bytes.begin());
  return mac;
}

std::optional<uint32_t> to_number(nlattr* attribute) {
  if (attribute == nullptr || nla_len(attribute) != sizeof(uint32_t)) return std::nullopt;
  return nla_get_u32(attribute);
}

std::optional<uint16_t> to_short(nlattr* attribute) {
  if (attribute == nullptr || nla_len(attribute) != sizeof(uint16_t)) return std::nullopt;
  return nla_get_u16(attribute);
}

/// The text of an attribute, with or without the 0 at its end.
std::string_view to_text(nlattr* attribute) {
  if (attribute == nullptr) return {};
  const std::string_view bytes(static_cast<const char*>(nla_data(attribute)), static_cast<size_t>(nla_len(attribute)));
  return bytes.substr(0, bytes.find('\0'));
}

/// The attributes that are nested in another; all null if there is none, or if they are malformed.
template <int kMost>
std::array<nlattr*, kMost + 1> nested(nlattr* attribute) {
  std::array<nlattr*, kMost + 1> out{};
  if (attribute != nullptr && nla_parse_nested(out.data(), kMost, attribute, nullptr) < 0) out.fill(nullptr);
  return out;
}

/// The tag of an 802.1Q VLAN, from IFLA_LINKINFO.
std::optional<uint16_t> to_vlan(nlattr* link_info) {
  const auto info = nested<IFLA_INFO_MAX>(link_info);
  if (to_text(info[IFLA_INFO_KIND]) != "vlan") return std::nullopt;
  const auto data = nested<IFLA_VLAN_MAX>(info[IFLA_INFO_DATA]);
  // In network byte order; kernels before 3.10 knew nothing but 802.1Q and did not tell.
  const auto protocol = to_short(data[IFLA_VLAN_PROTOCOL]);
  if (protocol && Be<uint16_t>::from_raw(*protocol).host() != ETH_P_8021Q) return std::nullopt;
  return to_short(data[IFLA_VLAN_ID]);
}

}  // namespace

std::optional<Route> parse_route(nlmsghdr* header) {
  std::array<nlattr*, RTA_MAX + 1> attributes{};
  if (nlmsg_parse(header, sizeof(rtmsg), attributes.data(), RTA_MAX, nullptr) < 0) return std::nullopt;
  Route out;
  if (const auto interface = to_number(attributes[RTA_OIF])) {
    out.interface = InterfaceIndex{static_cast<int>(*interface)};
  }
  out.gateway = to_gateway(attributes[RTA_GATEWAY], attributes[RTA_VIA]);
  out.source = to_address(bytes_of(attributes[RTA_PREFSRC]));
  out.local = static_cast<const rtmsg*>(nlmsg_data(header))->rtm_type == RTN_LOCAL;
  const auto metrics = nested<RTAX_MAX>(attributes[RTA_METRICS]);
  out.mtu = to_number(metrics[RTAX_MTU]);
  if (out.mtu == 0U) out.mtu.reset();
  return out;
}

std::optional<LinkInfo> parse_link(nlmsghdr* header) {
  std::array<nlattr*, IFLA_MAX + 1> attributes{};
  if (nlmsg_parse(header, sizeof(ifinfomsg), attributes.data(), IFLA_MAX, nullptr) < 0) return std::nullopt;
  LinkInfo out;
  out.interface = InterfaceIndex{static_cast<const ifinfomsg*>(nlmsg_data(header))->ifi_index};
  out.name = to_text(attributes[IFLA_IFNAME]);
  out.mac = to_mac(attributes[IFLA_ADDRESS]).value_or(MacAddress{});
  out.mtu = to_number(attributes[IFLA_MTU]).value_or(0);
  // With a namespace id, the index is one of that namespace.
  const auto lower = to_number(attributes[IFLA_LINK]);
  if (lower && attributes[IFLA_LINK_NETNSID] == nullptr) out.lower = InterfaceIndex{static_cast<int>(*lower)};
  out.vlan = to_vlan(attributes[IFLA_LINKINFO]);
  return out;
}

std::optional<NeighbourEvent> parse_neighbour(nlmsghdr* header) {
  std::array<nlattr*, NDA_MAX + 1> attributes{};
  if (nlmsg_parse(header, sizeof(ndmsg), attributes.data(), NDA_MAX, nullptr) < 0) return std::nullopt;
  const auto* info = static_cast<const ndmsg*>(nlmsg_data(header));
  nlattr* destination = attributes[NDA_DST];
  if (destination == nullptr) return std::nullopt;
  NeighbourEvent event;
  event.interface = InterfaceIndex{info->ndm_ifindex};
  event.removed = header->nlmsg_type == RTM_DELNEIGH;
  event.state = to_state(info->ndm_state);
  if (info->ndm_family == AF_INET && nla_len(destination) == 4) {
    event.address = IpAddress::v4(Be<uint32_t>::from_raw(nla_get_u32(destination)));
  } else if (info->ndm_family == AF_INET6 && nla_len(destination) == 16) {
    event.address = IpAddress::v6(std::span<const uint8_t, 16>(static_cast<uint8_t*>(nla_data(destination)), 16));
  } else {
    return std::nullopt;  // a bridge's entry, say
  }
  if (is_valid(info->ndm_state) && !event.removed) event.mac = to_mac(attributes[NDA_LLADDR]);
  return event;
}

}  // namespace lbdp::control
