// SPDX-License-Identifier: BSD-2-Clause
#include "control/ndp.h"

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

namespace lbdp::control {
namespace {

// Offsets in the frame.
constexpr size_t kEtherTypeAt = 12, kIpAt = 14, kPayloadLengthAt = 18, kNextHeaderAt = 20, kHopLimitAt = 21,
                 kSourceAt = 22, kDestinationAt = 38, kMessageAt = 54;
// Offsets in the message.
constexpr size_t kCodeAt = 1, kChecksumAt = 2, kFlagsAt = 4, kTargetAt = 8, kOptionsAt = 24;
constexpr uint8_t kIpv6Version = 0x60;  // in the upper half of the first byte
constexpr uint8_t kHopLimit = 255;      // no router has forwarded it
constexpr uint8_t kRouter = 0x80, kSolicited = 0x40, kOverride = 0x20;
constexpr uint8_t kSourceLinkAddress = 1, kTargetLinkAddress = 2;  // option types
constexpr size_t kOptionUnit = 8;                                  // bytes; an option's length counts these

uint8_t option_type(NdpType type) {
  return type == NdpType::kSolicitation ? kSourceLinkAddress : kTargetLinkAddress;
}

MacAddress mac_of(std::span<const uint8_t> bytes) {
  MacAddress mac;
  std::copy_n(bytes.begin(), mac.bytes.size(), mac.bytes.begin());
  return mac;
}

IpAddress address_at(std::span<const uint8_t> bytes, size_t offset) {
  return IpAddress::v6(bytes.subspan(offset).first<16>());
}

unsigned word_at(std::span<const uint8_t> bytes, size_t offset) {
  return bytes[offset] * 256U + bytes[offset + 1];
}

void put(std::vector<uint8_t>& out, std::span<const uint8_t> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

/// Of the pseudo-header and the message (RFC 8200 section 8.1): the sum of all 16-bit words. 0xffff if a checksum is in
/// the message, and right.
uint16_t sum(std::span<const uint8_t> addresses, std::span<const uint8_t> message) {
  uint64_t total = message.size() + IPPROTO_ICMPV6;
  for (const auto part : {addresses, message}) {
    for (size_t i = 0; i < part.size(); ++i) total += i % 2 == 0 ? part[i] * 256U : part[i];
  }
  while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
  return static_cast<uint16_t>(total);
}

/// Reads the options. False, if they are malformed.
bool read_options(std::span<const uint8_t> options, NdpFrame& frame) {
  while (!options.empty()) {
    if (options.size() < 2) return false;
    const size_t length = options[1] * kOptionUnit;
    if (length == 0 || length > options.size()) return false;
    if (options[0] == option_type(frame.type)) {
      if (length != kOptionUnit) return false;  // not Ethernet's
      frame.link_address = mac_of(options.subspan(2));
    }
    options = options.subspan(length);
  }
  return true;
}

bool has_valid_addresses(const NdpFrame& frame) {
  if (frame.target.is_multicast() || frame.source.is_multicast()) return false;
  if (frame.type == NdpType::kAdvertisement) {
    return !frame.source.is_unspecified() && !(frame.solicited && frame.destination.is_multicast());
  }
  // Somebody checks whether the address that it wants to take is free.
  if (frame.source.is_unspecified()) return !frame.link_address && frame.destination == solicited_node(frame.target);
  return true;
}

class Ndp : public NeighbourProtocol {
 public:
  [[nodiscard]] std::string_view name() const override { return "ND"; }
  [[nodiscard]] uint16_t ethertype() const override { return ETH_P_IPV6; }

  // A port's whole IPv6 traffic for the kernel comes by: it must not come up to us.
  [[nodiscard]] std::span<const sock_filter> filter() const override {
    static constexpr std::array<sock_filter, 7> kFilter{{
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kNextHeaderAt),  // and the hop limit behind it
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6 << 8 | kHopLimit, 0, 4),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kMessageAt),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint8_t>(NdpType::kSolicitation), 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint8_t>(NdpType::kAdvertisement), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0x40000),
        BPF_STMT(BPF_RET | BPF_K, 0),
    }};
    return kFilter;
  }

  [[nodiscard]] std::vector<uint8_t> encode(const NeighbourQuestion& question) const override {
    const IpAddress group = solicited_node(question.target);
    return control::encode(NdpFrame{.frame_destination = question.at.value_or(multicast_mac(group)),
                                    .frame_source = question.own_mac,
                                    .source = question.own_address,
                                    .destination = question.at ? question.target : group,
                                    .type = NdpType::kSolicitation,
                                    .target = question.target,
                                    .link_address = question.own_mac});
  }

  [[nodiscard]] std::optional<NeighbourClaim> decode(std::span<const uint8_t> bytes) const override {
    const auto frame = decode_ndp(bytes);
    if (!frame) return std::nullopt;
    const bool tells = frame->type == NdpType::kAdvertisement || !frame->source.is_unspecified();
    if (!tells) return std::nullopt;
    return NeighbourClaim{.address = frame->type == NdpType::kAdvertisement ? frame->target : frame->source,
                          .mac = frame->link_address.value_or(frame->frame_source),
                          .frame_source = frame->frame_source};
  }
};

}  // namespace

IpAddress solicited_node(const IpAddress& address) {
  std::array<uint8_t, 16> group{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
  std::copy_n(address.bytes().begin() + 13, 3, group.begin() + 13);
  return IpAddress::v6(group);
}

MacAddress multicast_mac(const IpAddress& group) {
  MacAddress mac{{0x33, 0x33}};
  std::copy_n(group.bytes().begin() + 12, 4, mac.bytes.begin() + 2);
  return mac;
}

std::vector<uint8_t> encode(const NdpFrame& frame) {
  const size_t length = kOptionsAt + (frame.link_address ? kOptionUnit : 0);
  std::vector<uint8_t> out;
  out.reserve(kMessageAt + length);
  put(out, frame.frame_destination.bytes);
  put(out, frame.frame_source.bytes);
  put(out, std::array<uint8_t, 10>{ETH_P_IPV6 >> 8, ETH_P_IPV6 & 0xff, kIpv6Version, 0, 0, 0, 0,
                                   static_cast<uint8_t>(length), IPPROTO_ICMPV6, kHopLimit});
  put(out, frame.source.bytes());
  put(out, frame.destination.bytes());
  const int flags =
      (frame.router ? kRouter : 0) | (frame.solicited ? kSolicited : 0) | (frame.override_cache ? kOverride : 0);
  put(out, std::array<uint8_t, 8>{static_cast<uint8_t>(frame.type), 0, 0, 0, static_cast<uint8_t>(flags), 0, 0, 0});
  put(out, frame.target.bytes());
  if (frame.link_address) {
    put(out, std::array<uint8_t, 2>{option_type(frame.type), 1});
    put(out, frame.link_address->bytes);
  }
  const std::span<const uint8_t> all(out);
  const unsigned checksum = 0xffffU - sum(all.subspan(kSourceAt, 32), all.subspan(kMessageAt));
  out[kMessageAt + kChecksumAt] = static_cast<uint8_t>(checksum >> 8);
  out[kMessageAt + kChecksumAt + 1] = static_cast<uint8_t>(checksum & 0xff);
  return out;
}

std::optional<NdpFrame> decode_ndp(std::span<const uint8_t> bytes) {
  if (bytes.size() < kMessageAt + kOptionsAt) return std::nullopt;
  if (word_at(bytes, kEtherTypeAt) != ETH_P_IPV6 || (bytes[kIpAt] & 0xf0) != kIpv6Version) return std::nullopt;
  if (bytes[kNextHeaderAt] != IPPROTO_ICMPV6 || bytes[kHopLimitAt] != kHopLimit) return std::nullopt;
  const size_t length = word_at(bytes, kPayloadLengthAt);
  if (length < kOptionsAt || length > bytes.size() - kMessageAt) return std::nullopt;
  const auto message = bytes.subspan(kMessageAt, length);
  if (sum(bytes.subspan(kSourceAt, 32), message) != 0xffff) return std::nullopt;
  const auto type = static_cast<NdpType>(message[0]);
  const bool is_advertisement = type == NdpType::kAdvertisement;
  if ((!is_advertisement && type != NdpType::kSolicitation) || message[kCodeAt] != 0) return std::nullopt;
  const auto has = [&](uint8_t flag) { return is_advertisement && (message[kFlagsAt] & flag) != 0; };
  NdpFrame frame{.frame_destination = mac_of(bytes),
                 .frame_source = mac_of(bytes.subspan(6)),
                 .source = address_at(bytes, kSourceAt),
                 .destination = address_at(bytes, kDestinationAt),
                 .type = type,
                 .router = has(kRouter),
                 .solicited = has(kSolicited),
                 .override_cache = has(kOverride),
                 .target = address_at(message, kTargetAt),
                 .link_address = {}};
  if (!read_options(message.subspan(kOptionsAt), frame) || !has_valid_addresses(frame)) return std::nullopt;
  return frame;
}

const NeighbourProtocol& ndp_protocol() {
  static const Ndp kNdp;
  return kNdp;
}

}  // namespace lbdp::control
