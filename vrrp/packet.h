// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "config/types/ip_address.h"

namespace lbdp::vrrp {

inline constexpr uint8_t kIpProtocolVrrp = 112;
inline constexpr uint8_t kIpProtocolAh = 51;
inline constexpr uint8_t kVrrpTtl = 255;     // RFC 3768 section 5.2.3, RFC 5798 section 5.1.1.3
inline constexpr uint8_t kVrrpTos = 0xc0;    // internetwork control
inline constexpr size_t kAuthDataBytes = 8;  // RFC 2338 section 5.3.10
inline constexpr size_t kMaxAdvertisedAddresses = 255;
inline constexpr uint8_t kPriorityOwner = 255;
inline constexpr uint8_t kPriorityStop = 0;
inline constexpr uint8_t kVersion2 = 2;
inline constexpr uint8_t kVersion3 = 3;

/// The authentication type field of a version 2 message (RFC 2338 section 5.3.6).
enum class AuthType : uint8_t { kNone = 0, kPassword = 1, kAh = 2 };

/// Why a received datagram is not an advertisement for the instance: the first check that failed. In the order of the
/// checks.
enum class Reject : uint8_t {
  kMalformedIp,  // not one whole datagram of protocol 112
  kAhHeader,     // an IPsec authentication header, which no instance here uses
  kBadLength,    // not exactly as long as its address count says
  kBadTtl,       // it came through a router, or too many of them
  kBadVersion,
  kAuthTypeMismatch,
  kAuthMismatch,      // another password
  kIntervalMismatch,  // version 2 only
  kBadType,           // not an ADVERTISEMENT
  kBadChecksum,
  kNotMulticast,  // sent to another address than the group
  kNotUnicast,    // sent to a group; the instance has unicast peers
  kUnknownPeer,   // not from one of the unicast peers
};
inline constexpr size_t kRejectReasons = static_cast<size_t>(Reject::kUnknownPeer) + 1;

/// The counter's name: "bad_ttl".
[[nodiscard]] std::string_view to_string(Reject reason);

/// A unicast peer, and which TTLs (hop limits) its advertisements may have when they arrive.
struct UnicastPeer {
  IpAddress address;
  uint8_t min_ttl = 0;
  uint8_t max_ttl = 255;

  friend bool operator==(const UnicastPeer&, const UnicastPeer&) = default;
};

/// What an instance accepts.
struct Expectation {
  uint8_t version = kVersion2;
  std::chrono::microseconds advert_int = std::chrono::seconds(1);
  std::optional<std::string> auth_pass;    // version 2; first 8 bytes count
  IpAddress multicast_group;               // its family is the instance's
  std::vector<UnicastPeer> unicast_peers;  // any: unicast, and the group is not used
  bool check_unicast_src = false;          // refuse what is not from a peer
  std::vector<IpAddress> addresses;
};

/// A VRRP message, and what the layer below said of it.
struct Message {
  IpAddress source;
  IpAddress destination;
  uint8_t ttl = 0;       // hop limit
  uint8_t protocol = 0;  // of the IP payload
  std::span<const uint8_t> bytes;
};

/// An advertisement that passed all checks.
struct Advertisement {
  IpAddress source;
  uint8_t virtual_router_id = 0;
  uint8_t priority = 0;
  std::chrono::microseconds advert_int{0};
  size_t address_count = 0;
  bool addresses_match = true;  // the same set as ours; a mismatch is logged and counted, never a reason to drop
  bool plain_checksum = false;  // version 3 over IPv4: the checksum does not cover the pseudo-header
};

/// A rejection and a line that says what was found and what was wanted, without the password.
struct Rejection {
  Reject reason = Reject::kMalformedIp;
  std::string detail;
};

/// The virtual router ID of a VRRP message, without any other check: it decides whose message this is. Nothing if it
/// is too short to have one.
[[nodiscard]] std::optional<uint8_t> peek_virtual_router_id(std::span<const uint8_t> message);

/// Takes an IPv4 datagram apart, from its first header byte; what lies behind its total length is link-layer padding.
[[nodiscard]] tl::expected<Message, Rejection> unwrap_ipv4(std::span<const uint8_t> datagram);

/// Checks a message against RFC 3768 section 7.1, RFC 2338 section 5.3 (version 2) and RFC 5798 section 7.1 (version
/// 3), in keepalived's order. Pure.
[[nodiscard]] tl::expected<Advertisement, Rejection> decode(const Message& message, const Expectation& expected);

/// What to send.
struct OutgoingAdvertisement {
  uint8_t version = kVersion2;
  IpAddress source;
  IpAddress destination;  // of the source's family
  uint8_t ttl = kVrrpTtl;
  uint16_t ip_id = 0;  // IPv4
  uint8_t virtual_router_id = 0;
  uint8_t priority = 0;
  std::chrono::microseconds advert_int = std::chrono::seconds(1);  // whole seconds or, in version 3, centiseconds
  std::optional<std::string> auth_pass;                            // version 2
  bool plain_checksum = false;       // version 3 over IPv4: as RFC 9568 has it, without the pseudo-header of RFC 5798
  std::vector<IpAddress> addresses;  // of the source's family, at most kMaxAdvertisedAddresses
};

/// The VRRP message alone, with its checksum.
[[nodiscard]] std::vector<uint8_t> encode_message(const OutgoingAdvertisement& advertisement);

/// What a raw socket takes: over IPv4 the whole datagram with both checksums, TOS 0xC0, no DF; over IPv6 the message.
[[nodiscard]] std::vector<uint8_t> encode(const OutgoingAdvertisement& advertisement);

/// RFC 1071's checksum as it stands in a packet (host order). Over data that holds its own right checksum it is 0.
[[nodiscard]] uint16_t internet_checksum(std::span<const uint8_t> data);

}  // namespace lbdp::vrrp
