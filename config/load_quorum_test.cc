// SPDX-License-Identifier: BSD-2-Clause
// What a virtual server does as a whole: quorum, sorry server, commands at transitions, and the keywords that mean
// nothing here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"

namespace lbdp::config {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;

std::vector<std::string> findings(const LoadResult& result, bool not_yet = true) {
  std::vector<std::string> texts;
  for (const Diagnostic& diagnostic : result.diagnostics) {
    if (diagnostic.severity == Severity::kNote) continue;
    if (!not_yet && diagnostic.message.find("does nothing yet") != std::string::npos) continue;
    texts.push_back(diagnostic.to_string());
  }
  return texts;
}

/// `lines` start on line 6; real_lines are of a server with weight 1, on line 4.
std::string service(const std::string& lines, const std::string& real_lines = "") {
  return "virtual_server 192.0.2.1 80 {\nprotocol TCP\nlb_kind DR\nreal_server 192.0.2.7 80 { " + real_lines +
         " }\nreal_server 192.0.2.8 { weight 9 }\n" + lines + "\n}\n";
}

VirtualServer server_of(const std::string& text) {
  const LoadResult result = load_text(text, "f");
  EXPECT_THAT(findings(result, false), IsEmpty()) << text;
  return result.ok() ? result.model->virtual_servers.at(0) : VirtualServer{};
}

std::string not_yet(const std::string& place, const std::string& keyword) {
  return "f:" + place + ": warning: '" + keyword + "' is checked, but does nothing yet";
}

TEST(Quorum, Defaults) {
  const VirtualServer server = server_of(service(""));
  EXPECT_EQ(server.quorum, 1U);
  EXPECT_EQ(server.hysteresis, 0U);
  EXPECT_EQ(server.quorum_up, std::nullopt);
  EXPECT_EQ(server.quorum_down, std::nullopt);
  EXPECT_EQ(server.sorry_server, std::nullopt);
  EXPECT_FALSE(server.ha_suspend);
  EXPECT_FALSE(server.omega);
}

TEST(Quorum, Values) {
  const VirtualServer server = server_of(service("quorum 10\nhysteresis 9\nha_suspend\nomega"));
  EXPECT_EQ(server.quorum, 10U);
  EXPECT_EQ(server.hysteresis, 9U);
  EXPECT_TRUE(server.ha_suspend);
  EXPECT_TRUE(server.omega);
  EXPECT_EQ(server_of(service("quorum 1")).quorum, 1U);
}

/// keepalived says the same, and does the same but for weights of 0, where it makes a hysteresis of 4294967295.
TEST(Quorum, IsReducedToWhatCanBeReached) {
  const auto reduced = [](const std::string& lines) {
    const LoadResult result = load_text(service(lines), "f");
    const auto& server = result.model.value().virtual_servers.at(0);
    return std::pair(server.quorum, server.hysteresis);
  };
  EXPECT_EQ(reduced("quorum 11"), std::pair(10U, 0U));
  EXPECT_EQ(reduced("quorum 4294967295\nhysteresis 4294967295"), std::pair(10U, 9U));
  EXPECT_EQ(reduced("quorum 5\nhysteresis 5"), std::pair(5U, 4U));
  EXPECT_EQ(reduced("hysteresis 1"), std::pair(1U, 0U));
  const LoadResult none = load_text(
      "virtual_server 192.0.2.1 80 {\nprotocol TCP\nquorum 2\nhysteresis 5\nreal_server 192.0.2.7 { weight 0 }\n}",
      "f");
  EXPECT_EQ(none.model.value().virtual_servers.at(0).quorum, 1U);
  EXPECT_EQ(none.model->virtual_servers.at(0).hysteresis, 0U);
}

TEST(Quorum, SumsOfWeightsDoNotOverflow) {
  const LoadResult result = load_text(
      "virtual_server 192.0.2.1 80 {\nprotocol TCP\nquorum 4294967295\nweight 2147483647\nreal_server 192.0.2.7 { }\n"
      "real_server 192.0.2.8 { }\nreal_server 192.0.2.9 { }\n}",
      "f");
  EXPECT_EQ(result.model.value().virtual_servers.at(0).quorum, 4294967295U);
}

TEST(SorryServer, HasTheServicesPort) {
  const VirtualServer server = server_of(service("sorry_server 192.0.2.9\nsorry_server_lvs_method DR"));
  EXPECT_EQ(server.sorry_server, (SorryServer{Endpoint::parse("192.0.2.9:80").value(), false}));
  const VirtualServer inhibited = server_of(service("sorry_server_inhibit\nsorry_server 192.0.2.9 80"));
  EXPECT_EQ(inhibited.sorry_server, (SorryServer{Endpoint::parse("192.0.2.9:80").value(), true}))
      << "the order does not matter";
}

TEST(SorryServer, OfAServiceWithoutAPortHasNone) {
  const VirtualServer server = server_of(
      "virtual_server 2001:db8::1 {\nprotocol UDP\nlb_kind DR\nsorry_server 2001:db8::9 53\nreal_server 2001:db8::7 { "
      "}\n}");
  EXPECT_EQ(server.sorry_server->endpoint.to_string(), "[2001:db8::9]:0");
}

TEST(Commands, OfVirtualAndRealServers) {
  const VirtualServer server = server_of(service("quorum_up \"/bin/up a 'b c'\" nobody nogroup\nquorum_down /bin/down",
                                                 "\nnotify_up /bin/true root\nnotify_down \"/bin/false x\"\n"));
  EXPECT_THAT(server.quorum_up->command.arguments, ElementsAre("/bin/up", "a", "b c"));
  EXPECT_EQ(server.quorum_up->user, "nobody");
  EXPECT_EQ(server.quorum_up->group, "nogroup");
  EXPECT_THAT(server.quorum_down->command.arguments, ElementsAre("/bin/down"));
  EXPECT_EQ(server.quorum_down->user, "");
  const RealServer& real = server.real_servers.at(0);
  EXPECT_THAT(real.notify_up->command.arguments, ElementsAre("/bin/true"));
  EXPECT_EQ(real.notify_up->user, "root");
  EXPECT_THAT(real.notify_down->command.arguments, ElementsAre("/bin/false", "x"));
  EXPECT_EQ(server.real_servers.at(1).notify_up, std::nullopt);
}

TEST(Commands, TheFirstOneCountsAsInKeepalived) {
  const LoadResult result = load_text(service("quorum_up /bin/a\nquorum_up /bin/b"), "f");
  EXPECT_THAT(result.model.value().virtual_servers.at(0).quorum_up->command.arguments, ElementsAre("/bin/a"));
  EXPECT_THAT(findings(result, false),
              ElementsAre("f:7:1: warning: 'quorum_up' is set again, after line 6; the first one counts"));
}

TEST(Families, OfAMark) {
  const std::string mark = "dataplane {\nfwmark 7 {\ntcp 192.0.2.1\ntcp 2001:db8::1\n}\n}\n";
  EXPECT_EQ(server_of("virtual_server fwmark 7 {\nlb_kind DR\nip_family inet6\nreal_server 2001:db8::7 { }\n}\n" + mark)
                .services.at(0)
                .key.to_string(),
            "tcp/[2001:db8::1]:0");
  EXPECT_EQ(server_of("virtual_server fwmark 7 {\nlb_kind DR\nip_family inet\nreal_server 192.0.2.7 { }\n}\n" + mark)
                .services.at(0)
                .key.to_string(),
            "tcp/192.0.2.1:0");
}

TEST(Protocols, InUpperAndLowerCase) {
  for (const auto& [name, protocol] :
       {std::pair("TCP", Protocol::kTcp), std::pair("udp", Protocol::kUdp), std::pair("Sctp", Protocol::kSctp)}) {
    const VirtualServer server = server_of("virtual_server 192.0.2.1 80 {\nlb_kind DR\nprotocol " + std::string(name) +
                                           "\nreal_server 192.0.2.7 { }\n}");
    EXPECT_EQ(server.services.at(0).key.protocol, protocol) << name;
  }
}

struct Case {
  const char* name;
  std::string text;
  std::vector<std::string> findings;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

class BadServer : public testing::TestWithParam<Case> {};

TEST_P(BadServer, GivesExactlyTheseFindings) {
  EXPECT_THAT(findings(load_text(GetParam().text, "f")), ElementsAreArray(GetParam().findings)) << GetParam().text;
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

const Case kQuorum[] = {
    {"Ranges",
     service("quorum 0\nhysteresis -1"),
     {not_yet("6:1", "quorum"), "f:6:8: error: quorum: found '0', wanted a whole number from 1 to 4294967295",
      not_yet("7:1", "hysteresis"),
      "f:7:12: error: hysteresis: found '-1', wanted a whole number from 0 to 4294967295"}},
    {"TooMuch",
     service("quorum 4294967296\nhysteresis 4294967296"),
     {not_yet("6:1", "quorum"), "f:6:8: error: quorum: found '4294967296', wanted a whole number from 1 to 4294967295",
      not_yet("7:1", "hysteresis"),
      "f:7:12: error: hysteresis: found '4294967296', wanted a whole number from 0 to 4294967295"}},
    {"OverTheWeights",
     service("quorum 11\nhysteresis 10"),
     {not_yet("6:1", "quorum"),
      "f:6:1: warning: virtual_server 192.0.2.1:80: quorum 11 is more than the weight of all real servers, 10: it is "
      "10",
      not_yet("7:1", "hysteresis"),
      "f:7:1: warning: virtual_server 192.0.2.1:80: hysteresis 10 is not below quorum 10: it is 9"}},
    {"Flags",
     service("omega 1\nha_suspend off"),
     {not_yet("6:1", "omega"), "f:6:7: error: omega: found '1', wanted on, off, true, false, yes or no",
      not_yet("7:1", "ha_suspend"),
      "f:7:1: warning: 'ha_suspend' of a virtual_server is off here; keepalived ignores the value and takes it as on: "
      "to use the file with both, leave the line out"}},
    {"LoneFlags",
     service("alpha off\ninhibit_on_failure no\nalpha false"),
     {"f:6:1: warning: 'alpha' of a virtual_server is off here; keepalived ignores the value and takes it as on: to "
      "use the file with both, leave the line out",
      "f:7:1: warning: 'inhibit_on_failure' of a virtual_server is off here; keepalived ignores the value and takes it "
      "as on: to use the file with both, leave the line out",
      "f:8:1: warning: 'alpha' is set again, after line 6; this one, the last, counts",
      "f:8:1: warning: 'alpha' of a virtual_server is off here; keepalived ignores the value and takes it as on: to "
      "use the file with both, leave the line out"}},
    {"WeightOfAll",
     service("weight 0\nweight 2147483648"),
     {"f:6:8: error: weight: found '0', wanted a whole number from 1 to 2147483647",
      "f:7:1: warning: 'weight' is set again, after line 6; this one, the last, counts",
      "f:7:8: error: weight: found '2147483648', wanted a whole number from 1 to 2147483647"}},
    {"ConnectTimeout",
     service("connect_timeout 0", "connect_timeout 5000"),
     {"f:4:44: error: connect_timeout: found '5000', wanted seconds from 0.001 to 4294.967295",
      "f:6:17: error: connect_timeout: found '0', wanted seconds from 0.001 to 4294.967295"}},
};
INSTANTIATE_TEST_SUITE_P(Quorum, BadServer, testing::ValuesIn(kQuorum), name_of);

const Case kSorry[] = {
    {"Port",
     service("sorry_server 192.0.2.9 81"),
     {not_yet("6:1", "sorry_server"),
      "f:6:1: warning: sorry_server 192.0.2.9:81: direct routing keeps the virtual server's port, so the port is 80"}},
    {"Family",
     service("sorry_server 2001:db8::9 80"),
     {not_yet("6:1", "sorry_server"),
      "f:6:1: error: sorry_server 2001:db8::9: its family is not that of virtual_server 192.0.2.1"}},
    {"Itself",
     service("sorry_server 192.0.2.1"),
     {not_yet("6:1", "sorry_server"), "f:6:1: error: sorry_server 192.0.2.1: this address cannot be a sorry server's"}},
    {"Words",
     service("sorry_server host x\nsorry_server 192.0.2.9 80 80"),
     {not_yet("6:1", "sorry_server"),
      "f:6:14: error: sorry_server: found 'host', wanted a numeric IPv4 or IPv6 address",
      "f:6:19: error: sorry_server: found 'x', wanted a whole number from 0 to 65535",
      "f:7:1: warning: 'sorry_server' is set again, after line 6; this one, the last, counts",
      "f:7:27: error: 'sorry_server': '80' is too much; it takes at most 2 values"}},
    {"SettingsAlone",
     service("sorry_server_inhibit\nsorry_server_lvs_method DR"),
     {not_yet("6:1", "sorry_server_inhibit"), "f:6:1: warning: sorry_server_inhibit without sorry_server is ignored",
      "f:7:1: warning: sorry_server_lvs_method without sorry_server is ignored"}},
    {"WithoutRealServers",
     "virtual_server 192.0.2.1 80 {\nprotocol TCP\nlb_kind DR\nsorry_server 192.0.2.9\n}",
     {"f:1:1: warning: virtual_server 192.0.2.1:80: it has no real_server and is left out",
      not_yet("4:1", "sorry_server")}},
};
INSTANTIATE_TEST_SUITE_P(Sorry, BadServer, testing::ValuesIn(kSorry), name_of);

const std::string kOnlyDr =
    "wanted DR: lbdp forwards by direct routing only (real servers hold the address on lo; see scripts/realserver)";

const Case kOthers[] = {
    {"Tunnels",
     service("sorry_server 192.0.2.9\nsorry_server_lvs_method TUN type gue port 6080 csum\nlvs_method NAT\n",
             "\nlvs_method TUN type ipip\n"),
     {"f:5:12: error: lvs_method: found 'TUN', " + kOnlyDr, not_yet("8:1", "sorry_server"),
      "f:9:25: error: sorry_server_lvs_method: found 'TUN', " + kOnlyDr,
      "f:10:1: warning: 'lvs_method' is set again, after line 3; this one, the last, counts",
      "f:10:12: error: lvs_method: found 'NAT', " + kOnlyDr}},
    {"MethodOfARealServer", service("", "lvs_method DR"), {}},
    {"MethodWithOptions",
     service("", "lvs_method DR csum"),
     {"f:4:42: error: 'lvs_method': 'csum' is too much; it takes one value"}},
    {"CommandQuote",
     service("quorum_up \"/bin/up 'a\"\nquorum_down"),
     {not_yet("6:1", "quorum_up"), "f:6:11: error: quorum_up: found '\"/bin/up 'a\"', wanted a closing '",
      not_yet("7:1", "quorum_down"), "f:7:1: error: 'quorum_down' needs a value"}},
    {"CommandWords",
     service("", "\nnotify_up /bin/a b c d\n"),
     {not_yet("5:1", "notify_up"),
      "f:5:11: error: notify_up: found '/bin/a b c d', wanted COMMAND [USER [GROUP]]: put "
      "a command with arguments in quotes"}},
    {"Snmp",
     service("snmp_name a", "snmp_name \"b c\""),
     {"f:4:28: no effect: 'snmp_name' has no effect here: there is no SNMP agent"}},
    {"SnmpNameMissing",
     service("snmp_name"),
     {"f:6:1: no effect: 'snmp_name' has no effect here: there is no SNMP agent",
      "f:6:1: error: 'snmp_name' needs a value"}},
    {"Hashed",
     service("hashed"),
     {"f:6:1: no effect: 'hashed' has no effect here: the kernel sets it by itself for every service"}},
    {"PersistenceEngine",
     service("persistence_engine sip"),
     {"f:6:1: error: 'persistence_engine' is not supported: persistence goes by the client's address only; the "
      "kernel's 'sip' engine, which goes by a call's id, is not there"}},
    {"FamilyWord", service("ip_family ipv4"), {"f:6:11: error: ip_family: found 'ipv4', wanted inet or inet6"}},
    {"FamilyOfTheAddress",
     service("ip_family inet6"),
     {"f:6:1: error: virtual_server 192.0.2.1:80: ip_family is IPv6, but the addresses of the service are IPv4"}},
    {"FamilyOfAGroup",
     "virtual_server_group G {\n192.0.2.1 80\n}\nvirtual_server group G {\nprotocol TCP\nip_family inet6\n"
     "real_server 192.0.2.7 { }\n}",
     {"f:6:1: error: virtual_server group G: ip_family is IPv6, but the addresses of the service are IPv4"}},
};
INSTANTIATE_TEST_SUITE_P(Others, BadServer, testing::ValuesIn(kOthers), name_of);

}  // namespace
}  // namespace lbdp::config
