// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// ipvsadm 1.31's listings, to the character: people's scripts read them.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "config/types/endpoint.h"

namespace lbdp::control {

struct IpvsDestination {
  Endpoint endpoint;
  int weight = 1;
  uint64_t active = 0, inactive = 0;
  uint64_t connections = 0, packets = 0, bytes = 0;
};

struct IpvsService {
  ServiceKey key;
  std::string scheduler;
  std::vector<IpvsDestination> destinations;
};

struct IpvsConnection {
  Protocol protocol = Protocol::kTcp;
  std::chrono::seconds expires_in{0};
  std::string state;
  Endpoint client, virtual_server, real_server;
};

struct IpvsTimeouts {
  uint64_t tcp = 0, tcpfin = 0, udp = 0;
};

/// ipvsadm -Ln. Services come out in ipvsadm's order (family, protocol, address, port), destinations by address and
/// port.
std::string format_services(std::vector<IpvsService> services);
/// ipvsadm -Ln --stats; `exact`: numbers in full.
std::string format_stats(std::vector<IpvsService> services, bool exact);
/// ipvsadm -Lnc
std::string format_connections(const std::vector<IpvsConnection>& connections);
/// ipvsadm -Ln --timeout
std::string format_timeouts(const IpvsTimeouts& timeouts);
/// A count in nine columns as ipvsadm abbreviates it: "12345678", "100000K".
std::string format_large(uint64_t number, bool exact);

}  // namespace lbdp::control
