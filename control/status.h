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
#include "dataplane/dataplane.h"
#include "vrrp/speaker.h"

namespace lbdp::control {

/// "2026-11-23T06:05:25.123Z"
std::string iso_time(std::chrono::system_clock::time_point time);

std::string_view scheduler_name(dataplane::Scheduler scheduler);  // "rr"

nlohmann::json backend_row(const BackendStatus& backend, const dataplane::RealServerCounters& counters,
                           const std::optional<std::string>& last_check);
/// Sums over the real servers come from `counters`, in the order of the service's real servers.
nlohmann::json service_row(const BackendSet& backends, const ServiceInput& service,
                           const std::vector<dataplane::RealServerCounters>& counters);
nlohmann::json connection_row(const dataplane::ConnectionRow& connection);
nlohmann::json vrrp_row(const vrrp::InstanceStatus& instance);
nlohmann::json check_row(const checks::CheckerStatus& checker);
nlohmann::json worker_row(const dataplane::WorkerStatus& worker);
nlohmann::json port_row(const dataplane::PortStatus& port);
nlohmann::json neighbour_row(const NeighbourStatus& neighbour, NeighbourStatus::Clock::time_point now);
/// One row a reason, summed over the workers.
nlohmann::json drop_rows(const std::vector<dataplane::WorkerStatus>& workers);

}  // namespace lbdp::control
