// SPDX-License-Identifier: BSD-2-Clause
#include "tests/packet/support/packets.h"

#include "config/types/ip_address.h"

namespace lbdp::packet_tests {
namespace {

void put16(Bytes& out, unsigned value) {
  out.push_back(static_cast<uint8_t>(value >> 8));
  out.push_back(static_cast<uint8_t>(value));
}
void set16(Bytes& out, size_t at, unsigned value) {
  out[at] = static_cast<uint8_t>(value >> 8);
  out[at + 1] = static_cast<uint8_t>(value);
}
void put(Bytes& out, const Bytes& more) {
  for (const uint8_t byte : more) out.push_back(byte);  // g++ 12 sees a write out of bounds in insert()
}
void put_address(Bytes& out, const std::string& text) {
  const IpAddress address = IpAddress::parse(text).value();
  out.insert(out.end(), address.bytes().begin(), address.bytes().end());
}
void put_mac(Bytes& out, const std::string& text) {
  const auto bytes = mac(text).bytes;
  out.insert(out.end(), bytes.begin(), bytes.end());
}

}  // namespace

Bytes ipv4_packet(const std::string& source, const std::string& destination, uint8_t protocol, const Bytes& payload,
                  const Ipv4Fields& fields) {
  Bytes ip;
  const size_t header = 20 + fields.options.size();
  ip.push_back(static_cast<uint8_t>(0x40 | header / 4));
  ip.push_back(0);
  put16(ip, static_cast<unsigned>(header + payload.size()));
  put16(ip, fields.id);
  put16(ip, fields.fragment_field);
  ip.push_back(64);
  ip.push_back(protocol);
  put16(ip, 0);
  put_address(ip, source);
  put_address(ip, destination);
  put(ip, fields.options);
  set16(ip, 10, checksum(ip.data(), ip.size()));
  put(ip, payload);
  return ip;
}

ExtensionHeader padding_header(uint8_t type, unsigned units) {
  Bytes body(8 * units - 1, 0);
  body[0] = static_cast<uint8_t>(units - 1);
  return {type, body};
}

ExtensionHeader fragment_header(uint32_t id, unsigned offset, bool more) {
  Bytes body{0};
  put16(body, offset | (more ? 1 : 0));
  put16(body, id >> 16);
  put16(body, id & 0xffff);
  return {44, body};
}

Bytes ipv6_packet(const std::string& source, const std::string& destination,
                  const std::vector<ExtensionHeader>& extensions, uint8_t protocol, const Bytes& payload) {
  Bytes behind;
  for (size_t i = 0; i < extensions.size(); ++i) {
    behind.push_back(i + 1 < extensions.size() ? extensions[i + 1].type : protocol);
    put(behind, extensions[i].body);
  }
  put(behind, payload);
  Bytes ip{0x60, 0, 0, 0};
  put16(ip, static_cast<unsigned>(behind.size()));
  ip.push_back(extensions.empty() ? protocol : extensions[0].type);
  ip.push_back(64);
  put_address(ip, source);
  put_address(ip, destination);
  put(ip, behind);
  return ip;
}

Bytes tcp_segment(uint16_t source_port, uint16_t destination_port, uint8_t flags, size_t payload) {
  Bytes out;
  put16(out, source_port);
  put16(out, destination_port);
  put(out, {1, 2, 3, 4, 5, 6, 7, 8, 0x50, flags, 0x20, 0, 0, 0, 0, 0});
  out.resize(out.size() + payload, 'p');
  return out;
}

Bytes udp_datagram(uint16_t source_port, uint16_t destination_port, size_t payload) {
  Bytes out;
  put16(out, source_port);
  put16(out, destination_port);
  put16(out, static_cast<unsigned>(8 + payload));
  put16(out, 0);
  out.resize(out.size() + payload, 'p');
  return out;
}

Bytes sctp_packet(uint16_t source_port, uint16_t destination_port, const Bytes& chunk_types) {
  Bytes out;
  put16(out, source_port);
  put16(out, destination_port);
  put(out, {1, 2, 3, 4, 0, 0, 0, 0});  // verification tag, checksum
  for (const uint8_t type : chunk_types) put(out, {type, 0, 0, 4});
  return out;
}

Bytes icmp_error(uint8_t type, uint8_t code, const Bytes& quote) {
  Bytes out{type, code, 0, 0, 0, 0, 0, 0};
  put(out, quote);
  set16(out, 2, checksum(out.data(), out.size()));
  return out;
}

Bytes icmp6_error(const std::string& source, const std::string& destination, uint8_t type, uint8_t code,
                  const Bytes& quote) {
  Bytes out = icmp_error(type, code, quote);
  set16(out, 2, 0);
  Bytes pseudo;
  put_address(pseudo, source);
  put_address(pseudo, destination);
  put16(pseudo, 0);
  put16(pseudo, static_cast<unsigned>(out.size()));
  put16(pseudo, 0);
  put16(pseudo, 58);
  put(pseudo, out);
  set16(out, 2, checksum(pseudo.data(), pseudo.size()));
  return out;
}

Bytes frame_of(const Bytes& ip_packet, const EthernetFields& fields) {
  Bytes out;
  put_mac(out, fields.destination);
  put_mac(out, fields.source);
  for (const uint16_t tag : fields.tags) {
    put16(out, 0x8100);
    put16(out, tag);
  }
  put16(out, !ip_packet.empty() && ip_packet[0] >> 4 == 6 ? 0x86dd : 0x0800);
  put(out, ip_packet);
  if (out.size() < fields.pad_to) out.resize(fields.pad_to, 0);
  return out;
}

}  // namespace lbdp::packet_tests
