// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checks/runner.h"
#include "control/backend_set.h"
#include "control/control_socket.h"
#include "control/neighbours.h"
#include "control/rates.h"
#include "control/reload_report.h"
#include "dataplane/dataplane.h"
#include "vrrp/speaker.h"

namespace lbdp::control {

/// Which configuration is in force, and how it came to be.
struct ConfigStatus {
  struct Reload {
    std::chrono::system_clock::time_point time;
    bool ok = false;
    std::string message;
  };
  std::string file, config_id;
  std::chrono::system_clock::time_point started, loaded;
  uint64_t generation = 1;  // counts configurations
  dataplane::Timeouts timeouts;
  std::optional<Reload> last_reload;
};

/// Answers the requests of docs/lbdp-cli.md.
class Requests {
 public:
  /// What answers are made from. A function for each that a test would have to fake.
  struct Sources {
    const ConfigStatus& config;
    const BackendSet& backends;
    const dataplane::Dataplane& dataplane;
    std::function<std::vector<vrrp::InstanceStatus>()> vrrp;
    std::function<std::vector<checks::CheckerStatus>()> checks;
    std::function<std::vector<NeighbourStatus>()> neighbours;
  };
  /// Reads the file again, and makes it the configuration in force unless it is a dry run; calls back with what came of
  /// it.
  using Reload = std::function<void(bool dry_run, std::function<void(const ReloadReport&)>)>;

  Requests(Sources sources, Reload reload) : sources_(std::move(sources)), reload_(std::move(reload)) {}

  /// Samples counters for the rates that answers tell. Call it every 100 ms or so.
  void tick(Rates::Clock::time_point now) {
    rates_.sample(now, sources_.backends.inputs().services, sources_.dataplane);
  }

  /// A request's line in, an answer's line out.
  void handle(const std::string& line, const ControlSocket::Reply& reply);

  static std::string too_long();

 private:
  struct Page;
  nlohmann::json show(const nlohmann::json& request);
  nlohmann::json explain(const nlohmann::json& request) const;
  Page rows_of(const std::string& what, uint64_t cursor);
  Page backends(uint64_t cursor);
  Page services(uint64_t cursor);
  Page connections(uint64_t cursor, size_t limit, const dataplane::ConnectionFilter& filter);
  Page persistence(uint64_t cursor, size_t limit, const dataplane::ConnectionFilter& filter);
  /// tcp, unless another protocol only has a service there.
  Protocol protocol_at(const Endpoint& destination) const;
  Page config();
  Page version();
  std::optional<std::string> last_check(const RealServerKey& key) const;
  void remember_checks();

  Sources sources_;
  Reload reload_;
  Rates rates_;
  std::map<RealServerKey, std::string> last_checks_;  // as of the first page of `show backends`
};

}  // namespace lbdp::control
