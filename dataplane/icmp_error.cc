// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/icmp_error.h"

#include <array>

namespace lbdp::dataplane {
namespace {

constexpr uint32_t kIp4MinBytes = 20, kIp6Bytes = 40, kIcmpBytes = 8, kPortsBytes = 4;
constexpr uint8_t kIcmp6 = 58;
constexpr uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kDestinationOptions = 60;
constexpr int kMaxExtensionHeaders = 8;

// The message's bytes of a frame, and nothing of what pads the frame.
class Message {
 public:
  Message(FrameView frame, IpPlace place) : frame_(frame), end_(place.l4_offset + icmp_message_length(frame, place)) {}

  [[nodiscard]] bool covers(uint32_t offset, uint32_t length) const {
    return uint64_t{offset} + length <= end_ && frame_.covers(offset, length);
  }
  [[nodiscard]] uint8_t byte(uint32_t offset) const { return frame_.load<uint8_t>(offset); }
  [[nodiscard]] uint16_t word(uint32_t offset) const { return frame_.load_be<uint16_t>(offset).host(); }
  [[nodiscard]] WideAddress address(uint32_t offset, bool is_v6) const {
    if (!is_v6) return WideAddress::from_v4(frame_.load_be<uint32_t>(offset));
    return {frame_.load<uint64_t>(offset), frame_.load<uint64_t>(offset + 8)};
  }

 private:
  FrameView frame_;
  uint32_t end_;
};

struct Transport {
  uint8_t protocol;
  uint32_t offset;
};

std::optional<Transport> transport_of_v4(const Message& m, uint32_t ip) {
  if (!m.covers(ip, kIp4MinBytes)) return std::nullopt;
  const uint32_t header = (m.byte(ip) & 0x0fU) * 4U;
  const bool later_fragment = (m.word(ip + 6) & 0x1fff) != 0;
  if (m.byte(ip) >> 4 != 4 || header < kIp4MinBytes || later_fragment) return std::nullopt;
  return Transport{m.byte(ip + 9), ip + header};
}

// RFC 8200, section 4. A packet on its way by a routing header names no client yet.
std::optional<Transport> transport_of_v6(const Message& m, uint32_t ip) {
  if (!m.covers(ip, kIp6Bytes) || m.byte(ip) >> 4 != 6) return std::nullopt;
  uint8_t next = m.byte(ip + 6);
  uint32_t at = ip + kIp6Bytes;
  for (int headers = 0; headers <= kMaxExtensionHeaders; ++headers) {
    const bool fragment = next == kFragment;
    if (!fragment && next != kHopByHop && next != kRouting && next != kDestinationOptions) return Transport{next, at};
    if (!m.covers(at, 8)) return std::nullopt;
    if (fragment && (m.word(at + 2) & 0xfff8) != 0) return std::nullopt;
    if (next == kRouting && m.byte(at + 3) != 0) return std::nullopt;
    next = m.byte(at);
    at += fragment ? 8 : (m.byte(at + 1) + 1U) * 8U;
  }
  return std::nullopt;
}

bool is_related_error(uint8_t type, bool is_v6) {
  return is_v6 ? type >= 1 && type <= 4 : type == 3 || type == 4 || type == 11;
}

}  // namespace

uint32_t icmp_message_length(FrameView frame, IpPlace place) noexcept {
  const uint32_t l3 = place.l3_offset;
  const uint32_t length = place.is_v6 ? kIp6Bytes + frame.load_be<uint16_t>(l3 + 4).host()
                                      : uint32_t{frame.load_be<uint16_t>(l3 + 2).host()};
  const uint64_t end = uint64_t{l3} + length;
  return end > place.l4_offset && end <= frame.frame_length() ? static_cast<uint32_t>(end - place.l4_offset) : 0;
}

std::optional<QuotedFlow> parse_icmp_error(FrameView frame, IpPlace place) noexcept {
  const auto [l3, icmp, is_v6] = place;
  const Message message(frame, place);
  if (!message.covers(icmp, kIcmpBytes) || !is_related_error(message.byte(icmp), is_v6)) return std::nullopt;
  const uint32_t quote = icmp + kIcmpBytes;
  const auto transport = is_v6 ? transport_of_v6(message, quote) : transport_of_v4(message, quote);
  if (!transport || !has_ports(transport->protocol) || !message.covers(transport->offset, kPortsBytes))
    return std::nullopt;
  const uint32_t source = is_v6 ? 8 : 12, destination = is_v6 ? 24 : 16;  // offsets in an IP header
  const QuotedFlow flow{.client = message.address(quote + destination, is_v6),
                        .virtual_address = message.address(quote + source, is_v6),
                        .client_port = frame.load_be<uint16_t>(transport->offset + 2),
                        .virtual_port = frame.load_be<uint16_t>(transport->offset),
                        .protocol = transport->protocol};
  if (flow.virtual_address != message.address(l3 + destination, is_v6)) return std::nullopt;
  // IPv6 packets with IPv4-mapped addresses belong to nobody, least of all to IPv4's connections.
  if (is_v6 && (flow.client.is_v4() || flow.virtual_address.is_v4())) return std::nullopt;
  return flow;
}

InternetSum icmp_pseudo_header_sum(FrameView frame, IpPlace place) noexcept {
  InternetSum sum;
  if (!place.is_v6) return sum;
  std::array<uint8_t, 32> addresses{};
  frame.copy(place.l3_offset + 8, addresses.size(), addresses.data());
  sum.add(addresses);
  sum.add(Be<uint32_t>::from_host(icmp_message_length(frame, place)));
  sum.add(Be<uint32_t>::from_host(kIcmp6));
  return sum;
}

ChecksumVerdict check_icmp_checksum(FrameView frame, IpPlace place) noexcept {
  const uint32_t length = icmp_message_length(frame, place);
  if (length < kIcmpBytes) return ChecksumVerdict::kBad;
  if (!frame.covers(place.l4_offset, length)) return ChecksumVerdict::kUnknown;
  InternetSum sum = icmp_pseudo_header_sum(frame, place);
  sum.add(frame, place.l4_offset, length);
  return sum.good() ? ChecksumVerdict::kGood : ChecksumVerdict::kBad;
}

}  // namespace lbdp::dataplane
