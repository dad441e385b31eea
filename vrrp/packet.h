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
inline constexpr uint8_t kVrrpTtl = 255;     // RFC 3768 section 5.2.3
inline constexpr uint8_t kVrrpTos = 0xc0;    // internetwork control
inline constexpr size_t kAuthDataBytes = 8;  // RFC 2338 section 5.3.10
inline constexpr size_t kMaxAdvertisedAddresses = 255;
inline constexpr uint8_t kPriorityOwner = 255;
inline constexpr uint8_t kPriorityStop = 0;

/// The authentication type field of a version 2 message (RFC 2338 section 5.3.6).
enum class AuthType : uint8_t { kNone = 0, kPassword = 1, kAh = 2 };

/// Why a received datagram is not an advertisement for the instance: the first check that failed. In the order of the
/// checks.
enum class Reject : uint8_t {
  kMalformedIp,  // not one whole IPv4 datagram of protocol 112
  kAhHeader,     // an IPsec authentication header, which no version 2 instance here uses
  kBadLength,    // not exactly as long as its address count says
  kBadTtl,       // it came through a router
  kBadVersion,
  kAuthTypeMismatch,
  kAuthMismatch,  // another password
  kIntervalMismatch,
  kBadType,  // not an ADVERTISEMENT
  kBadChecksum,
  kNotMulticast,  // sent to another address than the group
};
inline constexpr size_t kRejectReasons = static_cast<size_t>(Reject::kNotMulticast) + 1;

/// The counter's name: "bad_ttl".
[[nodiscard]] std::string_view to_string(Reject reason);

/// What an instance accepts.
struct Expectation {
  std::chrono::seconds advert_int{1};
  std::optional<std::string> auth_pass;  // first 8 bytes count
  IpAddress multicast_group;
  std::vector<IpAddress> addresses;
};

/// An advertisement that passed all checks.
struct Advertisement {
  IpAddress source;
  uint8_t virtual_router_id = 0;
  uint8_t priority = 0;
  std::chrono::microseconds advert_int{0};
  size_t address_count = 0;
  bool addresses_match = true;  // the same set as ours; a mismatch is logged and counted, never a reason to drop
};

/// A rejection and a line that says what was found and what was wanted, without the password.
struct Rejection {
  Reject reason = Reject::kMalformedIp;
  std::string detail;
};

/// The virtual router ID of the VRRP message in an IPv4 datagram, without any other check: it decides whose message
/// this is. Nothing if the datagram is too short to have one.
[[nodiscard]] std::optional<uint8_t> peek_virtual_router_id(std::span<const uint8_t> datagram);

/// The source address of an IPv4 datagram, for a log line; nothing if it is too short.
[[nodiscard]] std::optional<IpAddress> peek_source(std::span<const uint8_t> datagram);

/// Checks an IPv4 datagram (from its first header byte; what lies behind its total length is link-layer padding)
/// against RFC 3768 section 7.1 and RFC 2338 section 5.3, in keepalived's order. Pure.
[[nodiscard]] tl::expected<Advertisement, Rejection> decode(std::span<const uint8_t> datagram,
                                                            const Expectation& expected);

/// What to send. All of a version 2 advertisement over IPv4.
struct OutgoingAdvertisement {
  IpAddress source;
  IpAddress destination;
  uint16_t ip_id = 0;
  uint8_t virtual_router_id = 0;
  uint8_t priority = 0;
  std::chrono::seconds advert_int{1};
  std::optional<std::string> auth_pass;
  std::vector<IpAddress> addresses;  // IPv4, at most kMaxAdvertisedAddresses
};

/// The whole IPv4 datagram with both checksums: TTL 255, TOS 0xC0, no DF.
[[nodiscard]] std::vector<uint8_t> encode(const OutgoingAdvertisement& advertisement);

/// RFC 1071's checksum as it stands in a packet (host order). Over data that holds its own right checksum it is 0.
[[nodiscard]] uint16_t internet_checksum(std::span<const uint8_t> data);

}  // namespace lbdp::vrrp
