// SPDX-License-Identifier: BSD-2-Clause
#include "config/address_range.h"

#include <gmock/gmock.h>

namespace lbdp::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> expanded(std::string_view text) {
  const auto range = address_range(text);
  if (!range) return {range.error().message};
  std::vector<std::string> all;
  for (const auto& address : range->addresses()) all.push_back(address.to_string());
  return all;
}

std::string error(std::string_view text) {
  const auto range = address_range(text);
  return range ? "no error" : range.error().message;
}

TEST(AddressRange, OneAddress) {
  EXPECT_THAT(expanded("192.0.2.1"), ElementsAre("192.0.2.1"));
  EXPECT_THAT(expanded("2001:db8::1"), ElementsAre("2001:db8::1"));
}

TEST(AddressRange, TheLastByteIsDecimal) {
  EXPECT_THAT(expanded("192.0.2.9-11"), ElementsAre("192.0.2.9", "192.0.2.10", "192.0.2.11"));
  EXPECT_THAT(expanded("192.0.2.9-9"), ElementsAre("192.0.2.9"));
}

TEST(AddressRange, TheLastGroupOfIpv6IsHexadecimal) {
  EXPECT_THAT(expanded("2001:db8::ff-101"), ElementsAre("2001:db8::ff", "2001:db8::100", "2001:db8::101"));
  EXPECT_THAT(expanded("2001:db8::e-10"), ElementsAre("2001:db8::e", "2001:db8::f", "2001:db8::10"));
}

TEST(AddressRange, WholeAddressesCarryOverBytes) {
  EXPECT_THAT(expanded("192.0.2.254-192.0.3.1"), ElementsAre("192.0.2.254", "192.0.2.255", "192.0.3.0", "192.0.3.1"));
  EXPECT_THAT(expanded("2001:db8::ffff:fffe-2001:db8::1:0:1"),
              ElementsAre("2001:db8::ffff:fffe", "2001:db8::ffff:ffff", "2001:db8::1:0:0", "2001:db8::1:0:1"));
}

TEST(AddressRange, ANetworkHasAllOfItsAddresses) {
  EXPECT_THAT(expanded("192.0.2.64/30"), ElementsAre("192.0.2.64", "192.0.2.65", "192.0.2.66", "192.0.2.67"));
  EXPECT_THAT(expanded("192.0.2.65/32"), ElementsAre("192.0.2.65"));
  EXPECT_THAT(expanded("2001:db8::8/127"), ElementsAre("2001:db8::8", "2001:db8::9"));
  EXPECT_EQ(address_range("10.0.0.0/17")->count, 32768U);
}

TEST(AddressRange, TheLargestEndsBelowSixtyFourThousand) {
  EXPECT_EQ(address_range("10.0.0.0-10.0.255.253")->count, AddressRange::kMost);
  EXPECT_EQ(address_range("10.0.0.0-10.0.255.253")->addresses().back().to_string(), "10.0.255.253");
  const auto too_many = HasSubstr("of at most 65534 addresses");
  EXPECT_THAT(error("10.0.0.0-10.0.255.254"), too_many);
  EXPECT_THAT(error("0.0.0.0-255.255.255.255"), too_many);
  EXPECT_THAT(error("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), too_many);
  EXPECT_THAT(error("10.0.0.0/16"), too_many);
  EXPECT_THAT(error("10.0.0.0/0"), too_many);
  EXPECT_THAT(error("2001:db8::/64"), too_many);
}

TEST(AddressRange, WhatIsNone) {
  EXPECT_THAT(error(""), HasSubstr("numeric"));
  EXPECT_THAT(error("www.example.org"), HasSubstr("numeric"));
  EXPECT_THAT(error("192.0.2.10-9"), HasSubstr("not before its start"));
  EXPECT_THAT(error("192.0.2.10-256"), HasSubstr("wanted a range such as"));
  EXPECT_THAT(error("192.0.2.10-"), HasSubstr("wanted a range such as"));
  EXPECT_THAT(error("192.0.2.10-1x"), HasSubstr("wanted a range such as"));
  EXPECT_THAT(error("192.0.2.10-2001:db8::1"), HasSubstr("wanted a range such as"));
  EXPECT_THAT(error("2001:db8::1-10000"), HasSubstr("wanted a range such as"));
  EXPECT_THAT(error("192.0.2.65/30"), HasSubstr("the first address of a network"));
  EXPECT_THAT(error("2001:db8::9/125"), HasSubstr("the first address of a network"));
  EXPECT_THAT(error("192.0.2.1/33"), HasSubstr("ADDRESS/LENGTH"));
}

}  // namespace
}  // namespace lbdp::config
