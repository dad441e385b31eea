// SPDX-License-Identifier: BSD-2-Clause
#include "config/types/ip_address.h"

#include <gtest/gtest.h>

#include <set>

namespace lbdp {
namespace {

using namespace std::literals;

TEST(IpAddress, ReadsAndPrints) {
  for (const char* text : {"0.0.0.0", "172.18.250.99", "255.255.255.255", "::", "2001:db8::1", "::ffff:192.0.2.1"}) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
    EXPECT_EQ(address->family(),
              std::string_view(text).find(':') == std::string_view::npos ? Family::kIpv4 : Family::kIpv6);
  }
  EXPECT_EQ(IpAddress::parse("2001:DB8:0::0001")->to_string(), "2001:db8::1");
}

TEST(IpAddress, RefusesWhatIsNone) {
  for (const std::string_view text :
       {""sv, "localhost"sv, "1.2.3"sv, "1.2.3.256"sv, "1.2.3.4 "sv, " 1.2.3.4"sv, "1.2.3.4.5"sv, "01.2.3.4"sv,
        "1.2.3.4/24"sv, "fe80::1%eth0"sv, "1::2::3"sv, "12345::"sv, "1.2.3.4\0"sv, "1.2.3.4\0x"sv, "::1\0"sv}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
  EXPECT_EQ(IpAddress::parse("lb1").error().message, "'lb1' is not an IPv4 or IPv6 address");
}

TEST(IpAddress, KeepsNetworkOrder) {
  const IpAddress address = IpAddress::v4(Be<uint32_t>::from_host(0xc0000201));
  EXPECT_EQ(address.to_string(), "192.0.2.1");
  EXPECT_EQ(address.v4().host(), 0xc0000201u);
  ASSERT_EQ(address.bytes().size(), 4u);
  EXPECT_EQ(address.bytes()[0], 192);
  EXPECT_EQ(address.bytes()[3], 1);
  const IpAddress six = IpAddress::parse("2001:db8::1").value();
  ASSERT_EQ(six.bytes().size(), 16u);
  EXPECT_EQ(IpAddress::v6(std::span<const uint8_t, 16>(six.bytes().data(), 16)), six);
}

TEST(IpAddress, Classes) {
  EXPECT_TRUE(IpAddress::parse("224.0.0.18")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("239.255.255.255")->is_multicast());
  EXPECT_FALSE(IpAddress::parse("223.255.255.255")->is_multicast());
  EXPECT_FALSE(IpAddress::parse("240.0.0.0")->is_multicast());
  EXPECT_TRUE(IpAddress::parse("ff02::12")->is_multicast());
  EXPECT_FALSE(IpAddress::parse("fe80::1")->is_multicast());
  EXPECT_TRUE(IpAddress().is_unspecified());
  EXPECT_TRUE(IpAddress::parse("::")->is_unspecified());
  EXPECT_FALSE(IpAddress::parse("::1")->is_unspecified());
}

TEST(IpAddress, OrdersByFamilyThenValue) {
  const auto ip = [](const char* text) { return IpAddress::parse(text).value(); };
  EXPECT_LT(ip("9.0.0.1"), ip("10.0.0.0"));
  EXPECT_LT(ip("255.255.255.255"), ip("::"));
  EXPECT_NE(ip("0.0.0.0"), ip("::"));
  EXPECT_EQ(std::hash<IpAddress>()(ip("10.0.0.1")), std::hash<IpAddress>()(ip("10.0.0.1")));
}

TEST(IpPrefix, ReadsAndPrints) {
  EXPECT_EQ(IpPrefix::parse("192.0.2.1")->to_string(), "192.0.2.1/32");
  EXPECT_EQ(IpPrefix::parse("192.0.2.1/24")->to_string(), "192.0.2.1/24");
  EXPECT_EQ(IpPrefix::parse("192.0.2.1/0")->length, 0);
  EXPECT_EQ(IpPrefix::parse("2001:db8::1")->length, 128);
  EXPECT_EQ(IpPrefix::parse("2001:db8::1/64")->to_string(), "2001:db8::1/64");
}

TEST(IpPrefix, RefusesWhatIsNone) {
  for (const char* text : {"", "/24", "192.0.2.1/", "192.0.2.1/33", "192.0.2.1/-1", "192.0.2.1/24x", "192.0.2.1/24/24",
                           "2001:db8::1/129", "192.0.2.1/+24", "192.0.2.1/ 24", "192.0.2.1/4294967320"}) {
    EXPECT_FALSE(IpPrefix::parse(text)) << text;
  }
}

}  // namespace
}  // namespace lbdp
