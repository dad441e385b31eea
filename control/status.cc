// SPDX-License-Identifier: BSD-2-Clause
#include "control/status.h"

#include <ctime>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

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

json number_or_null(const std::optional<double>& value) {
  return value ? json(*value) : json(nullptr);
}

/// What listings of real servers and of services have in common.
void add_traffic(json& row, const dataplane::RealServerCounters& counters, const std::optional<TrafficRate>& rate) {
  row["active"] = counters.active;
  row["inactive"] = counters.inactive;
  row["connections"] = counters.connections;
  row["packets"] = counters.packets;
  row["bytes"] = counters.bytes;
  row["connections_per_s"] = rate ? json(rate->connections) : json(nullptr);
  row["packets_per_s"] = rate ? json(rate->packets) : json(nullptr);
  row["bytes_per_s"] = rate ? json(rate->bytes) : json(nullptr);
}

WorkerRate since_start(const dataplane::WorkerStatus& worker) {
  const auto busy = static_cast<double>(worker.busy_cycles);
  WorkerRate rate;
  if (worker.total_cycles > 0) rate.busy_percent = 100.0 * busy / static_cast<double>(worker.total_cycles);
  if (worker.received > 0) rate.cycles_per_packet = busy / static_cast<double>(worker.received);
  return rate;
}

std::string_view outcome_name(dataplane::Explanation::Outcome outcome) {
  using Outcome = dataplane::Explanation::Outcome;
  switch (outcome) {
    case Outcome::kNoService: return "no_service";
    case Outcome::kNotOwned: return "not_owned";
    case Outcome::kNoRealServer: return "no_real_server";
    case Outcome::kKnownConnection: return "known_connection";
    case Outcome::kPersistent: return "persistent";
    case Outcome::kScheduled: return "scheduled";
    case Outcome::kServerGone: return "server_gone";
    case Outcome::kNoNeighbor: return "no_neighbor";
  }
  return "?";
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

std::vector<std::string> flag_names(dataplane::Scheduler scheduler, const dataplane::SchedulerFlags& flags) {
  const bool has_flags = scheduler == dataplane::Scheduler::kSourceHash || scheduler == dataplane::Scheduler::kMaglev;
  std::vector<std::string> names;
  const std::string prefix = std::string(scheduler_name(scheduler)) + "-";
  if (has_flags && flags.fallback) names.push_back(prefix + "fallback");
  if (has_flags && flags.port) names.push_back(prefix + "port");
  return names;
}

std::string_view state_name(const BackendStatus& backend, const dataplane::RealServerCounters& counters) {
  // Whatever else keeps new connections away says more.
  if (backend.state == BackendStatus::State::kUp && counters.overloaded) return "OVERLOADED";
  return to_string(backend.state);
}

json backend_row(const BackendStatus& backend, const RealServerInput& input,
                 const dataplane::RealServerCounters& counters, const std::optional<TrafficRate>& rate,
                 const std::optional<std::string>& last_check) {
  const bool placed = !backend.location.interface.empty();
  const auto if_placed = [placed](auto value) { return placed ? json(value) : json(nullptr); };
  const std::string_view state = state_name(backend, counters);
  std::string reason = backend.reason;
  if (state == "OVERLOADED") {
    reason = std::to_string(counters.active + counters.inactive) + " connections, upper threshold " +
             std::to_string(input.upper_threshold);
  }
  json row = {{"service", backend.key.service.to_string()},
              {"real", backend.key.real.to_string()},
              {"state", state},
              {"reason", reason},
              {"in_table", backend.in_table},
              {"weight", backend.weight},
              {"configured_weight", backend.configured_weight},
              {"upper_threshold", input.upper_threshold},
              {"lower_threshold", input.lower_threshold},
              {"overloaded", counters.overloaded},
              {"mac", text_or_null(backend.location.mac)},
              {"interface", or_null(backend.location.interface)},
              {"port", if_placed(static_cast<unsigned>(backend.location.egress))},
              {"vlan", backend.location.vlan != 0 ? if_placed(backend.location.vlan) : json(nullptr)},
              {"mtu", if_placed(backend.location.mtu)},
              {"last_check", last_check ? json(*last_check) : json(nullptr)}};
  add_traffic(row, counters, rate);
  return row;
}

void ServiceSums::add(const dataplane::RealServerCounters& of, const std::optional<TrafficRate>& its_rate,
                      bool is_usable) {
  counters.active += of.active;
  counters.inactive += of.inactive;
  counters.connections += of.connections;
  counters.packets += of.packets;
  counters.bytes += of.bytes;
  if (is_usable) ++usable;
  if (!its_rate) return;
  if (!rate) rate.emplace();
  rate->connections += its_rate->connections;
  rate->packets += its_rate->packets;
  rate->bytes += its_rate->bytes;
}

json service_row(const ServiceInput& service, bool owned, const ServiceSums& sums) {
  json destinations = json::array({service.key.to_string()});
  for (const auto& key : service.more_keys) destinations.push_back(key.to_string());
  const auto& persistence = service.persistence;
  json persistent = nullptr;
  if (persistence.timeout.count() > 0) {
    persistent = {{"timeout_s", persistence.timeout.count()}, {"prefix_length", persistence.granularity}};
  }
  json row = {{"service", service.key.to_string()},
              {"protocol", to_string(service.key.protocol)},
              {"address", service.key.endpoint.address.to_string()},
              {"port", service.key.endpoint.port},
              {"destinations", std::move(destinations)},
              {"fwmark", service.fwmark != 0 ? json(service.fwmark) : json(nullptr)},
              {"scheduler", scheduler_name(service.scheduler)},
              {"scheduler_flags", flag_names(service.scheduler, service.scheduler_flags)},
              {"persistence", std::move(persistent)},
              {"one_packet", service.one_packet},
              {"owned", owned},
              {"instances", service.instances},
              {"real_servers", service.real_servers.size()},
              {"usable", sums.usable}};
  add_traffic(row, sums.counters, sums.rate);
  return row;
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

json template_row(const dataplane::TemplateRow& row) {
  return {{"service", row.service.to_string()},
          {"client", row.client.to_string()},
          {"real", row.real_server.to_string()},
          {"expires_s", row.expires_in.count()},
          {"connections", row.connections}};
}

json explanation_row(const Endpoint& client, const ServiceKey& destination, const dataplane::Explanation& explanation,
                     const std::string& interface) {
  const bool sent = explanation.mac.has_value();
  return {{"protocol", to_string(destination.protocol)},
          {"client", client.to_string()},
          {"virtual", destination.endpoint.to_string()},
          {"outcome", outcome_name(explanation.outcome)},
          {"service", text_or_null(explanation.service)},
          {"destination", text_or_null(explanation.destination)},
          {"real", text_or_null(explanation.real_server)},
          {"mac", text_or_null(explanation.mac)},
          {"port", sent ? json(static_cast<unsigned>(explanation.egress)) : json(nullptr)},
          {"interface", sent ? or_null(interface) : json(nullptr)},
          {"vlan", sent && explanation.vlan != 0 ? json(explanation.vlan) : json(nullptr)},
          {"connection", explanation.connection ? connection_row(*explanation.connection) : json(nullptr)},
          {"template", explanation.client_template ? template_row(*explanation.client_template) : json(nullptr)},
          {"reasons", explanation.reasons}};
}

json vrrp_row(const vrrp::InstanceStatus& instance) {
  const auto& params = instance.params;
  json addresses = json::array();
  for (const auto& address : params.virtual_addresses) addresses.push_back(address.to_string());
  json excluded = json::array();
  for (const auto& address : params.excluded_addresses) excluded.push_back(address.to_string());
  json peers = json::array();
  for (const auto& peer : params.unicast_peers) peers.push_back(peer.address.to_string());
  json counters = json::object();
  for (const auto& counter : instance.counters) counters[std::string(counter.name)] = counter.count;
  const bool ever = instance.last_transition.time_since_epoch().count() != 0;
  return {{"name", params.name},
          {"interface", params.interface},
          {"state", vrrp::to_string(instance.state)},
          {"version", params.version},
          {"vrid", params.virtual_router_id},
          {"priority", params.priority},
          {"effective_priority", instance.effective_priority},
          {"advert_int_ms", milliseconds(params.advert_int)},
          {"preempt", !params.nopreempt},
          {"preempt_delay_ms", milliseconds(params.preempt_delay)},
          {"virtual_addresses", addresses},
          {"excluded_addresses", excluded},
          {"multicast_group", params.multicast_group.to_string()},
          {"unicast_peers", peers},
          {"sync_group", params.sync_group.empty() ? json(nullptr) : json(params.sync_group)},
          {"tracking_weight", instance.tracking_weight},
          {"problems", instance.problems},
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

json worker_row(const dataplane::WorkerStatus& worker, const std::optional<WorkerRate>& rate) {
  json ports = json::array();
  for (const auto port : worker.polled_ports) ports.push_back(static_cast<unsigned>(port));
  const WorkerRate shown = rate ? *rate : since_start(worker);
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
          {"cut", worker.cut},
          {"pieces", worker.pieces},
          {"unstored", worker.unstored},
          {"connections", worker.connections},
          {"connections_limit", worker.connections_limit},
          {"wide_connections", worker.wide_connections},
          {"wide_connections_limit", worker.wide_connections_limit},
          {"held_fragments", worker.held_fragments},
          {"busy_cycles", worker.busy_cycles},
          {"total_cycles", worker.total_cycles},
          {"packets_per_s", rate ? json(rate->packets) : json(nullptr)},
          {"cycles_per_packet", number_or_null(shown.cycles_per_packet)},
          {"busy_percent", shown.busy_percent},
          {"interval_ms", rate ? json(rate->interval.count()) : json(nullptr)},
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
  std::map<std::string_view, std::vector<uint64_t>> by_reason;
  for (size_t i = 0; i < workers.size(); ++i) {
    for (const auto& drop : workers[i].drops) {
      auto [counts, fresh] = by_reason.try_emplace(drop.name, workers.size(), 0);
      if (fresh) order.push_back(drop.name);
      counts->second[i] += drop.count;
    }
  }
  json rows = json::array();
  for (const auto& name : order) {
    const auto& counts = by_reason[name];
    const uint64_t sum = std::accumulate(counts.begin(), counts.end(), uint64_t{0});
    rows.push_back({{"reason", name}, {"count", sum}, {"by_worker", counts}});
  }
  return rows;
}

}  // namespace lbdp::control
