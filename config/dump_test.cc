// SPDX-License-Identifier: BSD-2-Clause
#include "config/dump.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "config/load.h"

namespace lbdp::config {
namespace {

using nlohmann::ordered_json;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kFile = R"(
global_defs { lvs_timeouts tcp 100 }
vrrp_instance VI {
  interface eth0.7
  virtual_router_id 5
  authentication {
    auth_type PASS
    auth_pass "a #b"
  }
  virtual_ipaddress { 192.0.2.1/24 }
  nopreempt
}
virtual_server_group G {
  192.0.2.1-2 80
  fwmark 3
}
virtual_server group G {
  lb_algo sh
  sh-port
  protocol TCP
  real_server 192.0.2.7 80 {
    HTTP_GET {
      delay_before_retry 2.5
      url {
        path /
        status_code 200 301-302
      }
    }
    TCP_CHECK { }
  }
}
dataplane { fwmark 3 { udp 192.0.2.9 } }
)";

Model model_of(std::string_view text) {
  const LoadResult result = load_text(text, "lb.conf");
  for (const auto& diagnostic : result.diagnostics)
    EXPECT_NE(diagnostic.severity, Severity::kError) << diagnostic.to_string();
  return result.model.value_or(Model());
}

TEST(DumpText, WordsThatTheLexerWouldSplitStandInQuotes) {
  EXPECT_THAT(dump_text(model_of(kFile)), HasSubstr("\n        auth_pass \"a #b\"\n"));
}

TEST(DumpText, DefaultsAreThere) {
  const std::string text = dump_text(model_of(kFile));
  EXPECT_THAT(text, HasSubstr("\n    lvs_timeouts tcp 100 tcpfin 120 udp 300\n"));
  EXPECT_THAT(text, HasSubstr("\n    priority 100\n"));
  EXPECT_THAT(text, HasSubstr("\n            connect_timeout 5\n"));
}

TEST(DumpText, WhatKeepalivedDoesNotKnowStandsBehindItsId) {
  const std::string text = dump_text(model_of(kFile));
  const size_t block = text.find("@lbdp dataplane {\n");
  ASSERT_NE(block, std::string::npos);
  for (size_t line = block; line < text.size(); line = text.find('\n', line) + 1) {
    EXPECT_TRUE(std::string_view(text).substr(line).starts_with("@lbdp ")) << text.substr(line);
  }
  EXPECT_THAT(text, HasSubstr("\n@lbdp     persistence_timeout 0\n"));
  EXPECT_THAT(text.substr(0, block), Not(HasSubstr("persistence_granularity")));
}

TEST(DumpText, GroupsAndMarksComeBackAsTheyWere) {
  const std::string text = dump_text(model_of(kFile));
  EXPECT_THAT(text, HasSubstr("virtual_server_group G {\n    192.0.2.1 80\n    192.0.2.2 80\n    fwmark 3 inet\n}\n"));
  EXPECT_THAT(text, HasSubstr("virtual_server group G {\n    protocol TCP\n    lb_algo sh\n    sh-port\n"));
  EXPECT_THAT(text, HasSubstr("@lbdp     fwmark 3 {\n@lbdp         udp 192.0.2.9\n@lbdp     }\n"));
}

TEST(DumpJson, HasKeywordsAsKeysAndTypedValues) {
  const ordered_json document = dump_json(model_of(kFile));
  const ordered_json& instance = document["vrrp_instance"][0];
  EXPECT_EQ(instance["name"], "VI");
  EXPECT_EQ(instance["priority"], 100);
  EXPECT_EQ(instance["nopreempt"], true);
  EXPECT_EQ(instance["virtual_ipaddress"].size(), 1u);
  EXPECT_EQ(instance["virtual_ipaddress"][0]["address"], "192.0.2.1/24");
  const ordered_json& server = document["virtual_server"][0];
  EXPECT_EQ(server["group"], "G");
  EXPECT_EQ(server["persistence_timeout"], 0);
  const ordered_json& http = server["real_server"][0]["HTTP_GET"][0];
  EXPECT_EQ(http["delay_before_retry"], 2.5);
  EXPECT_EQ(http["connect_ip"], "192.0.2.7");
  EXPECT_EQ(http["url"][0]["status_code"], ordered_json({"200", "301-302"}));
  EXPECT_EQ(document["global_defs"]["lvs_timeouts"], ordered_json({{"tcp", 100}, {"tcpfin", 120}, {"udp", 300}}));
  EXPECT_EQ(document["dataplane"]["interfaces"], ordered_json({"eth0"}));
  EXPECT_EQ(document["dataplane"]["fwmark"][0]["entries"][0]["port"], nullptr);
}

TEST(DumpJson, KeysAreThereWithoutValuesToo) {
  const ordered_json document = dump_json(Model());
  for (const auto* key : {"vrrp_instance", "virtual_server_group", "virtual_server"}) {
    EXPECT_EQ(document[key], ordered_json::array()) << key;
  }
  EXPECT_EQ(document["global_defs"]["notification_email"], ordered_json::array());
  for (const auto* key : {"router_id", "smtp_server", "smtp_alert"}) {
    ASSERT_TRUE(document["global_defs"].contains(key)) << key;
    EXPECT_TRUE(document["global_defs"][key].is_null()) << key;
  }
}

TEST(DumpJson, HasNoPassword) {
  const ordered_json document = dump_json(model_of(kFile));
  EXPECT_EQ(document["vrrp_instance"][0]["authentication"]["auth_pass"], true);
  EXPECT_THAT(document.dump(), Not(HasSubstr("a #b")));
}

TEST(DumpJson, IsUtf8WhateverTheFileIs) {
  const ordered_json document = dump_json(model_of("global_defs { router_id \"caf\xe9 \xc3\xa9\" }\n"));
  EXPECT_EQ(document["global_defs"]["router_id"], "caf\xef\xbf\xbd \xc3\xa9");
  EXPECT_NO_THROW(static_cast<void>(document.dump()));
}

}  // namespace
}  // namespace lbdp::config
