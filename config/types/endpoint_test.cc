// SPDX-License-Identifier: BSD-2-Clause
#include "config/types/endpoint.h"

#include <gtest/gtest.h>

namespace lbdp {
namespace {

TEST(Endpoint, ReadsAndPrints) {
  for (const char* text : {"192.0.2.1:80", "192.0.2.1:0", "0.0.0.0:65535", "[2001:db8::1]:80", "[::]:1"}) {
    const auto endpoint = Endpoint::parse(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint->to_string(), text);
  }
}

TEST(Endpoint, RefusesWhatIsNone) {
  for (const char* text :
       {"", ":", "192.0.2.1", "192.0.2.1:", ":80", "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1:8x", "192.0.2.1: 80",
        "[192.0.2.1]:80", "2001:db8::1:80", "[2001:db8::1]", "[2001:db8::1:80", "[]:80", "host:80"}) {
    EXPECT_FALSE(Endpoint::parse(text)) << text;
  }
}

TEST(ServiceKey, ReadsAndPrints) {
  for (const char* text : {"tcp/192.0.2.1:80", "udp/192.0.2.1:53", "sctp/[2001:db8::1]:9"}) {
    const auto key = ServiceKey::parse(text);
    ASSERT_TRUE(key) << text;
    EXPECT_EQ(key->to_string(), text);
  }
  EXPECT_EQ(to_upper_string(Protocol::kUdp), "UDP");
}

TEST(ServiceKey, RefusesWhatIsNone) {
  for (const char* text : {"", "/", "tcp", "tcp/", "192.0.2.1:80", "TCP/192.0.2.1:80", "icmp/192.0.2.1:80",
                           "tcp/192.0.2.1", "tcp//192.0.2.1:80"}) {
    EXPECT_FALSE(ServiceKey::parse(text)) << text;
  }
}

TEST(ServiceKey, Orders) {
  EXPECT_LT(*ServiceKey::parse("tcp/192.0.2.1:80"), *ServiceKey::parse("tcp/192.0.2.1:81"));
  EXPECT_LT(*ServiceKey::parse("tcp/192.0.2.9:80"), *ServiceKey::parse("udp/192.0.2.1:80"));
}

}  // namespace
}  // namespace lbdp
