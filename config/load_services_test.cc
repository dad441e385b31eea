// SPDX-License-Identifier: BSD-2-Clause
// Virtual servers in all their forms: what a file means, and the exact findings of a bad one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"

namespace lbdp::config {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;

std::vector<std::string> findings(const LoadResult& result, bool notes = false) {
  std::vector<std::string> texts;
  for (const Diagnostic& diagnostic : result.diagnostics) {
    if (notes || diagnostic.severity != Severity::kNote) texts.push_back(diagnostic.to_string());
  }
  return texts;
}

/// The model of a text that must be good, and nothing but notes said about it.
Model load(const std::string& text) {
  LoadResult result = load_text(text, "f");
  EXPECT_THAT(findings(result), IsEmpty()) << text;
  return result.model.value_or(Model{});
}

/// `lines` start on line 2.
std::string service(const std::string& head, const std::string& lines) {
  return "virtual_server " + head + " {\n" + lines + "\n}\n";
}
std::string v4(const std::string& lines) {
  return service("192.0.2.1 80", "protocol TCP\nlb_kind DR\nreal_server 192.0.2.7 { }\n" + lines);
}
std::string v6(const std::string& lines) {
  return service("2001:db8::1 80", "protocol TCP\nlb_kind DR\nreal_server 2001:db8::7 { }\n" + lines);
}
/// `lines` start on line 5.
std::string in_real(const std::string& lines) {
  return service("192.0.2.1 80", "protocol TCP\nlb_kind DR\nreal_server 192.0.2.7 {\n" + lines + "\n}");
}
std::string with_group(const std::string& entries, const std::string& lines = "real_server 192.0.2.7 { }") {
  return "virtual_server_group G {\n" + entries + "\n}\n" + service("group G", "protocol TCP\nlb_kind DR\n" + lines);
}
/// `destinations` start on line 6.
std::string with_mark(const std::string& destinations, const std::string& lines = "real_server 192.0.2.7 { }") {
  return "virtual_server fwmark 7 {\nlb_kind DR\n" + lines + "\n}\ndataplane { fwmark 7 {\n" + destinations +
         "\n}\n}\n";
}

VirtualServer server_of(const std::string& text) {
  const Model model = load(text);
  return model.virtual_servers.empty() ? VirtualServer{} : model.virtual_servers.front();
}

std::vector<std::string> keys_of(const VirtualServer& server) {
  std::vector<std::string> keys;
  for (const auto& service : server.services) {
    std::string text = service.fwmark == 0 ? "" : std::to_string(service.fwmark) + ":";
    text += service.key.to_string();
    for (const auto& key : service.more_keys) text += " " + key.to_string();
    keys.push_back(text);
  }
  return keys;
}

TEST(ServiceDefaults, OfAVirtualServer) {
  const VirtualServer server = server_of(v4(""));
  EXPECT_EQ(server.group, "");
  EXPECT_THAT(keys_of(server), ElementsAre("tcp/192.0.2.1:80"));
  EXPECT_EQ(server.lb_algo, LbAlgo::kWeightedLeastConnection);
  EXPECT_FALSE(server.hash_port);
  EXPECT_FALSE(server.hash_fallback);
  EXPECT_FALSE(server.one_packet);
  EXPECT_EQ(server.persistence_timeout, seconds(0));
  EXPECT_EQ(server.persistence_granularity, 32);
  EXPECT_EQ(server.real_servers.at(0).upper_threshold, 0U);
  EXPECT_EQ(server.real_servers.at(0).lower_threshold, 0U);
  EXPECT_EQ(server_of(v6("")).persistence_granularity, 128);
}

TEST(ServiceDefaults, AreNoted) {
  const auto notes =
      findings(load_text(service("192.0.2.1", "protocol UDP\nlb_kind DR\nreal_server 192.0.2.7 { }"), "f"), true);
  EXPECT_THAT(notes, ElementsAre("f:1:1: note: 'lb_algo' is missing: wlc, as in keepalived",
                                 "f:1:1: note: a virtual_server without a port is persistent, for 360 s, as in "
                                 "keepalived; write 'persistence_timeout 0' for none"));
}

TEST(Scheduling, EveryAlgorithm) {
  const std::pair<const char*, LbAlgo> all[] = {
      {"rr", LbAlgo::kRoundRobin},      {"wrr", LbAlgo::kWeightedRoundRobin},
      {"lc", LbAlgo::kLeastConnection}, {"wlc", LbAlgo::kWeightedLeastConnection},
      {"sh", LbAlgo::kSourceHash},      {"sed", LbAlgo::kShortestExpectedDelay},
      {"nq", LbAlgo::kNeverQueue},      {"dh", LbAlgo::kDestinationHash},
      {"mh", LbAlgo::kMaglev},          {"fo", LbAlgo::kFailover},
      {"ovf", LbAlgo::kOverflow},       {"twos", LbAlgo::kTwoChoices}};
  for (const auto& [name, algo] : all) {
    EXPECT_EQ(server_of(v4("lb_algo " + std::string(name))).lb_algo, algo) << name;
    EXPECT_EQ(server_of(v4("lvs_sched " + std::string(name))).lb_algo, algo) << name;
  }
}

TEST(Scheduling, FlagsOfTheHashes) {
  const auto flags = [](const std::string& lines) {
    const VirtualServer server = server_of(v4(lines));
    return std::pair(server.hash_port, server.hash_fallback);
  };
  EXPECT_EQ(flags("lb_algo sh"), std::pair(false, false));
  EXPECT_EQ(flags("lb_algo sh\nsh-port"), std::pair(true, false));
  EXPECT_EQ(flags("sh-fallback\nlb_algo sh"), std::pair(false, true)) << "the order does not matter";
  EXPECT_EQ(flags("lb_algo mh\nmh-port\nmh-fallback"), std::pair(true, true));
  EXPECT_EQ(flags("lb_algo mh\nflag-1"), std::pair(false, true));
  EXPECT_EQ(flags("lb_algo sh\nflag-2"), std::pair(true, false));
}

TEST(Scheduling, Persistence) {
  const auto persistence = [](const std::string& text) {
    const VirtualServer server = server_of(text);
    return std::pair(server.persistence_timeout.count() / 1'000'000, int{server.persistence_granularity});
  };
  EXPECT_EQ(persistence(v4("persistence_timeout")), std::pair(360L, 32));
  EXPECT_EQ(persistence(v4("persistence_timeout 1")), std::pair(1L, 32));
  EXPECT_EQ(persistence(v4("persistence_timeout 2678400")), std::pair(2678400L, 32));
  EXPECT_EQ(persistence(v4("persistence_timeout 0")), std::pair(0L, 32));
  EXPECT_EQ(persistence(v4("persistence_timeout 9\npersistence_granularity 255.255.255.0")), std::pair(9L, 24));
  EXPECT_EQ(persistence(v4("persistence_granularity 128.0.0.0")), std::pair(360L, 1));
  EXPECT_EQ(persistence(v6("persistence_granularity 64")), std::pair(360L, 64));
  EXPECT_EQ(persistence(service("192.0.2.1", "protocol TCP\nreal_server 192.0.2.7 { }")), std::pair(360L, 32));
  EXPECT_EQ(persistence(service("192.0.2.1 0", "protocol TCP\npersistence_timeout 0\nreal_server 192.0.2.7 { }")),
            std::pair(0L, 32));
}

TEST(Scheduling, OnePacket) {
  EXPECT_TRUE(server_of(service("192.0.2.1 53", "protocol UDP\nops\nreal_server 192.0.2.7 { }")).one_packet);
  EXPECT_TRUE(server_of(with_mark("tcp 192.0.2.1 53\nudp 192.0.2.1 53", "ops\nreal_server 192.0.2.7 { }")).one_packet);
}

TEST(RealServers, Thresholds) {
  const RealServer real = server_of(in_real("uthreshold 4294967295\nlthreshold 5")).real_servers.at(0);
  EXPECT_EQ(real.upper_threshold, 4294967295U);
  EXPECT_EQ(real.lower_threshold, 5U);
  EXPECT_EQ(server_of(in_real("uthreshold 5\nlthreshold 5")).real_servers.at(0).lower_threshold, 5U);
}

TEST(VirtualServers, OfEveryProtocolAndFamily) {
  EXPECT_THAT(keys_of(server_of(service("192.0.2.1 9", "protocol SCTP\nreal_server 192.0.2.7 { }"))),
              ElementsAre("sctp/192.0.2.1:9"));
  const VirtualServer server = server_of(v6(""));
  EXPECT_THAT(keys_of(server), ElementsAre("tcp/[2001:db8::1]:80"));
  EXPECT_EQ(server.real_servers.at(0).endpoint.to_string(), "[2001:db8::7]:80");
}

TEST(VirtualServers, WithoutAPortCheckWhereTheRealServerSays) {
  const VirtualServer server =
      server_of(service("192.0.2.1",
                        "protocol TCP\nreal_server 192.0.2.7 22 { TCP_CHECK { } }\nreal_server 192.0.2.8 "
                        "{ TCP_CHECK { connect_port 23 } }"));
  EXPECT_EQ(server.real_servers.at(0).endpoint.to_string(), "192.0.2.7:0");
  EXPECT_EQ(std::get<TcpCheck>(server.real_servers.at(0).checkers.at(0)).connect.port, 22);
  EXPECT_EQ(std::get<TcpCheck>(server.real_servers.at(1).checkers.at(0)).connect.port, 23);
}

TEST(VirtualServers, WithAndWithoutAPortOfOneAddress) {
  const Model model = load(service("192.0.2.1", "protocol TCP\nreal_server 192.0.2.7 { }") + v4(""));
  EXPECT_EQ(model.virtual_servers.size(), 2U);
}

TEST(Groups, MakeAServiceOfEachAddressAndPort) {
  const VirtualServer server = server_of(with_group("192.0.2.1 80\n192.0.2.1 443\n192.0.2.10-11 80\n192.0.2.14/31",
                                                    "real_server 192.0.2.7 80 { TCP_CHECK { } }"));
  EXPECT_EQ(server.group, "G");
  EXPECT_THAT(keys_of(server), ElementsAre("tcp/192.0.2.1:80", "tcp/192.0.2.1:443", "tcp/192.0.2.10:80",
                                           "tcp/192.0.2.11:80", "tcp/192.0.2.14:0", "tcp/192.0.2.15:0"));
  ASSERT_EQ(server.real_servers.size(), 1U);
  EXPECT_EQ(server.real_servers[0].endpoint.to_string(), "192.0.2.7:80");
  EXPECT_EQ(std::get<TcpCheck>(server.real_servers[0].checkers.at(0)).connect.port, 80);
  EXPECT_EQ(server.persistence_timeout, seconds(360)) << "of the lines without a port";
}

TEST(Groups, OfOnePortCheckThere) {
  const VirtualServer server =
      server_of(with_group("192.0.2.1 443\n192.0.2.2 443", "real_server 192.0.2.7 { TCP_CHECK { } }"));
  EXPECT_EQ(std::get<TcpCheck>(server.real_servers.at(0).checkers.at(0)).connect.port, 443);
}

TEST(Groups, ServeTwoProtocolsAndMayComeLater) {
  const std::string real = "real_server 192.0.2.7 { }";
  const Model model = load(service("group G", "protocol TCP\n" + real) + service("group G", "protocol UDP\n" + real) +
                           "virtual_server_group G {\n192.0.2.1 53\n}\n");
  ASSERT_EQ(model.virtual_servers.size(), 2U);
  EXPECT_THAT(keys_of(model.virtual_servers[1]), ElementsAre("udp/192.0.2.1:53"));
}

TEST(Groups, MayNameMarks) {
  const VirtualServer server = server_of(with_group("192.0.2.1 80\nfwmark 9\nfwmark 8 inet") +
                                         "dataplane {\nfwmark 9 {\nudp 192.0.2.1\n}\nfwmark 8 { tcp 192.0.2.2 }\n}\n");
  EXPECT_THAT(keys_of(server), ElementsAre("tcp/192.0.2.1:80", "9:udp/192.0.2.1:0", "8:tcp/192.0.2.2:0"));
}

TEST(Marks, AreOneServiceWithManyDestinations) {
  const VirtualServer server =
      server_of(with_mark("tcp 192.0.2.1 80\nTCP 192.0.2.1 443\nudp 192.0.2.10-11\nsctp 2001:db8::1 9",
                          "real_server 192.0.2.7 8080 { TCP_CHECK { } }"));
  EXPECT_THAT(keys_of(server), ElementsAre("7:tcp/192.0.2.1:80 tcp/192.0.2.1:443 udp/192.0.2.10:0 udp/192.0.2.11:0"));
  EXPECT_EQ(server.real_servers.at(0).endpoint.to_string(), "192.0.2.7:0");
  EXPECT_EQ(std::get<TcpCheck>(server.real_servers.at(0).checkers.at(0)).connect.port, 8080);
  EXPECT_EQ(server.persistence_timeout, seconds(0));
}

TEST(Marks, HaveTheFamilyOfTheirRealServers) {
  const std::string both = "dataplane { fwmark 7 {\ntcp 192.0.2.1 80\ntcp 2001:db8::1 80\n}\n}\n";
  const Model model = load(both + service("fwmark 7", "real_server 192.0.2.7 { }") +
                           service("fwmark 7", "persistence_granularity 64\nreal_server 2001:db8::7 { }"));
  ASSERT_EQ(model.virtual_servers.size(), 2U);
  EXPECT_THAT(keys_of(model.virtual_servers[0]), ElementsAre("7:tcp/192.0.2.1:80"));
  EXPECT_THAT(keys_of(model.virtual_servers[1]), ElementsAre("7:tcp/[2001:db8::1]:80"));
}

TEST(Groups, AreExpandedWithinALimit) {
  std::string text = "virtual_server_group G {\n10.0.0.0/17\n10.1.0.0-10.1.127.253\n}\n";
  const std::string real = "lb_kind DR\npersistence_timeout 0\nreal_server 192.0.2.7 { }";
  const LoadResult most = load_text(text + service("group G", "protocol TCP\n" + real), "f");
  ASSERT_TRUE(most.ok());
  EXPECT_EQ(most.model->virtual_servers.at(0).services.size(), 65534U);
  // Many virtual servers of a large group would take memory without end; one finding says it.
  for (int i = 0; i < 1000; ++i) text += service("group G", "protocol TCP\n" + real);
  EXPECT_THAT(findings(load_text(text, "f")),
              ElementsAre("f:2:1: error: with these addresses there are more than 65534 virtual servers"));
}

struct Case {
  const char* name;
  std::string text;
  std::vector<std::string> findings;  // notes are left out
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}
std::string name_of(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

class BadService : public testing::TestWithParam<Case> {};

TEST_P(BadService, GivesExactlyTheseFindings) {
  const LoadResult result = load_text(GetParam().text, "f");
  EXPECT_THAT(findings(result), ElementsAreArray(GetParam().findings)) << GetParam().text;
  const bool error = std::ranges::any_of(GetParam().findings,
                                         [](const std::string& f) { return f.find(": error: ") != std::string::npos; });
  EXPECT_EQ(result.ok(), !error);
}

const Case kScheduling[] = {
    {"FlagOfAnotherScheduler",
     v4("sh-port\nmh-fallback\nlb_algo mh"),
     {"f:5:1: warning: sh-port is for lb_algo sh only, and is ignored"}},
    {"FlagsWithoutAHash",
     v4("flag-1\nflag-2\nflag-3\nlb_algo rr"),
     {"f:5:1: warning: flag-1 is for lb_algo sh and mh only, and is ignored",
      "f:6:1: warning: flag-2 is for lb_algo sh and mh only, and is ignored",
      "f:7:1: no effect: 'flag-3' has no effect here: it means nothing to any scheduler"}},
    {"FlagWithAValue", v4("lb_algo sh\nsh-port on"), {"f:6:9: error: 'sh-port': 'on' is too much; it takes no value"}},
    {"OpsOfTcp", v4("ops"), {"f:5:1: warning: ops is for UDP only, and is ignored"}},
    {"GranularityWithGaps",
     v4("persistence_granularity 255.0.255.0"),
     {"f:5:25: error: persistence_granularity: found '255.0.255.0', wanted a netmask from 128.0.0.0 to 255.255.255.255 "
      "whose ones are all on the left"}},
    {"GranularityOfNothing",
     v4("persistence_granularity 0.0.0.0"),
     {"f:5:25: error: persistence_granularity: found '0.0.0.0', wanted a netmask from 128.0.0.0 to 255.255.255.255 "
      "whose ones are all on the left"}},
    {"GranularityLengthOfIpv4",
     v4("persistence_granularity 24"),
     {"f:5:1: error: persistence_granularity: an IPv4 virtual server takes a netmask, such as 255.255.255.0 for a "
      "length of 24"}},
    {"GranularityMaskOfIpv6",
     v6("persistence_granularity 255.255.255.0"),
     {"f:5:1: error: persistence_granularity: an IPv6 virtual server takes a prefix length from 1 to 128, not a "
      "netmask"}},
    {"GranularityRange",
     v6("persistence_granularity 129"),
     {"f:5:25: error: persistence_granularity: found '129', wanted a netmask such as 255.255.255.0, or for IPv6 a "
      "length from 1 to 128"}},
    {"GranularityOfNoPersistence",
     v4("persistence_timeout 0\npersistence_granularity 255.255.0.0"),
     {"f:6:1: warning: persistence_granularity without persistence is ignored"}},
    {"ThresholdsCrossed", in_real("lthreshold 9\nuthreshold 8"), {"f:5:1: error: lthreshold 9 is above uthreshold 8"}},
    {"LowerThresholdAlone", in_real("lthreshold 9"), {"f:5:1: error: lthreshold 9 without uthreshold"}},
    {"ThresholdRange",
     in_real("uthreshold 4294967296\nlthreshold -1"),
     {"f:5:12: error: uthreshold: found '4294967296', wanted a whole number from 0 to 4294967295",
      "f:6:12: error: lthreshold: found '-1', wanted a whole number from 0 to 4294967295"}},
};
INSTANTIATE_TEST_SUITE_P(Scheduling, BadService, testing::ValuesIn(kScheduling), name_of);

const Case kHeads[] = {
    {"MarkMissing", service("fwmark", "real_server 192.0.2.7 { }"), {"f:1:1: error: 'virtual_server' needs 2 values"}},
    {"MarkZero",
     service("fwmark 0", "real_server 192.0.2.7 { }"),
     {"f:1:23: error: virtual_server: found '0', wanted a whole number from 1 to 4294967295"}},
    {"GroupMissing",
     service("group", "protocol TCP\nreal_server 192.0.2.7 { }"),
     {"f:1:1: error: 'virtual_server' needs 2 values"}},
    {"PortRange",
     service("192.0.2.1 65536", "protocol TCP\nreal_server 192.0.2.7 { }"),
     {"f:1:26: error: virtual_server: found '65536', wanted a whole number from 0 to 65535"}},
    {"ProtocolOfAMark",
     with_mark("tcp 192.0.2.1", "protocol TCP\nreal_server 192.0.2.7 { }"),
     {"f:3:1: warning: protocol is ignored: what has the fwmark has a protocol of its own"}},
    {"RealServersOfTwoFamilies",
     v6("real_server 192.0.2.7 { }"),
     {"f:5:1: error: real_server 192.0.2.7: its family is not that of virtual_server 2001:db8::1"}},
    {"RealServerTwiceWithOtherPorts",
     service("192.0.2.1", "protocol TCP\nreal_server 192.0.2.7 80 { }\nreal_server 192.0.2.7 443 { }"),
     {"f:4:1: warning: real_server 192.0.2.7 is already there, at f:3:1; this one is left out"}},
    {"CheckWithoutAPort",
     service("192.0.2.1", "protocol TCP\nreal_server 192.0.2.7 {\nTCP_CHECK { }\nHTTP_GET { url { path / } }\n}"),
     {"f:4:1: error: 'connect_port' is missing: the virtual server has no port of its own, and real_server none "
      "either; "
      "write 'real_server 192.0.2.7 PORT'",
      "f:5:1: error: 'connect_port' is missing: the virtual server has no port of its own, and real_server none "
      "either; "
      "write 'real_server 192.0.2.7 PORT'"}},
};
INSTANTIATE_TEST_SUITE_P(Heads, BadService, testing::ValuesIn(kHeads), name_of);

const Case kGroups[] = {
    {"Unknown",
     "virtual_server_group WEBS {\n192.0.2.1 80\n}\n" + service("group WEB", "protocol TCP\nreal_server 192.0.2.7 { }"),
     {"f:1:1: warning: virtual_server_group 'WEBS': no 'virtual_server group WEBS' uses it",
      "f:4:22: error: there is no virtual_server_group 'WEB' (did you mean 'WEBS'?)"}},
    {"Empty", with_group(""), {"f:1:1: error: virtual_server_group 'G': it names no address and no fwmark"}},
    {"Twice",
     with_group("192.0.2.1 80") + "virtual_server_group G {\n192.0.2.2 80\n}\n",
     {"f:9:1: error: a second virtual_server_group 'G'; the first is at f:1:1"}},
    {"NameMissing",
     "virtual_server_group {\n192.0.2.2 80\n}\n",
     {"f:1:1: error: 'virtual_server_group' needs a value"}},
    {"Lines",
     with_group("192.0.2.9-8 80\nexample.org 80\n192.0.2.1 http\n192.0.2.1 80 81\nfwmark\nfwmark x\nfwmark 3 ipv4\n"
                "fwmark 3 inet x\n192.0.2.1/24 80\n192.0.2.1 80 { }"),
     {"f:2:1: error: virtual_server_group: found '192.0.2.9-8', wanted a range whose end is not before its start, of "
      "at "
      "most 65534 addresses",
      "f:3:1: error: virtual_server_group: found 'example.org', wanted a numeric IPv4 or IPv6 address, or a range such "
      "as 192.0.2.1-10",
      "f:4:11: error: virtual_server_group: found 'http', wanted a whole number from 0 to 65535",
      "f:5:14: error: virtual_server_group: found '81', wanted ADDRESS [PORT], ADDRESS-ADDRESS [PORT] or fwmark MARK",
      "f:6:1: error: virtual_server_group: found 'fwmark', wanted fwmark MARK",
      "f:7:8: error: virtual_server_group: found 'x', wanted a whole number from 1 to 4294967295",
      "f:8:10: error: virtual_server_group: found 'ipv4', wanted inet or inet6",
      "f:9:15: error: virtual_server_group: found 'x', wanted fwmark MARK, or fwmark MARK inet or inet6",
      "f:10:1: error: virtual_server_group: found '192.0.2.1/24', wanted the first address of a network of this "
      "length, "
      "such as 192.0.2.8/29",
      "f:11:1: error: unexpected block in virtual_server_group, which is a list"}},
    {"BothFamilies",
     with_group("192.0.2.1 80\n2001:db8::1 80"),
     {"f:3:1: error: virtual_server_group 'G' has IPv4 before, and IPv6 here: its real servers can have one family "
      "only; "
      "make it two groups"}},
    {"LineTwice",
     with_group("192.0.2.1-6 80\n192.0.2.5 80"),
     {"f:3:1: warning: tcp/192.0.2.5:80 is already there, at f:2:1; this one is left out"}},
    {"AddressOfAnotherServer",
     v4("") + with_group("192.0.2.0-6 80"),
     {"f:8:1: error: a second virtual_server tcp/192.0.2.1:80; the first is at f:1:1"}},
    {"Multicast",
     with_group("223.255.255.254-224.0.0.9 80"),
     {"f:2:1: error: virtual_server 224.0.0.0: this address cannot be a virtual server's"}},
    {"RealServerIsOneOfThem",
     with_group("192.0.2.1-9 80"),
     {"f:7:1: error: real_server 192.0.2.7: this address cannot be a real server's"}},
    {"TooMany",
     with_group("10.0.0.0/17 80\n10.1.0.0/17 80\n10.2.0.0/17 80"),
     {"f:3:1: error: with these addresses there are more than 65534 virtual servers"}},
    {"PortOfARealServer",
     with_group("192.0.2.1 80\n192.0.2.2 80", "real_server 192.0.2.7 81 { }"),
     {"f:8:1: warning: real_server 192.0.2.7:81: direct routing keeps the virtual server's port, so the port is 80"}},
    {"MarkWithoutClass",
     with_group("192.0.2.1 80\nfwmark 9"),
     {"f:3:1: error: virtual_server fwmark 9: lbdp gets packets before iptables could mark them, so the dataplane "
      "block "
      "has to say what has this mark; write 'dataplane { fwmark 9 { PROTOCOL ADDRESS [PORT] } }', one line a "
      "destination"}},
};
INSTANTIATE_TEST_SUITE_P(Groups, BadService, testing::ValuesIn(kGroups), name_of);

const Case kMarks[] = {
    {"WithoutClass",
     service("fwmark 7", "real_server 192.0.2.7 { }"),
     {"f:1:23: error: virtual_server fwmark 7: lbdp gets packets before iptables could mark them, so the dataplane "
      "block has to say what has this mark; write 'dataplane { fwmark 7 { PROTOCOL ADDRESS [PORT] } }', one line a "
      "destination"}},
    {"WithoutServer",
     "dataplane { fwmark 7 { tcp 192.0.2.1 80 }\n}\n",
     {"f:1:13: warning: fwmark 7: no 'virtual_server fwmark 7' uses it"}},
    {"Empty",
     with_mark(""),
     {"f:1:23: error: virtual_server fwmark 7: fwmark 7 of the dataplane block, at f:5:13, has no IPv4 destination"}},
    {"OfTheOtherFamily",
     with_mark("tcp 192.0.2.1 80", "real_server 2001:db8::7 { }"),
     {"f:1:23: error: virtual_server fwmark 7: fwmark 7 of the dataplane block, at f:5:13, has no IPv6 destination"}},
    {"TwoServers",
     service("fwmark 7", "real_server 192.0.2.8 { }") + with_mark("tcp 192.0.2.1 80"),
     {"f:4:23: error: a second virtual_server fwmark 7; the first is at f:1:23"}},
    {"TwoClasses",
     with_mark("tcp 192.0.2.1 80") + "dataplane { fwmark 7 { udp 192.0.2.1 80 }\n}\n",
     {"f:9:13: error: a second fwmark 7; the first is at f:5:13"}},
    {"LineTwice",
     with_mark("tcp 192.0.2.1 80\ntcp 192.0.2.1 80"),
     {"f:7:1: warning: tcp/192.0.2.1:80 is already there, at f:6:1; this one is left out"}},
    {"AddressOfAnotherServer",
     v4("") + with_mark("tcp 192.0.2.1 80\ntcp 192.0.2.1 81"),
     {"f:12:1: error: a second virtual_server tcp/192.0.2.1:80; the first is at f:1:1"}},
    {"Head",
     "dataplane { fwmark { tcp 192.0.2.1 }\nfwmark x { tcp 192.0.2.1 }\n}\n",
     {"f:1:13: error: 'fwmark' needs a value",
      "f:2:8: error: fwmark: found 'x', wanted a whole number from 1 to 4294967295"}},
    {"Lines",
     with_mark("tcp\nicmp 192.0.2.1\ntcp 192.0.2.1 80 81\ntcp 192.0.2.1-0\nudp host 99999"),
     {"f:6:1: error: fwmark: found 'tcp', wanted PROTOCOL ADDRESS [PORT], such as 'tcp 192.0.2.1 80'",
      "f:7:1: error: fwmark: found 'icmp', wanted TCP, UDP or SCTP",
      "f:8:18: error: fwmark: found '81', wanted PROTOCOL ADDRESS [PORT], such as 'tcp 192.0.2.1 80'",
      "f:9:5: error: fwmark: found '192.0.2.1-0', wanted a range whose end is not before its start, of at most 65534 "
      "addresses",
      "f:10:5: error: fwmark: found 'host', wanted a numeric IPv4 or IPv6 address, or a range such as 192.0.2.1-10",
      "f:10:10: error: fwmark: found '99999', wanted a whole number from 0 to 65535"}},
    {"OwnersThatPart",
     "vrrp_instance V {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.1 }\n}\n" +
         with_mark("tcp 192.0.2.1\ntcp 192.0.2.2"),
     {"f:6:1: warning: virtual_server fwmark 7: 192.0.2.1 (vrrp_instance V) and 192.0.2.2 (no vrrp_instance) do not "
      "move "
      "together; lbdp forwards for all of them while one instance is MASTER"}},
    {"Numbers",
     "dataplane {\nwide_connections 63\ntemplates 268435457\nconn_reuse 1\nsloppy_tcp maybe\nexpire_quiescent_template "
     "x\n}\n",
     {"f:2:18: error: wide_connections: found '63', wanted a whole number from 64 to 268435456",
      "f:3:11: error: templates: found '268435457', wanted a whole number from 64 to 268435456",
      "f:4:12: error: conn_reuse: found '1', wanted on, off, true, false, yes or no",
      "f:5:12: error: sloppy_tcp: found 'maybe', wanted on, off, true, false, yes or no",
      "f:6:27: error: expire_quiescent_template: found 'x', wanted on, off, true, false, yes or no"}},
};
INSTANTIATE_TEST_SUITE_P(Marks, BadService, testing::ValuesIn(kMarks), name_of);

}  // namespace
}  // namespace lbdp::config
