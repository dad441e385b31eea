// SPDX-License-Identifier: BSD-2-Clause
#include "tests/fuzz/worker_fuzz_input.h"

#include <algorithm>

namespace lbdp::fuzz {
namespace {

using namespace packet_tests;
using dataplane::Scheduler;

constexpr const char* kVip4 = "192.0.2.10";
constexpr const char* kVip6 = "2001:db8::10";

std::string client4(uint8_t who) {
  return "10.0.0." + std::to_string(1 + who % 4);
}
std::string client6(uint8_t who) {
  return "2001:db8:c::" + std::to_string(1 + who % 4);
}
uint16_t client_port(uint8_t who) {
  return static_cast<uint16_t>(1000 + who / 4 % 8);
}

Bytes v4_packet(uint8_t kind, uint8_t who, uint8_t flags) {
  const std::string client = client4(who);
  const uint16_t port = client_port(who);
  const auto whole = [&](uint8_t protocol, const Bytes& l4) { return ipv4_packet(client, kVip4, protocol, l4); };
  const auto part = [&](uint16_t field, const Bytes& l4) {
    return ipv4_packet(client, kVip4, 17, l4, {.id = flags, .fragment_field = field});
  };
  switch (kind % 10) {
    case 0: return whole(6, tcp_segment(port, 80, flags, who % 3 == 0 ? 1400 : 0));
    case 1: return whole(6, tcp_segment(port, static_cast<uint16_t>(1 + flags), flags));  // a port of its own
    case 2: return whole(17, udp_datagram(port, 53, flags));
    case 3: return whole(17, udp_datagram(port, 5060));
    case 4: return whole(132, sctp_packet(port, 36412, {flags}));
    case 5: return part(0x2000, udp_datagram(port, 53, 8));
    case 6: return part(0x0002, Bytes(flags % 64, 'f'));
    case 7:
      return whole(1, icmp_error(3, 4, ipv4_packet(kVip4, client, flags, tcp_segment(flags == 17 ? 53 : 80, port, 0))));
    case 8: return ipv4_packet(client, kVip4, 6, tcp_segment(port, 80, flags), {.options = Bytes(4 * (who % 11), 1)});
    default: return ipv4_packet(client, "192.0.2.20", 6, tcp_segment(port, 80, flags));
  }
}

Bytes v6_packet(uint8_t kind, uint8_t who, uint8_t flags) {
  const std::string client = client6(who);
  const uint16_t port = client_port(who);
  switch (kind % 6) {
    case 0: return ipv6_packet(client, kVip6, {}, 6, tcp_segment(port, 80, flags, who % 3 == 0 ? 1400 : 0));
    case 1: return ipv6_packet(client, kVip6, {padding_header(0), padding_header(60, 2)}, 17, udp_datagram(port, 53));
    case 2: return ipv6_packet(client, kVip6, {fragment_header(flags, 0, true)}, 17, udp_datagram(port, 53, 8));
    case 3: return ipv6_packet(client, kVip6, {fragment_header(flags, 16, false)}, 17, Bytes(who, 'f'));
    case 4:
      return ipv6_packet(
          client, kVip6, {}, 58,
          icmp6_error(client, kVip6, 2, 0, ipv6_packet(kVip6, client, {}, 6, tcp_segment(80, port, flags))));
    default: return ipv6_packet(client, kVip6, {}, 132, sctp_packet(port, 36412, {flags}));
  }
}

dataplane::VirtualServerParams virtual_server(const std::string& key, Scheduler scheduler, unsigned servers) {
  dataplane::VirtualServerParams p;
  p.key = ServiceKey::parse(key).value();
  p.scheduler = scheduler;
  const bool v6 = !p.key.endpoint.address.is_v4();
  for (unsigned i = 1; i <= servers; ++i) {
    auto real = server(i);
    if (v6) real.endpoint = Endpoint::parse("[2001:db8::1" + std::to_string(i) + "]:80").value();
    p.real_servers.push_back(real);
  }
  return p;
}

dataplane::Tables whole_tables() {
  dataplane::Tables t;
  auto& v = t.virtual_servers;
  v.push_back(virtual_server("tcp/192.0.2.10:80", Scheduler::kWeightedLeastConnection, 3));
  v.push_back(virtual_server("udp/192.0.2.10:53", Scheduler::kRoundRobin, 3));
  v.push_back(virtual_server("tcp/192.0.2.10:0", Scheduler::kWeightedRoundRobin, 3));
  v.back().more_keys = {ServiceKey::parse("udp/192.0.2.11:0").value()};
  v.push_back(virtual_server("udp/192.0.2.10:5060", Scheduler::kMaglev, 3));
  v.back().one_packet = true;
  v.push_back(virtual_server("sctp/192.0.2.10:36412", Scheduler::kNeverQueue, 3));
  v.push_back(virtual_server("tcp/[2001:db8::10]:80", Scheduler::kSourceHash, 3));
  v.back().persistence = {std::chrono::seconds(60), 64};
  v.push_back(virtual_server("udp/[2001:db8::10]:53", Scheduler::kTwoChoices, 3));
  v.push_back(virtual_server("sctp/[2001:db8::10]:36412", Scheduler::kOverflow, 3));
  v.push_back(virtual_server("tcp/192.0.2.20:80", Scheduler::kRoundRobin, 1));
  v.back().owned = false;
  return t;
}

// One change of a server in every virtual server, by the number's lower bits.
void change(dataplane::VirtualServerParams& v, unsigned what) {
  auto& real = v.real_servers[what % v.real_servers.size()];
  switch (what / 4 % 8) {
    case 0: real.weight = 0; break;
    case 1: real.in_table = false; break;
    case 2: real.mac.reset(); break;
    case 3: real.vlan = 100; break;
    case 4: real.mtu = 600; break;
    case 5: real.upper_threshold = 2; break;
    case 6: real.egress = dataplane::PortId{Wires::get().port_id(1)}; break;
    case 7: v.real_servers.erase(v.real_servers.begin()); break;
  }
}

}  // namespace

Bytes raw_frame(Input& in) {
  const size_t wanted = in.byte();
  Bytes frame(std::clamp<size_t>(wanted, 1, in.left() + 1));
  for (uint8_t& byte : frame) byte = in.byte();
  return frame;
}

Bytes sensible_frame(Input& in) {
  const uint8_t kind = in.byte(), who = in.byte(), flags = in.byte();
  EthernetFields fields;
  if ((kind & 0x40) != 0) fields.tags = {static_cast<uint16_t>(who % 2 == 0 ? 100 : 0xe000)};
  if ((kind & 0x20) != 0) fields.destination = kPortMacs[1];
  Bytes frame =
      frame_of((kind & 0x80) != 0 ? v6_packet(kind & 0x1f, who, flags) : v4_packet(kind & 0x1f, who, flags), fields);
  for (unsigned changes = in.byte() % 4; changes > 0; --changes) {
    const uint8_t at = in.byte();
    frame[at % frame.size()] = in.byte();
  }
  return frame;
}

Placing placing(Input& in, size_t frame_length) {
  const uint8_t bits = in.byte();
  Placing p;
  p.port = bits & 1;
  p.worker = bits >> 1 & 1;
  if ((bits & 4) != 0) {
    p.layout.tag_stripped = true;
    p.layout.stripped_tci = static_cast<uint16_t>(in.byte() << 8);
    p.layout.stripped_tci = static_cast<uint16_t>(p.layout.stripped_tci | in.byte());
  }
  if ((bits & 8) != 0) p.layout.headroom = 0;
  size_t left = frame_length;
  for (unsigned segments = bits >> 4 & 3; segments > 0; --segments) {
    const size_t length = std::min<size_t>(in.byte(), left);
    p.layout.segments.push_back(length);
    left -= length;
  }
  return p;
}

dataplane::Tables tables(uint8_t which) {
  dataplane::Tables t = whole_tables();
  if (which == 0) return t;
  for (auto& v : t.virtual_servers) change(v, which & 0x1f);
  t.switches.expire_nodest_conn = (which & 0x20) == 0;
  t.switches.conn_reuse = (which & 0x40) == 0;
  if ((which & 0x80) != 0) {
    t.switches.sloppy_tcp = true;
    t.virtual_servers.erase(t.virtual_servers.begin() + which % 3);
  }
  return t;
}

}  // namespace lbdp::fuzz
