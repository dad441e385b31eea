// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/packet.h"

#include <algorithm>

namespace lbdp::vrrp {
namespace {

constexpr size_t kIpHeaderBytes = 20;
constexpr size_t kVrrpHeaderBytes = 8;
constexpr uint8_t kTypeAdvertisement = 1;
constexpr std::chrono::microseconds kCentisecond{10'000};
constexpr unsigned kMaxAdverInt = 0xfff;  // 12 bits, RFC 5798 section 5.2.7

using Bytes = std::span<const uint8_t>;
using AuthData = std::array<uint8_t, kAuthDataBytes>;

uint16_t load16(Bytes bytes, size_t offset) {
  return static_cast<uint16_t>(bytes[offset] << 8 | bytes[offset + 1]);
}

void store16(std::span<uint8_t> bytes, size_t offset, uint16_t value) {
  bytes[offset] = static_cast<uint8_t>(value >> 8);
  bytes[offset + 1] = static_cast<uint8_t>(value & 0xff);
}

size_t bytes_of(Family family) {
  return family == Family::kIpv4 ? 4 : 16;
}

/// Bytes that the caller knows to be there.
IpAddress load_address(Bytes bytes, size_t offset, Family family = Family::kIpv4) {
  if (family == Family::kIpv6) return IpAddress::v6(bytes.subspan(offset).first<16>());
  const uint32_t host = static_cast<uint32_t>(load16(bytes, offset)) << 16 | load16(bytes, offset + 2);
  return IpAddress::v4(Be<uint32_t>::from_host(host));
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

Rejection reject(Reject reason, const char* what, unsigned found, unsigned wanted) {
  return {reason, mismatch(what, found, wanted)};
}

unsigned version_of(Bytes message) {
  return message[0] >> 4;
}

/// The length that a message of a version with its address count has.
size_t wanted_bytes(Bytes message, unsigned version, Family family) {
  const size_t addresses = message[3] * bytes_of(family);
  return kVrrpHeaderBytes + addresses + (version == kVersion3 ? 0 : kAuthDataBytes);
}

/// From here on the fixed header and the message's length can be trusted.
Check check_length(const Message& message, const Expectation& expected) {
  const Family family = expected.multicast_group.family();
  if (message.protocol == kIpProtocolAh) return Rejection{Reject::kAhHeader, "received AH header but auth type not AH"};
  if (message.protocol != kIpProtocolVrrp) return Rejection{Reject::kMalformedIp, "not IP protocol 112"};
  if (message.source.family() != family) return Rejection{Reject::kMalformedIp, "of another address family"};
  if (message.bytes.size() < kVrrpHeaderBytes) return Rejection{Reject::kBadLength, "shorter than a VRRP header"};
  const size_t wanted = wanted_bytes(message.bytes, expected.version, family);
  // One that is right in its own version: let the version check name what is wrong with it.
  const bool right_in_its_own = message.bytes.size() == wanted_bytes(message.bytes, version_of(message.bytes), family);
  if (message.bytes.size() == wanted || right_in_its_own) return {};
  return reject(Reject::kBadLength, "VRRP message length", static_cast<unsigned>(message.bytes.size()),
                static_cast<unsigned>(wanted));
}

const UnicastPeer* find_peer(const Message& message, const Expectation& expected) {
  const auto found = std::ranges::find(expected.unicast_peers, message.source, &UnicastPeer::address);
  return found == expected.unicast_peers.end() ? nullptr : &*found;
}

/// 255 for multicast: it did not come through a router (RFC 5798 section 5.1.1.3). A unicast peer may be further away.
Check check_ttl(const Message& message, const Expectation& expected) {
  if (expected.unicast_peers.empty()) {
    if (message.ttl == kVrrpTtl) return {};
    return reject(Reject::kBadTtl, "TTL", message.ttl, kVrrpTtl);
  }
  const UnicastPeer* peer = find_peer(message, expected);
  if (peer == nullptr || (message.ttl >= peer->min_ttl && message.ttl <= peer->max_ttl)) return {};
  return Rejection{Reject::kBadTtl, "TTL " + std::to_string(message.ttl) + ", expected " +
                                        std::to_string(peer->min_ttl) + " to " + std::to_string(peer->max_ttl)};
}

Check check_authentication(Bytes message, const Expectation& expected) {
  if (expected.version == kVersion3) return {};  // version 3 has none
  const auto wanted = expected.auth_pass ? AuthType::kPassword : AuthType::kNone;
  if (message[4] != static_cast<uint8_t>(wanted)) {
    return reject(Reject::kAuthTypeMismatch, "authentication type", message[4], static_cast<unsigned>(wanted));
  }
  if (wanted == AuthType::kPassword &&
      !equal_in_constant_time(message.last(kAuthDataBytes), auth_data(expected.auth_pass))) {
    return Rejection{Reject::kAuthMismatch, "received an invalid passwd!"};
  }
  return {};
}

/// Version 2 only: a version 3 backup learns its master's interval.
Check check_interval(Bytes message, const Expectation& expected) {
  const auto wanted =
      static_cast<unsigned>(std::chrono::duration_cast<std::chrono::seconds>(expected.advert_int).count());
  if (expected.version == kVersion3 || message[5] == wanted) return {};
  return reject(Reject::kIntervalMismatch, "advertisement interval", message[5], wanted);
}

uint32_t sum16(Bytes data) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 1 < data.size(); i += 2) sum += load16(data, i);
  if (data.size() % 2 != 0) sum += static_cast<uint32_t>(data.back()) << 8;
  return sum;
}

uint16_t fold(uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum & 0xffff);
}

/// Over the pseudo-header too: RFC 5798 section 5.2.8, RFC 8200 section 8.1.
uint16_t pseudo_header_checksum(const IpAddress& source, const IpAddress& destination, Bytes message) {
  return fold(sum16(source.bytes()) + sum16(destination.bytes()) + kIpProtocolVrrp +
              static_cast<uint32_t>(message.size()) + sum16(message));
}

enum class ChecksumKind : uint8_t { kWrong, kPlain, kPseudoHeader };

ChecksumKind checksum_of(const Message& message) {
  const bool version_3 = version_of(message.bytes) == kVersion3;
  if (version_3 && pseudo_header_checksum(message.source, message.destination, message.bytes) == 0) {
    return ChecksumKind::kPseudoHeader;
  }
  if (message.source.is_v4() && internet_checksum(message.bytes) == 0) return ChecksumKind::kPlain;
  return ChecksumKind::kWrong;
}

Check check_destination(const Message& message, const Expectation& expected) {
  if (!expected.unicast_peers.empty()) {
    if (!message.destination.is_multicast()) return {};
    return Rejection{Reject::kNotUnicast,
                     "sent to the group " + message.destination.to_string() + ", expected unicast"};
  }
  if (message.destination == expected.multicast_group) return {};
  return Rejection{Reject::kNotMulticast, "destination " + message.destination.to_string() + ", expected " +
                                              expected.multicast_group.to_string()};
}

Check check_peer(const Message& message, const Expectation& expected) {
  if (!expected.check_unicast_src || expected.unicast_peers.empty()) return {};
  if (find_peer(message, expected) != nullptr) return {};
  return Rejection{Reject::kUnknownPeer, message.source.to_string() + " is not one of the unicast peers"};
}

Check check_message(const Message& message, const Expectation& expected) {
  const Bytes bytes = message.bytes;
  if (auto failed = check_ttl(message, expected)) return failed;
  if (version_of(bytes) != expected.version) {
    return reject(Reject::kBadVersion, "version", version_of(bytes), expected.version);
  }
  if (auto failed = check_authentication(bytes, expected)) return failed;
  if (auto failed = check_interval(bytes, expected)) return failed;
  if (const unsigned type = bytes[0] & 0xf; type != kTypeAdvertisement) {
    return reject(Reject::kBadType, "packet type", type, kTypeAdvertisement);
  }
  if (checksum_of(message) == ChecksumKind::kWrong) {
    return Rejection{Reject::kBadChecksum, "invalid VRRPv" + std::to_string(expected.version) + " checksum"};
  }
  if (auto failed = check_destination(message, expected)) return failed;
  return check_peer(message, expected);
}

/// The same set, in whatever order.
bool same_addresses(Bytes advertised, Family family, const std::vector<IpAddress>& ours) {
  const size_t each = bytes_of(family);
  if (advertised.size() != ours.size() * each) return false;
  std::vector<IpAddress> theirs;
  for (size_t at = 0; at < advertised.size(); at += each) theirs.push_back(load_address(advertised, at, family));
  std::vector<IpAddress> wanted = ours;
  std::ranges::sort(theirs);
  std::ranges::sort(wanted);
  return theirs == wanted;
}

std::chrono::microseconds advert_int_of(Bytes message) {
  if (version_of(message) == kVersion3) return kCentisecond * (load16(message, 4) & kMaxAdverInt);
  return std::chrono::seconds(message[5]);
}

void write_ip_header(std::span<uint8_t> datagram, const OutgoingAdvertisement& advertisement) {
  datagram[0] = 4 << 4 | kIpHeaderBytes / 4;
  datagram[1] = kVrrpTos;
  store16(datagram, 2, static_cast<uint16_t>(datagram.size()));
  store16(datagram, 4, advertisement.ip_id);
  datagram[8] = advertisement.ttl;
  datagram[9] = kIpProtocolVrrp;
  std::ranges::copy(advertisement.source.bytes(), datagram.begin() + 12);
  std::ranges::copy(advertisement.destination.bytes(), datagram.begin() + 16);
  store16(datagram, 10, internet_checksum(datagram.first(kIpHeaderBytes)));
}

/// Bytes 4 and 5: authentication type and interval, or the interval alone.
void write_interval(std::span<uint8_t> message, const OutgoingAdvertisement& advertisement) {
  if (advertisement.version == kVersion3) {
    const auto centiseconds = static_cast<unsigned>(advertisement.advert_int / kCentisecond);
    store16(message, 4, static_cast<uint16_t>(std::min(centiseconds, kMaxAdverInt)));
    return;
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(advertisement.advert_int).count();
  message[4] = static_cast<uint8_t>(advertisement.auth_pass ? AuthType::kPassword : AuthType::kNone);
  message[5] = static_cast<uint8_t>(seconds);
}

uint16_t outgoing_checksum(const OutgoingAdvertisement& advertisement, Bytes message) {
  const bool plain =
      advertisement.version == kVersion2 || (advertisement.plain_checksum && advertisement.source.is_v4());
  if (plain) return internet_checksum(message);
  return pseudo_header_checksum(advertisement.source, advertisement.destination, message);
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
    case Reject::kNotUnicast: return "not_unicast";
    case Reject::kUnknownPeer: return "unknown_peer";
  }
  return "?";
}

std::optional<uint8_t> peek_virtual_router_id(Bytes message) {
  if (message.size() < 2) return {};
  return message[1];
}

tl::expected<Message, Rejection> unwrap_ipv4(Bytes datagram) {
  const auto malformed = [](const char* what) { return tl::unexpected(Rejection{Reject::kMalformedIp, what}); };
  if (datagram.size() < kIpHeaderBytes) return malformed("shorter than an IPv4 header");
  if (datagram[0] >> 4 != 4) return malformed("not IPv4");
  const size_t header_bytes = size_t{datagram[0] & 0xfu} * 4;
  const size_t total_bytes = load16(datagram, 2);
  if (header_bytes < kIpHeaderBytes || total_bytes < header_bytes) return malformed("impossible IPv4 header length");
  if (total_bytes > datagram.size()) return malformed("shorter than the IPv4 header says");
  constexpr uint16_t kMoreFragmentsOrOffset = 0x3fff;
  if ((load16(datagram, 6) & kMoreFragmentsOrOffset) != 0) return malformed("an IPv4 fragment");
  return Message{.source = load_address(datagram, 12),
                 .destination = load_address(datagram, 16),
                 .ttl = datagram[8],
                 .protocol = datagram[9],
                 .bytes = datagram.subspan(header_bytes, total_bytes - header_bytes)};
}

tl::expected<Advertisement, Rejection> decode(const Message& message, const Expectation& expected) {
  const Family family = expected.multicast_group.family();
  if (auto failed = check_length(message, expected)) return tl::unexpected(std::move(*failed));
  if (auto failed = check_message(message, expected)) return tl::unexpected(std::move(*failed));
  const Bytes bytes = message.bytes;
  const size_t count = bytes[3];
  const Bytes addresses = bytes.subspan(kVrrpHeaderBytes, count * bytes_of(family));
  return Advertisement{.source = message.source,
                       .virtual_router_id = bytes[1],
                       .priority = bytes[2],
                       .advert_int = advert_int_of(bytes),
                       .address_count = count,
                       .addresses_match = same_addresses(addresses, family, expected.addresses),
                       .plain_checksum = expected.version == kVersion3 && checksum_of(message) == ChecksumKind::kPlain};
}

std::vector<uint8_t> encode_message(const OutgoingAdvertisement& advertisement) {
  const bool version_2 = advertisement.version == kVersion2;
  const size_t count = std::min(advertisement.addresses.size(), kMaxAdvertisedAddresses);
  const size_t each = bytes_of(advertisement.source.family());
  std::vector<uint8_t> message(kVrrpHeaderBytes + count * each + (version_2 ? kAuthDataBytes : 0));
  message[0] = static_cast<uint8_t>(advertisement.version << 4 | kTypeAdvertisement);
  message[1] = advertisement.virtual_router_id;
  message[2] = advertisement.priority;
  message[3] = static_cast<uint8_t>(count);
  write_interval(message, advertisement);
  auto out = message.begin() + kVrrpHeaderBytes;
  for (size_t i = 0; i < count; ++i) out = std::ranges::copy(advertisement.addresses[i].bytes(), out).out;
  if (version_2) std::ranges::copy(auth_data(advertisement.auth_pass), out);
  store16(message, 6, outgoing_checksum(advertisement, message));
  return message;
}

std::vector<uint8_t> encode(const OutgoingAdvertisement& advertisement) {
  std::vector<uint8_t> message = encode_message(advertisement);
  if (!advertisement.source.is_v4()) return message;
  std::vector<uint8_t> datagram(kIpHeaderBytes + message.size());
  std::ranges::copy(message, datagram.begin() + kIpHeaderBytes);
  write_ip_header(datagram, advertisement);
  return datagram;
}

uint16_t internet_checksum(Bytes data) {
  return fold(sum16(data));
}

}  // namespace lbdp::vrrp
