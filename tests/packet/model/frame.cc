// SPDX-License-Identifier: BSD-2-Clause
#include "tests/packet/model/frame.h"

#include <algorithm>
#include <map>

namespace lbdp::model {
namespace {

using Kind = Reading::Kind;

constexpr unsigned kTcp = 6, kUdp = 17, kSctp = 132, kIcmp = 1, kIcmp6 = 58, kVrrp = 112;

// The first segment's bytes; what is behind it reads as 0.
class Head {
 public:
  explicit Head(const Arrival& arrival) : arrival_(arrival) {}
  [[nodiscard]] unsigned at(size_t i) const { return i < arrival_.first_segment ? arrival_.bytes[i] : 0; }
  [[nodiscard]] unsigned be16(size_t i) const { return at(i) * 256 + at(i + 1); }
  [[nodiscard]] uint32_t be32(size_t i) const { return be16(i) * 65536U + be16(i + 2); }
  [[nodiscard]] std::string text(size_t i, size_t length) const {
    std::string out;
    for (size_t k = 0; k < length; ++k) out += static_cast<char>(at(i + k));
    return out;
  }
  [[nodiscard]] bool has(size_t end) const { return end <= arrival_.first_segment; }
  // Why bytes before `end` cannot be read.
  [[nodiscard]] std::string missing(size_t end) const {
    return end <= arrival_.bytes.size() ? "headers_split" : "truncated";
  }
  [[nodiscard]] size_t frame_size() const { return arrival_.bytes.size(); }

 private:
  const Arrival& arrival_;
};

bool has_ports(unsigned protocol) {
  return protocol == kTcp || protocol == kUdp || protocol == kSctp;
}

Reading drop(Reading r, const std::string& reason) {
  r.kind = Kind::kDrop;
  r.word = reason;
  return r;
}
Reading punt(Reading r, const std::string& punt_class) {
  r.kind = Kind::kPunt;
  r.word = punt_class;
  return r;
}

std::string tcp_event(unsigned flags) {
  const bool fin = flags & 1, syn = flags & 2, rst = flags & 4, ack = flags & 16;
  return rst ? "rst" : syn ? "syn" : fin ? "fin" : ack ? "ack" : "none";
}

// RFC 9260, section 3.2; what has no part in IPVS's table is like data.
std::string chunk_name(unsigned type) {
  static const std::map<unsigned, std::string> kNames{
      {1, "INIT"},  {2, "INIT ACK"},     {6, "ABORT"},       {7, "SHUTDOWN"},          {8, "SHUTDOWN ACK"},
      {9, "ERROR"}, {10, "COOKIE ECHO"}, {11, "COOKIE ACK"}, {14, "SHUTDOWN COMPLETE"}};
  const auto known = kNames.find(type);
  return known == kNames.end() ? "DATA" : known->second;
}

std::string sctp_event(const Head& head, size_t l4, size_t end) {
  const auto chunk = [&](size_t at) -> std::string {
    return at + 4 <= end && head.has(at + 4) ? chunk_name(head.at(at)) : "DATA";
  };
  const std::string first = chunk(l4 + 12);
  if (first != "COOKIE ECHO" && first != "COOKIE ACK") return first;
  const size_t length = head.be16(l4 + 14);
  return length >= 4 && chunk(l4 + 12 + (length + 3) / 4 * 4) == "ABORT" ? "ABORT" : first;
}

Reading read_transport(const Head& head, Reading r, size_t end) {
  const size_t header = r.protocol == kTcp ? 20 : r.protocol == kUdp ? 8 : 12;
  if (r.l4 + header > end) return drop(r, "truncated");
  if (!head.has(r.l4 + header)) return drop(r, head.missing(r.l4 + header));
  r.source_port = head.be16(r.l4);
  r.destination_port = head.be16(r.l4 + 2);
  if (!r.to_our_mac) return punt(r, punt_class_of_ports(r.protocol, r.source_port, r.destination_port));
  r.kind = Kind::kFlow;
  if (r.protocol == kTcp) {
    r.event = tcp_event(head.at(r.l4 + 13));
    r.opens = (head.at(r.l4 + 13) & 0x17) == 0x02;  // SYN, and none of ACK, RST, FIN
  } else if (r.protocol == kSctp) {
    r.event = sctp_event(head, r.l4, end);
    r.opens = r.event == "INIT";
  } else {
    r.opens = true;
  }
  return r;
}

Reading read_icmp(const Head& head, Reading r) {
  const unsigned type = head.at(r.l4);
  if (r.v6 && type >= 133 && type <= 137) return punt(r, "control");
  const bool error = r.v6 ? type >= 1 && type <= 4 : type == 3 || type == 4 || type == 11;
  if (!error || !r.to_our_mac) return punt(r, "bulk");
  r.kind = Kind::kIcmpError;
  return r;
}

Reading read_payload(const Head& head, Reading r, size_t end, bool later_fragment) {
  if (r.protocol == kVrrp) return punt(r, "vrrp");
  if (later_fragment) {
    // What an extension header of the cut part leads to, only the first fragment tells.
    const bool extension = r.protocol == 0 || r.protocol == 43 || r.protocol == 51 || r.protocol == 60;
    if (!r.to_our_mac || !(has_ports(r.protocol) || (r.v6 && extension))) return punt(r, "bulk");
    r.kind = Kind::kFragment;
    return r;
  }
  if (has_ports(r.protocol)) return read_transport(head, r, end);
  const bool whole = !r.first_fragment;
  if (whole && r.protocol == (r.v6 ? kIcmp6 : kIcmp) && r.l4 < end) return read_icmp(head, r);
  return punt(r, "bulk");
}

Reading read_ipv4(const Head& head, Reading r) {
  if (!head.has(r.l3 + 20)) return drop(r, head.missing(r.l3 + 20));
  const size_t header = head.at(r.l3) % 16 * 4;
  if (head.at(r.l3) / 16 != 4 || header < 20) return drop(r, "bad_ip_header");
  if (!head.has(r.l3 + header)) return drop(r, head.missing(r.l3 + header));
  r.ip_length = head.be16(r.l3 + 2);
  if (r.ip_length < header || r.l3 + r.ip_length > head.frame_size()) return drop(r, "bad_ip_length");
  r.is_ip = true;
  r.protocol = head.at(r.l3 + 9);
  r.source = head.text(r.l3 + 12, 4);
  r.destination = head.text(r.l3 + 16, 4);
  r.l4 = r.l3 + header;
  const unsigned field = head.be16(r.l3 + 6);
  const bool later = field % 0x2000 != 0, more = (field & 0x2000) != 0;
  r.dont_fragment = (field & 0x4000) != 0;
  r.first_fragment = more && !later;
  r.fragment_id = head.be16(r.l3 + 4);
  return read_payload(head, r, r.l3 + r.ip_length, later);
}

// Up to eight extension headers (RFC 8200), then what they lead to.
Reading read_extensions(const Head& head, Reading r, size_t end) {
  for (int count = 0;; ++count) {
    const unsigned type = r.protocol;
    const bool options = type == 0 || type == 43 || type == 60;
    if (!options && type != 44 && type != 51) return read_payload(head, r, end, false);
    if (r.l4 + 8 > end) return drop(r, "truncated");
    if (!head.has(r.l4 + 8)) return drop(r, head.missing(r.l4 + 8));
    const size_t units = head.at(r.l4 + 1);
    const size_t length = options ? (units + 1) * 8 : type == 51 ? (units + 2) * 4 : 8;
    const size_t at = r.l4;
    r.protocol = head.at(at);
    if (at + length > end) return drop(r, "truncated");
    r.l4 = at + length;
    if (type == 44) {
      const bool later = head.be16(at + 2) / 8 != 0, more = head.be16(at + 2) % 2 != 0;
      r.first_fragment = more && !later;
      if (later || more) r.fragment_id = head.be32(at + 4);
      if (later) return read_payload(head, r, end, true);
    }
    if (count == 8) return drop(r, "bad_ip_header");
  }
}

Reading read_ipv6(const Head& head, Reading r) {
  if (!head.has(r.l3 + 40)) return drop(r, head.missing(r.l3 + 40));
  if (head.at(r.l3) / 16 != 6) return drop(r, "bad_ip_header");
  r.ip_length = 40 + head.be16(r.l3 + 4);
  if (r.l3 + r.ip_length > head.frame_size()) return drop(r, "bad_ip_length");
  r.is_ip = r.v6 = r.dont_fragment = true;
  r.protocol = head.at(r.l3 + 6);
  r.source = head.text(r.l3 + 8, 16);
  r.destination = head.text(r.l3 + 24, 16);
  r.l4 = r.l3 + 40;
  return read_extensions(head, r, r.l3 + r.ip_length);
}

}  // namespace

std::string punt_class_of_ports(unsigned protocol, unsigned source, unsigned destination) {
  if (protocol == kTcp && (source == 179 || destination == 179)) return "control";  // BGP
  const bool bfd = destination == 3784 || destination == 3785 || destination == 4784;
  return protocol == kUdp && bfd ? "control" : "bulk";
}

Reading read_frame(const Arrival& arrival, const std::string& our_mac) {
  const Head head(arrival);
  Reading r;
  if (!head.has(14)) return drop(r, head.missing(14));
  r.to_our_mac = head.text(0, 6) == our_mac;
  if (!r.to_our_mac && head.at(0) % 2 == 0) return drop(r, "not_for_us");
  unsigned type = head.be16(12);
  r.l3 = 14;
  if (type == 0x8100) {
    if (!head.has(18)) return drop(r, head.missing(18));
    if (arrival.stripped_tci.value_or(0) % 4096 != 0) return punt(r, "bulk");  // two tags
    type = head.be16(16);
    r.l3 = 18;
  }
  if (type == 0x0806) return punt(r, "control");
  if (type == 0x0800) return read_ipv4(head, r);
  if (type == 0x86dd) return read_ipv6(head, r);
  return punt(r, "bulk");
}

unsigned internet_checksum(const Bytes& bytes) {
  unsigned long sum = 0;
  for (size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? bytes[i] * 256UL : bytes[i];
  while (sum > 0xffff) sum = sum % 0x10000 + sum / 0x10000;
  return static_cast<unsigned>(0xffff - sum);
}

bool icmp_checksum_good(const Bytes& frame, const Reading& r) {
  const size_t end = r.l3 + r.ip_length;
  if (r.l4 + 8 > end) return false;
  Bytes covered;
  if (r.v6) {  // the pseudo-header
    const size_t length = end - r.l4;
    for (const char c : r.source + r.destination) covered.push_back(static_cast<uint8_t>(c));
    for (const size_t byte :
         {length >> 24, length >> 16, length >> 8, length, size_t{0}, size_t{0}, size_t{0}, size_t{58}})
      covered.push_back(static_cast<uint8_t>(byte));
  }
  for (size_t i = r.l4; i < end; ++i) covered.push_back(frame[i]);
  return internet_checksum(covered) == 0;
}

std::optional<Quote> read_quote(const Bytes& frame, const Reading& error) {
  const size_t end = error.l3 + error.ip_length, ip = error.l4 + 8;
  const auto at = [&](size_t i) -> unsigned { return i < end ? frame[i] : 0; };
  const auto text = [&](size_t i, size_t length) {
    std::string out;
    for (size_t k = 0; k < length; ++k) out += static_cast<char>(at(i + k));
    return out;
  };
  if (ip + (error.v6 ? 40 : 20) > end || at(ip) / 16 != (error.v6 ? 6 : 4)) return std::nullopt;
  Quote q;
  size_t l4 = 0;
  if (error.v6) {
    q.virtual_address = text(ip + 8, 16);
    q.client = text(ip + 24, 16);
    q.protocol = at(ip + 6);
    l4 = ip + 40;
    for (int count = 0; q.protocol == 0 || q.protocol == 43 || q.protocol == 44 || q.protocol == 60; ++count) {
      if (count > 8 || l4 + 8 > end) return std::nullopt;
      if (q.protocol == 44 && (at(l4 + 2) != 0 || at(l4 + 3) / 8 != 0)) return std::nullopt;
      if (q.protocol == 43 && at(l4 + 3) != 0) return std::nullopt;
      const size_t length = q.protocol == 44 ? 8 : (at(l4 + 1) + 1) * 8;
      q.protocol = at(l4);
      l4 += length;
    }
  } else {
    q.virtual_address = text(ip + 12, 4);
    q.client = text(ip + 16, 4);
    q.protocol = at(ip + 9);
    if (at(ip) % 16 < 5 || at(ip + 6) % 32 != 0 || at(ip + 7) != 0) return std::nullopt;
    l4 = ip + at(ip) % 16 * 4;
  }
  if (!has_ports(q.protocol) || l4 + 4 > end || q.virtual_address != error.destination) return std::nullopt;
  q.virtual_port = at(l4) * 256 + at(l4 + 1);
  q.client_port = at(l4 + 2) * 256 + at(l4 + 3);
  return q;
}

}  // namespace lbdp::model
