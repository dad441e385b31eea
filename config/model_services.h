// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The part of the model that virtual servers make.

#include <optional>
#include <string>
#include <vector>

#include "config/model_checks.h"
#include "config/model_common.h"
#include "config/types/endpoint.h"

namespace lbdp::config {

struct RealServer {
  Endpoint endpoint;  // as in the first of the virtual server's services; port 0 if that serves all ports or a mark
  Location where;
  int weight = 1;
  uint32_t upper_threshold = 0;  // 0: none
  uint32_t lower_threshold = 0;  // 0: three quarters of the upper one
  bool inhibit_on_failure = false;
  bool smtp_alert = true;  // resolved
  std::optional<CommandLine> notify_up, notify_down;
  std::vector<Checker> checkers;  // each with its own alpha

  friend bool operator==(const RealServer&, const RealServer&) = default;
};

/// keepalived's lb_algo, without lblc and lblcr.
enum class LbAlgo : uint8_t {
  kRoundRobin,
  kWeightedRoundRobin,
  kLeastConnection,
  kWeightedLeastConnection,
  kShortestExpectedDelay,
  kNeverQueue,
  kSourceHash,
  kDestinationHash,
  kMaglev,
  kFailover,
  kOverflow,
  kTwoChoices,
};

/// What IPVS would have as one service: an address and port, or a firewall mark with all that the dataplane block says
/// to have it.
struct Service {
  ServiceKey key;                     // port 0: all ports
  std::vector<ServiceKey> more_keys;  // of a firewall mark only
  uint32_t fwmark = 0;                // 0: none

  friend bool operator==(const Service&, const Service&) = default;
};

/// What serves alone while the real servers are too few for the quorum.
struct SorryServer {
  Endpoint endpoint;     // as a real server's
  bool inhibit = false;  // it stays in the table with weight 0 when the quorum is back

  friend bool operator==(const SorryServer&, const SorryServer&) = default;
};

struct VirtualServer {
  std::string group;  // the virtual_server_group's name; empty: none
  /// At least one, all of one family. More than one only of a group: each has all the real servers, which are checked
  /// once.
  std::vector<Service> services;
  Location where;
  LbAlgo lb_algo = LbAlgo::kWeightedLeastConnection;
  bool hash_port = false;                // sh-port, mh-port
  bool hash_fallback = false;            // sh-fallback, mh-fallback
  bool one_packet = false;               // ops
  Duration persistence_timeout{0};       // 0: off
  uint8_t persistence_granularity = 32;  // bits of the client's address; 128 for a whole IPv6 address
  uint32_t quorum = 1;                   // weight of the servers that are up; at most that of all of them
  uint32_t hysteresis = 0;               // below the quorum
  std::optional<CommandLine> quorum_up, quorum_down;
  std::optional<SorryServer> sorry_server;
  bool ha_suspend = false;  // check only while an address of the service is here
  bool omega = false;       // at the end of the director, what was up is notified as down
  bool smtp_alert = false;  // resolved
  std::vector<RealServer> real_servers;

  friend bool operator==(const VirtualServer&, const VirtualServer&) = default;
};

}  // namespace lbdp::config
