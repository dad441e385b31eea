// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <set>

#include "config/dump.h"

namespace lbdp::config {
namespace {

std::string_view keyword_of(LbAlgo algo) {
  switch (algo) {
    case LbAlgo::kRoundRobin: return "rr";
    case LbAlgo::kWeightedRoundRobin: return "wrr";
    case LbAlgo::kLeastConnection: return "lc";
    case LbAlgo::kWeightedLeastConnection: return "wlc";
    case LbAlgo::kShortestExpectedDelay: return "sed";
    case LbAlgo::kNeverQueue: return "nq";
    case LbAlgo::kSourceHash: return "sh";
    case LbAlgo::kDestinationHash: return "dh";
    case LbAlgo::kMaglev: return "mh";
    case LbAlgo::kFailover: return "fo";
    case LbAlgo::kOverflow: return "ovf";
    case LbAlgo::kTwoChoices: return "twos";
  }
  return "?";
}

/// A port; 0, for all of them, is no port in the text.
DumpArgument port_argument(uint16_t port) {
  return {"port", port == 0 ? DumpValue() : DumpValue(port)};
}

/// One line of a virtual_server_group.
std::vector<DumpArgument> entry_of(const Service& service) {
  const Endpoint& endpoint = service.key.endpoint;
  if (service.fwmark == 0) return {{"address", endpoint.address}, port_argument(endpoint.port)};
  return {named("fwmark", service.fwmark), {"family", endpoint.address.is_v4() ? "inet" : "inet6"}};
}

void describe_groups(const Model& model, DumpBlock& file) {
  file.none_yet("virtual_server_group");
  std::set<std::string> described;  // virtual servers of two protocols may share a group
  for (const VirtualServer& server : model.virtual_servers) {
    if (server.group.empty() || !described.insert(server.group).second) continue;
    DumpStatement& group = file.list("virtual_server_group", {{"name", server.group}});
    for (const Service& service : server.services) group.entry(entry_of(service));
  }
}

std::vector<DumpArgument> head_of(const VirtualServer& server) {
  if (!server.group.empty()) return {named("group", server.group)};
  const Service& service = server.services.front();
  if (service.fwmark != 0) return {named("fwmark", service.fwmark)};
  return {{"address", service.key.endpoint.address}, port_argument(service.key.endpoint.port)};
}

void describe_protocol(const VirtualServer& server, DumpBlock& block) {
  if (server.group.empty() && server.services.front().fwmark != 0) {
    block.set("protocol", std::nullopt);  // what has the mark has its own
    return;
  }
  const auto plain = std::ranges::find(server.services, 0U, &Service::fwmark);
  const Service& service = plain == server.services.end() ? server.services.front() : *plain;
  block.set("protocol", to_upper_string(service.key.protocol));
}

void describe_scheduling(const VirtualServer& server, DumpBlock& block) {
  block.set("lb_algo", keyword_of(server.lb_algo));
  if (server.lb_algo == LbAlgo::kSourceHash) {
    block.flag("sh-port", server.hash_port);
    block.flag("sh-fallback", server.hash_fallback);
  } else if (server.lb_algo == LbAlgo::kMaglev) {
    block.flag("mh-port", server.hash_port);
    block.flag("mh-fallback", server.hash_fallback);
  }
  block.set("lb_kind", "DR");
  block.flag("ops", server.one_packet);
}

/// keepalived knows no word for "no persistence": it refuses the 0.
void describe_persistence(const VirtualServer& server, DumpBlock& block) {
  const bool persistent = server.persistence_timeout > Duration(0);
  DumpStatement& timeout = block.set("persistence_timeout", server.persistence_timeout);
  if (!persistent) timeout.hidden();
  const bool v4 = server.services.front().key.endpoint.address.is_v4();
  const uint8_t bits = server.persistence_granularity;
  const auto mask =
      IpAddress::v4(Be<uint32_t>::from_host(bits == 0 ? 0 : ~uint32_t{0} << (32 - std::min<unsigned>(bits, 32))));
  DumpStatement& granularity = block.set("persistence_granularity", v4 ? DumpValue(mask) : DumpValue(bits));
  if (!persistent) granularity.unsaid();
}

void describe_notify(const std::string& keyword, const std::optional<CommandLine>& command, DumpBlock& block) {
  if (command) {
    block.line(keyword, command_arguments(*command));
  } else {
    block.set(keyword, std::nullopt);
  }
}

void describe_sorry_server(const std::optional<SorryServer>& server, DumpBlock& block) {
  if (server) {
    block.line("sorry_server", {{"address", server->endpoint.address}, port_argument(server->endpoint.port)});
  } else {
    block.set("sorry_server", std::nullopt);
  }
  block.flag("sorry_server_inhibit", server && server->inhibit);
}

/// The flags only if they are set: keepalived takes the keyword with any value as set.
void describe_quorum(const VirtualServer& server, DumpBlock& block) {
  block.set("quorum", server.quorum);
  block.set("hysteresis", server.hysteresis);
  describe_notify("quorum_up", server.quorum_up, block);
  describe_notify("quorum_down", server.quorum_down, block);
  describe_sorry_server(server.sorry_server, block);
  block.flag("ha_suspend", server.ha_suspend);
  block.flag("omega", server.omega);
}

void describe_real_server(const RealServer& server, DumpBlock& block) {
  block.set("weight", server.weight);
  block.set("uthreshold", server.upper_threshold);
  block.set("lthreshold", server.lower_threshold);
  block.set("inhibit_on_failure", server.inhibit_on_failure);
  block.set("smtp_alert", server.smtp_alert);
  describe_notify("notify_up", server.notify_up, block);
  describe_notify("notify_down", server.notify_down, block);
  describe_checks(server, block);
}

void describe_virtual_server(const VirtualServer& server, DumpBlock& block) {
  describe_protocol(server, block);
  describe_scheduling(server, block);
  describe_persistence(server, block);
  describe_quorum(server, block);
  block.set("smtp_alert", server.smtp_alert);
  block.none_yet("real_server");
  for (const RealServer& real : server.real_servers) {
    describe_real_server(
        real, block.many("real_server", {{"address", real.endpoint.address}, port_argument(real.endpoint.port)}));
  }
}

}  // namespace

void describe_services(const Model& model, DumpBlock& file) {
  describe_groups(model, file);
  file.none_yet("virtual_server");
  for (const VirtualServer& server : model.virtual_servers) {
    describe_virtual_server(server, file.many("virtual_server", head_of(server)));
  }
}

}  // namespace lbdp::config
