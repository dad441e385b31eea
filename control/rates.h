// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "control/backend_set.h"
#include "dataplane/dataplane.h"

namespace lbdp::control {

/// Per second, over the last interval between two samples.
struct TrafficRate {
  double connections = 0, packets = 0, bytes = 0;
};

/// A worker over the last interval between two samples.
struct WorkerRate {
  double packets = 0;  // received, per second
  double busy_percent = 0;
  /// Busy cycles per received packet. Empty: none was received.
  std::optional<double> cycles_per_packet;
  std::chrono::milliseconds interval{0};
};

/// Rates of real servers and workers, from samples of their counters. A sample is taken once a second; one turn looks
/// at a bounded number of real servers, so that with very many of them a round takes longer than a second (each rate
/// goes by its own interval). Control thread. No clock of its own.
class Rates {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr auto kPeriod = std::chrono::seconds(1);
  static constexpr size_t kServersPerTurn = 500;

  /// Call it every 100 ms or so. Services and real servers are told apart by their places in `services`: after a
  /// reload that moves them they have no rate until they were sampled twice.
  void sample(Clock::time_point now, std::span<const ServiceInput> services, const dataplane::Dataplane& dataplane);

  /// Empty: not sampled twice yet, or its counters began anew.
  [[nodiscard]] std::optional<TrafficRate> of(size_t service, size_t real_server, const RealServerKey& key) const;
  [[nodiscard]] std::optional<WorkerRate> of(dataplane::WorkerId worker) const;

 private:
  struct ServerSample {
    RealServerKey key;
    Clock::time_point time;
    dataplane::RealServerCounters counters;
    std::optional<TrafficRate> rate;
  };
  struct WorkerSample {
    uint64_t received = 0, busy_cycles = 0, total_cycles = 0;
    std::optional<WorkerRate> rate;
  };

  void sample_workers(Clock::time_point now, const dataplane::Dataplane& dataplane);
  static void sample_server(Clock::time_point now, const RealServerKey& key, const dataplane::Dataplane& dataplane,
                            ServerSample& sample);

  std::optional<Clock::time_point> round_;  // when the last round began
  std::optional<size_t> at_service_;        // where that round stands; empty: it is over
  size_t at_server_ = 0;
  std::vector<std::vector<ServerSample>> servers_;  // by service and real server
  std::optional<Clock::time_point> workers_time_;
  std::vector<WorkerSample> workers_;  // by WorkerId
};

}  // namespace lbdp::control
