// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The rows of lbdp-cli's answers, in the schema of docs/lbdp-cli.md. Pure: state in, JSON out.

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "checks/runner.h"
#include "control/backend_set.h"
#include "control/neighbour_table.h"
#include "control/rates.h"
#include "dataplane/dataplane.h"
#include "vrrp/speaker.h"

namespace lbdp::control {

/// "2026-11-23T06:05:25.123Z"
std::string iso_time(std::chrono::system_clock::time_point time);

std::string_view scheduler_name(dataplane::Scheduler scheduler);  // "rr"
/// As ipvsadm names them: "sh-fallback", "mh-port"; schedulers without flags have none.
std::vector<std::string> flag_names(dataplane::Scheduler scheduler, const dataplane::SchedulerFlags& flags);

/// "UP", "OVERLOADED", ...: what `show backends` calls this real server's state.
std::string_view state_name(const BackendStatus& backend, const dataplane::RealServerCounters& counters);

/// `rate`: empty while it is not known.
nlohmann::json backend_row(const BackendStatus& backend, const RealServerInput& input,
                           const dataplane::RealServerCounters& counters, const std::optional<TrafficRate>& rate,
                           const std::optional<std::string>& last_check);
/// What a service's real servers have together.
struct ServiceSums {
  dataplane::RealServerCounters counters;
  unsigned usable = 0;              // state UP
  std::optional<TrafficRate> rate;  // of those whose rate is known; empty: of none

  void add(const dataplane::RealServerCounters& of, const std::optional<TrafficRate>& its_rate, bool is_usable);
};
nlohmann::json service_row(const ServiceInput& service, bool owned, const ServiceSums& sums);
nlohmann::json connection_row(const dataplane::ConnectionRow& connection);
nlohmann::json template_row(const dataplane::TemplateRow& row);
/// What `explain` was asked, and the answer. `interface`: the egress port's tap; empty: none.
nlohmann::json explanation_row(const Endpoint& client, const ServiceKey& destination,
                               const dataplane::Explanation& explanation, const std::string& interface);
nlohmann::json vrrp_row(const vrrp::InstanceStatus& instance);
nlohmann::json check_row(const checks::CheckerStatus& checker);
/// `rate`: empty while there are no two samples; the shares since the start stand in for it.
nlohmann::json worker_row(const dataplane::WorkerStatus& worker, const std::optional<WorkerRate>& rate);
nlohmann::json port_row(const dataplane::PortStatus& port);
nlohmann::json neighbour_row(const NeighbourStatus& neighbour, NeighbourStatus::Clock::time_point now);
/// One row a reason: the sum over the workers, and the counts of each in their order.
nlohmann::json drop_rows(const std::vector<dataplane::WorkerStatus>& workers);

}  // namespace lbdp::control
