// SPDX-License-Identifier: BSD-2-Clause
// Which defaults `lbdp -t -v` names, and where.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"
#include "config/report.h"

namespace lbdp::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> defaults_of(const std::string& text) {
  const LoadResult result = load_text(text, "f");
  for (const Diagnostic& finding : result.diagnostics) {
    EXPECT_NE(finding.severity, Severity::kError) << finding.to_string();
  }
  return remark_lines(result, Remark::Kind::kDefault);
}

std::string instance(const std::string& lines) {
  return "vrrp_instance V {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.1\n}\n" + lines + "}\n";
}

TEST(Defaults, OfAVrrpInstance) {
  EXPECT_THAT(defaults_of(instance("")),
              ElementsAre("state: BACKUP; the priority decides in any case. f:1:1", "priority: 100. f:1:1",
                          "nopreempt: a director of higher priority takes over as soon as it is back. f:1:1"));
  EXPECT_THAT(defaults_of(instance("state BACKUP\npriority 100\npreempt\n")), IsEmpty());
  EXPECT_THAT(defaults_of(instance("state BACKUP\npriority 100\npreempt_delay 60\n")), IsEmpty());
  EXPECT_THAT(defaults_of(instance("state MASTER\n")), IsEmpty()) << "that the priority is 255 is a warning";
}

std::string service(const std::string& lines, const std::string& servers) {
  return "virtual_server 192.0.2.1 80 {\nlb_algo wrr\nlb_kind DR\nprotocol TCP\n" + lines + servers + "}\n";
}

TEST(Defaults, OfAServiceWithoutChecks) {
  const std::string two = "real_server 192.0.2.2 80 {\n}\nreal_server 192.0.2.3 80 {\n}\n";
  EXPECT_THAT(defaults_of(service("", two)),
              ElementsAre("a checker (2 times): none: the server is always up. f:5:1, f:7:1"));
  const std::string weighted = "real_server 192.0.2.2 80 {\nweight 3\n}\nreal_server 192.0.2.3 80 {\n}\n";
  EXPECT_THAT(defaults_of(service("", weighted)),
              ElementsAre("a checker (2 times): none: the server is always up. f:5:1, f:8:1",
                          "weight: 1, while other servers of the service have one of their own. f:8:1"));
  EXPECT_THAT(defaults_of(service("weight 2\n", weighted)),
              ElementsAre("a checker (2 times): none: the server is always up. f:6:1, f:9:1"));
}

const std::string kDelayLoop = "delay_loop: 60 s between two checks of a server. f:1:1";
const std::string kConnectTimeout = "connect_timeout: 5 s. f:1:1";
const std::string kAlpha =
    "alpha: off: a server gets connections before its first check, which may come as late as warmup, or else "
    "delay_loop, says. f:1:1";
const std::string kInhibit =
    "inhibit_on_failure: off: a server that fails is taken out, and its connections end. f:1:1";

TEST(Defaults, OfChecks) {
  const std::string bare = "real_server 192.0.2.2 80 {\nTCP_CHECK {\n}\n}\n";
  EXPECT_THAT(defaults_of(service("", bare)), ElementsAre(kDelayLoop, kConnectTimeout, kAlpha, kInhibit));
  const std::string all = "delay_loop 5\nconnect_timeout 2\nalpha\n";
  EXPECT_THAT(defaults_of(service(all + "inhibit_on_failure\n", bare)), IsEmpty()) << "from the virtual server";
  EXPECT_THAT(
      defaults_of(service("", "real_server 192.0.2.2 80 {\ninhibit_on_failure off\n" + all + "TCP_CHECK {\n}\n}\n")),
      IsEmpty())
      << "from the real server";
  EXPECT_THAT(defaults_of(service("", "real_server 192.0.2.2 80 {\nTCP_CHECK {\n" + all + "}\n}\n")),
              ElementsAre(kInhibit))
      << "from the checker";
  // One of two checkers lacks it.
  EXPECT_THAT(defaults_of(service("inhibit_on_failure\n", "real_server 192.0.2.2 80 {\nTCP_CHECK {\n" + all +
                                                              "}\nTCP_CHECK {\nalpha\nconnect_timeout 2\n}\n}\n")),
              ElementsAre(kDelayLoop));
}

}  // namespace
}  // namespace lbdp::config
