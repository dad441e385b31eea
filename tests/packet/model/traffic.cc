// SPDX-License-Identifier: BSD-2-Clause
#include "tests/packet/model/traffic.h"

#include "tests/packet/support/packets.h"

namespace lbdp::model {
namespace {

using namespace packet_tests;

constexpr const char* kRouter4 = "10.9.9.9";
constexpr const char* kRouter6 = "2001:db8:9::9";

struct Target {
  const char* address;
  uint8_t protocol;
  uint16_t port;
};

Target random_target(Random& random) {
  switch (random.below(22)) {
    case 0: return {"192.0.2.10", 6, 81};                                             // no server
    case 1: return {"192.0.2.10", 6, static_cast<uint16_t>(2000 + random.below(3))};  // port 0
    case 2: return {"192.0.2.10", 132, 36412};
    case 3: return {"192.0.2.10", 17, 5060};  // one-packet
    case 4: return {"192.0.2.12", 17, 53};    // the second destination
    case 5: return {"192.0.2.20", 6, 80};     // not always ours
    case 6: return {"192.0.2.10", random.of<uint8_t>({17, 132}), random.of<uint16_t>({3784, 7777})};
    case 7: return {random.of({"192.0.2.1", "198.51.100.7"}), 6, random.of<uint16_t>({22, 179})};
    case 8:
    case 9: return {"2001:db8::10", 6, 80};
    case 10: return {"2001:db8::11", 6, random.of<uint16_t>({80, 443})};
    case 11: return {"2001:db8::10", 17, 53};
    case 12: return {"2001:db8::10", 132, 36412};
    case 13: return {"2001:db8::10", 6, 8080};
    case 14:
    case 15: return {"192.0.2.10", 17, 53};
    case 16: return {"192.0.2.10", 6, static_cast<uint16_t>(2000 + random.below(3))};
    default: return {"192.0.2.10", 6, 80};
  }
}

bool is_v6(const Target& t) {
  return std::string(t.address).find(':') != std::string::npos;
}

std::string random_client(Random& random, bool v6) {
  const std::string net = std::to_string(random.below(2)), host = std::to_string(1 + random.below(4));
  return v6 ? "2001:db8:c:" + net + "::" + host : "10.0." + net + "." + host;
}

std::string addresses_of(const std::string& source, const Target& t) {
  return source + " " + t.address;
}

}  // namespace

Bytes Traffic::transport(uint8_t protocol, uint16_t source_port, uint16_t destination_port) {
  const size_t payload = random_.one_in(3) ? random_.of<size_t>({0, 10, 530, 560, 700, 1300, 1340, 1460}) : 0;
  if (protocol == 17) return udp_datagram(source_port, destination_port, payload);
  if (protocol == 132) {
    Bytes chunks{random_.of<uint8_t>({1, 1, 1, 10, 10, 11, 0, 0, 3, 7, 8, 14, 9, 6, 2, 4, 200})};
    if (random_.one_in(3)) chunks.push_back(random_.of<uint8_t>({0, 6}));
    return sctp_packet(source_port, destination_port, chunks);
  }
  const auto flags = random_.of<uint8_t>({kSyn, kSyn, kSyn, kAck, kAck, kAck, kAck, kAck | kPsh, kFin | kAck, kRst,
                                          kRst | kAck, kSyn | kAck, kSyn | kFin, kSyn | kRst, 0, 0x3f, 0xc2});
  return tcp_segment(source_port, destination_port, flags, payload);
}

Shot Traffic::shot_of(const Bytes& ip_packet, const std::string& flow, bool may_split) {
  Shot shot;
  shot.port = random_.one_in(4) ? 1 : 0;
  shot.hash = std::hash<std::string>()(flow);
  EthernetFields fields;
  fields.destination = shot.port == 0 ? "02:00:00:00:00:a0" : "02:00:00:00:00:a1";
  if (random_.one_in(25))
    fields.destination = random_.of({"ff:ff:ff:ff:ff:ff", "33:33:00:00:00:01", "02:00:00:00:00:99"});
  if (random_.one_in(50)) fields.source = "03:00:00:00:00:c1";
  if (random_.one_in(7)) fields.tags = {random_.of<uint16_t>({0, 0xe000, 100, 0x6064, 4095})};
  if (random_.one_in(90)) fields.tags = {100, 200};
  if (random_.one_in(5)) fields.pad_to = 0;
  Arrival& a = shot.arrival;
  a.bytes = frame_of(ip_packet, fields);
  if (random_.one_in(9)) a.stripped_tci = random_.of<uint16_t>({0, 100, 0xa064, 0x6000});
  a.no_headroom = random_.one_in(12);
  bool corrupt = false;
  for (size_t i = random_.one_in(10) ? 1 + random_.below(2) : 0; i > 0; --i, corrupt = true)
    a.bytes[random_.below(std::min<size_t>(a.bytes.size(), 70))] ^= static_cast<uint8_t>(1U << random_.below(8));
  if (random_.one_in(25)) a.bytes.resize(1 + random_.below(a.bytes.size())), corrupt = true;
  a.first_segment = a.bytes.size();
  if (may_split && !corrupt && random_.one_in(8)) a.first_segment = random_.below(a.bytes.size() + 1);
  return shot;
}

Shot Traffic::flow_packet() {
  const Target t = random_target(random_);
  const std::string client = random_client(random_, is_v6(t));
  const auto port = static_cast<uint16_t>(random_.one_in(60) ? 179 : 1000 + random_.below(8));
  const Bytes l4 = transport(t.protocol, port, t.port);
  Bytes ip;
  if (is_v6(t)) {
    std::vector<ExtensionHeader> extensions;
    if (random_.one_in(6))
      extensions.assign(1 + random_.below(10),
                        padding_header(random_.of<uint8_t>({0, 43, 60}), 1 + static_cast<unsigned>(random_.below(2))));
    if (random_.one_in(12)) extensions.push_back(fragment_header(7, 0, false));  // an atomic fragment
    ip = ipv6_packet(client, t.address, extensions, t.protocol, l4);
  } else {
    Ipv4Fields fields;
    if (random_.one_in(10)) fields.options = Bytes(4 * (1 + random_.below(10)), 1);
    if (random_.one_in(2)) fields.fragment_field = 0x4000;
    ip = ipv4_packet(client, t.address, t.protocol, l4, fields);
  }
  const std::string flow = addresses_of(client, t) + " " + std::to_string(port) + " " + std::to_string(t.port);
  return shot_of(ip, flow, t.protocol != 132);
}

// About a packet that a real server sent to a client, from a router on the way or from the client.
Shot Traffic::icmp_error() {
  const Target t = random_target(random_);
  const bool v6 = is_v6(t);
  const std::string client = random_client(random_, v6);
  const std::string sender = random_.one_in(2) ? client : v6 ? kRouter6 : kRouter4;
  const auto port = static_cast<uint16_t>(1000 + random_.below(8));
  Bytes l4 = t.protocol == 17    ? udp_datagram(t.port, port, 20)
             : t.protocol == 132 ? sctp_packet(t.port, port, {0})
                                 : tcp_segment(t.port, port, kAck, 20);
  if (random_.one_in(8)) l4.resize(random_.below(9));
  const std::string hashed = addresses_of(sender, t);
  if (!v6) {
    const Bytes quote = ipv4_packet(t.address, client, t.protocol, l4);
    const Bytes icmp = icmp_error_of_type(random_.of<uint8_t>({3, 3, 3, 4, 11, 5, 8, 12}), quote);
    return shot_of(ipv4_packet(sender, t.address, 1, icmp), hashed, false);
  }
  std::vector<ExtensionHeader> extensions;
  if (random_.one_in(4)) extensions.push_back(padding_header(60));
  const Bytes quote = ipv6_packet(t.address, client, extensions, t.protocol, l4);
  const Bytes icmp = icmp6_error(sender, t.address, random_.of<uint8_t>({1, 2, 3, 4, 128, 135}), 0, quote);
  return shot_of(ipv6_packet(sender, t.address, {}, 58, icmp), hashed, false);
}

Bytes Traffic::icmp_error_of_type(uint8_t type, const Bytes& quote) {
  return packet_tests::icmp_error(type, static_cast<uint8_t>(random_.below(5)), quote);
}

// A datagram in two or three pieces, of which the first may come last.
void Traffic::begin_datagram() {
  Target t = random_target(random_);
  const bool v6 = is_v6(t);
  const std::string client = random_client(random_, v6);
  const auto port = static_cast<uint16_t>(1000 + random_.below(8));
  const uint32_t id = ++datagrams_;
  const Bytes first = t.protocol == 17    ? udp_datagram(port, t.port, 32)
                      : t.protocol == 132 ? sctp_packet(port, t.port, {0, 0, 0})
                                          : tcp_segment(port, t.port, random_.of<uint8_t>({kSyn, kAck, kAck}), 12);
  const size_t pieces = 2 + random_.below(2);
  std::vector<Shot> shots;
  for (size_t i = 0; i < pieces; ++i) {
    Bytes part = i == 0 ? first : Bytes(random_.of<size_t>({16, 640}), static_cast<uint8_t>('a' + i));
    part.resize(part.size() / 8 * 8);
    const bool more = i + 1 < pieces;
    const auto offset = static_cast<unsigned>(i * 40);
    const Bytes ip = v6 ? ipv6_packet(client, t.address, {fragment_header(id, offset, more)}, t.protocol, part)
                        : ipv4_packet(client, t.address, t.protocol, part,
                                      {.id = static_cast<uint16_t>(id),
                                       .fragment_field = static_cast<uint16_t>(offset / 8 | (more ? 0x2000 : 0))});
    shots.push_back(shot_of(ip, addresses_of(client, t), i > 0));
  }
  if (random_.one_in(10)) shots.erase(shots.begin());  // it never comes
  if (random_.one_in(3)) std::swap(shots.front(), shots.back());
  pending_.insert(pending_.begin(), shots.rbegin(), shots.rend());  // taken from the back
}

Shot Traffic::noise() {
  Shot shot;
  shot.hash = random_.below(1000);
  Bytes& frame = shot.arrival.bytes;
  frame.resize(1 + random_.below(120));
  for (auto& byte : frame) byte = static_cast<uint8_t>(random_.below(256));
  if (frame.size() >= 14) {
    if (random_.one_in(2)) std::copy_n(mac("02:00:00:00:00:a0").bytes.begin(), 6, frame.begin());
    frame[12] = random_.of<uint8_t>({0x08, 0x86, 0x81});
    frame[13] = random_.of<uint8_t>({0, 6, 0xdd});
  }
  shot.arrival.first_segment = frame.size();
  return shot;
}

Shot Traffic::next(bool may_hold) {
  if (!pending_.empty() && random_.one_in(2)) {
    Shot shot = pending_.back();
    pending_.pop_back();
    return shot;
  }
  if (may_hold && pending_.size() < 8 && random_.one_in(10)) begin_datagram();
  if (random_.one_in(30)) return noise();
  return random_.one_in(9) ? icmp_error() : flow_packet();
}

}  // namespace lbdp::model
