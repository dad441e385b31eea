// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "dataplane/dataplane.h"

namespace lbdp::control {

/// Which states of the dataplane keep every VRRP instance from being MASTER: a director that cannot forward must not
/// take the clients' packets.
struct DataplaneHealthParams {
  bool workers = true;                              // one that has work to do and does not run
  bool ports = true;                                // no port has a link
  std::chrono::microseconds worker_limit{500'000};  // how long a worker may be away

  friend bool operator==(const DataplaneHealthParams&, const DataplaneHealthParams&) = default;
};

/// How long a worker may be away where the shortest advertisement interval is `advert_int`: half of it, so that the
/// other director takes over within one; but never less than 100 ms (a busy machine takes a CPU away for as long) and
/// never more than half a second.
[[nodiscard]] std::chrono::microseconds worker_limit(std::chrono::microseconds advert_int);

/// What is wrong, one line each; nothing: all is well. `published`: the workers have a snapshot.
[[nodiscard]] std::vector<std::string> dataplane_faults(const DataplaneHealthParams& params, bool published,
                                                        std::span<const dataplane::WorkerStatus> workers,
                                                        std::span<const dataplane::PortStatus> ports);

}  // namespace lbdp::control
