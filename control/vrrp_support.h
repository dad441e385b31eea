// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <map>
#include <span>
#include <string>

#include "config/model.h"
#include "config/types/asio.h"
#include "control/child_process.h"
#include "control/dataplane_health.h"
#include "control/notifier.h"
#include "control/trackers.h"
#include "vrrp/speaker.h"

namespace lbdp::control {

/// What surrounds the VRRP instances: what they track, who is told of their transitions, and whether the dataplane is
/// fit for a MASTER.
class VrrpSupport {
 public:
  VrrpSupport(asio::io_context& io, spdlog::logger& log, Trackers::Tell tell);

  /// Takes a configuration that is about to take the running one's place: before the instances, so that a new one
  /// starts with what its trackers say.
  void configure(const config::Model& model);
  /// The instances of `model` are in force: who stops from now on was not taken away by a reload.
  void configured();

  void transition(const vrrp::Transition& transition);
  void group_transition(const std::string& group, vrrp::State state);
  void priority_change(const vrrp::InstanceStatus& instance);
  /// A real server's checks came to another verdict.
  void real_server(const RealServerKey& key, bool up) { notifier_.real_server(key.real, key.service, up); }
  void interface_changed(const std::string& name) { trackers_.interface_changed(name); }
  /// Looks at the dataplane; to be called every health_period().
  void look(bool published, std::span<const dataplane::WorkerStatus> workers,
            std::span<const dataplane::PortStatus> ports);
  /// A quarter of the time that a worker may be away.
  [[nodiscard]] std::chrono::microseconds health_period() const { return health_.worker_limit / 4; }

  [[nodiscard]] const Trackers& trackers() const { return trackers_; }

 private:
  spdlog::logger& log_;
  ChildProcesses children_;
  Notifier notifier_;
  Trackers trackers_;
  DataplaneHealthParams health_;
  std::vector<std::string> faults_;
  NotifierParams notifications_;
  std::map<std::string, TransitionPrograms> leaving_;  // instances that the configuration under way takes away
};

}  // namespace lbdp::control
