// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/packet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace lbdp::vrrp {
namespace {

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

/// A datagram from its first header byte, as the IPv4 socket gives it.
tl::expected<Advertisement, Rejection> decode(std::span<const uint8_t> datagram, const Expectation& expected) {
  const auto message = unwrap_ipv4(datagram);
  if (!message) return tl::unexpected(message.error());
  return vrrp::decode(*message, expected);
}

Expectation reference() {
  Expectation expected;
  expected.auth_pass = "1111";
  expected.multicast_group = ip("224.0.74.18");
  expected.addresses = {ip("172.18.250.99")};
  return expected;
}

OutgoingAdvertisement reference_advertisement() {
  OutgoingAdvertisement out;
  out.source = ip("172.18.250.75");
  out.destination = ip("224.0.74.18");
  out.ip_id = 1;
  out.virtual_router_id = 150;
  out.priority = 100;
  out.auth_pass = "1111";
  out.addresses = {ip("172.18.250.99")};
  return out;
}

/// The reference advertisement as keepalived 2.2.7 sends it with priority 95 from .76; captured with tcpdump.
const std::vector<uint8_t> kFromKeepalived = {0x45, 0xc0, 0x00, 0x28, 0x00, 0x01, 0x00, 0x00, 0xff, 0x70,
                                              0xea, 0x32, 0xac, 0x12, 0xfa, 0x4c, 0xe0, 0x00, 0x4a, 0x12,
                                              0x21, 0x96, 0x5f, 0x01, 0x01, 0x01, 0x75, 0x8e, 0xac, 0x12,
                                              0xfa, 0x63, 0x31, 0x31, 0x31, 0x31, 0x00, 0x00, 0x00, 0x00};

void fix_checksum(std::vector<uint8_t>& datagram) {
  datagram[26] = datagram[27] = 0;
  const uint16_t sum = internet_checksum(std::span(datagram).subspan(20));
  datagram[26] = static_cast<uint8_t>(sum >> 8);
  datagram[27] = static_cast<uint8_t>(sum & 0xff);
}

TEST(Packet, EncodesWhatTheReferenceConfigurationSends) {
  const auto datagram = encode(reference_advertisement());
  const std::vector<uint8_t> wanted = {
      0x45, 0xc0, 0x00, 0x28, 0x00, 0x01, 0x00, 0x00, 0xff, 0x70, 0xea, 0x33,  // tos, length, id, no DF, TTL, protocol
      172,  18,   250,  75,   224,  0,    74,   18,                            // addresses
      0x21, 150,  100,  1,    1,    1,    0x70, 0x8e,                          // VRRP header; checksum as tshark has it
      172,  18,   250,  99,   '1',  '1',  '1',  '1',  0,    0,    0,    0};
  EXPECT_EQ(datagram, wanted);
  EXPECT_EQ(internet_checksum(std::span(datagram).first(20)), 0);
}

TEST(Packet, DecodesKeepalivedsAdvertisement) {
  const auto got = decode(kFromKeepalived, reference());
  ASSERT_TRUE(got) << got.error().detail;
  EXPECT_EQ(got->source, ip("172.18.250.76"));
  EXPECT_EQ(got->virtual_router_id, 150);
  EXPECT_EQ(got->priority, 95);
  EXPECT_EQ(got->advert_int, std::chrono::seconds(1));
  EXPECT_TRUE(got->addresses_match);
}

TEST(Packet, ReadsBackWhatItWrites) {
  for (const size_t addresses : {0u, 1u, 20u, 255u}) {
    for (const bool password : {false, true}) {
      auto out = reference_advertisement();
      auto expected = reference();
      out.addresses.clear();
      for (size_t i = 0; i < addresses; ++i) {
        out.addresses.push_back(IpAddress::v4(Be<uint32_t>::from_host(0x0a000000u + static_cast<uint32_t>(i))));
      }
      expected.addresses = out.addresses;
      if (!password) {
        out.auth_pass.reset();
        expected.auth_pass.reset();
      }
      out.advert_int = expected.advert_int = std::chrono::seconds(7);
      const auto got = decode(encode(out), expected);
      ASSERT_TRUE(got) << addresses << got.error().detail;
      EXPECT_EQ(got->address_count, addresses);
      EXPECT_TRUE(got->addresses_match);
      EXPECT_EQ(got->advert_int, std::chrono::seconds(7));
    }
  }
}

TEST(Packet, NeverAdvertisesMoreAddressesThanTheCountHolds) {
  auto out = reference_advertisement();
  out.addresses.assign(300, ip("192.0.2.1"));
  const auto datagram = encode(out);
  EXPECT_EQ(datagram[23], 255);
  EXPECT_EQ(datagram.size(), 20u + 8 + 255 * 4 + 8);
}

struct Mutation {
  const char* name;
  std::function<void(std::vector<uint8_t>&)> change;
  Reject reason;
  bool fix = true;  // the checksum again after the change
};

class Rejections : public testing::TestWithParam<Mutation> {};

TEST_P(Rejections, NamesTheFirstCheckThatFails) {
  auto datagram = encode(reference_advertisement());
  GetParam().change(datagram);
  if (GetParam().fix && datagram.size() >= 28) fix_checksum(datagram);
  const auto got = decode(datagram, reference());
  ASSERT_FALSE(got);
  EXPECT_EQ(to_string(got.error().reason), to_string(GetParam().reason));
  EXPECT_FALSE(got.error().detail.empty());
  EXPECT_EQ(got.error().detail.find("1111"), std::string::npos) << "the password does not belong into a log";
}

const Mutation kMutations[] = {
    {"empty", [](auto& d) { d.clear(); }, Reject::kMalformedIp},
    {"half_an_ip_header", [](auto& d) { d.resize(10); }, Reject::kMalformedIp},
    {"ipv6", [](auto& d) { d[0] = 0x65; }, Reject::kMalformedIp},
    {"header_length_4", [](auto& d) { d[0] = 0x41; }, Reject::kMalformedIp},
    {"header_longer_than_datagram", [](auto& d) { d[0] = 0x4f; }, Reject::kMalformedIp},
    {"total_length_beyond_the_end", [](auto& d) { d[3] = 41; }, Reject::kMalformedIp},
    {"total_length_zero", [](auto& d) { d[3] = 0; }, Reject::kMalformedIp},
    {"more_fragments", [](auto& d) { d[6] = 0x20; }, Reject::kMalformedIp},
    {"fragment_offset", [](auto& d) { d[7] = 1; }, Reject::kMalformedIp},
    {"another_protocol", [](auto& d) { d[9] = 17; }, Reject::kMalformedIp},
    {"ah", [](auto& d) { d[9] = 51; }, Reject::kAhHeader},
    {"ah_before_ttl", [](auto& d) { d[9] = 51, d[8] = 1; }, Reject::kAhHeader},
    {"no_vrrp_header", [](auto& d) { d.resize(27), d[3] = 27; }, Reject::kBadLength},
    {"count_too_high", [](auto& d) { d[23] = 2; }, Reject::kBadLength},
    {"count_too_low", [](auto& d) { d[23] = 0; }, Reject::kBadLength},
    {"count_255", [](auto& d) { d[23] = 255; }, Reject::kBadLength},
    {"trailing_byte", [](auto& d) { d.push_back(0), d[3] = 41; }, Reject::kBadLength},
    {"no_auth_data", [](auto& d) { d.resize(32), d[3] = 32; }, Reject::kBadLength},
    {"length_before_ttl", [](auto& d) { d[23] = 2, d[8] = 64; }, Reject::kBadLength},
    {"ttl_254", [](auto& d) { d[8] = 254; }, Reject::kBadTtl},
    {"ttl_before_version", [](auto& d) { d[8] = 1, d[20] = 0x41; }, Reject::kBadTtl},
    {"version_1", [](auto& d) { d[20] = 0x11; }, Reject::kBadVersion},
    {"version_3", [](auto& d) { d[20] = 0x31; }, Reject::kBadVersion},
    {"version_3_without_auth_data", [](auto& d) { d[20] = 0x31, d.resize(32), d[3] = 32; }, Reject::kBadVersion},
    {"version_before_auth", [](auto& d) { d[20] = 0x41, d[24] = 0; }, Reject::kBadVersion},
    {"auth_none", [](auto& d) { d[24] = 0; }, Reject::kAuthTypeMismatch},
    {"auth_ah", [](auto& d) { d[24] = 2; }, Reject::kAuthTypeMismatch},
    {"first_byte_of_password", [](auto& d) { d[32] = '2'; }, Reject::kAuthMismatch},
    {"longer_password", [](auto& d) { d[39] = '1'; }, Reject::kAuthMismatch},
    {"password_before_interval", [](auto& d) { d[32] = '2', d[25] = 2; }, Reject::kAuthMismatch},
    {"interval", [](auto& d) { d[25] = 2; }, Reject::kIntervalMismatch},
    {"interval_before_type", [](auto& d) { d[25] = 2, d[20] = 0x22; }, Reject::kIntervalMismatch},
    {"type_2", [](auto& d) { d[20] = 0x22; }, Reject::kBadType},
    {"type_before_checksum", [](auto& d) { d[20] = 0x22; }, Reject::kBadType, false},
    {"checksum", [](auto& d) { d[22] ^= 1; }, Reject::kBadChecksum, false},
    {"checksum_covers_the_addresses", [](auto& d) { d[31] ^= 1; }, Reject::kBadChecksum, false},
    {"checksum_before_group", [](auto& d) { d[22] ^= 1, d[19] = 19; }, Reject::kBadChecksum, false},
    {"another_group", [](auto& d) { d[19] = 19; }, Reject::kNotMulticast},
    {"unicast", [](auto& d) { d[16] = 172, d[17] = 18, d[18] = 250, d[19] = 76; }, Reject::kNotMulticast},
};

INSTANTIATE_TEST_SUITE_P(Packet, Rejections, testing::ValuesIn(kMutations),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Packet, EveryTruncationIsRejected) {
  const auto whole = encode(reference_advertisement());
  for (size_t size = 0; size < whole.size(); ++size) {
    auto cut = std::vector<uint8_t>(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(decode(cut, reference())) << size;
    if (size >= 4) cut[3] = static_cast<uint8_t>(size);
    EXPECT_FALSE(decode(cut, reference())) << size << " with a matching total length";
  }
}

TEST(Packet, EthernetPaddingBehindTheDatagramIsNoMatter) {
  auto out = reference_advertisement();
  auto expected = reference();
  out.addresses = expected.addresses = {};
  auto datagram = encode(out);
  datagram.resize(46, 0xee);
  EXPECT_TRUE(decode(datagram, expected));
}

TEST(Packet, IpOptionsAreSteppedOver) {
  auto datagram = encode(reference_advertisement());
  datagram.insert(datagram.begin() + 20, {0x94, 0x04, 0x00, 0x00});  // router alert
  datagram[0] = 0x46;
  datagram[3] = 44;
  EXPECT_TRUE(decode(datagram, reference()));
  EXPECT_EQ(peek_virtual_router_id(unwrap_ipv4(datagram)->bytes), 150);
}

TEST(Packet, AnInstanceWithoutAuthenticationTakesNone) {
  auto out = reference_advertisement();
  auto expected = reference();
  out.auth_pass.reset();
  expected.auth_pass.reset();
  EXPECT_TRUE(decode(encode(out), expected));
  const auto with_password = decode(encode(reference_advertisement()), expected);
  ASSERT_FALSE(with_password);
  EXPECT_EQ(with_password.error().reason, Reject::kAuthTypeMismatch);
}

TEST(Packet, EightBytesOfThePasswordCount) {
  auto out = reference_advertisement();
  auto expected = reference();
  out.auth_pass = "12345678";
  expected.auth_pass = "123456789";
  EXPECT_TRUE(decode(encode(out), expected));
  expected.auth_pass = "12345679";
  EXPECT_FALSE(decode(encode(out), expected));
}

TEST(Packet, AnotherAddressListIsSaidButNotRejected) {
  auto expected = reference();
  expected.addresses = {ip("172.18.250.99"), ip("172.18.250.98")};
  auto got = decode(encode(reference_advertisement()), expected);
  ASSERT_TRUE(got);
  EXPECT_FALSE(got->addresses_match);
  expected.addresses = {ip("172.18.250.98")};
  got = decode(encode(reference_advertisement()), expected);
  ASSERT_TRUE(got);
  EXPECT_FALSE(got->addresses_match);
}

TEST(Packet, TheOrderOfTheAddressesIsNoMatter) {
  auto out = reference_advertisement();
  auto expected = reference();
  out.addresses = {ip("192.0.2.1"), ip("192.0.2.2")};
  expected.addresses = {ip("192.0.2.2"), ip("192.0.2.1")};
  EXPECT_TRUE(decode(encode(out), expected)->addresses_match);
}

TEST(Packet, PeekTellsWhoseItIsAndNothingOfRubbish) {
  const auto datagram = encode(reference_advertisement());
  EXPECT_EQ(peek_virtual_router_id(std::span(datagram).subspan(20)), 150);
  EXPECT_EQ(peek_virtual_router_id(std::span(datagram).subspan(20, 1)), std::nullopt);
  EXPECT_EQ(peek_virtual_router_id({}), std::nullopt);
}

TEST(Packet, ChecksumOfRfc1071) {
  const std::vector<uint8_t> example = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};  // section 3
  EXPECT_EQ(internet_checksum(example), static_cast<uint16_t>(~0xddf2));
  const std::vector<uint8_t> odd = {0x12, 0x34, 0x56};
  EXPECT_EQ(internet_checksum(odd), static_cast<uint16_t>(~(0x1234 + 0x5600)));
}

TEST(Packet, EveryReasonHasANameOfItsOwn) {
  std::vector<std::string_view> names;
  for (size_t i = 0; i < kRejectReasons; ++i) {
    const auto name = to_string(static_cast<Reject>(i));
    EXPECT_NE(name, "?");
    EXPECT_EQ(std::count(names.begin(), names.end(), name), 0);
    names.push_back(name);
  }
}

}  // namespace
}  // namespace lbdp::vrrp
