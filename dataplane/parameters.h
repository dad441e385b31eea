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
  /// Connections that need a wide key: IPv6, and those to virtual servers without a port.
  uint32_t wide_connections_per_worker = 131072;
  /// Clients with a persistence template, over all workers.
  uint32_t templates = 131072;
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
  /// Overloaded, and so passed over by every scheduler, from this many connections on (active and inactive); 0: never.
  uint32_t upper_threshold = 0;
  /// Not overloaded any more below this many; 0: below three quarters of the upper threshold.
  uint32_t lower_threshold = 0;
  /// Empty: not resolved; the schedulers pass it over.
  std::optional<MacAddress> mac;
  PortId egress{};
  uint16_t vlan = 0;    // the VLAN id that it is on, behind that port; 0: none, untagged
  uint16_t mtu = 1500;  // of the way to it, in bytes of IP

  friend bool operator==(const RealServerParams&, const RealServerParams&) = default;
};

/// IPVS's schedulers; ipvs.md defines each.
enum class Scheduler : uint8_t {
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

/// sh-fallback and sh-port, mh-fallback and mh-port.
struct SchedulerFlags {
  bool fallback = false;  // an overloaded server's clients go to another one, not away
  bool port = false;      // the client's port is hashed, too

  friend bool operator==(const SchedulerFlags&, const SchedulerFlags&) = default;
};

struct Persistence {
  std::chrono::seconds timeout{0};  // 0: none
  uint8_t granularity = 32;         // bits of the client's address that count; 128 for a whole IPv6 address

  friend bool operator==(const Persistence&, const Persistence&) = default;
};

/// A virtual server as the workers are to see it.
struct VirtualServerParams {
  /// Names it, and is the destination that it serves. Port 0: all ports of this address and protocol for which no other
  /// virtual server is there.
  ServiceKey key;
  /// Further destinations of the same virtual server: it has one scheduler and one persistence for them all, as a
  /// service by firewall mark has. All of `key`'s family.
  std::vector<ServiceKey> more_keys;
  uint32_t fwmark = 0;  // as listings show it; 0: none
  Scheduler scheduler = Scheduler::kRoundRobin;
  SchedulerFlags scheduler_flags;
  Persistence persistence;
  bool one_packet = false;  // UDP: every packet is scheduled anew, and no connection is kept
  /// Its VIP is ours now (always, if no VRRP instance holds it). Packets to a VIP that is not ours are never forwarded.
  bool owned = true;
  std::vector<RealServerParams> real_servers;  // the scheduler's order

  friend bool operator==(const VirtualServerParams&, const VirtualServerParams&) = default;
};

/// IPVS's switches, by the kernel's names.
struct Switches {
  bool expire_nodest_conn = true;  // a connection whose server is gone is forgotten; off: its packets are dropped
  bool expire_quiescent_template = true;  // a client's template for a server of weight 0 is forgotten
  bool conn_reuse = true;   // a SYN on a connection that is over opens a new one; off: it goes to the same server
  bool sloppy_tcp = false;  // any TCP segment but a RST opens a connection, not a SYN only

  friend bool operator==(const Switches&, const Switches&) = default;
};

/// Everything that one publication holds: all or nothing.
struct Tables {
  std::vector<VirtualServerParams> virtual_servers;
  Switches switches;
};

}  // namespace lbdp::dataplane
