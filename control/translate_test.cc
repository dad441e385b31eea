// SPDX-License-Identifier: BSD-2-Clause
#include "control/translate.h"

#include <gmock/gmock.h>

#include <set>

#include "config/load.h"
#include "control/unsupported.h"

namespace lbdp::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

config::Model reference() {
  config::Model model;
  model.interfaces = {"eth0"};
  model.global.vrrp_mcast_group4 = IpAddress::parse("224.0.74.18").value();
  config::VrrpInstance instance;
  instance.name = "VI_1";
  instance.state = config::VrrpInstance::State::kMaster;
  instance.interface = "eth0";
  instance.virtual_router_id = 150;
  instance.auth_pass = "1111";
  instance.mcast_dst_ip = IpAddress::parse("224.0.74.18").value();
  instance.virtual_ipaddress.emplace_back().prefix = IpPrefix::parse("172.18.250.99").value();
  model.vrrp_instances = {instance};
  config::VirtualServer service;
  service.services.emplace_back().key = ServiceKey::parse("tcp/172.18.250.99:80").value();
  service.smtp_alert = false;  // about the quorum; a real server's own switch decides about its mails
  config::RealServer real;
  real.endpoint = Endpoint::parse("172.18.250.77:80").value();
  config::HttpGet get;
  get.connect = real.endpoint;
  get.timing.retry = 3;
  get.urls = {{.path = "/index.html", .status_code = {{200, 200}}, .virtualhost = {}}};
  real.checkers = {get};
  service.real_servers = {real};
  model.virtual_servers = {service};
  return model;
}

config::Port port(uint16_t id, std::string interface) {
  config::Port out;
  out.id = id;
  out.interface = std::move(interface);
  return out;
}

std::vector<std::string> tap_names(const config::Model& model) {
  std::vector<std::string> names;
  const auto startup = to_startup_params(model);
  for (const auto& params : startup.ports) names.push_back(params.interface);
  return names;
}

TEST(StartupParams, PortsTakeTheInterfaceNamesInTheFilesOrder) {
  auto model = reference();
  model.interfaces = {"eth1", "eth0"};
  EXPECT_THAT(tap_names(model), ElementsAre("eth1", "eth0"));
}

TEST(StartupParams, TheDataplaneBlockComesFirst) {
  auto model = reference();
  model.interfaces = {"eth0", "eth1"};
  model.dataplane.ports = {port(0, "eth1")};
  EXPECT_THAT(tap_names(model), ElementsAre("eth1", "eth0"));
  model.dataplane.ports = {port(2, "wan")};
  EXPECT_THAT(tap_names(model), ElementsAre("eth0", "eth1", "wan"));
}

TEST(StartupParams, VlanInterfacesAreOnTopOfTheirTap) {
  auto model = reference();
  model.interfaces = {"eth0.100", "eth0", "eth1.5"};
  EXPECT_THAT(tap_names(model), ElementsAre("eth0", "eth1"));
}

TEST(StartupParams, PlainSettingsPass) {
  auto model = reference();
  model.dataplane.connections = 4096;
  model.dataplane.wide_connections = 512;
  model.dataplane.templates = 256;
  model.dataplane.idle_sleep = std::chrono::microseconds(50);
  model.dataplane.timeout_udp = std::chrono::seconds(7);
  const auto params = to_startup_params(model);
  EXPECT_EQ(params.connections_per_worker, 4096U);
  EXPECT_EQ(params.wide_connections_per_worker, 512U);
  EXPECT_EQ(params.templates, 256U);
  EXPECT_EQ(params.idle_sleep, std::chrono::microseconds(50));
  EXPECT_EQ(params.timeouts.udp, std::chrono::seconds(7));
  EXPECT_EQ(params.timeouts.tcp, std::chrono::seconds(900));
}

TEST(TapAddresses, GoToTheTapOfTheirPort) {
  auto model = reference();
  model.dataplane.ports = {port(0, ""), port(1, "")};
  model.dataplane.ports[0].ipaddress = IpPrefix::parse("172.18.250.75/16").value();
  model.dataplane.ports[1].ipaddress = IpPrefix::parse("10.0.0.1/8").value();
  const auto addresses = to_tap_addresses(model, to_startup_params(model));
  EXPECT_THAT(addresses, ElementsAre(TapAddress{"eth0", IpPrefix::parse("172.18.250.75/16").value()},
                                     TapAddress{"lbdp1", IpPrefix::parse("10.0.0.1/8").value()}));
}

TEST(BackendInputs, ServicesKnowTheInstancesThatHoldTheirAddress) {
  auto model = reference();
  auto elsewhere = model.virtual_servers[0];
  elsewhere.services[0].key.endpoint = Endpoint::parse("172.18.250.100:80").value();
  model.virtual_servers.push_back(elsewhere);
  const auto inputs = to_backend_inputs(model);
  EXPECT_THAT(inputs.services[0].instances, ElementsAre("VI_1"));
  EXPECT_THAT(inputs.services[1].instances, IsEmpty());
  EXPECT_TRUE(inputs.services[0].real_servers[0].smtp_alert);
}

TEST(BackendInputs, HaveAllThatTheFileSays) {
  auto model = reference();
  auto& server = model.virtual_servers[0];
  server.lb_algo = config::LbAlgo::kMaglev;
  server.hash_port = true;
  server.one_packet = true;
  server.persistence_timeout = std::chrono::seconds(360);
  server.persistence_granularity = 24;
  server.real_servers[0].weight = 5;
  server.real_servers[0].upper_threshold = 20;
  server.real_servers[0].lower_threshold = 10;
  model.dataplane.expire_nodest_conn = false;
  model.dataplane.sloppy_tcp = true;
  const auto inputs = to_backend_inputs(model);
  EXPECT_EQ(inputs.switches, (dataplane::Switches{.expire_nodest_conn = false, .sloppy_tcp = true}));
  const auto& service = inputs.services.at(0);
  EXPECT_EQ(service.name, "");
  EXPECT_EQ(service.scheduler, dataplane::Scheduler::kMaglev);
  EXPECT_EQ(service.scheduler_flags, (dataplane::SchedulerFlags{.fallback = false, .port = true}));
  EXPECT_EQ(service.persistence, (dataplane::Persistence{std::chrono::seconds(360), 24}));
  EXPECT_TRUE(service.one_packet);
  const auto& real = service.real_servers.at(0);
  EXPECT_EQ(real.endpoint.to_string(), "172.18.250.77:80");
  EXPECT_EQ(real.weight, 5);
  EXPECT_EQ(real.upper_threshold, 20U);
  EXPECT_EQ(real.lower_threshold, 10U);
  EXPECT_EQ(real.checked_as, std::nullopt);
}

TEST(BackendInputs, EverySchedulerHasItsOwn) {
  std::set<dataplane::Scheduler> schedulers;
  for (int algo = 0; algo <= static_cast<int>(config::LbAlgo::kTwoChoices); ++algo) {
    auto model = reference();
    model.virtual_servers[0].lb_algo = static_cast<config::LbAlgo>(algo);
    const auto scheduler = to_backend_inputs(model).services[0].scheduler;
    EXPECT_EQ(static_cast<int>(scheduler), algo) << "both lists have one order";
    schedulers.insert(scheduler);
  }
  EXPECT_EQ(schedulers.size(), 12U);
}

config::Model with_group() {
  auto model = reference();
  auto& server = model.virtual_servers[0];
  server.group = "G";
  server.services.emplace_back().key = ServiceKey::parse("tcp/172.18.250.100:443").value();
  auto& mark = server.services.emplace_back();
  mark.key = ServiceKey::parse("tcp/172.18.250.101:0").value();
  mark.more_keys = {ServiceKey::parse("udp/172.18.250.99:53").value()};
  mark.fwmark = 7;
  return model;
}

TEST(BackendInputs, AGroupIsManyServicesAndCheckedOnce) {
  const auto model = with_group();
  const auto inputs = to_backend_inputs(model);
  ASSERT_EQ(inputs.services.size(), 3U);
  const auto targets = to_check_targets(model);
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(inputs.services[0].real_servers[0].checked_as, std::nullopt);
  EXPECT_EQ(targets[0].key, (RealServerKey{inputs.services[0].key, inputs.services[0].real_servers[0].endpoint}));
  EXPECT_EQ(inputs.services[1].real_servers[0].checked_as, targets[0].key);
  EXPECT_EQ(inputs.services[1].real_servers[0].endpoint.to_string(), "172.18.250.77:443") << "its port";
  EXPECT_EQ(inputs.services[2].real_servers[0].checked_as, targets[0].key);
  EXPECT_EQ(inputs.services[2].real_servers[0].endpoint.to_string(), "172.18.250.77:0");
  EXPECT_EQ(inputs.services[2].fwmark, 7U);
  EXPECT_EQ(inputs.services[2].more_keys.size(), 1U);
  EXPECT_EQ(inputs.services[1].name, "[G]:0");
}

TEST(BackendInputs, AServiceIsHeldByWhoeverHoldsOneOfItsAddresses) {
  const auto inputs = to_backend_inputs(with_group());
  EXPECT_THAT(inputs.services[0].instances, ElementsAre("VI_1"));
  EXPECT_THAT(inputs.services[1].instances, IsEmpty());
  EXPECT_THAT(inputs.services[2].instances, ElementsAre("VI_1"));
}

TEST(BackendInputs, AMarkHasIpvsadmsName) {
  auto model = with_group();
  auto& server = model.virtual_servers[0];
  server.group.clear();
  server.services.erase(server.services.begin(), server.services.begin() + 2);
  EXPECT_EQ(to_backend_inputs(model).services.at(0).name, "FWM 7");
}

TEST(BackendInputs, FromAFileToTheTables) {
  const auto loaded = config::load_text(
      "vrrp_instance V { interface eth0\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.1 } }\n"
      "virtual_server_group G {\n192.0.2.1-3 80\n}\n"
      "virtual_server group G {\nprotocol UDP\nlb_algo sh\nsh-port\nops\npersistence_granularity 255.255.0.0\n"
      "real_server 192.0.2.7 80 {\nuthreshold 9\n}\n}\n"
      "virtual_server fwmark 5 {\nreal_server 2001:db8::7 { }\n}\n"
      "dataplane {\nfwmark 5 {\ntcp 2001:db8::1\nsctp 2001:db8::2 9\n}\nconn_reuse off\n}\n",
      "f");
  ASSERT_TRUE(loaded.ok());
  BackendSet set;
  set.configure(to_backend_inputs(*loaded.model), [](const RealServerKey&) { return true; });
  const auto tables = set.take_tables();
  EXPECT_FALSE(tables.switches.conn_reuse);
  ASSERT_EQ(tables.virtual_servers.size(), 4U);
  EXPECT_FALSE(tables.virtual_servers[0].owned);
  EXPECT_TRUE(tables.virtual_servers[1].owned);
  const auto& third = tables.virtual_servers[2];
  EXPECT_EQ(third.key.to_string(), "udp/192.0.2.3:80");
  EXPECT_EQ(third.scheduler, dataplane::Scheduler::kSourceHash);
  EXPECT_TRUE(third.scheduler_flags.port);
  EXPECT_TRUE(third.one_packet);
  EXPECT_EQ(third.persistence, (dataplane::Persistence{std::chrono::seconds(360), 16}));
  EXPECT_EQ(third.real_servers.at(0).upper_threshold, 9U);
  const auto& mark = tables.virtual_servers[3];
  EXPECT_EQ(mark.fwmark, 5U);
  EXPECT_EQ(mark.key.to_string(), "tcp/[2001:db8::1]:0");
  EXPECT_EQ(mark.more_keys.at(0).to_string(), "sctp/[2001:db8::2]:9");
  EXPECT_EQ(mark.persistence.granularity, 128);
  EXPECT_EQ(mark.real_servers.at(0).endpoint.to_string(), "[2001:db8::7]:0");
}

TEST(VrrpInstances, CarryTheirGroup) {
  const auto instances = to_vrrp_instances(reference());
  ASSERT_EQ(instances.size(), 1U);
  EXPECT_EQ(instances[0].name, "VI_1");
  EXPECT_EQ(instances[0].virtual_router_id, 150);
  EXPECT_TRUE(instances[0].initial_master);
  EXPECT_EQ(instances[0].auth_pass, "1111");
  EXPECT_EQ(instances[0].multicast_group.to_string(), "224.0.74.18");
  EXPECT_EQ(instances[0].virtual_addresses[0].to_string(), "172.18.250.99/32");
}

/// The model of one instance with these lines.
config::Model with_instance(const std::string& lines) {
  const auto loaded = config::load_text(
      "vrrp_instance V { interface eth0\nvirtual_router_id 1\nvirtual_ipaddress { 192.0.2.1 }\n" + lines + "\n}\n",
      "f");
  EXPECT_TRUE(loaded.ok()) << lines;
  return loaded.model.value_or(config::Model{});
}

TEST(VrrpInstances, CarryWhatIsOnTheWire) {
  const auto params = to_vrrp_instances(with_instance(
      "version 3\nadvert_int 0.5\nunicast_src_ip 192.0.2.9\nunicast_peer { 192.0.2.8 min_ttl 254 }\nunicast_ttl 64\n"
      "v3_checksum_as_v2\nvirtual_ipaddress_excluded { 2001:db8::1/64 }\ndown_timer_adverts 4\n"
      "garp_master_delay 1\ngarp_master_repeat 2\ngarp_master_refresh 3\ngarp_master_refresh_repeat 4\n"
      "garp_lower_prio_delay 5\ngarp_lower_prio_repeat 6\ngarp_interval 0.1\ngna_interval 0.2\n"
      "lower_prio_no_advert\nhigher_prio_send_advert\nowner_ignore_adverts"));
  ASSERT_EQ(params.size(), 1U);
  const vrrp::InstanceParams& v = params[0];
  EXPECT_EQ(v.version, 3);
  EXPECT_EQ(v.advert_int, std::chrono::milliseconds(500));
  EXPECT_EQ(v.source->to_string(), "192.0.2.9");
  ASSERT_EQ(v.unicast_peers.size(), 1U);
  EXPECT_EQ(v.unicast_peers[0].min_ttl, 254);
  EXPECT_EQ(v.unicast_ttl, 64);
  EXPECT_TRUE(v.check_unicast_src);
  EXPECT_TRUE(v.plain_checksum);
  EXPECT_EQ(v.excluded_addresses.at(0).to_string(), "2001:db8::1/64");
  EXPECT_EQ(v.down_timer_adverts, 4U);
  const vrrp::Announcements wanted{.master_repeat = 2,
                                   .master_delay = std::chrono::seconds(1),
                                   .refresh = std::chrono::seconds(3),
                                   .refresh_repeat = 4,
                                   .lower_prio_repeat = 6,
                                   .lower_prio_delay = std::chrono::seconds(5),
                                   .garp_interval = std::chrono::milliseconds(100),
                                   .gna_interval = std::chrono::milliseconds(200)};
  EXPECT_EQ(v.announcements, wanted);
  EXPECT_TRUE(v.lower_prio_no_advert && v.higher_prio_send_advert && v.owner_ignore_adverts);
  EXPECT_TRUE(vrrp::validate(v));
}

TEST(Supported, WhatMustNotBeLeftOutIsRefusedWithItsPlace) {
  EXPECT_TRUE(check_supported(reference()));
  for (const char* good : {"version 3", "unicast_peer { 192.0.2.8 }", "virtual_ipaddress_excluded { 192.0.2.3 }",
                           "virtual_ipaddress_excluded { 192.0.2.3 dev eth0 no_track }", "track_interface { eth1 }",
                           "unicast_fault_no_peer\nunicast_peer { 192.0.2.8 }"}) {
    EXPECT_TRUE(check_supported(with_instance(good))) << good;
  }
  const std::pair<const char*, const char*> kRefused[] = {
      {"use_vmac", "use_vmac"},
      {"use_vmac_addr", "use_vmac"},
      {"virtual_ipaddress_excluded { 192.0.2.3 dev eth1 }", "dev of another interface"},
      {"virtual_ipaddress { 192.0.2.3 scope link }", "dev of another interface, scope"},
      {"virtual_routes { 10.0.0.0/8 via 192.0.2.9 }", "virtual_routes"},
      {"virtual_rules { from 10.0.0.0/8 table 1 preference 1 }", "virtual_rules"},
      {"unicast_fault_no_peer", "unicast_fault_no_peer"},
  };
  for (const auto& [lines, reason] : kRefused) {
    const auto outcome = check_supported(with_instance(lines));
    ASSERT_FALSE(outcome) << lines;
    EXPECT_NE(outcome.error().message.find("\nf:1:1: vrrp_instance 'V': "), std::string::npos)
        << outcome.error().message;
    EXPECT_NE(outcome.error().message.find(reason), std::string::npos) << outcome.error().message;
  }
}

TEST(CheckTargets, HttpGetIsComplete) {
  const auto targets = to_check_targets(reference());
  ASSERT_EQ(targets.size(), 1U);
  const auto& get = std::get<checks::HttpGetParams>(targets[0].checkers[0]);
  EXPECT_EQ(get.timing.retry, 3U);
  EXPECT_EQ(get.urls[0].path, "/index.html");
  EXPECT_EQ(get.urls[0].host, "172.18.250.77:80");
  EXPECT_EQ(get.urls[0].status_code[0].last, 200);
}

TEST(CheckTargets, OneCheckerWithAlphaKeepsItsServerOut) {
  auto model = reference();
  EXPECT_FALSE(to_check_targets(model).at(0).alpha);
  auto& checkers = model.virtual_servers[0].real_servers[0].checkers;
  config::TcpCheck alpha;
  alpha.alpha = true;
  checkers.push_back(alpha);
  EXPECT_TRUE(to_check_targets(model).at(0).alpha);
  checkers.clear();
  EXPECT_FALSE(to_check_targets(model).at(0).alpha) << "nothing could ever bring it in";
}

template <class... Checks>
void add_each(std::vector<config::Checker>& checkers) {
  (checkers.emplace_back(std::in_place_type<Checks>), ...);
}

TEST(UnsupportedChecks, WouldMakeADeadServerLookAlive) {
  auto model = reference();
  EXPECT_THAT(unsupported_checks(model), IsEmpty());
  auto& checkers = model.virtual_servers[0].real_servers[0].checkers;
  checkers.clear();
  add_each<config::SslGet, config::SmtpCheck, config::DnsCheck, config::UdpCheck, config::PingCheck, config::MiscCheck,
           config::FileCheck, config::BfdCheck>(checkers);
  EXPECT_THAT(
      unsupported_checks(model),
      ElementsAre(HasSubstr("BFD_CHECK"), HasSubstr("DNS_CHECK"), HasSubstr("FILE_CHECK"), HasSubstr("MISC_CHECK"),
                  HasSubstr("PING_CHECK"), HasSubstr("SMTP_CHECK"), HasSubstr("SSL_GET"), HasSubstr("UDP_CHECK")));
  EXPECT_THAT(to_check_targets(model).at(0).checkers, IsEmpty());
  config::HttpGet get;
  get.urls = {{.path = "/", .digest = "00112233445566778899aabbccddeeff"}};
  checkers = {get};
  EXPECT_THAT(unsupported_checks(model), ElementsAre(HasSubstr("digest")));
  get.urls = {{.path = "/", .regex = config::HttpRegex{.pattern = "x"}}};
  checkers = {get};
  EXPECT_THAT(unsupported_checks(model), ElementsAre(HasSubstr("regex")));
}

TEST(CheckTargets, DefaultsOfAUrl) {
  auto model = reference();
  auto& get = std::get<config::HttpGet>(model.virtual_servers[0].real_servers[0].checkers[0]);
  get.urls = {{.path = "/", .status_code = {}, .virtualhost = "www.example.org"}};
  const auto targets = to_check_targets(model);
  const auto& url = std::get<checks::HttpGetParams>(targets[0].checkers[0]).urls[0];
  EXPECT_EQ(url.host, "www.example.org");
  EXPECT_EQ(url.status_code, (std::vector<checks::HttpUrl::StatusRange>{{200, 299}}));
}

TEST(MailParams, AreTheGlobalOnes) {
  auto model = reference();
  model.global.notification_email = {"root@localhost"};
  model.global.notification_email_from = "admin@example.org";
  model.global.smtp_server = Endpoint::parse("127.0.0.1:25").value();
  model.global.router_id = "node1";
  const auto params = to_mail_params(model);
  EXPECT_THAT(params.to, ElementsAre("root@localhost"));
  EXPECT_EQ(params.from, "admin@example.org");
  EXPECT_EQ(params.smtp_server, model.global.smtp_server);
  EXPECT_EQ(router_id(model), "node1");
  model.global.router_id.clear();
  EXPECT_FALSE(router_id(model).empty()) << "the host's name";
}

TEST(VrrpMail, GoesOutForTheStatesOfAnInstanceThatWantsIt) {
  auto model = reference();
  EXPECT_FALSE(wants_vrrp_mail(model, "VI_1", vrrp::State::kMaster));
  model.vrrp_instances[0].smtp_alert = true;
  EXPECT_TRUE(wants_vrrp_mail(model, "VI_1", vrrp::State::kMaster));
  EXPECT_TRUE(wants_vrrp_mail(model, "VI_1", vrrp::State::kFault));
  EXPECT_FALSE(wants_vrrp_mail(model, "VI_1", vrrp::State::kStopped));
  EXPECT_FALSE(wants_vrrp_mail(model, "VI_2", vrrp::State::kMaster));
}

TEST(RestartReasons, LiveSettingsNeedNone) {
  auto next = reference();
  next.virtual_servers.clear();
  next.vrrp_instances[0].priority = 50;
  next.dataplane.expire_nodest_conn = false;
  next.dataplane.expire_quiescent_template = false;
  next.dataplane.conn_reuse = false;
  next.dataplane.sloppy_tcp = true;
  EXPECT_THAT(restart_reasons(reference(), next), IsEmpty());
}

TEST(RestartReasons, StartUpSettingsAreNamed) {
  auto next = reference();
  next.dataplane.connections = 1;
  next.dataplane.wide_connections = 2;
  next.dataplane.templates = 3;
  next.dataplane.ports = {port(0, "eth0")};
  next.dataplane.timeout_tcp = std::chrono::seconds(1);
  next.interfaces.push_back("eth9");
  EXPECT_THAT(
      restart_reasons(reference(), next),
      ElementsAre(
          "port 0 is new", HasSubstr("connections is 1048576 now and 1 in the file"),
          HasSubstr("wide_connections is 131072 now and 2 in the file"),
          HasSubstr("templates is 131072 now and 3 in the file"),
          "lvs_timeouts is tcp 900 s, tcpfin 120 s, udp 300 s now and tcp 1 s, tcpfin 120 s, udp 300 s in the file",
          HasSubstr("interface eth9 is new")));
}

TEST(RestartReasons, HaveTheirPlaces) {
  const auto load = [](const std::string& text) {
    const auto loaded = config::load_text(text, "lb.conf");
    EXPECT_TRUE(loaded.ok()) << (loaded.diagnostics.empty() ? "" : loaded.diagnostics.front().message);
    return loaded.model.value_or(config::Model{});
  };
  const auto next = load(
      "dataplane {\n    connections 4096\n    port 0 {\n        interface eth9\n    }\n}\n"
      "vrrp_instance VI_1 {\n    interface eth7\n    virtual_router_id 1\n    virtual_ipaddress {\n        10.0.0.1\n  "
      "  "
      "}\n}\n");
  EXPECT_THAT(restart_reasons(config::Model{}, next),
              ElementsAre("lb.conf:3:5: port 0 is new", HasSubstr("lb.conf:2:5: connections is 1048576 now and 4096"),
                          "lb.conf:7:1: interface eth7 is new: taps are made at start only"));
}

}  // namespace
}  // namespace lbdp::control
