// SPDX-License-Identifier: BSD-2-Clause
#include "control/connection_filter.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace lbdp::control {
namespace {

using dataplane::ConnectionFilter;
using nlohmann::json;
using testing::HasSubstr;

struct ClientCase {
  const char* text;
  const char* prefix;  // nullptr: refused
  int port = -1;
};

TEST(ConnectionFilter, AClientIsAPrefixWithOrWithoutAPort) {
  constexpr ClientCase kCases[] = {{"192.0.2.1", "192.0.2.1/32"},
                                   {"192.0.2.0/24", "192.0.2.0/24"},
                                   {"192.0.2.1:4711", "192.0.2.1/32", 4711},
                                   {"192.0.2.0/24:1", "192.0.2.0/24", 1},
                                   {"2001:db8::1", "2001:db8::1/128"},
                                   {"2001:db8::/32", "2001:db8::/32"},
                                   {"[2001:db8::1]", "2001:db8::1/128"},
                                   {"[2001:db8::1]:4711", "2001:db8::1/128", 4711},
                                   {"[2001:db8::/32]:4711", "2001:db8::/32", 4711},
                                   {"", nullptr},
                                   {":80", nullptr},
                                   {"192.0.2.1:", nullptr},
                                   {"192.0.2.1:x", nullptr},
                                   {"192.0.2.1:65536", nullptr},
                                   {"192.0.2.0/33", nullptr},
                                   {"[2001:db8::1", nullptr},
                                   {"[2001:db8::1]4711", nullptr},
                                   {"[2001:db8::1]:", nullptr},
                                   {"2001:db8::1/129", nullptr},
                                   {"example.org", nullptr}};
  for (const auto& one : kCases) {
    ConnectionFilter filter;
    const auto parsed = parse_client(one.text, filter);
    ASSERT_EQ(parsed.has_value(), one.prefix != nullptr) << one.text;
    if (!parsed) continue;
    EXPECT_EQ(filter.client->to_string(), one.prefix) << one.text;
    EXPECT_EQ(filter.client_port ? *filter.client_port : -1, one.port) << one.text;
  }
}

TEST(ConnectionFilter, AStateIsReadInEitherCaseAndAWrongOneGetsTheRightOnes) {
  ConnectionFilter filter;
  ASSERT_TRUE(parse_state("syn_recv", filter));
  EXPECT_EQ(filter.state, "SYN_RECV");
  const auto wrong = parse_state("OPEN", filter);
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr("'OPEN', but one of NONE, ESTABLISHED, "));
}

TEST(ConnectionFilter, WhatTheClientSendsTheDirectorReads) {
  ConnectionFilter filter;
  EXPECT_EQ(to_json(filter), json::object());
  ASSERT_TRUE(parse_client("[2001:db8::/32]:4711", filter));
  filter.service = ServiceKey::parse("sctp/[2001:db8::9]:80").value();
  filter.real_server = Endpoint::parse("[2001:db8::7]:80").value();
  filter.state = "CLOSED";
  filter.worker = dataplane::WorkerId{3};
  const auto back = to_filter(to_json(filter));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(to_json(*back), to_json(filter));
  EXPECT_EQ(to_json(*back).size(), 6U);
}

TEST(ConnectionFilter, NonsenseIsRefusedByName) {
  for (const json& wrong :
       {json{{"client", 7}}, json{{"client", "x"}}, json{{"client_port", "80"}}, json{{"client_port", 65536}},
        json{{"worker", -1}}, json{{"service", "80"}}, json{{"real", json::array()}}, json{{"state", "OPEN"}},
        json{{"colour", "red"}}, json::array(), json(nullptr)}) {
    EXPECT_FALSE(to_filter(wrong)) << wrong;
  }
  EXPECT_THAT(to_filter({{"colour", "red"}}).error().message, HasSubstr("there is no \"colour\""));
}

TEST(ConnectionFilter, PrefixesCompareTheirBitsOnly) {
  const auto in = [](const char* prefix, const char* address) {
    return contains(IpPrefix::parse(prefix).value(), IpAddress::parse(address).value());
  };
  EXPECT_TRUE(in("192.0.2.0/24", "192.0.2.255"));
  EXPECT_FALSE(in("192.0.2.0/24", "192.0.3.0"));
  EXPECT_TRUE(in("192.0.2.99/30", "192.0.2.97")) << "host bits do not count";
  EXPECT_FALSE(in("192.0.2.99/30", "192.0.2.100"));
  EXPECT_TRUE(in("0.0.0.0/0", "255.1.2.3"));
  EXPECT_FALSE(in("0.0.0.0/0", "::1"));
  EXPECT_TRUE(in("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(in("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(ConnectionFilter, ATemplateOfANetworkMatchesItsClients) {
  dataplane::TemplateRow row;
  row.service = ServiceKey::parse("tcp/10.3.0.100:80").value();
  row.real_server = Endpoint::parse("10.3.0.21:80").value();
  row.client = IpPrefix::parse("10.3.16.0/24").value();
  ConnectionFilter filter;
  EXPECT_TRUE(matches(filter, row));
  for (const auto& [text, match] : {std::pair{"10.3.16.7", true}, {"10.3.17.7", false}, {"10.0.0.0/8", true}}) {
    ASSERT_TRUE(parse_client(text, filter));
    EXPECT_EQ(matches(filter, row), match) << text;
  }
  filter.service = row.service;
  filter.real_server = Endpoint::parse("10.3.0.22:80").value();
  EXPECT_FALSE(matches(filter, row));
  filter.real_server = row.real_server;
  filter.service->protocol = Protocol::kUdp;
  EXPECT_FALSE(matches(filter, row));
}

}  // namespace
}  // namespace lbdp::control
