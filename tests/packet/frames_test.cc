// SPDX-License-Identifier: BSD-2-Clause
// The tests' own frames, against DPDK's checksum functions and the RFCs' examples.
#include "tests/packet/support/frames.h"

#include <gtest/gtest.h>
#include <rte_ip.h>

#include <cstring>

namespace lbdp::packet_tests {
namespace {

template <class Header>
Header header_of(const Bytes& packet) {
  Header header;
  std::memcpy(&header, packet.data(), sizeof header);
  return header;
}

// The transport checksum of a packet, taken out of it, host order.
uint16_t take_checksum(Bytes& packet, size_t at) {
  const auto sum = static_cast<uint16_t>(packet[at] << 8 | packet[at + 1]);
  packet[at] = packet[at + 1] = 0;
  return sum;
}
size_t checksum_place(uint8_t protocol) {
  return protocol == kTcp ? 16 : 6;
}

TEST(Frames, Ipv4ChecksumsAreWhatDpdkSays) {
  Frame f = tcp("10.1.2.3", 1234, kSyn);
  for (const char* payload : {"", "a", "ab", "abc"}) {
    f.payload = payload;
    for (const uint8_t protocol : {kTcp, kUdp}) {
      f.protocol = protocol;
      Bytes packet = f.ip_packet();
      const auto ip = header_of<rte_ipv4_hdr>(packet);
      const uint16_t sum = take_checksum(packet, 20 + checksum_place(protocol));
      EXPECT_EQ(rte_ipv4_cksum(&ip), 0) << "over itself";
      EXPECT_EQ(be16toh(rte_ipv4_udptcp_cksum(&ip, packet.data() + 20)), sum) << int{protocol} << payload;
      EXPECT_EQ(be16toh(ip.total_length), packet.size());
    }
  }
}

TEST(Frames, Ipv6ChecksumsAreWhatDpdkSays) {
  Frame f = tcp("2001:db8::1", 1234, kSyn);
  for (const char* payload : {"", "a", "ab", "abc"}) {
    f.payload = payload;
    for (const uint8_t protocol : {kTcp, kUdp}) {
      f.protocol = protocol;
      Bytes packet = f.ip_packet();
      const auto ip = header_of<rte_ipv6_hdr>(packet);
      const uint16_t sum = take_checksum(packet, 40 + checksum_place(protocol));
      EXPECT_EQ(be16toh(rte_ipv6_udptcp_cksum(&ip, packet.data() + 40)), sum) << int{protocol} << payload;
      EXPECT_EQ(be16toh(ip.payload_len) + 40U, packet.size());
    }
  }
}

TEST(Frames, IcmpChecksumsMakeTheSumZero) {
  const Frame v4 = icmp_error("10.9.9.9", 3, 4, answer_to(tcp("10.0.0.1", 1, kAck)));
  const Bytes message = v4.datagram();
  EXPECT_EQ(checksum(message.data(), message.size()), 0);

  const Frame v6 = icmp_error("2001:db8::9", 2, 0, answer_to(udp("2001:db8::1", 1)));
  Bytes packet = v6.ip_packet();
  packet[4] = packet[5] = 0;  // next header, length and hop limit make room for the pseudo-header's sum
  packet[6] = packet[7] = 0;
  packet[0] = packet[1] = packet[2] = packet[3] = 0;
  EXPECT_EQ(checksum(packet.data(), packet.size(), static_cast<uint32_t>(packet.size() - 40) + kIcmp6), 0);
}

// RFC 3720, B.4, and the check value of every catalogue of CRCs.
TEST(Frames, Crc32cIsTheRfcs) {
  const std::string digits = "123456789";
  EXPECT_EQ(crc32c(reinterpret_cast<const uint8_t*>(digits.data()), digits.size()), 0xe3069283U);
  const Bytes zeros(32);
  EXPECT_EQ(crc32c(zeros.data(), zeros.size()), 0x8a9136aaU);
}

TEST(Frames, FragmentsMakeTheDatagramAgain) {
  for (const char* client : {"10.0.0.1", "2001:db8::1"}) {
    Frame f = udp(client, 7);
    f.payload = std::string(3000, 'x');
    f.payload[2000] = 'y';
    const auto parts = fragments_of(f, 1024);
    ASSERT_EQ(parts.size(), 3U);
    const size_t headers = f.is_v6() ? 48 : 20;
    Bytes together;
    for (const Frame& part : parts) {
      const Bytes packet = part.ip_packet();
      together.insert(together.end(), packet.begin() + static_cast<std::ptrdiff_t>(headers), packet.end());
    }
    EXPECT_EQ(hex(together), hex(f.datagram()));
  }
}

TEST(Frames, ExtensionHeadersFormAChain) {
  Frame f = udp("2001:db8::1", 0x1234);
  f.extensions = {{kHopByHop, Bytes(7)}, {kRouting, {}}};
  f.inner_extensions = {{kDestinationOptions, {}}};
  f.id = 0xa1b2c3d4;
  f.piece = {0, 16, true};
  const Bytes packet = f.ip_packet();
  EXPECT_EQ(packet[6], kHopByHop);
  EXPECT_EQ(hex(Bytes(packet.begin() + 40, packet.end())),
            "2b 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "  // hop by hop, then routing
            "2c 00 00 00 00 00 00 00 "                          // routing, then a fragment header
            "3c 00 00 01 a1 b2 c3 d4 "                          // fragment: offset 0, more
            "11 00 00 00 00 00 00 00 "                          // destination options, then UDP
            "12 34 00 35 00 08 " +
                hex(Bytes(packet.end() - 2, packet.end())));
}

}  // namespace
}  // namespace lbdp::packet_tests
