// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/types/endpoint.h"
#include "control/child_process.h"

namespace spdlog {
class logger;
}

namespace lbdp::control {

/// The programs that an instance's or a sync group's transitions start; none: nothing.
struct TransitionPrograms {
  std::optional<ChildCommand> master, backup, fault, stop, deleted;
  std::optional<ChildCommand> any;  // `notify`: gets four arguments more
  std::optional<ChildCommand> master_rx_lower_pri;
  bool says_deleted = false;      // DELETED instead of FAULT when a reload takes it away
  bool priority_changes = false;  // on the FIFOs

  friend bool operator==(const TransitionPrograms&, const TransitionPrograms&) = default;
};

/// A named pipe, what is written to it, and the program that reads it: it is started with the pipe's path behind its
/// arguments.
struct FifoParams {
  std::string path{};
  std::string user{}, group{};  // empty: ours
  bool vrrp = true;             // instances and groups
  bool services = true;         // virtual and real servers
  std::optional<ChildCommand> script{};

  friend bool operator==(const FifoParams&, const FifoParams&) = default;
};

struct NotifierParams {
  std::map<std::string, TransitionPrograms> instances;
  std::map<std::string, TransitionPrograms> groups;
  std::vector<FifoParams> fifos;

  friend bool operator==(const NotifierParams&, const NotifierParams&) = default;
};

/// Tells programs and named pipes of what happens, in keepalived's words and argument order. Nothing waits for them.
class Notifier {
 public:
  Notifier(ChildProcesses& children, spdlog::logger& log);
  ~Notifier();

  /// A pipe that stays is kept open, and the program that reads it goes on; others are opened, or closed and removed. A
  /// pipe that cannot be opened is logged, and tried again with the next configuration.
  void configure(const NotifierParams& params);

  /// `state` is MASTER, BACKUP, FAULT, STOP or DELETED.
  void instance(const std::string& name, const std::string& state, unsigned priority);
  void group(const std::string& name, const std::string& state);
  /// An instance in `state` changed its effective priority; told only where notify_priority_changes says so.
  void priority(const std::string& name, const std::string& state, unsigned priority);
  void master_rx_lower_pri(const std::string& name, const std::string& state, unsigned priority);
  void virtual_server(const ServiceKey& service, bool up);
  void real_server(const Endpoint& real, const ServiceKey& service, bool up);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// keepalived's notation of an end point on its FIFOs: "[192.0.2.1]:tcp:80".
[[nodiscard]] std::string fifo_name(const Endpoint& endpoint, Protocol protocol);

}  // namespace lbdp::control
