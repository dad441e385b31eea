// SPDX-License-Identifier: BSD-2-Clause
#include "control/dataplane_health.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace lbdp::control {

std::chrono::microseconds worker_limit(std::chrono::microseconds advert_int) {
  using std::chrono::microseconds;
  return std::clamp(advert_int / 2, microseconds(100'000), microseconds(500'000));
}

std::vector<std::string> dataplane_faults(const DataplaneHealthParams& params, bool published,
                                          std::span<const dataplane::WorkerStatus> workers,
                                          std::span<const dataplane::PortStatus> ports) {
  std::vector<std::string> faults;
  if (!published) faults.emplace_back("dataplane: nothing has been published to the workers yet");
  for (const auto& worker : workers) {
    const std::chrono::microseconds away(worker.last_loop_age_us);
    // Not how long it is away: the text would change with every look.
    if (!params.workers || worker.polled_ports.empty() || away <= params.worker_limit) continue;
    faults.push_back(fmt::format("dataplane: worker {} on lcore {} has not run for more than {} ms",
                                 static_cast<unsigned>(worker.id), worker.lcore,
                                 std::chrono::duration_cast<std::chrono::milliseconds>(params.worker_limit).count()));
  }
  const bool any_link = std::ranges::any_of(ports, &dataplane::PortStatus::link_up);
  if (params.ports && !ports.empty() && !any_link) faults.emplace_back("dataplane: no port has a link");
  return faults;
}

}  // namespace lbdp::control
