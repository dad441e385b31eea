// SPDX-License-Identifier: BSD-2-Clause
#include "config/diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <sstream>

#include "config/dump.h"
#include "config/load.h"
#include "config/random_file.h"

namespace lbdp::config {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

const std::string kInstance = R"(
vrrp_instance VI_1 {
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority 100
    authentication {
        auth_type PASS
        auth_pass s3cret
    }
    virtual_ipaddress {
        10.0.0.1
        10.0.0.2
    }
}
)";

const std::string kService = R"(
virtual_server 10.0.0.1 80 {
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 10.0.1.1 80 {
        weight 1
        TCP_CHECK { connect_timeout 3 }
        HTTP_GET {
            url {
                path /a
                status_code 200
            }
        }
    }
    real_server 10.0.1.2 80 {
        weight 1
        TCP_CHECK { connect_timeout 3 }
    }
}
)";

const std::string kFile = "global_defs {\n    router_id one\n}\n" + kInstance + kService;

Model load(const std::string& text) {
  const LoadResult loaded = load_text(text, "lb.conf");
  EXPECT_TRUE(loaded.ok()) << (loaded.diagnostics.empty() ? "" : loaded.diagnostics.front().to_string()) << "\n"
                           << text;
  return loaded.model.value_or(Model{});
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t place = text.find(from);
  EXPECT_NE(place, std::string::npos) << from;
  return text.replace(place, from.size(), to);
}

std::vector<std::string> lines(const std::string& before, const std::string& after) {
  std::vector<std::string> out;
  for (const Change& change : diff(load(before), load(after))) out.push_back(change.to_string());
  return out;
}

std::vector<std::string> lines(const std::string& from, const std::string& to, const std::string& file) {
  return lines(file, replaced(file, from, to));
}

TEST(Diff, NothingChangedByPlacesAndComments) {
  EXPECT_THAT(lines(kFile, "# a comment\n\n" + kFile), IsEmpty());
}

TEST(Diff, AKeywordOfAnInstance) {
  EXPECT_THAT(lines("priority 100", "priority 90", kFile),
              ElementsAre("changed: vrrp_instance VI_1: priority 100 -> 90"));
}

TEST(Diff, AFlagIsOnOrOff) {
  EXPECT_THAT(lines("priority 100", "priority 100\n    nopreempt", kFile),
              ElementsAre("changed: vrrp_instance VI_1: nopreempt off -> on"));
}

TEST(Diff, AddressesComeAndGoOneByOne) {
  EXPECT_THAT(lines("10.0.0.2", "10.0.0.3", kFile),
              ElementsAre("changed: vrrp_instance VI_1: virtual_ipaddress - 10.0.0.2/32 scope global",
                          "changed: vrrp_instance VI_1: virtual_ipaddress + 10.0.0.3/32 scope global"));
  EXPECT_THAT(lines("10.0.0.1\n        10.0.0.2", "10.0.0.2\n        10.0.0.1", kFile),
              ElementsAre("changed: vrrp_instance VI_1: virtual_ipaddress in another order"));
}

TEST(Diff, ASecretIsNeverTold) {
  const auto changes = lines("s3cret", "oth3r", kFile);
  EXPECT_THAT(changes, ElementsAre("changed: authentication of vrrp_instance VI_1: auth_pass changed"));
  const std::string block = "    authentication {\n        auth_type PASS\n        auth_pass s3cret\n    }\n";
  for (const auto& line : lines(block, "", kFile)) EXPECT_THAT(line, Not(HasSubstr("s3cret")));
  EXPECT_THAT(lines(block, "", kFile), Contains(HasSubstr("authentication of vrrp_instance VI_1")));
}

TEST(Diff, AnInstanceMoreAndOneLess) {
  const std::string without = "global_defs {\n    router_id one\n}\n" + kService;
  EXPECT_THAT(lines(without, kFile), Contains("added: vrrp_instance VI_1"));
  EXPECT_THAT(lines(kFile, without), Contains("removed: vrrp_instance VI_1"));
}

TEST(Diff, AGlobalSetting) {
  EXPECT_THAT(lines("router_id one", "router_id two", kFile),
              ElementsAre("changed: global_defs: router_id one -> two"));
}

TEST(Diff, AWeight) {
  EXPECT_THAT(lines("weight 1", "weight 3", kFile),
              ElementsAre("changed: real server 10.0.1.1:80 of virtual server tcp/10.0.0.1:80: weight 1 -> 3"));
}

TEST(Diff, AVirtualServersOwnKeyword) {
  EXPECT_THAT(lines("lb_algo rr", "lb_algo wlc", kFile),
              ElementsAre("changed: virtual server tcp/10.0.0.1:80: lb_algo rr -> wlc"));
}

TEST(Diff, VirtualServersMatchByProtocolAddressAndPort) {
  const std::string other = replaced(kService, "10.0.0.1 80", "10.0.0.1 81");
  EXPECT_THAT(lines(kFile, kFile + other), ElementsAre("added: virtual server tcp/10.0.0.1:81"));
  EXPECT_THAT(lines(kFile + other, kFile), ElementsAre("removed: virtual server tcp/10.0.0.1:81"));
  EXPECT_THAT(lines(kFile + other, kInstance + other + kService), Not(Contains(HasSubstr("virtual server"))));
  EXPECT_THAT(lines("protocol TCP", "protocol UDP", kFile),
              UnorderedElementsAre("added: virtual server udp/10.0.0.1:80", "removed: virtual server tcp/10.0.0.1:80"));
}

TEST(Diff, RealServersComeGoAndChangePlaces) {
  const std::string one = "    real_server 10.0.1.3 80 { weight 1 }\n    real_server 10.0.1.2 80 {";
  const std::string real = "    real_server 10.0.1.2 80 {";
  EXPECT_THAT(lines(real, one, kFile), ElementsAre("added: real server 10.0.1.3:80 of virtual server tcp/10.0.0.1:80"));
  EXPECT_THAT(lines(replaced(kFile, real, one), kFile),
              ElementsAre("removed: real server 10.0.1.3:80 of virtual server tcp/10.0.0.1:80"));
  const std::string service = "virtual_server 10.0.0.1 80 {\n    lb_kind DR\n    protocol TCP\n";
  const std::string a = "    real_server 10.0.1.1 80 { weight 1 }\n", b = "    real_server 10.0.1.2 80 { weight 1 }\n";
  EXPECT_THAT(lines(service + a + b + "}\n", service + b + a + "}\n"),
              ElementsAre("changed: virtual server tcp/10.0.0.1:80: real_server in another order"));
}

TEST(Diff, ACheckerByItsTypeAndDefinition) {
  const std::string server = "of real server 10.0.1.1:80 of virtual server tcp/10.0.0.1:80";
  EXPECT_THAT(lines("connect_timeout 3", "connect_timeout 4", kFile),
              ElementsAre("changed: TCP_CHECK " + server + ": connect_timeout 3 -> 4"));
  EXPECT_THAT(lines("path /a", "path /b", kFile),
              ElementsAre("changed: url of HTTP_GET " + server + ": path /a -> /b"));
  EXPECT_THAT(lines("        TCP_CHECK { connect_timeout 3 }\n", "", kFile),
              ElementsAre("removed: TCP_CHECK " + server));
  // Of two of a type the one that stays is not told.
  const std::string check = "        TCP_CHECK { connect_timeout 3 }\n";
  const std::string two = "        TCP_CHECK { connect_timeout 9 }\n" + check;
  EXPECT_THAT(lines(check, two, kFile), ElementsAre("added: TCP_CHECK " + server));
}

TEST(Diff, ATimeInheritedByCheckersIsToldWhereItCounts) {
  const auto changes = lines("lb_algo rr", "lb_algo rr\n    delay_loop 7", kFile);
  EXPECT_THAT(changes, Contains("changed: TCP_CHECK of real server 10.0.1.2:80 of virtual server tcp/10.0.0.1:80: "
                                "delay_loop 60 -> 7"));
}

TEST(Diff, ADataplaneSetting) {
  EXPECT_THAT(lines(kFile, kFile + "dataplane {\n    conn_reuse off\n}\n"),
              ElementsAre("changed: dataplane: conn_reuse on -> off"));
}

TEST(Diff, AGroupsAddresses) {
  const auto file = [](const std::string& addresses) {
    return "virtual_server_group G {\n" + addresses +
           "}\nvirtual_server group G {\n    lb_kind DR\n    protocol TCP\n    real_server 10.0.1.1 80 { weight 1 "
           "}\n}\n";
  };
  const std::string before = file("10.0.0.1 80\n"), after = file("10.0.0.1 80\n10.0.0.5 80\n");
  EXPECT_THAT(lines(before, after), ElementsAre("changed: virtual_server_group G: + 10.0.0.5 80"));
}

TEST(Diff, ThereAndBackIsAsLong) {
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"weight 1", "weight 2"}, {"10.0.0.2", "10.0.0.9"}, {"path /a", "path /b"}, {"s3cret", "oth3r"}}) {
    const std::string other = replaced(kFile, from, to);
    EXPECT_EQ(lines(kFile, other).size(), lines(other, kFile).size()) << from;
  }
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string without_line(const std::vector<std::string>& lines, size_t left_out) {
  std::string text;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i != left_out) text += lines[i] + "\n";
  }
  return text;
}

// Whatever keyword there is: a file without one of its lines differs from it in the dump and in the diff, or in
// neither.
TEST(Diff, ALineLessIsNeverOverlooked) {
  std::mt19937_64 random(7);
  size_t different = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    const LoadResult first = load_text(without_errors(RandomFile(seed).make()), "random.conf");
    if (!first.ok()) continue;
    const auto before = lines_of(dump_text(*first.model));
    EXPECT_THAT(diff(*first.model, *first.model), IsEmpty());
    for (int i = 0; i < 12 && !before.empty(); ++i) {
      const size_t place = random() % before.size();
      if (before[place].find_first_of("{}") != std::string::npos) continue;
      const LoadResult second = load_text(without_line(before, place), "random.conf");
      if (!second.ok()) continue;
      const bool same = *second.model == *first.model;
      EXPECT_EQ(diff(*first.model, *second.model).empty(), same) << before[place] << "\nof\n"
                                                                 << dump_text(*first.model);
      EXPECT_EQ(diff(*second.model, *first.model).empty(), same) << before[place];
      different += same ? 0U : 1U;
    }
  }
  EXPECT_GE(different, 50U);
}

}  // namespace
}  // namespace lbdp::config
