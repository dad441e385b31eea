// SPDX-License-Identifier: BSD-2-Clause
#include "tests/packet/support/frames.h"

#include <arpa/inet.h>

#include <cstring>

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
void put(Bytes& out, const void* data, size_t length) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  out.insert(out.end(), bytes, bytes + length);
}
void put_ip(Bytes& out, const std::string& address) {
  in_addr parsed{};
  inet_pton(AF_INET, address.c_str(), &parsed);
  put(out, &parsed, 4);
}

Bytes transport(const Frame& f) {
  Bytes out;
  if (f.protocol == 6 || f.protocol == 17) {
    put16(out, f.sport);
    put16(out, f.dport);
  }
  if (f.protocol == 6) {
    put(out, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);  // sequence numbers
    out.push_back(0x50);
    out.push_back(f.tcp_flags);
    put(out, "\x20\x00\x00\x00\x00\x00", 6);  // window, checksum, urgent
  } else if (f.protocol == 17) {
    put16(out, static_cast<unsigned>(8 + f.payload.size()));
    put16(out, 0);
  }
  put(out, f.payload.data(), f.payload.size());
  return out;
}

void fill_checksum(const Frame& f, Bytes& l4, const uint8_t* addresses) {
  const size_t at = f.protocol == 6 ? 16 : f.protocol == 17 ? 6 : l4.size();
  if (at + 2 > l4.size()) return;
  uint32_t sum = f.protocol + static_cast<uint32_t>(l4.size());
  for (size_t i = 0; i < 8; i += 2) sum += static_cast<uint32_t>(addresses[i] << 8 | addresses[i + 1]);
  set16(l4, at, checksum(l4.data(), l4.size(), sum));
}

}  // namespace

uint16_t checksum(const uint8_t* data, size_t length, uint32_t initial) {
  uint32_t sum = initial;
  for (size_t i = 0; i < length; ++i) sum += i % 2 == 0 ? static_cast<uint32_t>(data[i]) << 8 : data[i];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

MacAddress mac(const std::string& text) {
  return MacAddress::parse(text).value();
}

Bytes Frame::bytes() const {
  Bytes l4 = transport(*this);
  Bytes ip;
  const size_t header = 20 + ip_options.size();
  ip.push_back(version_ihl.value_or(static_cast<uint8_t>(0x40 | header / 4)));
  ip.push_back(tos);
  put16(ip, total_length.value_or(static_cast<uint16_t>(header + l4.size())));
  put16(ip, 0x1234);
  put16(ip, fragment_field);
  ip.push_back(ttl);
  ip.push_back(protocol);
  put16(ip, 0);
  put_ip(ip, src);
  put_ip(ip, dst);
  put(ip, ip_options.data(), ip_options.size());
  if (!wrong_checksums) {
    set16(ip, 10, checksum(ip.data(), ip.size()));
    fill_checksum(*this, l4, ip.data() + 12);
  }
  Bytes out;
  put(out, mac(dst_mac).bytes.data(), 6);
  put(out, mac(src_mac).bytes.data(), 6);
  if (vlan_tci) {
    put16(out, 0x8100);
    put16(out, *vlan_tci);
  }
  put16(out, ether_type);
  put(out, ip.data(), ip.size());
  put(out, l4.data(), l4.size());
  if (out.size() < pad_to) out.resize(pad_to, pad_byte);
  if (cut_to) out.resize(*cut_to);
  return out;
}

Frame tcp(const std::string& client, uint16_t port, uint8_t flags) {
  Frame f;
  f.src = client;
  f.sport = port;
  f.tcp_flags = flags;
  return f;
}

Frame udp(const std::string& client, uint16_t port) {
  Frame f;
  f.src = client;
  f.sport = port;
  f.protocol = 17;
  f.dport = 53;
  return f;
}

Bytes ethernet(const std::string& dst_mac, uint16_t ether_type, const Bytes& payload) {
  Bytes out;
  put(out, mac(dst_mac).bytes.data(), 6);
  put(out, mac("02:00:00:00:00:c1").bytes.data(), 6);
  put16(out, ether_type);
  put(out, payload.data(), payload.size());
  if (out.size() < 60) out.resize(60);
  return out;
}

std::string hex(const Bytes& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 3);
  for (const uint8_t byte : bytes) {
    out += {kDigits[byte / 16], kDigits[byte % 16], ' '};
  }
  return out;
}

}  // namespace lbdp::packet_tests
