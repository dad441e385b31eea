// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The synthetic network of the worker's benchmark: addresses of the benchmarking prefixes (RFC 2544, RFC 5180), and
// what the director is told of it.

#include <cstdint>

#include "config/types/ip_address.h"
#include "config/types/mac_address.h"
#include "dataplane/parameters.h"

namespace lbdp::bench {

inline constexpr uint16_t kServicePort = 53;
/// Clients of established flows: 10.0.0.0/8 and ::10.x.y.z of 2001:2:0:2::/64. Flow i has host part i.
inline constexpr uint32_t kEstablishedClients = 0x0a000000;
/// Clients of a flood and of new connections: the same with 11.
inline constexpr uint32_t kFreshClients = 0x0b000000;
inline constexpr uint32_t kMaxFlows = 10'000'000;

/// Virtual servers and their real servers. Service s has the real servers s * servers to (s + 1) * servers - 1.
struct Network {
  Family family = Family::kIpv4;
  unsigned services = 1;
  unsigned servers = 10;  // a service
};

[[nodiscard]] IpAddress vip_of(Family family, unsigned service);
[[nodiscard]] ServiceKey service_key(Family family, unsigned service);
[[nodiscard]] Endpoint real_server(Family family, unsigned number);
/// 02:00:00:00 and the number in two bytes, so that a sent frame says where it goes.
[[nodiscard]] MacAddress real_mac(unsigned number);
/// As publications hold it: UDP, round robin, all servers usable and behind `port`.
[[nodiscard]] dataplane::VirtualServerParams virtual_server(const Network& network, unsigned service, uint16_t port);
[[nodiscard]] dataplane::Tables tables_of(const Network& network, uint16_t port);

}  // namespace lbdp::bench
