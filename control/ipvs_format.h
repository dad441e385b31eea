// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// ipvsadm 1.31's listings, to the character: people's scripts read them.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "config/types/endpoint.h"

namespace lbdp::control {

/// Per second. Numbers are rounded for printing only, so that a service shows the sum of what its servers really have.
struct IpvsRates {
  double connections = 0, packets = 0, bytes = 0;
};

struct IpvsDestination {
  Endpoint endpoint;
  int weight = 1;
  uint32_t upper_threshold = 0, lower_threshold = 0;
  uint64_t active = 0, inactive = 0;
  uint64_t persistent = 0;  // templates that lead here
  uint64_t connections = 0, packets = 0, bytes = 0;
  IpvsRates rates{};
};

struct IpvsService {
  ServiceKey key;
  uint32_t fwmark = 0;  // 0: named by its key
  std::string scheduler;
  std::vector<std::string> scheduler_flags{};   // "sh-fallback", "sh-port"
  std::chrono::seconds persistence_timeout{0};  // 0: none
  uint8_t persistence_prefix_length = 32;       // 128: a whole IPv6 address
  bool one_packet = false;
  std::vector<IpvsDestination> destinations{};
};

struct IpvsConnection {
  Protocol protocol = Protocol::kTcp;
  /// A template of a service by firewall mark has no protocol: "IP".
  bool any_protocol = false;
  std::chrono::seconds expires_in{0};
  std::string state;
  Endpoint client, virtual_server, real_server;
};

struct IpvsTimeouts {
  uint64_t tcp = 0, tcpfin = 0, udp = 0;
};

/// Which columns `ipvsadm -Ln` has: with no further option, or with --stats, --rate, --thresholds, --persistent-conn.
enum class IpvsListing : uint8_t { kPlain, kStats, kRate, kThresholds, kPersistentConnections };

/// ipvsadm -Ln. Services come out in ipvsadm's order (firewall mark, family, protocol, address, port), destinations by
/// address and port. `exact`: the numbers of --stats and --rate in full.
std::string format_services(std::vector<IpvsService> services, IpvsListing listing = IpvsListing::kPlain,
                            bool exact = false);
/// ipvsadm -S -n: what `ipvsadm -R` takes.
std::string format_rules(std::vector<IpvsService> services);
/// ipvsadm -Lnc: the heading, and the line of one connection.
std::string connections_heading();
std::string format_connection(const IpvsConnection& connection);
/// ipvsadm -Ln --timeout
std::string format_timeouts(const IpvsTimeouts& timeouts);
/// A count in nine columns as ipvsadm abbreviates it: "12345678", "100000K".
std::string format_large(uint64_t number, bool exact);

}  // namespace lbdp::control
