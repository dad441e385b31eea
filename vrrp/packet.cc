// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/packet.h"

#include <algorithm>

namespace lbdp::vrrp {
namespace {

constexpr size_t kIpHeaderBytes = 20;
constexpr size_t kVrrpHeaderBytes = 8;
constexpr size_t kIpv4Bytes = 4;
constexpr uint8_t kVersion = 2;
constexpr uint8_t kTypeAdvertisement = 1;

using Bytes = std::span<const uint8_t>;
using AuthData = std::array<uint8_t, kAuthDataBytes>;

/// The fields of an IPv4 header that matter here, and the payload without link-layer padding.
struct Ipv4View {
  uint8_t ttl = 0;
  uint8_t protocol = 0;
  IpAddress source;
  IpAddress destination;
  Bytes payload;
};

uint16_t load16(Bytes bytes, size_t offset) {
  return static_cast<uint16_t>(bytes[offset] << 8 | bytes[offset + 1]);
}

void store16(std::span<uint8_t> bytes, size_t offset, uint16_t value) {
  bytes[offset] = static_cast<uint8_t>(value >> 8);
  bytes[offset + 1] = static_cast<uint8_t>(value & 0xff);
}

/// Four bytes that the caller knows to be there.
IpAddress load_address(Bytes bytes, size_t offset) {
  const uint32_t host = static_cast<uint32_t>(load16(bytes, offset)) << 16 | load16(bytes, offset + 2);
  return IpAddress::v4(Be<uint32_t>::from_host(host));
}

tl::expected<Ipv4View, Rejection> parse_ip(Bytes datagram) {
  const auto malformed = [](const char* what) { return tl::unexpected(Rejection{Reject::kMalformedIp, what}); };
  if (datagram.size() < kIpHeaderBytes) return malformed("shorter than an IPv4 header");
  if (datagram[0] >> 4 != 4) return malformed("not IPv4");
  const size_t header_bytes = size_t{datagram[0] & 0xfu} * 4;
  const size_t total_bytes = load16(datagram, 2);
  if (header_bytes < kIpHeaderBytes || total_bytes < header_bytes) return malformed("impossible IPv4 header length");
  if (total_bytes > datagram.size()) return malformed("shorter than the IPv4 header says");
  constexpr uint16_t kMoreFragmentsOrOffset = 0x3fff;
  if ((load16(datagram, 6) & kMoreFragmentsOrOffset) != 0) return malformed("an IPv4 fragment");
  return Ipv4View{.ttl = datagram[8],
                  .protocol = datagram[9],
                  .source = load_address(datagram, 12),
                  .destination = load_address(datagram, 16),
                  .payload = datagram.subspan(header_bytes, total_bytes - header_bytes)};
}

AuthData auth_data(const std::optional<std::string>& password) {
  AuthData data{};
  if (password) std::copy_n(password->begin(), std::min(password->size(), kAuthDataBytes), data.begin());
  return data;
}

/// Takes the same time wherever the first difference is.
bool equal_in_constant_time(Bytes a, Bytes b) {
  unsigned difference = 0;
  for (size_t i = 0; i < kAuthDataBytes; ++i) difference |= static_cast<unsigned>(a[i] ^ b[i]);
  return difference == 0;
}

std::string mismatch(const char* what, unsigned found, unsigned wanted) {
  return std::string(what) + " " + std::to_string(found) + ", expected " + std::to_string(wanted);
}

using Check = std::optional<Rejection>;

/// From here on the fixed header and the message's length can be trusted.
Check check_length(const Ipv4View& ip) {
  if (ip.protocol == kIpProtocolAh) return Rejection{Reject::kAhHeader, "received AH header but auth type not AH"};
  if (ip.protocol != kIpProtocolVrrp) return Rejection{Reject::kMalformedIp, "not IP protocol 112"};
  if (ip.payload.size() < kVrrpHeaderBytes) return Rejection{Reject::kBadLength, "shorter than a VRRP header"};
  const size_t wanted = kVrrpHeaderBytes + ip.payload[3] * kIpv4Bytes + kAuthDataBytes;
  // A version 3 message has no authentication data: let the version check name what is wrong with it.
  const bool version_3 = ip.payload[0] >> 4 == 3 && ip.payload.size() + kAuthDataBytes == wanted;
  if (ip.payload.size() == wanted || version_3) return {};
  return Rejection{Reject::kBadLength, mismatch("VRRP message length", static_cast<unsigned>(ip.payload.size()),
                                                static_cast<unsigned>(wanted))};
}

Check check_authentication(Bytes message, const Expectation& expected) {
  const auto wanted = expected.auth_pass ? AuthType::kPassword : AuthType::kNone;
  if (message[4] != static_cast<uint8_t>(wanted)) {
    return Rejection{Reject::kAuthTypeMismatch,
                     mismatch("authentication type", message[4], static_cast<unsigned>(wanted))};
  }
  if (wanted == AuthType::kPassword &&
      !equal_in_constant_time(message.last(kAuthDataBytes), auth_data(expected.auth_pass))) {
    return Rejection{Reject::kAuthMismatch, "received an invalid passwd!"};
  }
  return {};
}

Check check_message(const Ipv4View& ip, const Expectation& expected) {
  const Bytes message = ip.payload;
  if (ip.ttl != kVrrpTtl) return Rejection{Reject::kBadTtl, mismatch("TTL", ip.ttl, kVrrpTtl)};
  if (const unsigned version = message[0] >> 4; version != kVersion) {
    return Rejection{Reject::kBadVersion, mismatch("version", version, kVersion)};
  }
  if (auto failed = check_authentication(message, expected)) return failed;
  if (const auto wanted = static_cast<unsigned>(expected.advert_int.count()); message[5] != wanted) {
    return Rejection{Reject::kIntervalMismatch, mismatch("advertisement interval", message[5], wanted)};
  }
  if (const unsigned type = message[0] & 0xf; type != kTypeAdvertisement) {
    return Rejection{Reject::kBadType, mismatch("packet type", type, kTypeAdvertisement)};
  }
  if (internet_checksum(message) != 0) return Rejection{Reject::kBadChecksum, "invalid VRRPv2 checksum"};
  if (ip.destination != expected.multicast_group) {
    return Rejection{Reject::kNotMulticast, "destination " + ip.destination.to_string() + ", expected " +
                                                expected.multicast_group.to_string()};
  }
  return {};
}

/// The same set, in whatever order.
bool same_addresses(Bytes advertised, const std::vector<IpAddress>& ours) {
  if (advertised.size() != ours.size() * kIpv4Bytes) return false;
  std::vector<IpAddress> theirs;
  for (size_t at = 0; at < advertised.size(); at += kIpv4Bytes) theirs.push_back(load_address(advertised, at));
  std::vector<IpAddress> wanted = ours;
  std::ranges::sort(theirs);
  std::ranges::sort(wanted);
  return theirs == wanted;
}

void write_ip_header(std::span<uint8_t> datagram, const OutgoingAdvertisement& advertisement) {
  datagram[0] = 4 << 4 | kIpHeaderBytes / 4;
  datagram[1] = kVrrpTos;
  store16(datagram, 2, static_cast<uint16_t>(datagram.size()));
  store16(datagram, 4, advertisement.ip_id);
  datagram[8] = kVrrpTtl;
  datagram[9] = kIpProtocolVrrp;
  std::ranges::copy(advertisement.source.bytes(), datagram.begin() + 12);
  std::ranges::copy(advertisement.destination.bytes(), datagram.begin() + 16);
  store16(datagram, 10, internet_checksum(datagram.first(kIpHeaderBytes)));
}

}  // namespace

std::string_view to_string(Reject reason) {
  switch (reason) {
    case Reject::kMalformedIp: return "malformed_ip";
    case Reject::kAhHeader: return "ah_header";
    case Reject::kBadLength: return "bad_length";
    case Reject::kBadTtl: return "bad_ttl";
    case Reject::kBadVersion: return "bad_version";
    case Reject::kAuthTypeMismatch: return "auth_type_mismatch";
    case Reject::kAuthMismatch: return "auth_mismatch";
    case Reject::kIntervalMismatch: return "advert_interval_mismatch";
    case Reject::kBadType: return "bad_type";
    case Reject::kBadChecksum: return "bad_checksum";
    case Reject::kNotMulticast: return "not_multicast";
  }
  return "?";
}

std::optional<uint8_t> peek_virtual_router_id(Bytes datagram) {
  if (datagram.empty()) return {};
  const size_t header_bytes = size_t{datagram[0] & 0xfu} * 4;
  if (datagram[0] >> 4 != 4 || header_bytes < kIpHeaderBytes || datagram.size() < header_bytes + 2) return {};
  return datagram[header_bytes + 1];
}

std::optional<IpAddress> peek_source(Bytes datagram) {
  if (datagram.size() < kIpHeaderBytes || datagram[0] >> 4 != 4) return {};
  return load_address(datagram, 12);
}

tl::expected<Advertisement, Rejection> decode(Bytes datagram, const Expectation& expected) {
  auto ip = parse_ip(datagram);
  if (!ip) return tl::unexpected(std::move(ip.error()));
  if (auto failed = check_length(*ip)) return tl::unexpected(std::move(*failed));
  if (auto failed = check_message(*ip, expected)) return tl::unexpected(std::move(*failed));
  const Bytes message = ip->payload;
  const size_t count = message[3];
  return Advertisement{
      .source = ip->source,
      .virtual_router_id = message[1],
      .priority = message[2],
      .advert_int = std::chrono::seconds(message[5]),
      .address_count = count,
      .addresses_match = same_addresses(message.subspan(kVrrpHeaderBytes, count * kIpv4Bytes), expected.addresses)};
}

std::vector<uint8_t> encode(const OutgoingAdvertisement& advertisement) {
  const size_t count = std::min(advertisement.addresses.size(), kMaxAdvertisedAddresses);
  std::vector<uint8_t> datagram(kIpHeaderBytes + kVrrpHeaderBytes + count * kIpv4Bytes + kAuthDataBytes);
  write_ip_header(datagram, advertisement);
  const std::span<uint8_t> message = std::span(datagram).subspan(kIpHeaderBytes);
  message[0] = kVersion << 4 | kTypeAdvertisement;
  message[1] = advertisement.virtual_router_id;
  message[2] = advertisement.priority;
  message[3] = static_cast<uint8_t>(count);
  message[4] = static_cast<uint8_t>(advertisement.auth_pass ? AuthType::kPassword : AuthType::kNone);
  message[5] = static_cast<uint8_t>(advertisement.advert_int.count());
  auto out = message.begin() + kVrrpHeaderBytes;
  for (size_t i = 0; i < count; ++i) out = std::ranges::copy(advertisement.addresses[i].bytes(), out).out;
  std::ranges::copy(auth_data(advertisement.auth_pass), out);
  store16(message, 6, internet_checksum(message));
  return datagram;
}

uint16_t internet_checksum(Bytes data) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 1 < data.size(); i += 2) sum += load16(data, i);
  if (data.size() % 2 != 0) sum += static_cast<uint32_t>(data.back()) << 8;
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum & 0xffff);
}

}  // namespace lbdp::vrrp
