// SPDX-License-Identifier: BSD-2-Clause
#include "control/rates.h"

namespace lbdp::control {
namespace {

double per_second(uint64_t before, uint64_t after, Rates::Clock::duration elapsed) {
  return static_cast<double>(after - before) / std::chrono::duration<double>(elapsed).count();
}

}  // namespace

void Rates::sample(Clock::time_point now, std::span<const ServiceInput> services,
                   const dataplane::Dataplane& dataplane) {
  if (!at_service_) {
    if (round_ && now - *round_ < kPeriod) return;
    round_ = now;
    at_service_ = at_server_ = 0;
    servers_.resize(services.size());
    sample_workers(now, dataplane);
  }
  // A service without real servers costs a step, too.
  for (size_t budget = kServersPerTurn; budget > 0; --budget) {
    if (*at_service_ >= services.size() || *at_service_ >= servers_.size()) {
      at_service_.reset();
      return;
    }
    const ServiceInput& service = services[*at_service_];
    auto& samples = servers_[*at_service_];
    samples.resize(service.real_servers.size());
    if (at_server_ < samples.size()) {
      sample_server(now, {service.key, service.real_servers[at_server_].endpoint}, dataplane, samples[at_server_]);
      ++at_server_;
    }
    if (at_server_ >= samples.size()) {
      ++*at_service_;
      at_server_ = 0;
    }
  }
}

void Rates::sample_server(Clock::time_point now, const RealServerKey& key, const dataplane::Dataplane& dataplane,
                          ServerSample& sample) {
  const auto counters = dataplane.counters(key);
  const auto& before = sample.counters;
  const bool goes_on = sample.key == key && now > sample.time && sample.time != Clock::time_point{} &&
                       counters.connections >= before.connections && counters.packets >= before.packets &&
                       counters.bytes >= before.bytes;
  std::optional<TrafficRate> rate;
  if (goes_on) {
    const auto elapsed = now - sample.time;
    rate = TrafficRate{.connections = per_second(before.connections, counters.connections, elapsed),
                       .packets = per_second(before.packets, counters.packets, elapsed),
                       .bytes = per_second(before.bytes, counters.bytes, elapsed)};
  }
  sample = {.key = key, .time = now, .counters = counters, .rate = rate};
}

void Rates::sample_workers(Clock::time_point now, const dataplane::Dataplane& dataplane) {
  const auto before = std::exchange(workers_time_, now);
  for (const auto& worker : dataplane.workers()) {
    const auto index = static_cast<size_t>(worker.id);
    if (index >= workers_.size()) workers_.resize(index + 1);
    WorkerSample& sample = workers_[index];
    const uint64_t packets = worker.received - sample.received;
    const auto busy = static_cast<double>(worker.busy_cycles - sample.busy_cycles);
    const auto total = static_cast<double>(worker.total_cycles - sample.total_cycles);
    sample.rate.reset();
    if (before && now > *before && total > 0) {
      sample.rate = WorkerRate{.packets = per_second(sample.received, worker.received, now - *before),
                               .busy_percent = 100.0 * busy / total,
                               .cycles_per_packet = {},
                               .interval = std::chrono::duration_cast<std::chrono::milliseconds>(now - *before)};
      if (packets > 0) sample.rate->cycles_per_packet = busy / static_cast<double>(packets);
    }
    sample.received = worker.received;
    sample.busy_cycles = worker.busy_cycles;
    sample.total_cycles = worker.total_cycles;
  }
}

std::optional<TrafficRate> Rates::of(size_t service, size_t real_server, const RealServerKey& key) const {
  if (service >= servers_.size() || real_server >= servers_[service].size()) return std::nullopt;
  const ServerSample& sample = servers_[service][real_server];
  return sample.key == key ? sample.rate : std::nullopt;
}

std::optional<WorkerRate> Rates::of(dataplane::WorkerId worker) const {
  const auto index = static_cast<size_t>(worker);
  return index < workers_.size() ? workers_[index].rate : std::nullopt;
}

}  // namespace lbdp::control
