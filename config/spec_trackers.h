// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What the definitions of scripts, files, processes and BFD sessions say, and the lists that name them.

#include <optional>
#include <string>
#include <vector>

#include "config/model_trackers.h"
#include "config/spec_common.h"

namespace lbdp::config {

/// weight N [reverse|noreverse]
struct WeightSpec {
  int weight = 0;
  std::optional<bool> reverse;
};

/// NAME [weight N [reverse|noreverse]]
struct TrackedSpec {
  std::string name;
  std::optional<WeightSpec> weight;
};

/// The track_* blocks; VrrpInstanceSpec and VrrpSyncGroupSpec have them. A block may be split.
struct TrackingSpec {
  std::vector<Item<TrackedSpec>> track_interface;
  std::vector<Item<TrackedSpec>> track_script;
  std::vector<Item<TrackedSpec>> track_file;
  std::vector<Item<TrackedSpec>> track_process;
  std::vector<Item<TrackedSpec>> track_bfd;
};

struct VrrpScriptSpec {
  std::string name;
  Place place;
  Setting<Command> script;
  Setting<Duration> interval;
  Setting<Duration> timeout;
  Setting<WeightSpec> weight;
  Setting<unsigned> rise;
  Setting<unsigned> fall;
  Setting<std::string> user;
  Setting<std::string> group;
  Setting<bool> init_fail;
};

struct TrackFileSpec {
  std::string name;
  Place place;
  Setting<std::string> file;
  Setting<WeightSpec> weight;
  Setting<int> init_file;
  bool overwrite = false;
};

struct VrrpTrackProcessSpec {
  std::string name;
  Place place;
  Setting<std::vector<std::string>> process;
  Setting<VrrpTrackProcess::Match> param_match;
  Setting<WeightSpec> weight;
  Setting<unsigned> quorum;
  Setting<unsigned> quorum_max;
  Setting<Duration> delay;
  Setting<Duration> fork_delay;
  Setting<Duration> terminate_delay;
  Setting<bool> full_command;
};

struct BfdInstanceSpec {
  std::string name;
  Place place;
  Setting<IpAddress> neighbor_ip;
  Setting<IpAddress> source_ip;
  Setting<Duration> min_rx;
  Setting<Duration> min_tx;
  Setting<Duration> idle_tx;
  Setting<unsigned> multiplier;
  Setting<bool> passive;
  Setting<unsigned> ttl;
  Setting<unsigned> hoplimit;
  Setting<unsigned> max_hops;
  Setting<bool> multihop;
  Setting<WeightSpec> weight;
  Setting<bool> vrrp;
  Setting<bool> checker;
};

}  // namespace lbdp::config
