// SPDX-License-Identifier: BSD-2-Clause
#include "tests/packet/support/frames.h"

#include <arpa/inet.h>

#include <algorithm>

namespace lbdp::packet_tests {
namespace {

void put16(Bytes& out, unsigned value) {
  out.push_back(static_cast<uint8_t>(value >> 8));
  out.push_back(static_cast<uint8_t>(value));
}
void put32(Bytes& out, uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xffff);
}
void set16(Bytes& out, size_t at, unsigned value) {
  out[at] = static_cast<uint8_t>(value >> 8);
  out[at + 1] = static_cast<uint8_t>(value);
}
void put(Bytes& out, const void* data, size_t length) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  out.insert(out.end(), bytes, bytes + length);
}
void put(Bytes& out, const Bytes& bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}
Bytes address(const std::string& text) {
  const bool v6 = text.find(':') != std::string::npos;
  Bytes out(v6 ? 16 : 4);
  inet_pton(v6 ? AF_INET6 : AF_INET, text.c_str(), out.data());
  return out;
}

// Each header names the next one's type; the last one names `after`.
void put_extensions(Bytes& out, const std::vector<Extension>& extensions, uint8_t after) {
  for (size_t i = 0; i < extensions.size(); ++i) {
    const Extension& e = extensions[i];
    const size_t unit = e.type == kAuthentication ? 4 : 8, begin = out.size();
    out.push_back(i + 1 < extensions.size() ? extensions[i + 1].type : after);
    out.push_back(0);
    put(out, e.body);
    while ((out.size() - begin) % unit != 0 || out.size() - begin < 8) out.push_back(0);
    out[begin + 1] = static_cast<uint8_t>((out.size() - begin) / unit - (e.type == kAuthentication ? 2 : 1));
  }
}

Bytes transport(const Frame& f) {
  Bytes out;
  if (f.protocol == kTcp || f.protocol == kUdp || f.protocol == kSctp) {
    put16(out, f.sport);
    put16(out, f.dport);
  }
  if (f.protocol == kTcp) {
    put(out, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);  // sequence numbers
    out.push_back(0x50);
    out.push_back(f.tcp_flags);
    put(out, "\x20\x00\x00\x00\x00\x00", 6);  // window, checksum, urgent
  } else if (f.protocol == kUdp) {
    put16(out, static_cast<unsigned>(8 + f.payload.size()));
    put16(out, 0);
  } else if (f.protocol == kSctp) {
    put(out, "\x0a\x0b\x0c\x0d\x00\x00\x00\x00", 8);  // verification tag, checksum
  }
  put(out, f.payload.data(), f.payload.size());
  return out;
}

// RFC 9293, 768, 792, 4443 and 8200, section 8.1.
void fill_checksum(const Frame& f, Bytes& l4) {
  if (f.protocol == kSctp && l4.size() >= 12) {
    const uint32_t crc = crc32c(l4.data(), l4.size());
    for (size_t i = 0; i < 4; ++i) l4[8 + i] = static_cast<uint8_t>(crc >> (8 * i));
    return;
  }
  const bool icmp = f.protocol == (f.is_v6() ? kIcmp6 : kIcmp);
  const size_t at = f.protocol == kTcp ? 16 : f.protocol == kUdp ? 6 : icmp ? 2 : l4.size();
  if (at + 2 > l4.size()) return;
  set16(l4, at, 0);
  Bytes pseudo;
  if (!icmp || f.is_v6()) {
    put(pseudo, address(f.src));
    put(pseudo, address(f.dst));
    put32(pseudo, static_cast<uint32_t>(l4.size()));
    put32(pseudo, f.protocol);
  }
  put(pseudo, l4);
  const uint16_t sum = checksum(pseudo.data(), pseudo.size());
  set16(l4, at, sum == 0 && f.protocol == kUdp ? 0xffff : sum);
}

Bytes ipv4_header(const Frame& f, size_t payload) {
  Bytes ip;
  const size_t header = 20 + f.ip_options.size();
  ip.push_back(f.version_ihl.value_or(static_cast<uint8_t>(0x40 | header / 4)));
  ip.push_back(f.tos);
  put16(ip, f.total_length.value_or(static_cast<uint16_t>(header + payload)));
  put16(ip, f.id & 0xffff);
  const size_t piece = f.piece ? f.piece->offset / 8 | (f.piece->more ? 0x2000U : 0U) : 0;
  put16(ip, static_cast<unsigned>(f.fragment_field | piece));
  ip.push_back(f.ttl);
  ip.push_back(f.protocol);
  put16(ip, 0);
  put(ip, address(f.src));
  put(ip, address(f.dst));
  put(ip, f.ip_options);
  if (!f.wrong_checksums) set16(ip, 10, checksum(ip.data(), ip.size()));
  return ip;
}

// The header and all that stands between it and the datagram.
Bytes ipv6_headers(const Frame& f, size_t payload) {
  const uint8_t inner = f.inner_extensions.empty() ? f.protocol : f.inner_extensions.front().type;
  const uint8_t after = f.piece ? kFragmentHeader : inner;
  Bytes more;
  put_extensions(more, f.extensions, after);
  if (f.piece) {
    more.push_back(inner);
    more.push_back(0);
    put16(more, static_cast<unsigned>(f.piece->offset | (f.piece->more ? 1U : 0U)));
    put32(more, f.id);
  }
  Bytes ip{f.version_ihl.value_or(static_cast<uint8_t>(0x60 | f.tos >> 4)), static_cast<uint8_t>(f.tos << 4), 0, 0};
  put16(ip, f.total_length.value_or(static_cast<uint16_t>(more.size() + payload)));
  ip.push_back(f.extensions.empty() ? after : f.extensions.front().type);
  ip.push_back(f.ttl);
  put(ip, address(f.src));
  put(ip, address(f.dst));
  put(ip, more);
  return ip;
}

}  // namespace

MacAddress mac(const std::string& text) {
  return MacAddress::parse(text).value();
}

Bytes Frame::datagram() const {
  Bytes l4 = transport(*this);
  if (!wrong_checksums) fill_checksum(*this, l4);
  Bytes out;
  put_extensions(out, inner_extensions, protocol);
  put(out, l4);
  return out;
}

Bytes Frame::ip_packet() const {
  Bytes payload_bytes = datagram();
  if (piece) {
    const auto begin = payload_bytes.begin() + static_cast<std::ptrdiff_t>(piece->offset);
    payload_bytes = Bytes(begin, begin + static_cast<std::ptrdiff_t>(piece->length));
  }
  Bytes out = is_v6() ? ipv6_headers(*this, payload_bytes.size()) : ipv4_header(*this, payload_bytes.size());
  put(out, payload_bytes);
  return out;
}

Bytes Frame::bytes() const {
  Bytes out;
  put(out, mac(dst_mac).bytes.data(), 6);
  put(out, mac(src_mac).bytes.data(), 6);
  if (vlan_tci) {
    put16(out, 0x8100);
    put16(out, *vlan_tci);
  }
  put16(out, ether_type.value_or(is_v6() ? 0x86dd : 0x0800));
  put(out, ip_packet());
  if (out.size() < pad_to) out.resize(pad_to, pad_byte);
  if (cut_to) out.resize(*cut_to);
  return out;
}

Frame tcp(const std::string& client, uint16_t port, uint8_t flags) {
  Frame f;
  f.src = client;
  f.sport = port;
  f.tcp_flags = flags;
  if (f.is_v6()) f.dst = "2001:db8::10";
  return f;
}

Frame udp(const std::string& client, uint16_t port) {
  Frame f = tcp(client, port, 0);
  f.protocol = kUdp;
  f.dport = 53;
  return f;
}

Frame sctp(const std::string& client, uint16_t port, uint8_t chunk_type) {
  Frame f = tcp(client, port, 0);
  f.protocol = kSctp;
  f.dport = 3868;
  f.payload = std::string(1, static_cast<char>(chunk_type)) + std::string("\x00\x00\x14", 3) + std::string(16, 'c');
  return f;
}

std::vector<Frame> fragments_of(const Frame& frame, size_t bytes) {
  const size_t total = frame.datagram().size();
  std::vector<Frame> out;
  for (size_t at = 0; at < total; at += bytes) {
    out.push_back(frame);
    out.back().piece = {at, std::min(bytes, total - at), at + bytes < total};
  }
  return out;
}

Frame answer_to(const Frame& frame) {
  Frame f = frame;
  std::swap(f.src, f.dst);
  std::swap(f.sport, f.dport);
  f.tcp_flags |= kAck;
  return f;
}

Frame icmp_error(const std::string& router, uint8_t type, uint8_t code, const Frame& about, size_t quoted,
                 uint32_t rest) {
  Frame f;
  f.src = router;
  f.dst = about.src;
  f.protocol = about.is_v6() ? kIcmp6 : kIcmp;
  Bytes message{type, code, 0, 0};
  put32(message, rest);
  Bytes quote = about.ip_packet();
  quote.resize(std::min(quote.size(), quoted));
  put(message, quote);
  f.payload = std::string(message.begin(), message.end());
  return f;
}

Bytes ethernet(const std::string& dst_mac, uint16_t ether_type, const Bytes& payload) {
  Bytes out;
  put(out, mac(dst_mac).bytes.data(), 6);
  put(out, mac("02:00:00:00:00:c1").bytes.data(), 6);
  put16(out, ether_type);
  put(out, payload);
  if (out.size() < 60) out.resize(60);
  return out;
}

Bytes with_tag(const Bytes& frame, uint16_t tci) {
  Bytes out = frame;
  const Bytes tag{0x81, 0x00, static_cast<uint8_t>(tci >> 8), static_cast<uint8_t>(tci)};
  out.insert(out.begin() + 12, tag.begin(), tag.end());
  return out;
}

Bytes without_tag(const Bytes& frame) {
  Bytes out = frame;
  out.erase(out.begin() + 12, out.begin() + 16);
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
