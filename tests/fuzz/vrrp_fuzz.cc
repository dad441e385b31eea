// SPDX-License-Identifier: BSD-2-Clause
// What the VRRP sockets deliver: an IPv4 datagram or an IPv6 message from anyone on the segment. Decoding must not
// crash, and what it accepts must drive an instance without harm.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "vrrp/instance.h"
#include "vrrp/packet.h"

namespace {

using namespace lbdp;
using namespace lbdp::vrrp;

/// Version 2 with and without password, version 3, unicast, IPv6.
std::vector<InstanceParams> flavours() {
  InstanceParams plain;
  plain.name = "VI_1";
  plain.interface = "eth0";
  plain.virtual_router_id = 150;
  plain.multicast_group = IpAddress::parse("224.0.74.18").value();
  plain.virtual_addresses = {IpPrefix::parse("172.18.250.99").value()};
  InstanceParams password = plain;
  password.auth_pass = "1111";
  InstanceParams version_3 = plain;
  version_3.version = kVersion3;
  InstanceParams unicast = version_3;
  unicast.unicast_peers = {{IpAddress::parse("172.18.250.76").value(), 250, 255}};
  unicast.check_unicast_src = true;
  InstanceParams ipv6 = version_3;
  ipv6.multicast_group = IpAddress::parse("ff02::12").value();
  ipv6.virtual_addresses = {IpPrefix::parse("2001:db8::99").value()};
  return {plain, password, version_3, unicast, ipv6};
}

void require(bool holds) {
  if (!holds) std::abort();
}

void try_with(const Message& message, const InstanceParams& params) {
  const TimePoint now{std::chrono::seconds(1000)};
  Instance instance(params);
  const char* own = params.family() == Family::kIpv4 ? "172.18.250.75" : "fe80::75";
  (void)instance.start({IpAddress::parse(own).value(), {}}, now);
  const auto advertisement = decode(message, instance.expectation());
  if (!advertisement) {
    require(to_string(advertisement.error().reason) != "?");
    return;
  }
  require(peek_virtual_router_id(message.bytes) == advertisement->virtual_router_id);
  require(message.source == advertisement->source);
  (void)instance.receive(*advertisement, now);
  require(instance.state() == State::kBackup && instance.deadline().has_value());
  const TimePoint later = *instance.deadline();
  (void)instance.expire(later);
  require(instance.state() == State::kMaster);
  (void)instance.receive(*advertisement, later);
}

/// An IPv6 socket gives the message without its header.
Message as_ipv6(std::span<const uint8_t> bytes) {
  return {.source = IpAddress::parse("fe80::76").value(),
          .destination = IpAddress::parse("ff02::12").value(),
          .ttl = kVrrpTtl,
          .protocol = kIpProtocolVrrp,
          .bytes = bytes};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> bytes(data, size);
  (void)peek_virtual_router_id(bytes);
  static const auto params = flavours();
  if (const auto message = unwrap_ipv4(bytes)) {
    for (const auto& one : params) try_with(*message, one);
  }
  try_with(as_ipv6(bytes), params.back());
  return 0;
}
