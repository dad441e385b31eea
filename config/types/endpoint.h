// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "config/types/ip_address.h"
#include "config/types/result.h"

namespace lbdp {

enum class Protocol : uint8_t { kTcp = 6, kUdp = 17, kSctp = 132 };  // IANA protocol numbers

/// "tcp", "udp", "sctp".
[[nodiscard]] std::string_view to_string(Protocol protocol);
/// The same, in upper case: "TCP".
[[nodiscard]] std::string_view to_upper_string(Protocol protocol);

/// An address and a port (host byte order).
struct Endpoint {
  IpAddress address;
  uint16_t port = 0;

  /// "192.0.2.1:80" or "[2001:db8::1]:80".
  static Result<Endpoint> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
  friend std::strong_ordering operator<=>(const Endpoint&, const Endpoint&) = default;
};

/// "[172.18.250.77]:tcp:80", as keepalived writes a server in logs, mails and FIFOs.
[[nodiscard]] std::string keepalived_name(Protocol protocol, const Endpoint& endpoint);

/// What names a virtual server: protocol and endpoint. Written "tcp/172.18.250.99:80" in lbdp-cli.
struct ServiceKey {
  Protocol protocol = Protocol::kTcp;
  Endpoint endpoint;

  static Result<ServiceKey> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const ServiceKey&, const ServiceKey&) = default;
  friend std::strong_ordering operator<=>(const ServiceKey&, const ServiceKey&) = default;
};

/// What names a real server: a real server belongs to one virtual server.
struct RealServerKey {
  ServiceKey service;
  Endpoint real;

  friend bool operator==(const RealServerKey&, const RealServerKey&) = default;
  friend std::strong_ordering operator<=>(const RealServerKey&, const RealServerKey&) = default;
};

}  // namespace lbdp
