// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <string>

#include "config/resolve.h"
#include "config/resolve_destinations.h"

namespace lbdp::config {
namespace {

uint64_t total_weight(const VirtualServer& server) {
  uint64_t total = 0;
  for (const RealServer& real : server.real_servers) total += static_cast<uint64_t>(real.weight);
  return total;
}

}  // namespace

void resolve_quorum(const VirtualServerSpec& spec, VirtualServer& server, Diagnostics& diagnostics) {
  server.quorum_up = spec.quorum_up.value;
  server.quorum_down = spec.quorum_down.value;
  server.ha_suspend = first_of(false, spec.ha_suspend);
  server.omega = first_of(false, spec.omega);
  server.quorum = first_of(server.quorum, spec.quorum);
  server.hysteresis = first_of(server.hysteresis, spec.hysteresis);
  const std::string name = "virtual_server " + to_string(spec.head) + ": ";
  const uint64_t total = total_weight(server);
  if (spec.quorum && server.quorum > total) {
    const auto most = static_cast<uint32_t>(std::max<uint64_t>(total, 1));
    if (server.quorum > most) {
      diagnostics.warning(spec.quorum.place, name + "quorum " + std::to_string(server.quorum) +
                                                 " is more than the weight of all real servers, " +
                                                 std::to_string(total) + ": it is " + std::to_string(most));
    }
    server.quorum = most;
  }
  if (server.hysteresis >= server.quorum) {
    if (spec.hysteresis) {
      diagnostics.warning(spec.hysteresis.place, name + "hysteresis " + std::to_string(server.hysteresis) +
                                                     " is not below quorum " + std::to_string(server.quorum) +
                                                     ": it is " + std::to_string(server.quorum - 1));
    }
    server.hysteresis = server.quorum - 1;
  }
}

}  // namespace lbdp::config
