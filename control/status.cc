// SPDX-License-Identifier: BSD-2-Clause
#include "control/status.h"

#include <ctime>
#include <map>
#include <nlohmann/json.hpp>

namespace lbdp::control {
namespace {

using nlohmann::json;

json or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}

template <class T>
json text_or_null(const std::optional<T>& value) {
  return value ? json(value->to_string()) : json(nullptr);
}

template <class Rep, class Period>
double milliseconds(std::chrono::duration<Rep, Period> duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

json counts(const std::vector<dataplane::NamedCount>& named) {
  json out = json::object();
  for (const auto& one : named) out[std::string(one.name)] = one.count;
  return out;
}

}  // namespace

std::string iso_time(std::chrono::system_clock::time_point time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const std::time_t seconds = std::chrono::system_clock::to_time_t(whole);
  const auto millis = static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(time - whole).count());
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::string out(text.data(), length);
  const std::string digits = std::to_string(1000 + millis);
  return out + "." + digits.substr(1) + "Z";
}

std::string_view scheduler_name(dataplane::Scheduler scheduler) {
  switch (scheduler) {
    case dataplane::Scheduler::kRoundRobin: return "rr";
    case dataplane::Scheduler::kWeightedRoundRobin: return "wrr";
    case dataplane::Scheduler::kLeastConnection: return "lc";
    case dataplane::Scheduler::kWeightedLeastConnection: return "wlc";
    case dataplane::Scheduler::kShortestExpectedDelay: return "sed";
    case dataplane::Scheduler::kNeverQueue: return "nq";
    case dataplane::Scheduler::kSourceHash: return "sh";
    case dataplane::Scheduler::kDestinationHash: return "dh";
    case dataplane::Scheduler::kMaglev: return "mh";
    case dataplane::Scheduler::kFailover: return "fo";
    case dataplane::Scheduler::kOverflow: return "ovf";
    case dataplane::Scheduler::kTwoChoices: return "twos";
  }
  return "?";
}

json backend_row(const BackendStatus& backend, const dataplane::RealServerCounters& counters,
                 const std::optional<std::string>& last_check) {
  const bool placed = !backend.location.interface.empty();
  return {{"service", backend.key.service.to_string()},
          {"real", backend.key.real.to_string()},
          {"state", to_string(backend.state)},
          {"reason", backend.reason},
          {"in_table", backend.in_table},
          {"weight", backend.weight},
          {"configured_weight", backend.configured_weight},
          {"mac", text_or_null(backend.location.mac)},
          {"interface", or_null(backend.location.interface)},
          {"port", placed ? json(static_cast<unsigned>(backend.location.egress)) : json(nullptr)},
          {"active", counters.active},
          {"inactive", counters.inactive},
          {"connections", counters.connections},
          {"packets", counters.packets},
          {"bytes", counters.bytes},
          {"last_check", last_check ? json(*last_check) : json(nullptr)}};
}

json service_row(const BackendSet& backends, const ServiceInput& service,
                 const std::vector<dataplane::RealServerCounters>& counters) {
  dataplane::RealServerCounters sum;
  for (const auto& one : counters) {
    sum.active += one.active;
    sum.inactive += one.inactive;
    sum.connections += one.connections;
    sum.packets += one.packets;
    sum.bytes += one.bytes;
  }
  unsigned usable = 0;
  for (const auto& real : service.real_servers) {
    if (backends.status(service, real).state == BackendStatus::State::kUp) ++usable;
  }
  return {{"service", service.key.to_string()},
          {"protocol", to_string(service.key.protocol)},
          {"address", service.key.endpoint.address.to_string()},
          {"port", service.key.endpoint.port},
          {"scheduler", scheduler_name(service.scheduler)},
          {"owned", backends.owned(service)},
          {"instances", service.instances},
          {"real_servers", service.real_servers.size()},
          {"usable", usable},
          {"active", sum.active},
          {"inactive", sum.inactive},
          {"connections", sum.connections},
          {"packets", sum.packets},
          {"bytes", sum.bytes}};
}

json connection_row(const dataplane::ConnectionRow& connection) {
  return {{"protocol", to_string(connection.protocol)},
          {"client", connection.client.to_string()},
          {"virtual", connection.virtual_server.to_string()},
          {"real", connection.real_server.to_string()},
          {"state", connection.state},
          {"expires_s", connection.expires_in.count()},
          {"worker", static_cast<unsigned>(connection.worker)}};
}

json vrrp_row(const vrrp::InstanceStatus& instance) {
  const auto& params = instance.params;
  json addresses = json::array();
  for (const auto& address : params.virtual_addresses) addresses.push_back(address.to_string());
  json counters = json::object();
  for (const auto& counter : instance.counters) counters[std::string(counter.name)] = counter.count;
  const bool ever = instance.last_transition.time_since_epoch().count() != 0;
  return {{"name", params.name},
          {"interface", params.interface},
          {"state", vrrp::to_string(instance.state)},
          {"vrid", params.virtual_router_id},
          {"priority", params.priority},
          {"effective_priority", instance.effective_priority},
          {"advert_int_ms", milliseconds(params.advert_int)},
          {"preempt", !params.nopreempt},
          {"preempt_delay_ms", milliseconds(params.preempt_delay)},
          {"virtual_addresses", addresses},
          {"multicast_group", params.multicast_group.to_string()},
          {"master_address", text_or_null(instance.master_address)},
          {"master_priority", instance.master_priority},
          {"last_transition", ever ? json(iso_time(instance.last_transition)) : json(nullptr)},
          {"last_cause", instance.last_cause},
          {"became_master", instance.became_master},
          {"counters", counters}};
}

json check_row(const checks::CheckerStatus& checker) {
  return {{"service", checker.key.service.to_string()},
          {"real", checker.key.real.to_string()},
          {"type", checker.type},
          {"connect", checker.connect.to_string()},
          {"up", checker.up},
          {"checked", checker.checked},
          {"failures", checker.failures},
          {"retry", checker.retry},
          {"last_result", or_null(checker.last_result)},
          {"last_duration_ms", milliseconds(checker.last_duration)},
          {"last_time", checker.last_time ? json(iso_time(*checker.last_time)) : json(nullptr)},
          {"probes", checker.probes},
          {"probes_failed", checker.probes_failed}};
}

json worker_row(const dataplane::WorkerStatus& worker) {
  json ports = json::array();
  for (const auto port : worker.polled_ports) ports.push_back(static_cast<unsigned>(port));
  const double busy = worker.total_cycles == 0
                          ? 0.0
                          : 100.0 * static_cast<double>(worker.busy_cycles) / static_cast<double>(worker.total_cycles);
  return {{"worker", static_cast<unsigned>(worker.id)},
          {"lcore", worker.lcore},
          {"ports", ports},
          {"received", worker.received},
          {"transmitted", worker.transmitted},
          {"punted", counts(worker.punted)},
          {"dropped", counts(worker.drops)},
          {"injected", worker.injected},
          {"injected_dropped", worker.injected_dropped},
          {"relayed", worker.relayed},
          {"relayed_dropped", worker.relayed_dropped},
          {"replies", worker.replies},
          {"replies_policed", worker.replies_policed},
          {"unstored", worker.unstored},
          {"connections", worker.connections},
          {"connections_limit", worker.connections_limit},
          {"busy_percent", busy},
          {"loop_age_us", worker.last_loop_age_us}};
}

json port_row(const dataplane::PortStatus& port) {
  return {{"port", static_cast<unsigned>(port.id)},
          {"device", port.device},
          {"driver", port.driver},
          {"interface", port.interface},
          {"mac", port.mac.to_string()},
          {"mtu", port.mtu},
          {"link_up", port.link_up},
          {"link_mbps", port.link_mbps},
          {"queues", port.queues},
          {"rx_packets", port.rx_packets},
          {"rx_bytes", port.rx_bytes},
          {"rx_missed", port.rx_missed},
          {"rx_errors", port.rx_errors},
          {"rx_nombuf", port.rx_nombuf},
          {"tx_packets", port.tx_packets},
          {"tx_bytes", port.tx_bytes},
          {"tx_errors", port.tx_errors},
          {"to_kernel", port.to_kernel},
          {"to_kernel_dropped", port.to_kernel_dropped},
          {"from_kernel", port.from_kernel},
          {"from_kernel_dropped", port.from_kernel_dropped}};
}

json neighbour_row(const NeighbourStatus& neighbour, NeighbourStatus::Clock::time_point now) {
  return {{"address", neighbour.address.to_string()},
          {"interface", or_null(neighbour.path.name)},
          {"state", to_string(neighbour.state)},
          {"mac", text_or_null(neighbour.mac)},
          {"reason", neighbour.reason},
          {"kernel_state", to_string(neighbour.kernel_state)},
          {"last_answer_ms", neighbour.last_answer ? json(milliseconds(now - *neighbour.last_answer)) : json(nullptr)},
          {"probes", neighbour.probes},
          {"answers", neighbour.answers},
          {"rejected", neighbour.rejected}};
}

json drop_rows(const std::vector<dataplane::WorkerStatus>& workers) {
  std::vector<std::string_view> order;
  std::map<std::string_view, uint64_t> sums;
  for (const auto& worker : workers) {
    for (const auto& drop : worker.drops) {
      if (!sums.contains(drop.name)) order.push_back(drop.name);
      sums[drop.name] += drop.count;
    }
  }
  json rows = json::array();
  for (const auto& name : order) rows.push_back({{"reason", name}, {"count", sums[name]}});
  return rows;
}

}  // namespace lbdp::control
