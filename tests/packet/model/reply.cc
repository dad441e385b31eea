// SPDX-License-Identifier: BSD-2-Clause
#include "tests/packet/model/reply.h"

#include <algorithm>
#include <iterator>

namespace lbdp::model {
namespace {

void put(Bytes& out, const std::string& bytes) {
  for (const char c : bytes) out.push_back(static_cast<uint8_t>(c));
}
void put16(Bytes& out, size_t value) {
  out.push_back(static_cast<uint8_t>(value >> 8));
  out.push_back(static_cast<uint8_t>(value));
}
void set16(Bytes& out, size_t at, size_t value) {
  out[at] = static_cast<uint8_t>(value >> 8);
  out[at + 1] = static_cast<uint8_t>(value);
}

bool names_one_host(const Address& address) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(address[i]); };
  if (address.size() == 4) return byte(0) != 0 && byte(0) != 127 && byte(0) < 224;
  const bool zeros = address.substr(0, 8) == std::string(8, '\0');
  const std::string third = address.substr(8, 4);
  const bool special = zeros && (third == std::string(4, '\0') || third == std::string("\0\0\xff\xff", 4));
  return byte(0) != 0xff && !special;
}

bool may_be_answered(const Arrival& about, const Reading& r, std::optional<unsigned> mtu) {
  const bool from_a_station = r.to_our_mac && about.bytes[6] % 2 == 0;
  if (!from_a_station || !names_one_host(r.source) || !names_one_host(r.destination)) return false;
  if (r.kind == Reading::Kind::kFragment || r.kind == Reading::Kind::kIcmpError) return false;
  return !mtu || r.dont_fragment;
}

Bytes icmp_message(const Reading& r, std::optional<unsigned> mtu, const Bytes& quote) {
  Bytes icmp(8, 0);
  icmp[0] = r.v6 ? (mtu ? 2 : 1) : 3;
  icmp[1] = r.v6 ? (mtu ? 0 : 4) : (mtu ? 4 : 3);
  if (mtu) set16(icmp, 6, std::max(*mtu, r.v6 ? 1280U : 68U));
  icmp.insert(icmp.end(), quote.begin(), quote.end());
  return icmp;
}

Bytes ip_header(const Reading& r, size_t payload) {
  Bytes ip;
  if (r.v6) {
    put(ip, std::string("\x60\0\0\0", 4));
    put16(ip, payload);
    put(ip, {58, 64});
  } else {
    put(ip, {0x45, static_cast<char>(0xc0)});
    put16(ip, 20 + payload);
    put(ip, {0, 0, 0x40, 0, 64, 1, 0, 0});
  }
  put(ip, r.destination + r.source);
  if (!r.v6) set16(ip, 10, internet_checksum(ip));
  return ip;
}

}  // namespace

std::optional<Bytes> icmp_reply(const Arrival& about, const Reading& r, const std::string& our_mac,
                                std::optional<unsigned> mtu) {
  if (!may_be_answered(about, r, mtu)) return std::nullopt;
  const Bytes& in = about.bytes;
  // As much of the packet as keeps the answer within 576 bytes, or 1280, and as lies in the first segment.
  const size_t room = r.v6 ? 1280 - 48 : 576 - 28;
  const size_t quoted = std::min({r.ip_length, room, about.first_segment - r.l3});
  const auto quote_begin = in.begin() + static_cast<std::ptrdiff_t>(r.l3);
  Bytes icmp = icmp_message(r, mtu, {quote_begin, quote_begin + static_cast<std::ptrdiff_t>(quoted)});
  Bytes covered;
  if (r.v6) {
    put(covered, r.destination + r.source);
    put16(covered, 0);
    put16(covered, icmp.size());
    put16(covered, 0);
    put16(covered, 58);
  }
  covered.insert(covered.end(), icmp.begin(), icmp.end());
  set16(icmp, 2, internet_checksum(covered));

  Bytes out(in.begin() + 6, in.begin() + 12);
  put(out, our_mac);
  const bool tagged = r.l3 == 18 && (in[14] % 16 != 0 || in[15] != 0);
  // A tag that names a VLAN comes back whole, its priority too.
  const unsigned tci = about.stripped_tci.value_or(0), stripped = tci % 4096 != 0 ? tci : 0;
  if (tagged) out.insert(out.end(), in.begin() + 12, in.begin() + 16);
  if (stripped != 0) {
    put16(out, 0x8100);
    put16(out, stripped);
  }
  put16(out, r.v6 ? 0x86dd : 0x0800);
  const Bytes ip = ip_header(r, icmp.size());
  out.insert(out.end(), ip.begin(), ip.end());
  out.insert(out.end(), icmp.begin(), icmp.end());
  return out;
}

std::optional<Bytes> sent_frame(const Arrival& arrival, const std::string& destination_mac,
                                const std::string& source_mac, unsigned vlan) {
  const Bytes& in = arrival.bytes;
  const bool tagged = in[12] == 0x81 && in[13] == 0x00;
  const unsigned id_before = tagged ? in[14] % 16 * 256U + in[15] : 0;
  Bytes out;
  put(out, destination_mac + source_mac);
  size_t rest = 12;
  if (vlan != 0) {
    // The priority stays, whether it comes in the frame's tag or in the one that the driver took out.
    const unsigned priority = tagged ? in[14] / 16U : arrival.stripped_tci.value_or(0) / 4096U;
    if (!tagged && arrival.no_headroom) return std::nullopt;
    put16(out, 0x8100);
    put16(out, priority * 4096 + vlan);
    rest = tagged ? 16 : 12;
  } else if (id_before != 0) {
    rest = 16;
  }
  out.insert(out.end(), in.begin() + static_cast<std::ptrdiff_t>(rest), in.end());
  return out;
}

std::vector<Bytes> pieces_of(const Bytes& frame, size_t mtu) {
  const size_t l3 = frame[12] == 0x81 && frame[13] == 0 ? 18 : 14, header = frame[l3] % 16 * 4U;
  const size_t length = frame[l3 + 2] * 256U + frame[l3 + 3], room = std::min<size_t>(mtu, 2048 - l3);
  const auto at = [&](size_t offset) { return frame.begin() + static_cast<std::ptrdiff_t>(offset); };
  if (internet_checksum({at(l3), at(l3 + header)}) != 0) return {};
  Bytes copied;
  for (size_t i = l3 + 20, size = 0; i < l3 + header && frame[i] != 0; i += size) {
    size = frame[i] == 1 ? 1 : i + 1 < l3 + header ? frame[i + 1] : 0;
    if (size == 0 || (frame[i] != 1 && size < 2) || i + size > l3 + header) break;
    if (frame[i] >= 128) copied.insert(copied.end(), at(i), at(i + size));
  }
  while (copied.size() % 4 != 0) copied.push_back(0);
  const size_t flags_and_offset = frame[l3 + 6] * 256U + frame[l3 + 7], payload = length - header;
  if (flags_and_offset % 0x2000 + payload / 8 > 0x1fff) return {};
  std::vector<Bytes> out;
  for (size_t done = 0; done < payload;) {
    const size_t own_header = done == 0 ? header : 20 + copied.size();
    const size_t most = room > own_header ? (room - own_header) / 8 * 8 : 0;
    if (most == 0 || out.size() == 64) return {};
    const size_t take = std::min(most, payload - done);
    Bytes ip(at(l3), at(l3 + 20));
    if (done == 0) {
      std::copy(at(l3 + 20), at(l3 + header), std::back_inserter(ip));
    } else {
      std::ranges::copy(copied, std::back_inserter(ip));
    }
    ip[0] = static_cast<uint8_t>(0x40 + own_header / 4);
    set16(ip, 2, own_header + take);
    set16(ip, 6,
          flags_and_offset + done / 8 + (done + take < payload && flags_and_offset / 0x2000 % 2 == 0 ? 0x2000 : 0));
    set16(ip, 10, 0);
    set16(ip, 10, internet_checksum(ip));
    Bytes piece(frame.begin(), at(l3));
    piece.insert(piece.end(), ip.begin(), ip.end());
    piece.insert(piece.end(), at(l3 + header + done), at(l3 + header + done + take));
    piece.resize(std::max<size_t>(piece.size(), 60));  // Ethernet's minimum, without FCS
    out.push_back(piece);
    done += take;
  }
  return out;
}

}  // namespace lbdp::model
