// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What the dataplane block says.

#include <optional>
#include <string>
#include <vector>

#include "config/address_range.h"
#include "config/model_services.h"
#include "config/spec_common.h"

namespace lbdp::config {

/// What has a firewall mark.
struct FwmarkSpec {
  struct Destination {
    Protocol protocol = Protocol::kTcp;
    AddressRange range;
    uint16_t port = 0;
    Place place;
  };
  std::optional<uint32_t> mark;
  Place place;
  std::vector<Destination> destinations;
  bool broken = false;
};

struct PortSpec {
  std::optional<uint16_t> id;
  Place place;
  Setting<std::string> device;
  Setting<std::string> interface;
  Setting<IpPrefix> ipaddress;
  Setting<uint16_t> rx_descriptors;
  Setting<uint16_t> tx_descriptors;
};

struct DataplaneSpec {
  std::vector<PortSpec> ports;
  std::vector<FwmarkSpec> fwmarks;
  std::vector<Item<std::string>> interfaces;
  Setting<uint32_t> connections;
  Setting<uint32_t> wide_connections;
  Setting<uint32_t> templates;
  Setting<Duration> idle_sleep;
  Setting<uint32_t> mbufs;
  Setting<uint16_t> mbuf_size;
  Setting<bool> expire_nodest_conn;
  Setting<bool> expire_quiescent_template;
  Setting<bool> conn_reuse;
  Setting<bool> sloppy_tcp;
};

}  // namespace lbdp::config
