// SPDX-License-Identifier: BSD-2-Clause
// What holds when a file does not say it, and what is inherited from where.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"

namespace lbdp::config {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

/// The model of a text that must be good.
Model load(const std::string& text, const LoadOptions& options = {}) {
  LoadResult result = load_text(text, "f", options);
  std::string findings;
  for (const Diagnostic& diagnostic : result.diagnostics) findings += diagnostic.to_string() + "\n";
  EXPECT_TRUE(result.ok()) << text << findings;
  return result.model.value_or(Model{});
}

std::string instance(const std::string& lines) {
  return "vrrp_instance V {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.1 }\n" + lines + "\n}\n";
}

std::string service(const std::string& lines, const std::string& real_lines) {
  return "virtual_server 192.0.2.1 80 {\nprotocol TCP\nlb_algo rr\n" + lines + "\nreal_server 192.0.2.7 80 {\n" +
         real_lines + "\n}\n}\n";
}

RealServer real_of(const Model& model) {
  return model.virtual_servers.at(0).real_servers.at(0);
}
TcpCheck tcp_of(const Model& model) {
  return std::get<TcpCheck>(real_of(model).checkers.at(0));
}
HttpGet http_of(const Model& model) {
  return std::get<HttpGet>(real_of(model).checkers.at(0));
}

TEST(Defaults, EmptyFile) {
  const Model model = load("");
  EXPECT_EQ(model.global.vrrp_mcast_group4, ip("224.0.0.18"));
  EXPECT_EQ(model.global.smtp_connect_timeout, seconds(30));
  EXPECT_EQ(model.global.smtp_server, std::nullopt);
  EXPECT_EQ(model.dataplane.connections, 1048576u);
  EXPECT_EQ(model.dataplane.wide_connections, 131072u);
  EXPECT_EQ(model.dataplane.templates, 131072u);
  EXPECT_EQ(model.dataplane.idle_sleep, seconds(0));
  EXPECT_EQ(model.dataplane.mbufs, 0u);
  EXPECT_EQ(model.dataplane.mbuf_size, 0);
  EXPECT_TRUE(model.dataplane.expire_nodest_conn);
  EXPECT_TRUE(model.dataplane.expire_quiescent_template);
  EXPECT_TRUE(model.dataplane.conn_reuse);
  EXPECT_FALSE(model.dataplane.sloppy_tcp);
  EXPECT_EQ(model.dataplane.timeout_tcp, seconds(900));
  EXPECT_EQ(model.dataplane.timeout_tcpfin, seconds(120));
  EXPECT_EQ(model.dataplane.timeout_udp, seconds(300));
  EXPECT_THAT(model.interfaces, IsEmpty());
}

TEST(Defaults, VrrpInstance) {
  const VrrpInstance v = load(instance("")).vrrp_instances.at(0);
  EXPECT_EQ(v.state, VrrpInstance::State::kBackup);
  EXPECT_EQ(v.priority, 100);
  EXPECT_EQ(v.advert_int, seconds(1));
  EXPECT_EQ(v.auth_pass, std::nullopt);
  EXPECT_FALSE(v.nopreempt);
  EXPECT_EQ(v.preempt_delay, seconds(0));
  EXPECT_FALSE(v.smtp_alert);
  EXPECT_EQ(v.where.to_string(), "f:1:1");
}

TEST(Defaults, TcpCheck) {
  const TcpCheck check = tcp_of(load(service("", "TCP_CHECK { }")));
  EXPECT_EQ(check.timing, (CheckTiming{seconds(60), seconds(5), 1, seconds(1), seconds(60)}));
  EXPECT_EQ(check.connect, (Endpoint{ip("192.0.2.7"), 80}));
}

TEST(Defaults, HttpGet) {
  const HttpGet check = http_of(load(service("", "HTTP_GET { url { path / } }")));
  EXPECT_EQ(check.timing, (CheckTiming{seconds(60), seconds(5), 1, seconds(3), seconds(60)}));
  ASSERT_EQ(check.urls.size(), 1u);
  EXPECT_EQ(check.urls[0], (HttpUrl{"/", {}, ""}));
}

TEST(Defaults, RealServer) {
  const RealServer real = real_of(load(service("", "")));
  EXPECT_EQ(real.weight, 1);
  EXPECT_FALSE(real.inhibit_on_failure);
  EXPECT_TRUE(real.smtp_alert);
  EXPECT_EQ(real.notify_up, std::nullopt);
  EXPECT_EQ(real.notify_down, std::nullopt);
}

TEST(Defaults, MissingLbKindIsNoted) {
  const LoadResult result = load_text(service("", ""), "f");
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result.diagnostics.size(), 1u);
  EXPECT_EQ(result.diagnostics[0].to_string(),
            "f:1:1: note: virtual_server 192.0.2.1:80: 'lb_kind' is missing: DR here, while keepalived takes NAT");
}

TEST(Inheritance, CheckSettingsComeFromTheInnermostPlace) {
  const std::string outer = "delay_loop 10\nconnect_timeout 2\nretry 7\ndelay_before_retry 4\nwarmup 1";
  EXPECT_EQ(tcp_of(load(service(outer, "TCP_CHECK { }"))).timing,
            (CheckTiming{seconds(10), seconds(2), 7, seconds(4), seconds(1)}));
  EXPECT_EQ(tcp_of(load(service(outer, "delay_loop 20\nretry 8\nTCP_CHECK { }"))).timing,
            (CheckTiming{seconds(20), seconds(2), 8, seconds(4), seconds(1)}));
  EXPECT_EQ(tcp_of(load(service(outer, "retry 8\nTCP_CHECK { retry 0\nwarmup 0\ndelay_loop 0.5 }"))).timing,
            (CheckTiming{milliseconds(500), seconds(2), 0, seconds(4), seconds(0)}));
}

TEST(Inheritance, WarmupFollowsDelayLoop) {
  EXPECT_EQ(tcp_of(load(service("delay_loop 6", "TCP_CHECK { }"))).timing.warmup, seconds(6));
  EXPECT_EQ(tcp_of(load(service("delay_loop 6", "TCP_CHECK { delay_loop 3 }"))).timing.warmup, seconds(3));
}

TEST(Inheritance, OrderInTheFileDoesNotMatter) {
  const Model model = load(
      "virtual_server 192.0.2.1 80 {\nreal_server 192.0.2.7 { TCP_CHECK { } }\nprotocol UDP\n"
      "lb_algo rr\nretry 5\n}\n");
  EXPECT_EQ(model.virtual_servers.at(0).services.at(0).key.protocol, Protocol::kUdp);
  EXPECT_EQ(tcp_of(model).timing.retry, 5u);
}

TEST(Inheritance, VirtualHost) {
  const std::string http = "HTTP_GET { url { path / } }";
  EXPECT_EQ(http_of(load(service("virtualhost outer", http))).urls[0].virtualhost, "outer");
  EXPECT_EQ(http_of(load(service("virtualhost outer", "virtualhost real\n" + http))).urls[0].virtualhost, "real");
  EXPECT_EQ(http_of(load(service("", "virtualhost real\nHTTP_GET { virtualhost check\nurl { path / } }")))
                .urls[0]
                .virtualhost,
            "check");
  EXPECT_EQ(
      http_of(load(service("", "HTTP_GET { virtualhost check\nurl { path /\nvirtualhost url } }"))).urls[0].virtualhost,
      "url");
}

TEST(Inheritance, WeightInhibitAndAlpha) {
  const RealServer outer = real_of(load(service("weight 3\ninhibit_on_failure\nalpha", "TCP_CHECK { }")));
  EXPECT_EQ(outer.weight, 3);
  EXPECT_TRUE(outer.inhibit_on_failure);
  EXPECT_TRUE(has_alpha(outer.checkers.at(0)));
  const RealServer inner = real_of(load(
      service("weight 3\ninhibit_on_failure\nalpha", "weight 0\ninhibit_on_failure off\nalpha no\nTCP_CHECK { }")));
  EXPECT_EQ(inner.weight, 0);
  EXPECT_FALSE(inner.inhibit_on_failure);
  EXPECT_FALSE(has_alpha(inner.checkers.at(0)));
}

TEST(Inheritance, AlphaIsOfTheChecker) {
  const auto alphas = [](const std::string& lines, const std::string& real_lines) {
    std::vector<bool> found;
    for (const Checker& checker : real_of(load(service(lines, real_lines))).checkers) {
      found.push_back(has_alpha(checker));
    }
    return found;
  };
  EXPECT_THAT(alphas("", "TCP_CHECK { alpha }"), ElementsAre(true));
  EXPECT_THAT(alphas("alpha", "TCP_CHECK { alpha off }"), ElementsAre(false));
  EXPECT_THAT(alphas("", "TCP_CHECK { alpha }\nTCP_CHECK { connect_port 81 }"), ElementsAre(true, false));
  EXPECT_THAT(alphas("alpha", "TCP_CHECK { }\nHTTP_GET { url { path / }\nalpha no }"), ElementsAre(true, false));
}

TEST(Inheritance, SmtpAlert) {
  const auto global = [](const std::string& line) { return "global_defs {\n" + line + "\n}\n"; };
  const std::string both = instance("") + service("", "");
  Model model = load(global("smtp_alert") + both);
  EXPECT_TRUE(model.vrrp_instances[0].smtp_alert);
  EXPECT_TRUE(model.virtual_servers[0].smtp_alert);
  EXPECT_TRUE(real_of(model).smtp_alert);
  model = load(global("smtp_alert off\nsmtp_alert_vrrp on") + both);
  EXPECT_TRUE(model.vrrp_instances[0].smtp_alert);
  EXPECT_FALSE(model.virtual_servers[0].smtp_alert);
  EXPECT_FALSE(real_of(model).smtp_alert);
  model = load(global("smtp_alert on\nsmtp_alert_checker off") + instance("smtp_alert no") +
               service("smtp_alert", "smtp_alert"));
  EXPECT_FALSE(model.vrrp_instances[0].smtp_alert);
  EXPECT_TRUE(model.virtual_servers[0].smtp_alert);
  EXPECT_TRUE(real_of(model).smtp_alert);
}

TEST(Values, Vrrp) {
  const VrrpInstance v =
      load(instance("state BACKUP\npriority 254\nadvert_int 3\nnopreempt\nauthentication {\nauth_type PASS\nauth_pass "
                    "\"a b\"\n}\nvirtual_ipaddress {\n192.0.2.2/24\n}"))
          .vrrp_instances.at(0);
  EXPECT_EQ(v.priority, 254);
  EXPECT_EQ(v.advert_int, seconds(3));
  EXPECT_TRUE(v.nopreempt);
  EXPECT_EQ(v.auth_pass, "a b");
  EXPECT_THAT(v.virtual_ipaddress, ElementsAre(testing::Field(&VirtualAddress::prefix, IpPrefix{ip("192.0.2.1"), 32}),
                                               testing::Field(&VirtualAddress::prefix, IpPrefix{ip("192.0.2.2"), 24})));
  EXPECT_EQ(load(instance("preempt_delay 2.5")).vrrp_instances[0].preempt_delay, milliseconds(2500));
}

TEST(Values, CorrectedWithAWarning) {
  const auto corrected = [](const std::string& text, const std::string& warning) {
    const LoadResult result = load_text(text, "f");
    EXPECT_TRUE(std::ranges::any_of(result.diagnostics, [&](const Diagnostic& d) {
      return d.severity == Severity::kWarning && d.message.find(warning) != std::string::npos;
    })) << text;
    return result.model.value();
  };
  EXPECT_EQ(corrected(instance("state MASTER"), "without a priority").vrrp_instances[0].priority, 255);
  EXPECT_EQ(corrected(instance("advert_int 0.4"), "rounded to 1 s").vrrp_instances[0].advert_int, seconds(1));
  EXPECT_EQ(corrected(instance("advert_int 2.6"), "rounded to 3 s").vrrp_instances[0].advert_int, seconds(3));
  const Model master = corrected(instance("state MASTER\npriority 9\nnopreempt\npreempt_delay 5"), "nopreempt");
  EXPECT_FALSE(master.vrrp_instances[0].nopreempt);
  EXPECT_EQ(master.vrrp_instances[0].preempt_delay, seconds(0));
  EXPECT_EQ(corrected(instance("authentication { auth_type PASS\nauth_pass 123456789\n}"), "eight")
                .vrrp_instances[0]
                .auth_pass,
            "12345678");
  EXPECT_EQ(corrected(service("", "") + "virtual_server 192.0.2.2 80 {\nprotocol TCP\nlb_algo rr\n}", "left out")
                .virtual_servers.size(),
            1u);
  const Model port = corrected(
      "virtual_server 192.0.2.1 80 {\nprotocol TCP\nlb_algo rr\nreal_server 192.0.2.7 8080 {\n"
      "TCP_CHECK { }\n}\n}",
      "direct routing");
  EXPECT_EQ(real_of(port).endpoint.port, 80);
  EXPECT_EQ(tcp_of(port).connect.port, 80);
  EXPECT_EQ(corrected("global_defs {\nrouter_id a\nrouter_id b\n}", "set again").global.router_id, "b");
}

TEST(Values, Checker) {
  const TcpCheck check = tcp_of(load(service("", "TCP_CHECK { connect_ip 192.0.2.99\nconnect_port 8080 }")));
  EXPECT_EQ(check.connect, (Endpoint{ip("192.0.2.99"), 8080}));
  const HttpGet http =
      http_of(load(service("", "HTTP_GET { url { path /a\nstatus_code 200 301-304\n}\nurl { path /b } }")));
  ASSERT_EQ(http.urls.size(), 2u);
  EXPECT_EQ(http.urls[0], (HttpUrl{"/a", {{200, 200}, {301, 304}}, ""}));
  EXPECT_EQ(http.urls[1].path, "/b");
}

TEST(Values, Timeouts) {
  const Model model = load("global_defs { lvs_timeouts udp 10 tcp 20\nlvs_timeouts tcpfin 0\n}");
  EXPECT_EQ(model.dataplane.timeout_tcp, seconds(20));
  EXPECT_EQ(model.dataplane.timeout_tcpfin, seconds(120));
  EXPECT_EQ(model.dataplane.timeout_udp, seconds(10));
}

TEST(Values, Dataplane) {
  const Model model = load(
      "dataplane {\nport 1 {\ndevice net_tap0\ninterface eth1\n}\nport 0 {\ndevice 0000:03:00.0\nipaddress "
      "192.0.2.5/24\nrx_descriptors 512\ntx_descriptors 256\n}\nconnections 4096\nexpire_nodest_conn off\nmbufs "
      "200000\nmbuf_size 256\nwide_connections 64\ntemplates 128\nexpire_quiescent_template no\nconn_reuse off\n"
      "sloppy_tcp\n}");
  ASSERT_EQ(model.dataplane.ports.size(), 2u);
  EXPECT_EQ(model.dataplane.ports[0].id, 1);
  EXPECT_EQ(model.dataplane.ports[0].device, "net_tap0");
  EXPECT_EQ(model.dataplane.ports[0].interface, "eth1");
  EXPECT_EQ(model.dataplane.ports[0].rx_descriptors, 1024);
  EXPECT_EQ(model.dataplane.ports[1].ipaddress, (IpPrefix{ip("192.0.2.5"), 24}));
  EXPECT_EQ(model.dataplane.ports[1].rx_descriptors, 512);
  EXPECT_EQ(model.dataplane.ports[1].tx_descriptors, 256);
  EXPECT_EQ(model.dataplane.connections, 4096u);
  EXPECT_EQ(model.dataplane.mbufs, 200000u);
  EXPECT_EQ(model.dataplane.mbuf_size, 256);
  EXPECT_EQ(model.dataplane.wide_connections, 64u);
  EXPECT_EQ(model.dataplane.templates, 128u);
  EXPECT_FALSE(model.dataplane.expire_nodest_conn);
  EXPECT_FALSE(model.dataplane.expire_quiescent_template);
  EXPECT_FALSE(model.dataplane.conn_reuse);
  EXPECT_TRUE(model.dataplane.sloppy_tcp);
}

TEST(Values, IdleSleepHasUnits) {
  const auto idle = [](const std::string& text) {
    return load("dataplane { idle_sleep " + text + " }").dataplane.idle_sleep;
  };
  EXPECT_EQ(idle("50us"), microseconds(50));
  EXPECT_EQ(idle("1ms"), milliseconds(1));
  EXPECT_EQ(idle("1.5ms"), microseconds(1500));
  EXPECT_EQ(idle("0.1s"), milliseconds(100));
  EXPECT_EQ(idle("0.001"), milliseconds(1));
  EXPECT_EQ(idle("0"), microseconds(0));
}

TEST(Interfaces, AreInTheOrderInWhichTheFileNamesThem) {
  const Model model = load(
      "dataplane {\nport 0 {\ninterface eth3\n}\n}\n"
      "vrrp_instance A {\ninterface eth1.100\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.1 }\n}\n"
      "vrrp_instance B {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.2 }\n}\n"
      "vrrp_instance C {\ninterface eth1\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.3 }\n}\n");
  EXPECT_THAT(model.interfaces, ElementsAre("eth3", "eth1", "eth0"));
}

TEST(Language, BracesAnywhere) {
  const std::string text =
      "vrrp_instance V\n{\n  interface eth0\n\n  virtual_router_id 1\n virtual_ipaddress\n\n{ 192.0.2.1\n192.0.2.2 } "
      "}\n"
      "virtual_server 192.0.2.1 80{protocol TCP\nlb_algo rr\nreal_server 192.0.2.7 80{weight 10}real_server 192.0.2.8 "
      "80{weight 20}}";
  const Model model = load(text);
  EXPECT_EQ(model.vrrp_instances.at(0).virtual_ipaddress.size(), 2u);
  ASSERT_EQ(model.virtual_servers.at(0).real_servers.size(), 2u);
  EXPECT_EQ(model.virtual_servers[0].real_servers[1].weight, 20);
}

TEST(Language, CommentsQuotesAndEscapes) {
  const auto router_id = [](const std::string& text) {
    return load("global_defs {\n" + text + "\n}\n").global.router_id;
  };
  EXPECT_EQ(router_id("router_id a # b {"), "a");
  EXPECT_EQ(router_id("! router_id x\n# router_id y\nrouter_id a ! b }"), "a");
  EXPECT_EQ(router_id("router_id \"a # b ! {c}\""), "a # b ! {c}");
  EXPECT_EQ(router_id("router_id a\\#b\\!c\\d"), "a#b!c\\d");
  EXPECT_EQ(router_id("\trouter_id\ta\r"), "a");
  EXPECT_EQ(router_id("router_id $x"), "$x");
}

TEST(Language, GlobalDefsMayBeSplit) {
  const Model model = load(
      "global_defs { router_id a\n}\nglobal_defs { smtp_helo_name b\nnotification_email { c d\ne }\n"
      "smtp_server 127.0.0.1 2525 }\n");
  EXPECT_EQ(model.global.router_id, "a");
  EXPECT_EQ(model.global.smtp_helo_name, "b");
  EXPECT_EQ(model.global.smtp_server, (Endpoint{ip("127.0.0.1"), 2525}));
  EXPECT_THAT(model.global.notification_email, ElementsAre("c", "d", "e"));
}

TEST(Language, ConditionalLines) {
  const std::string text =
      "global_defs {\n@lbdp router_id us\n@^lbdp router_id keepalived\n@node1 router_id one\n@^node1 smtp_helo_name "
      "other\n}\n"
      "@lbdp dataplane {\n@lbdp connections 128\n@lbdp }\n@node2 nonsense }\n";
  const Model plain = load(text);
  EXPECT_EQ(plain.global.router_id, "us");
  EXPECT_EQ(plain.global.smtp_helo_name, "other");
  EXPECT_EQ(plain.dataplane.connections, 128u);
  const Model node1 = load(text, {.lenient = false, .config_id = "node1"});
  EXPECT_EQ(node1.global.router_id, "one");
  EXPECT_EQ(node1.global.smtp_helo_name, "");
  EXPECT_EQ(node1.dataplane.connections, 128u) << "lines behind @lbdp are ours with any config-id";
}

TEST(Language, LinesLeftOutAreNotedOnceAnIdIfNobodyChoseOne) {
  const std::string text = "@a x\n@a y\n@b z\n@^lbdp w\n";
  std::vector<std::string> notes;
  for (const Diagnostic& d : load_text(text, "f").diagnostics) notes.push_back(d.to_string());
  EXPECT_THAT(notes, ElementsAre("f:1:1: note: lines behind '@a' are left out: the config-id is 'lbdp' (option -i sets "
                                 "another)",
                                 "f:3:1: note: lines behind '@b' are left out: the config-id is 'lbdp' (option -i sets "
                                 "another)"));
  EXPECT_THAT(load_text(text, "f", {.lenient = false, .config_id = "c"}).diagnostics, IsEmpty());
}

TEST(Language, LenientTurnsUnknownKeywordsIntoWarnings) {
  const LoadResult result = load_text("global_defs {\nsnmp on\nrouter_id a\n}\nbfd_session X {\nmin_rx 10\n}\n", "f",
                                      {.lenient = true, .config_id = ""});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.model->global.router_id, "a");
  ASSERT_EQ(result.diagnostics.size(), 2u);
  EXPECT_EQ(result.diagnostics[0].severity, Severity::kWarning);
  EXPECT_FALSE(load_text("global_defs {\nsmtp_alert 1\n}\n", "f", {.lenient = true, .config_id = ""}).ok())
      << "a wrong value is an error";
}

}  // namespace
}  // namespace lbdp::config
