// SPDX-License-Identifier: BSD-2-Clause
#include "control/netlink_parse.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

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

}  // namespace

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
  nlattr* link_address = attributes[NDA_LLADDR];
  if (link_address != nullptr && nla_len(link_address) == 6 && is_valid(info->ndm_state) && !event.removed) {
    MacAddress mac;
    std::copy_n(static_cast<const uint8_t*>(nla_data(link_address)), 6, mac.bytes.begin());
    event.mac = mac;
  }
  return event;
}

}  // namespace lbdp::control
