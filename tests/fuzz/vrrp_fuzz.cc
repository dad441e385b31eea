// SPDX-License-Identifier: BSD-2-Clause
// What the VRRP socket delivers: an IPv4 datagram from anyone on the segment. Decoding must not crash, and what it
// accepts must drive an instance without harm.
#include <chrono>
#include <cstdint>
#include <cstdlib>

#include "vrrp/instance.h"
#include "vrrp/packet.h"

namespace {

using namespace lbdp;
using namespace lbdp::vrrp;

InstanceParams params(bool with_password) {
  InstanceParams reference;
  reference.name = "VI_1";
  reference.interface = "eth0";
  reference.virtual_router_id = 150;
  if (with_password) reference.auth_pass = "1111";
  reference.multicast_group = IpAddress::parse("224.0.74.18").value();
  reference.virtual_addresses = {IpPrefix::parse("172.18.250.99").value()};
  return reference;
}

void require(bool holds) {
  if (!holds) std::abort();
}

void try_with(std::span<const uint8_t> datagram, bool with_password) {
  const TimePoint now{std::chrono::seconds(1000)};
  Instance instance(params(with_password));
  (void)instance.start({IpAddress::parse("172.18.250.75").value(), {}}, now);
  const auto advertisement = decode(datagram, instance.expectation());
  if (!advertisement) {
    require(to_string(advertisement.error().reason) != "?");
    return;
  }
  require(peek_virtual_router_id(datagram) == advertisement->virtual_router_id);
  require(peek_source(datagram) == advertisement->source);
  (void)instance.receive(*advertisement, now);
  require(instance.state() == State::kBackup && instance.deadline().has_value());
  const TimePoint later = *instance.deadline();
  (void)instance.expire(later);
  require(instance.state() == State::kMaster);
  (void)instance.receive(*advertisement, later);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)peek_virtual_router_id({data, size});
  (void)peek_source({data, size});
  try_with({data, size}, false);
  try_with({data, size}, true);
  return 0;
}
