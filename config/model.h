// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <vector>

#include "config/model_dataplane.h"
#include "config/model_global.h"
#include "config/model_services.h"
#include "config/model_vrrp.h"

namespace lbdp::config {

/// A validated lb.conf. Every default is filled in, every inheritance resolved.
struct Model {
  GlobalDefs global;
  std::vector<VrrpInstance> vrrp_instances;
  std::vector<VrrpSyncGroup> vrrp_sync_groups;
  Trackers trackers;
  Statics statics;
  std::vector<GarpGroup> garp_groups;
  std::vector<InterfaceDelay> interface_delays;
  std::vector<VirtualServer> virtual_servers;  // in the file's order
  SslFiles ssl;
  Dataplane dataplane;
  /// Interface names in the order in which the file first names them: ports 0, 1, ... take these.
  std::vector<std::string> interfaces;

  friend bool operator==(const Model&, const Model&) = default;
};

}  // namespace lbdp::config
