// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "checks/parameters.h"
#include "config/types/asio.h"

namespace lbdp::checks {

/// How one probe ended. `reason` is one line without a full stop: "HTTP 200", "connect: connection refused".
struct ProbeResult {
  /// kNotRun: for want of something of our own (descriptors, ports, memory); it says nothing about the server.
  enum class Outcome : uint8_t { kSuccess, kFailure, kNotRun };

  Outcome outcome = Outcome::kFailure;
  std::string reason{};
};

/// Called once, from the reactor and never from within the function that started the probe.
using OnProbeDone = std::function<void(ProbeResult)>;

/// A probe in flight. Destroying it cancels the probe: its callback is not called any more.
class Probe {
 public:
  Probe() = default;
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  virtual ~Probe() = default;
};

}  // namespace lbdp::checks
