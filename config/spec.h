// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What a file says, before defaults, inheritance and checks across keywords: the setters of the schema fill it in,
// resolve makes the model of it. A Setting knows its place, so that every later finding can name it.

#include <vector>

#include "config/spec_dataplane.h"
#include "config/spec_global.h"
#include "config/spec_services.h"
#include "config/spec_vrrp.h"

namespace lbdp::config {

/// A whole file.
struct FileSpec {
  GlobalSpec global;
  std::vector<VrrpInstanceSpec> vrrp_instances;
  VrrpSpec vrrp;
  std::vector<VirtualServerSpec> virtual_servers;
  std::vector<VirtualServerGroupSpec> groups;
  SslSpec ssl;
  DataplaneSpec dataplane;
};

}  // namespace lbdp::config
