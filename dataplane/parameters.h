// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What the dataplane takes from control. No DPDK header is included here, nor by dataplane.h.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/types/endpoint.h"
#include "config/types/mac_address.h"

namespace lbdp::dataplane {

/// A DPDK port id, as EAL numbers them.
enum class PortId : uint16_t {};
/// An index of a worker, from 0.
enum class WorkerId : uint16_t {};
/// A real server's place in every snapshot and connection entry; stable over reloads.
enum class SlotId : uint16_t {};

struct PortParams {
  std::string device;     // PCI address or vdev name; empty: the next port that no other entry names
  std::string interface;  // name of the tap that stands in for the port; empty: lbdp<port id>
  uint16_t rx_descriptors = 1024;
  uint16_t tx_descriptors = 1024;
};

/// IPVS's connection timeouts that can be set (ipvsadm --set).
struct Timeouts {
  std::chrono::seconds tcp{900};
  std::chrono::seconds tcpfin{120};
  std::chrono::seconds udp{300};
};

/// Fixed at start.
struct StartupParams {
  std::vector<PortParams> ports;  // may be shorter than the number of EAL ports, never longer
  uint32_t connections_per_worker = 1048576;
  std::chrono::microseconds idle_sleep{0};
  Timeouts timeouts;
  /// Receive buffers in each memory pool (one a NUMA node); 0: enough for the queues, rings and caches.
  uint32_t mbufs = 0;
  /// Bytes of a receive buffer, DPDK's 128 bytes of headroom included; 0: a whole frame of the port's MTU fits.
  uint16_t mbuf_size = 0;
};

/// A real server as the workers are to see it.
struct RealServerParams {
  Endpoint endpoint;
  int weight = 1;
  /// False: not in the table (failed its check, or not there yet). New connections never go there, and what happens to
  /// the connections it has is expire_nodest_conn's matter.
  bool in_table = true;
  /// Empty: not resolved; the schedulers pass it over.
  std::optional<MacAddress> mac;
  PortId egress{};
};

enum class Scheduler : uint8_t { kRoundRobin };

/// A virtual server as the workers are to see it.
struct VirtualServerParams {
  ServiceKey key;
  Scheduler scheduler = Scheduler::kRoundRobin;
  /// Its VIP is ours now (always, if no VRRP instance holds it). Packets to a VIP that is not ours are never forwarded.
  bool owned = true;
  std::vector<RealServerParams> real_servers;  // the scheduler's order
};

/// Everything that one publication holds: all or nothing.
struct Tables {
  std::vector<VirtualServerParams> virtual_servers;
  bool expire_nodest_conn = true;
};

}  // namespace lbdp::dataplane
