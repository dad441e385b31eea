// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/vlan_tag.h"

#include <array>
#include <cstring>

#include "config/types/be.h"
#include "dataplane/packet.h"

namespace lbdp::dataplane {
namespace {

constexpr uint16_t kTag = 4, kAddresses = 12;
constexpr uint16_t kVlanIdBits = 0x0fff;

Be<uint16_t> read_be(const uint8_t* from) {
  uint16_t raw = 0;
  std::memcpy(&raw, from, sizeof raw);
  return Be<uint16_t>::from_raw(raw);
}
void write_be(uint8_t* to, uint16_t host) {
  const uint16_t raw = Be<uint16_t>::from_host(host).raw();
  std::memcpy(to, &raw, sizeof raw);
}

// The two MAC addresses move; what stood there before is overwritten anyway, but a tag in the middle needs its place.
void move_addresses(uint8_t* to, const uint8_t* from) {
  std::array<uint8_t, kAddresses> addresses;
  std::memcpy(addresses.data(), from, kAddresses);
  std::memcpy(to, addresses.data(), kAddresses);
}

}  // namespace

bool set_vlan(rte_mbuf& frame, uint16_t vlan) noexcept {
  auto* const data = rte_pktmbuf_mtod(&frame, uint8_t*);
  const bool tagged = read_be(data + kAddresses).host() == kEtherVlan;
  if (tagged && vlan != 0) {
    const uint16_t tci = read_be(data + kAddresses + 2).host();
    write_be(data + kAddresses + 2, static_cast<uint16_t>((tci & ~kVlanIdBits) | vlan));
    return true;
  }
  if (tagged) {
    if ((read_be(data + kAddresses + 2).host() & kVlanIdBits) == 0) return true;
    auto* const shorter = reinterpret_cast<uint8_t*>(rte_pktmbuf_adj(&frame, kTag));
    if (shorter == nullptr) return false;
    move_addresses(shorter, data);
    return true;
  }
  if (vlan == 0) return true;
  const bool taken_out = (frame.ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0;
  const uint16_t priority = taken_out ? static_cast<uint16_t>(frame.vlan_tci & ~kVlanIdBits) : uint16_t{0};
  auto* const longer = reinterpret_cast<uint8_t*>(rte_pktmbuf_prepend(&frame, kTag));
  if (longer == nullptr) return false;
  move_addresses(longer, data);
  write_be(longer + kAddresses, kEtherVlan);
  write_be(longer + kAddresses + 2, static_cast<uint16_t>(priority | vlan));
  return true;
}

}  // namespace lbdp::dataplane
