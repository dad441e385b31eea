// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The part of the model that says what VRRP instances and real servers follow.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/model_common.h"
#include "config/quoting.h"
#include "config/types/ip_address.h"

namespace lbdp::config {

/// One line of a track_* block, with its weight resolved: 0 takes the instance to FAULT, a positive weight is added to
/// the priority while what is tracked is well, a negative one while it is not; `reverse` turns that round.
struct Tracked {
  std::string name;
  int weight = 0;
  bool reverse = false;

  friend bool operator==(const Tracked&, const Tracked&) = default;
};

/// The track_* blocks of a vrrp_instance or vrrp_sync_group. Every name is that of an object that the file has.
struct Tracking {
  std::vector<Tracked> interfaces;
  std::vector<Tracked> scripts;
  std::vector<Tracked> files;
  std::vector<Tracked> processes;
  std::vector<Tracked> bfd;

  friend bool operator==(const Tracking&, const Tracking&) = default;
};

struct VrrpScript {
  std::string name;
  Location where;
  Command script;
  std::string user;   // empty: script_user
  std::string group;  // empty: the user's
  Duration interval = std::chrono::seconds(1);
  Duration timeout = std::chrono::seconds(1);  // interval unless the file says otherwise
  int weight = 0;
  bool reverse = false;
  unsigned rise = 1;
  unsigned fall = 1;
  bool init_fail = false;

  friend bool operator==(const VrrpScript&, const VrrpScript&) = default;
};

struct TrackFile {
  std::string name;
  Location where;
  std::string file;
  int weight = 1;
  bool reverse = false;
  std::optional<int> init_file;  // the value to write at start
  bool overwrite = false;        // even if the file exists

  friend bool operator==(const TrackFile&, const TrackFile&) = default;
};

struct VrrpTrackProcess {
  enum class Match : uint8_t { kExact, kInitial, kPartial };

  std::string name;
  Location where;
  std::vector<std::string> process;  // the program, then the parameters that it must have
  bool with_parameters = false;      // the parameters are compared, even if there are none
  Match param_match = Match::kExact;
  int weight = 1;
  bool reverse = false;
  unsigned quorum = 1;
  unsigned quorum_max = 65535;
  Duration fork_delay{0};
  Duration terminate_delay{0};
  bool full_command = false;

  friend bool operator==(const VrrpTrackProcess&, const VrrpTrackProcess&) = default;
};

/// A BFD session (RFC 5880, RFC 5881; RFC 5883 with multihop).
struct BfdInstance {
  std::string name;
  Location where;
  IpAddress neighbor_ip;
  std::optional<IpAddress> source_ip;
  Duration min_rx = std::chrono::milliseconds(10);
  Duration min_tx = std::chrono::milliseconds(10);
  Duration idle_tx = std::chrono::seconds(1);
  uint8_t multiplier = 5;
  bool passive = false;
  uint8_t ttl = 255;     // `hoplimit` and 64 for IPv6
  uint8_t max_hops = 0;  // 255: any
  bool multihop = false;
  int weight = 0;
  bool reverse = false;
  bool vrrp = true;     // its events go to VRRP,
  bool checker = true;  // to the checkers

  friend bool operator==(const BfdInstance&, const BfdInstance&) = default;
};

/// Everything that can be tracked by name, in the file's order.
struct Trackers {
  std::vector<VrrpScript> scripts;
  std::vector<TrackFile> files;
  std::vector<VrrpTrackProcess> processes;
  std::vector<BfdInstance> bfd;

  friend bool operator==(const Trackers&, const Trackers&) = default;
};

}  // namespace lbdp::config
