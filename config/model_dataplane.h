// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The part of the model that the dataplane block makes.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/model_common.h"
#include "config/types/ip_address.h"

namespace lbdp::config {

/// One `port N { }` of the dataplane block.
struct Port {
  uint16_t id = 0;
  Location where;
  std::string device;     // PCI address or vdev name; empty: ports in the order of their ids
  std::string interface;  // the tap's name; empty: from the order in which the file names interfaces
  std::optional<IpPrefix> ipaddress;
  uint16_t rx_descriptors = 1024;
  uint16_t tx_descriptors = 1024;

  friend bool operator==(const Port&, const Port&) = default;
};

struct Dataplane {
  std::vector<Port> ports;
  Places places;                       // of what holds from the start on
  uint32_t connections = 1048576;      // per worker
  uint32_t wide_connections = 131072;  // per worker
  uint32_t templates = 131072;
  Duration idle_sleep{0};  // 0: pure polling
  uint32_t mbufs = 0;      // receive buffers a NUMA node; 0: as many as the queues need
  uint16_t mbuf_size = 0;  // bytes, headroom included; 0: a whole frame fits
  bool expire_nodest_conn = true;
  bool expire_quiescent_template = true;
  bool conn_reuse = true;
  bool sloppy_tcp = false;
  // lvs_timeouts' values; see shared defaults of IPVS
  Duration timeout_tcp = std::chrono::seconds(900);
  Duration timeout_tcpfin = std::chrono::seconds(120);
  Duration timeout_udp = std::chrono::seconds(300);

  friend bool operator==(const Dataplane&, const Dataplane&) = default;
};

}  // namespace lbdp::config
