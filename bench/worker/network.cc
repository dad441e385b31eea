// SPDX-License-Identifier: BSD-2-Clause
#include "bench/worker/network.h"

#include <array>

namespace lbdp::bench {
namespace {

// 2001:2:0:<subnet>::<host>
IpAddress ipv6(uint8_t subnet, uint32_t host) {
  std::array<uint8_t, 16> bytes{0x20, 0x01, 0x00, 0x02, 0, 0, 0, subnet};
  for (unsigned i = 0; i < 4; ++i) bytes[12 + i] = static_cast<uint8_t>(host >> (24 - 8 * i));
  return IpAddress::v6(bytes);
}

IpAddress address(Family family, uint32_t ipv4_base, uint8_t ipv6_subnet, uint32_t host) {
  return family == Family::kIpv4 ? IpAddress::v4(Be<uint32_t>::from_host(ipv4_base + host)) : ipv6(ipv6_subnet, host);
}

}  // namespace

IpAddress vip_of(Family family, unsigned service) {
  return address(family, 0xc6120000, 1, service + 1);  // 198.18.0.0/16
}

ServiceKey service_key(Family family, unsigned service) {
  return {Protocol::kUdp, Endpoint{vip_of(family, service), kServicePort}};
}

Endpoint real_server(Family family, unsigned number) {
  return {address(family, 0xc6130000, 3, number + 1), kServicePort};  // 198.19.0.0/16
}

MacAddress real_mac(unsigned number) {
  return {{0x02, 0, 0, 0, static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)}};
}

dataplane::VirtualServerParams virtual_server(const Network& network, unsigned service, uint16_t port) {
  dataplane::VirtualServerParams params;
  params.key = service_key(network.family, service);
  for (unsigned i = 0; i < network.servers; ++i) {
    const unsigned number = service * network.servers + i;
    dataplane::RealServerParams server;
    server.endpoint = real_server(network.family, number);
    server.mac = real_mac(number);
    server.egress = dataplane::PortId{port};
    params.real_servers.push_back(server);
  }
  return params;
}

dataplane::Tables tables_of(const Network& network, uint16_t port) {
  dataplane::Tables tables;
  for (unsigned s = 0; s < network.services; ++s) tables.virtual_servers.push_back(virtual_server(network, s, port));
  return tables;
}

}  // namespace lbdp::bench
