// SPDX-License-Identifier: BSD-2-Clause
#include "control/arp.h"

#include <linux/filter.h>
#include <linux/if_ether.h>

#include <algorithm>
#include <cstring>

namespace lbdp::control {
namespace {

// EtherType ARP, hardware type Ethernet, protocol type IPv4, address lengths 6 and 4: bytes 12 to 19 of every frame.
constexpr std::array<uint8_t, 8> kFixed{0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 6, 4};
constexpr size_t kFixedAt = 12, kOperationAt = 20, kSenderMacAt = 22, kSenderAt = 28, kTargetMacAt = 32, kTargetAt = 38;
constexpr size_t kArpEnd = 42;

MacAddress mac_at(std::span<const uint8_t> bytes, size_t offset) {
  MacAddress mac;
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), 6, mac.bytes.begin());
  return mac;
}

IpAddress address_at(std::span<const uint8_t> bytes, size_t offset) {
  uint32_t raw = 0;
  std::memcpy(&raw, bytes.data() + offset, sizeof raw);
  return IpAddress::v4(Be<uint32_t>::from_raw(raw));
}

void put(std::array<uint8_t, kArpFrameLength>& out, size_t offset, std::span<const uint8_t> bytes) {
  std::copy(bytes.begin(), bytes.end(), out.begin() + static_cast<std::ptrdiff_t>(offset));
}

class Arp : public NeighbourProtocol {
 public:
  [[nodiscard]] std::string_view name() const override { return "ARP"; }
  [[nodiscard]] uint16_t ethertype() const override { return ETH_P_ARP; }
  [[nodiscard]] std::span<const sock_filter> filter() const override { return {}; }

  [[nodiscard]] std::vector<uint8_t> encode(const NeighbourQuestion& question) const override {
    const auto bytes = control::encode(ArpFrame{.destination = question.at.value_or(kBroadcast),
                                                .source = question.own_mac,
                                                .operation = ArpOperation::kRequest,
                                                .sender_mac = question.own_mac,
                                                .target_mac = {},
                                                .sender = question.own_address,
                                                .target = question.target});
    return {bytes.begin(), bytes.end()};
  }

  [[nodiscard]] std::optional<NeighbourClaim> decode(std::span<const uint8_t> frame) const override {
    const auto arp = decode_arp(frame);
    if (!arp) return std::nullopt;
    return NeighbourClaim{.address = arp->sender, .mac = arp->sender_mac, .frame_source = arp->source};
  }
};

}  // namespace

const NeighbourProtocol& arp_protocol() {
  static const Arp kArp;
  return kArp;
}

std::array<uint8_t, kArpFrameLength> encode(const ArpFrame& frame) {
  std::array<uint8_t, kArpFrameLength> out{};
  put(out, 0, frame.destination.bytes);
  put(out, 6, frame.source.bytes);
  put(out, kFixedAt, kFixed);
  out[kOperationAt + 1] = static_cast<uint8_t>(frame.operation);
  put(out, kSenderMacAt, frame.sender_mac.bytes);
  put(out, kSenderAt, frame.sender.bytes());
  put(out, kTargetMacAt, frame.target_mac.bytes);
  put(out, kTargetAt, frame.target.bytes());
  return out;
}

std::optional<ArpFrame> decode_arp(std::span<const uint8_t> bytes) {
  if (bytes.size() < kArpEnd) return std::nullopt;
  if (!std::equal(kFixed.begin(), kFixed.end(), bytes.begin() + kFixedAt)) return std::nullopt;
  const unsigned operation = bytes[kOperationAt] * 256U + bytes[kOperationAt + 1];
  if (operation != 1 && operation != 2) return std::nullopt;
  return ArpFrame{.destination = mac_at(bytes, 0),
                  .source = mac_at(bytes, 6),
                  .operation = static_cast<ArpOperation>(operation),
                  .sender_mac = mac_at(bytes, kSenderMacAt),
                  .target_mac = mac_at(bytes, kTargetMacAt),
                  .sender = address_at(bytes, kSenderAt),
                  .target = address_at(bytes, kTargetAt)};
}

}  // namespace lbdp::control
