// SPDX-License-Identifier: BSD-2-Clause
#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lbdp::config {
namespace {

using std::chrono::seconds;
using testing::IsEmpty;

constexpr const char* kReference = LBDP_TEST_DATA "/reference/lb1.conf";

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

std::string printed(const LoadResult& result) {
  std::string text;
  for (const Diagnostic& diagnostic : result.diagnostics) text += diagnostic.to_string() + "\n";
  return text;
}

RealServer reference_real_server(const char* address) {
  HttpGet check;
  check.timing = {.delay_loop = seconds(6),
                  .connect_timeout = seconds(3),
                  .retry = 3,
                  .delay_before_retry = seconds(3),
                  .warmup = seconds(6)};
  check.connect = {ip(address), 80};
  check.urls = {HttpUrl{"/index.html", {{200, 200}}, ""}};
  RealServer server;
  server.endpoint = {ip(address), 80};
  server.weight = 1;
  server.smtp_alert = true;
  server.checkers = {check};
  return server;
}

Model reference_model() {
  Model model;
  model.global.notification_email = {"root@localhost"};
  model.global.notification_email_from = "admin@example.org";
  model.global.smtp_server = Endpoint{ip("127.0.0.1"), 25};
  model.global.smtp_connect_timeout = seconds(30);
  model.global.router_id = "node1";
  model.global.vrrp_mcast_group4 = ip("224.0.74.18");
  model.global.vrrp_mcast_group6 = ip("ff02::12");

  VrrpInstance instance;
  instance.name = "VI_1";
  instance.state = VrrpInstance::State::kMaster;
  instance.interface = "eth0";
  instance.virtual_router_id = 150;
  instance.priority = 100;
  instance.advert_int = seconds(1);
  instance.auth_pass = "1111";
  instance.mcast_dst_ip = model.global.vrrp_mcast_group4;
  instance.virtual_ipaddress.emplace_back().prefix = {ip("172.18.250.99"), 32};
  model.vrrp_instances = {instance};

  VirtualServer server;
  server.services.emplace_back().key = {Protocol::kTcp, {ip("172.18.250.99"), 80}};
  server.lb_algo = LbAlgo::kRoundRobin;
  server.real_servers = {reference_real_server("172.18.250.77"), reference_real_server("172.18.250.79")};
  model.virtual_servers = {server};
  model.interfaces = {"eth0"};
  return model;
}

TEST(Reference, Lb1IsReadAsItIs) {
  const LoadResult result = load_file(kReference);
  ASSERT_TRUE(result.ok()) << printed(result);
  EXPECT_EQ(*result.model, reference_model());
}

TEST(Reference, Lb2DiffersInStateAndPriority) {
  const LoadResult result = load_file(LBDP_TEST_DATA "/reference/lb2.conf");
  ASSERT_TRUE(result.ok()) << printed(result);
  Model expected = reference_model();
  expected.vrrp_instances[0].state = VrrpInstance::State::kBackup;
  expected.vrrp_instances[0].priority = 95;
  EXPECT_EQ(*result.model, expected);
}

}  // namespace
}  // namespace lbdp::config
