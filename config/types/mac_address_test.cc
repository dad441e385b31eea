// SPDX-License-Identifier: BSD-2-Clause
#include "config/types/mac_address.h"

#include <gtest/gtest.h>

namespace lbdp {
namespace {

TEST(MacAddress, ReadsAndPrints) {
  const auto mac = MacAddress::parse("02:00:5E:10:ab:fF");
  ASSERT_TRUE(mac);
  EXPECT_EQ(mac->to_string(), "02:00:5e:10:ab:ff");
  EXPECT_EQ(mac->bytes[0], 2);
  EXPECT_EQ(mac->bytes[5], 0xff);
}

TEST(MacAddress, RefusesWhatIsNone) {
  for (const char* text : {"", "02:00:00:00:00:1", "02:00:00:00:00:001", "02-00-00-00-00-01", "02:00:00:00:00:0g",
                           "02:00:00:00:00:01:", "-2:00:00:00:00:01", "0x:00:00:00:00:01", " 2:00:00:00:00:01"}) {
    EXPECT_FALSE(MacAddress::parse(text)) << text;
  }
}

TEST(MacAddress, KnowsGroups) {
  EXPECT_FALSE(MacAddress::parse("02:00:00:00:00:01")->is_group());
  EXPECT_TRUE(MacAddress::parse("01:00:5e:00:00:12")->is_group());
  EXPECT_TRUE(MacAddress::parse("ff:ff:ff:ff:ff:ff")->is_group());
}

}  // namespace
}  // namespace lbdp
