// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
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
  /// Whose verdicts count: the real servers of a group are checked once for all of its virtual servers. Empty: its own.
  std::optional<RealServerKey> checked_as{};

  friend bool operator==(const RealServerInput&, const RealServerInput&) = default;
};

/// A virtual server as the file has it; of a group each address and port is one.
struct ServiceInput {
  ServiceKey key;
  std::vector<ServiceKey> more_keys{};  // see dataplane::VirtualServerParams, also for what follows
  uint32_t fwmark = 0;
  std::string name{};  // in log lines: "FWM 7", or the group's; empty: by its key
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
  std::vector<ServiceInput> services{};
  dataplane::Switches switches{};

  friend bool operator==(const BackendInputs&, const BackendInputs&) = default;
};

/// The tables' keys alone: enough to ask whether a dataplane would take them.
[[nodiscard]] dataplane::Tables outline(const BackendInputs& inputs);

/// Do both have the same virtual servers with the same real servers at the same places, and the same switches?
[[nodiscard]] bool same_places(const BackendInputs& a, const BackendInputs& b);

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
/// `service_name`: what stands for "[172.18.250.99]:tcp:80", if not empty.
std::string describe(HealthChange change, const RealServerKey& key, std::string_view service_name = {});

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
/// of the dataplane. No clock, no I/O: events in, tables out. An event costs what it changes, however large the tables.
class BackendSet {
 public:
  using IsUp = std::function<bool(const RealServerKey&)>;

  /// Makes `inputs` the configuration. A real server that stays keeps its location; what the checkers say now is asked
  /// for each key that is checked, since a reload may have taken away the one that failed.
  void configure(BackendInputs inputs, const IsUp& is_up);

  /// The same for some virtual servers, by their places, that differ in nothing by which others find them: see
  /// same_places(). The others in `inputs` are as they were. What the checkers say is asked only by set_health().
  void reconfigure(std::span<const uint32_t> services, BackendInputs inputs);

  /// A verdict about a real server, by the key that its checks have.
  HealthChange set_health(const RealServerKey& key, bool up, std::string reason);
  void set_location(const IpAddress& address, LinkPlace location);
  /// An instance became MASTER or ceased to be.
  void set_master(const std::string& instance, bool master);
  /// These instances are MASTER, and no others.
  void set_masters(const std::set<std::string>& instances);
  [[nodiscard]] const std::set<std::string>& masters() const { return masters_; }

  /// Something has changed since the last take_tables() or take_changes().
  [[nodiscard]] bool dirty() const { return reconfigured_ || !changed_.empty(); }
  /// There is a new configuration, so that take_changes() would not tell all.
  [[nodiscard]] bool reconfigured() const { return reconfigured_; }
  /// How many virtual servers have changed.
  [[nodiscard]] size_t changes() const { return changed_.size(); }
  /// All tables as they are to be published now, changed or not.
  dataplane::Tables take_tables();
  /// The virtual servers that have changed, in the tables' order.
  std::vector<dataplane::VirtualServerParams> take_changes();

  [[nodiscard]] const BackendInputs& inputs() const { return inputs_; }
  [[nodiscard]] bool owned(const ServiceInput& service) const;
  [[nodiscard]] BackendStatus status(const ServiceInput& service, const RealServerInput& real) const;
  /// Every address of a real server, once.
  [[nodiscard]] std::vector<IpAddress> addresses() const;
  [[nodiscard]] bool wants_mail(const RealServerKey& key) const;
  /// ServiceInput::name of the virtual server that is checked under this key.
  [[nodiscard]] std::string_view service_name(const RealServerKey& key) const;

 private:
  /// A place in inputs_.services and services_, and in its real_servers.
  struct Position {
    uint32_t service;
    uint32_t real;
  };
  struct Health {
    bool up = true;
    std::string reason;               // of the last verdict
    std::vector<Position> positions;  // at least one
  };
  struct Neighbour {
    LinkPlace place;
    std::vector<Position> positions;  // none: nobody has this address (yet)
  };

  void index_services();
  void index_real(Position position, std::map<RealServerKey, Health>& before, const IsUp& is_up);
  [[nodiscard]] dataplane::VirtualServerParams initial_params(const ServiceInput& service) const;
  void refresh_owned(uint32_t service);
  void mark_changed(uint32_t service);
  void forget_changes();
  [[nodiscard]] const RealServerInput& input(Position position) const;
  dataplane::RealServerParams& params(Position position);

  BackendInputs inputs_;
  std::set<std::string> masters_;
  std::vector<dataplane::VirtualServerParams> services_;  // as they are to be published, in inputs_' order
  // What an event is about.
  std::map<RealServerKey, Health> health_;  // by the key that is checked
  std::map<IpAddress, Neighbour> neighbours_;
  std::map<std::string, std::vector<uint32_t>, std::less<>> by_instance_;  // services
  // What has changed.
  bool reconfigured_ = true;
  std::vector<uint32_t> changed_;  // services, each once
  std::vector<bool> is_changed_;   // by service
};

}  // namespace lbdp::control
