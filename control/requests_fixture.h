// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "control/fake_dataplane.h"
#include "control/requests.h"

namespace lbdp::control {

inline const ServiceKey kService = ServiceKey::parse("tcp/172.18.250.99:80").value();
inline const Endpoint kReal = Endpoint::parse("172.18.250.77:80").value();

/// Requests on sources that a test fills.
class RequestsTest : public testing::Test {
 protected:
  RequestsTest() {
    config.file = "lb.conf";
    config.generation = 7;
    configure(1);
  }

  void configure(uint32_t real_servers) {
    ServiceInput service;
    service.key = kService;
    for (uint32_t i = 0; i < real_servers; ++i) {
      const auto address = IpAddress::v4(Be<uint32_t>::from_host(kReal.address.v4().host() + i));
      service.real_servers.push_back({.endpoint = {address, 80}});
    }
    backends.configure({.services = {service}}, [](const RealServerKey&) { return true; });
  }

  ControlSocket::Answer ask(const std::string& line) {
    std::optional<ControlSocket::Answer> answer;
    requests.handle(line, [&](ControlSocket::Answer given) { answer = std::move(given); });
    EXPECT_TRUE(answer) << line;
    return answer.value_or(ControlSocket::Answer{});
  }
  nlohmann::json show(const std::string& what, uint64_t cursor = 0) {
    return nlohmann::json::parse(
        ask(nlohmann::json{{"command", "show"}, {"what", what}, {"cursor", cursor}}.dump()).line);
  }

  ConfigStatus config;
  BackendSet backends;
  FakeDataplane dataplane;
  std::vector<vrrp::InstanceStatus> instances;
  std::vector<checks::CheckerStatus> checkers;
  std::vector<NeighbourStatus> neighbours;
  ReloadReport reload_outcome{.ok = true, .message = "reloaded"};
  Requests requests{{.config = config,
                     .backends = backends,
                     .dataplane = dataplane,
                     .vrrp = [this] { return instances; },
                     .checks = [this] { return checkers; },
                     .neighbours = [this] { return neighbours; }},
                    [this](bool dry_run, const auto& reply) {
                      reload_outcome.dry_run = dry_run;
                      reply(reload_outcome);
                    }};
};

}  // namespace lbdp::control
