// SPDX-License-Identifier: BSD-2-Clause
#include "control/netlink_parse.h"

#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>

namespace lbdp::control {
namespace {

constexpr MacAddress kMac{{2, 0, 0, 0, 0, 7}};

struct MessageDeleter {
  void operator()(nl_msg* message) const { nlmsg_free(message); }
};
using Message = std::unique_ptr<nl_msg, MessageDeleter>;

template <class Header>
Message make(int type, Header header) {
  Message message(nlmsg_alloc_simple(type, 0));
  nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
  return message;
}

void nest(nl_msg* message, int type, const std::function<void()>& fill) {
  nlattr* start = nla_nest_start(message, type);
  fill();
  nla_nest_end(message, start);
}

void put_network_order(nl_msg* message, int type, uint16_t value) {
  nla_put_u16(message, type, Be<uint16_t>::from_host(value).raw());
}

struct VlanOptions {
  uint16_t protocol = ETH_P_8021Q;
  bool other_namespace = false;
  const char* kind = "vlan";
};

/// RTM_NEWLINK for eth0.100 on top of interface 7, as vlan_fill_info() of Linux makes it.
Message vlan_message(const VlanOptions& options) {
  Message message = make(
      RTM_NEWLINK,
      ifinfomsg{
          .ifi_family = AF_UNSPEC, .__ifi_pad = 0, .ifi_type = 1, .ifi_index = 9, .ifi_flags = 0, .ifi_change = 0});
  nl_msg* m = message.get();
  nla_put_string(m, IFLA_IFNAME, "eth0.100");
  nla_put_u32(m, IFLA_MTU, 1496);
  nla_put_u32(m, IFLA_LINK, 7);
  if (options.other_namespace) nla_put_s32(m, IFLA_LINK_NETNSID, 0);
  nla_put(m, IFLA_ADDRESS, 6, kMac.bytes.data());
  nest(m, IFLA_LINKINFO, [&] {
    nla_put_string(m, IFLA_INFO_KIND, options.kind);
    nest(m, IFLA_INFO_DATA, [&] {
      put_network_order(m, IFLA_VLAN_PROTOCOL, options.protocol);
      nla_put_u16(m, IFLA_VLAN_ID, 100);
      const ifla_vlan_flags flags{.flags = 1, .mask = ~0U};
      nla_put(m, IFLA_VLAN_FLAGS, sizeof flags, &flags);
    });
  });
  return message;
}

TEST(ParseLink, AVlanNamesItsTagAndTheInterfaceBelow) {
  const Message message = vlan_message({});
  const LinkInfo wanted{.interface = InterfaceIndex{9},
                        .name = "eth0.100",
                        .mac = kMac,
                        .mtu = 1496,
                        .lower = InterfaceIndex{7},
                        .vlan = 100};
  EXPECT_EQ(parse_link(nlmsg_hdr(message.get())), wanted);
}

TEST(ParseLink, WhatIsNoVlanHereSaysSo) {
  EXPECT_FALSE(parse_link(nlmsg_hdr(vlan_message({.protocol = ETH_P_8021AD}).get()))->vlan);
  EXPECT_FALSE(parse_link(nlmsg_hdr(vlan_message({.kind = "macvlan"}).get()))->vlan);
  EXPECT_FALSE(parse_link(nlmsg_hdr(vlan_message({.other_namespace = true}).get()))->lower)
      << "the index is one of another namespace";
}

TEST(ParseLink, AnOrdinaryInterface) {
  const Message message = make(
      RTM_NEWLINK,
      ifinfomsg{
          .ifi_family = AF_UNSPEC, .__ifi_pad = 0, .ifi_type = 1, .ifi_index = 7, .ifi_flags = 0, .ifi_change = 0});
  nla_put_string(message.get(), IFLA_IFNAME, "eth0");
  nla_put_u32(message.get(), IFLA_MTU, 9000);
  const LinkInfo wanted{
      .interface = InterfaceIndex{7}, .name = "eth0", .mac = {}, .mtu = 9000, .lower = {}, .vlan = {}};
  EXPECT_EQ(parse_link(nlmsg_hdr(message.get())), wanted);
}

TEST(ParseRoute, ARouteWithAnMtuOfItsOwn) {
  rtmsg header{};
  header.rtm_family = AF_INET6;
  header.rtm_type = RTN_UNICAST;
  const Message message = make(RTM_NEWROUTE, header);
  const IpAddress source = IpAddress::parse("2001:db8::75").value();
  nla_put_u32(message.get(), RTA_OIF, 7);
  nla_put(message.get(), RTA_PREFSRC, 16, source.bytes().data());
  nest(message.get(), RTA_METRICS, [&] { nla_put_u32(message.get(), RTAX_MTU, 1400); });
  const auto route = parse_route(nlmsg_hdr(message.get()));
  ASSERT_TRUE(route);
  EXPECT_EQ(route->interface, InterfaceIndex{7});
  EXPECT_EQ(route->source, source);
  EXPECT_EQ(route->mtu, 1400U);
  EXPECT_FALSE(route->gateway);
  EXPECT_FALSE(route->local);
}

TEST(ParseRoute, WithoutAnMtuTheInterfacesHolds) {
  rtmsg header{};
  header.rtm_type = RTN_LOCAL;
  const Message message = make(RTM_NEWROUTE, header);
  nest(message.get(), RTA_METRICS, [&] { nla_put_u32(message.get(), RTAX_HOPLIMIT, 64); });
  const auto route = parse_route(nlmsg_hdr(message.get()));
  ASSERT_TRUE(route);
  EXPECT_FALSE(route->mtu);
  EXPECT_TRUE(route->local);
}

TEST(ParseRoute, AGatewayOfEitherFamily) {
  rtmsg header{};
  header.rtm_family = AF_INET;
  const IpAddress gateway = IpAddress::parse("fe80::1").value();
  const Message other = make(RTM_NEWROUTE, header);
  std::array<uint8_t, 18> via{AF_INET6};
  std::copy_n(gateway.bytes().begin(), 16, via.begin() + 2);
  nla_put(other.get(), RTA_VIA, via.size(), via.data());
  EXPECT_EQ(parse_route(nlmsg_hdr(other.get()))->gateway, gateway);
  const Message same = make(RTM_NEWROUTE, header);
  const IpAddress own = IpAddress::parse("192.0.2.1").value();
  nla_put(same.get(), RTA_GATEWAY, 4, own.bytes().data());
  EXPECT_EQ(parse_route(nlmsg_hdr(same.get()))->gateway, own);
}

TEST(ParseNeighbour, AnIpv6Entry) {
  ndmsg header{};
  header.ndm_family = AF_INET6;
  header.ndm_ifindex = 7;
  header.ndm_state = NUD_STALE;
  const Message message = make(RTM_NEWNEIGH, header);
  const IpAddress address = IpAddress::parse("2001:db8::77").value();
  nla_put(message.get(), NDA_DST, 16, address.bytes().data());
  nla_put(message.get(), NDA_LLADDR, 6, kMac.bytes.data());
  const auto event = parse_neighbour(nlmsg_hdr(message.get()));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->interface, InterfaceIndex{7});
  EXPECT_EQ(event->address, address);
  EXPECT_EQ(event->mac, kMac);
  EXPECT_EQ(event->state, KernelNeighbourState::kStale);
}

}  // namespace
}  // namespace lbdp::control
