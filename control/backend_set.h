// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/endpoint.h"
#include "config/types/mac_address.h"
#include "dataplane/parameters.h"

namespace lbdp::control {

/// A real server as the file has it.
struct RealServerInput {
  Endpoint endpoint;
  int weight = 1;
  uint32_t upper_threshold = 0, lower_threshold = 0;  // as dataplane::RealServerParams has them
  bool inhibit_on_failure = false;
  bool smtp_alert = false;  // its ups and downs are worth a mail

  friend bool operator==(const RealServerInput&, const RealServerInput&) = default;
};

/// A virtual server as the file has it.
struct ServiceInput {
  ServiceKey key;
  std::vector<ServiceKey> more_keys{};  // see dataplane::VirtualServerParams, also for what follows
  uint32_t fwmark = 0;
  dataplane::Scheduler scheduler = dataplane::Scheduler::kRoundRobin;
  dataplane::SchedulerFlags scheduler_flags{};
  dataplane::Persistence persistence{};
  bool one_packet = false;
  /// VRRP instances that hold its address. Empty: the address is ours always; else while one of them is MASTER.
  std::vector<std::string> instances{};
  std::vector<RealServerInput> real_servers{};

  friend bool operator==(const ServiceInput&, const ServiceInput&) = default;
};

struct BackendInputs {
  std::vector<ServiceInput> services;
  bool expire_nodest_conn = true;

  friend bool operator==(const BackendInputs&, const BackendInputs&) = default;
};

/// The tables' keys alone: enough to ask whether a dataplane would take them.
[[nodiscard]] dataplane::Tables outline(const BackendInputs& inputs);

/// Where a real server is at layer 2, or why that is not known.
struct LinkPlace {
  std::optional<MacAddress> mac;
  dataplane::PortId egress{};
  uint16_t vlan = 0;    // the VLAN id behind that port; 0: untagged
  uint16_t mtu = 1500;  // of the way to it, in bytes of IP
  std::string interface;
  std::string reason;  // of an empty mac

  friend bool operator==(const LinkPlace&, const LinkPlace&) = default;
};

/// What a health verdict did to a real server.
enum class HealthChange : uint8_t { kNone, kRemoved, kAdded, kDisabled, kEnabled };

/// "Removing service [172.18.250.77]:tcp:80 from VS [172.18.250.99]:tcp:80": keepalived's words, which people grep for.
std::string describe(HealthChange change, const RealServerKey& key);

/// A row of `show backends`.
struct BackendStatus {
  enum class State : uint8_t { kUp, kDraining, kUnresolved, kDown };

  RealServerKey key;
  State state = State::kUp;
  std::string reason;
  bool in_table = true;
  int weight = 1;
  int configured_weight = 1;
  LinkPlace location;
};
std::string_view to_string(BackendStatus::State state);

/// Merges the file, the checkers' verdicts, what is known about neighbours and who owns which address into the tables
/// of the dataplane. No clock, no I/O: events in, tables out.
class BackendSet {
 public:
  using IsUp = std::function<bool(const RealServerKey&)>;

  /// Makes `inputs` the configuration. A real server that stays keeps its location; what the checkers say now is asked
  /// for each, since a reload may have taken away the one that failed.
  void configure(BackendInputs inputs, const IsUp& is_up);

  HealthChange set_health(const RealServerKey& key, bool up, std::string reason);
  void set_location(const IpAddress& address, LinkPlace location);
  /// An instance became MASTER or ceased to be.
  void set_master(const std::string& instance, bool master);
  /// These instances are MASTER, and no others.
  void set_masters(std::set<std::string> instances);

  /// The tables have changed since the last take_tables().
  [[nodiscard]] bool dirty() const { return dirty_; }
  /// The tables as they are to be published now.
  dataplane::Tables take_tables();

  [[nodiscard]] const BackendInputs& inputs() const { return inputs_; }
  [[nodiscard]] bool owned(const ServiceInput& service) const;
  [[nodiscard]] BackendStatus status(const ServiceInput& service, const RealServerInput& real) const;
  /// Every address of a real server, once.
  [[nodiscard]] std::vector<IpAddress> addresses() const;
  [[nodiscard]] bool wants_mail(const RealServerKey& key) const;

 private:
  struct Real {
    RealServerInput input;
    bool up = true;
    std::string reason;  // of the last verdict
  };

  [[nodiscard]] const LinkPlace& location(const IpAddress& address) const;
  [[nodiscard]] dataplane::RealServerParams params(const RealServerKey& key) const;

  BackendInputs inputs_;
  std::map<RealServerKey, Real> reals_;
  std::map<IpAddress, LinkPlace> locations_;
  std::set<std::string> masters_;
  bool dirty_ = true;
};

}  // namespace lbdp::control
