// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/types/asio.h"
#include "config/types/mac_address.h"
#include "config/types/result.h"
#include "vrrp/instance.h"
#include "vrrp/parameters.h"

namespace spdlog {
class logger;
}

namespace lbdp::vrrp {

/// What the instances need from the host; control implements it over netlink. All calls are made on the reactor's
/// thread, from within the Speaker: they may ask for its status(), but must not call apply() or stop().
class Host {
 public:
  virtual ~Host() = default;
  /// Adds or removes a virtual address on an interface. Adding one that is there, or removing one that is not, is no
  /// error.
  virtual Result<void> add_address(const std::string& interface, const IpPrefix& address) = 0;
  virtual Result<void> remove_address(const std::string& interface, const IpPrefix& address) = 0;
  virtual void on_transition(const Transition& transition) = 0;
  /// All of a sync group has come to a common state.
  virtual void on_group_transition(const std::string& group, State state) = 0;
  /// The effective priority changed by a tracker; the state did not.
  virtual void on_priority_change(const std::string& instance, uint8_t priority) = 0;
};

struct Counter {
  std::string_view name;  // "rx_advertisements", "bad_ttl", "auth_mismatch", ...
  uint64_t count = 0;
};

struct InstanceStatus {
  InstanceParams params;
  State state = State::kInit;
  uint8_t effective_priority = 0;
  std::optional<IpAddress> master_address;  // who advertises, or our own while MASTER
  uint8_t master_priority = 0;
  std::chrono::system_clock::time_point last_transition;
  std::string last_cause;
  unsigned became_master = 0;
  std::vector<std::string> problems;  // why it is in FAULT
  int tracking_weight = 0;            // what trackers add to the priority
  std::vector<Counter> counters;
};

struct GroupStatus {
  std::string name;
  State state = State::kInit;
  std::vector<std::string> members;
};

/// Runs all VRRP instances of the process: sockets and timers on one reactor around the pure state machine of
/// instance.h.
class Speaker {
 public:
  Speaker(asio::io_context& io, Host& host, spdlog::logger& log);
  ~Speaker();

  /// Makes the running instances those of `instances`. An instance whose interface, VRID and family match goes on in
  /// its state; a removed one sends priority 0 and drops its addresses. An interface that does not exist puts the
  /// instance into FAULT until it appears (call interface_changed()).
  /// Refuses what check() refuses, and has changed nothing then.
  Result<void> apply(const std::vector<InstanceParams>& instances);
  /// Would apply() take these? On any thread.
  [[nodiscard]] static Result<void> check(const std::vector<InstanceParams>& instances);
  /// The names that those of them will have that are MASTER now and that apply() would leave so.
  [[nodiscard]] std::set<std::string> masters_among(const std::vector<InstanceParams>& instances) const;
  /// An address and its interface.
  using HostAddress = std::pair<std::string, IpPrefix>;
  /// The addresses that apply() would add to the host at once, because a MASTER gets them that no instance holds now.
  [[nodiscard]] std::vector<HostAddress> additions(const std::vector<InstanceParams>& instances) const;
  /// The host's interface came, went, changed its carrier or its addresses. Looks at it soon, on the reactor; many
  /// calls in a row are one look.
  void interface_changed(const std::string& interface);
  /// What the trackers of an instance say; it may be told before apply() makes the instance. Kept over apply().
  void set_tracking(const std::string& instance, const TrackingState& tracking);
  /// Orderly stop: priority 0 (if MASTER), addresses removed. Returns when the advertisements are handed to the kernel.
  void stop();

  [[nodiscard]] std::vector<InstanceStatus> status() const;
  [[nodiscard]] std::vector<GroupStatus> groups() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace lbdp::vrrp
