// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/types/endpoint.h"
#include "config/types/ip_address.h"

namespace lbdp::config {

/// A place in a configuration file. line and column count from 1; line 0 means "nowhere: a default".
struct Location {
  std::string file;
  int line = 0;
  int column = 0;

  [[nodiscard]] std::string to_string() const;                               // "lb.conf:12:5"
  friend bool operator==(const Location&, const Location&) { return true; }  // places do not make models differ
};

using Duration = std::chrono::microseconds;  // keepalived's TIMER has microsecond resolution

struct GlobalDefs {
  std::vector<std::string> notification_email;
  std::string notification_email_from;
  std::optional<Endpoint> smtp_server;  // port 25 unless given
  std::string smtp_helo_name;           // empty: the host's name
  Duration smtp_connect_timeout = std::chrono::seconds(30);
  std::string router_id;        // empty: the host's name
  IpAddress vrrp_mcast_group4;  // default 224.0.0.18 (RFC 3768 section 5.2.2), filled in by the parser
  std::optional<bool> smtp_alert;
  std::optional<bool> smtp_alert_vrrp;
  std::optional<bool> smtp_alert_checker;

  friend bool operator==(const GlobalDefs&, const GlobalDefs&) = default;
};

struct VrrpInstance {
  enum class State : uint8_t { kBackup, kMaster };

  std::string name;
  Location where;
  State state = State::kBackup;  // a hint only
  std::string interface;
  uint8_t virtual_router_id = 0;
  uint8_t priority = 100;
  Duration advert_int = std::chrono::seconds(1);
  std::optional<std::string> auth_pass;  // set for auth_type PASS; at most 8 bytes
  std::vector<IpPrefix> virtual_ipaddress;
  bool nopreempt = false;
  Duration preempt_delay{0};
  bool smtp_alert = false;  // resolved: instance, then smtp_alert_vrrp, then smtp_alert

  friend bool operator==(const VrrpInstance&, const VrrpInstance&) = default;
};

/// What HTTP_GET and TCP_CHECK have in common; inherited virtual server -> real server -> checker, resolved by the
/// parser.
struct CheckTiming {
  Duration delay_loop = std::chrono::seconds(60);
  Duration connect_timeout = std::chrono::seconds(5);
  unsigned retry = 1;
  Duration delay_before_retry = std::chrono::seconds(1);
  Duration warmup = std::chrono::seconds(60);  // the first check comes after 1 s + random * warmup

  friend bool operator==(const CheckTiming&, const CheckTiming&) = default;
};

struct HttpUrl {
  struct StatusRange {
    uint16_t first = 200;
    uint16_t last = 299;
    friend bool operator==(const StatusRange&, const StatusRange&) = default;
  };
  std::string path = "/";
  std::vector<StatusRange> status_code;  // empty: 200-299
  std::string virtualhost;  // empty: the checker's, the real server's, the virtual server's; then the address

  friend bool operator==(const HttpUrl&, const HttpUrl&) = default;
};

struct HttpGet {
  CheckTiming timing;
  Endpoint connect;  // connect_ip and connect_port, by default the real server's
  std::vector<HttpUrl> urls;

  friend bool operator==(const HttpGet&, const HttpGet&) = default;
};

struct TcpCheck {
  CheckTiming timing;
  Endpoint connect;

  friend bool operator==(const TcpCheck&, const TcpCheck&) = default;
};

using Checker = std::variant<TcpCheck, HttpGet>;

struct RealServer {
  Endpoint endpoint;  // as in the first of the virtual server's services; port 0 if that serves all ports or a mark
  Location where;
  int weight = 1;
  uint32_t upper_threshold = 0;  // 0: none
  uint32_t lower_threshold = 0;  // 0: three quarters of the upper one
  bool inhibit_on_failure = false;
  bool alpha = false;
  bool smtp_alert = true;  // resolved
  std::vector<Checker> checkers;

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
  bool alpha = false;
  bool smtp_alert = false;  // resolved
  std::vector<RealServer> real_servers;

  friend bool operator==(const VirtualServer&, const VirtualServer&) = default;
};

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

/// A validated lb.conf. Every default is filled in, every inheritance resolved.
struct Model {
  GlobalDefs global;
  std::vector<VrrpInstance> vrrp_instances;
  std::vector<VirtualServer> virtual_servers;  // in the file's order
  Dataplane dataplane;
  /// Interface names in the order in which the file first names them: ports 0, 1, ... take these.
  std::vector<std::string> interfaces;

  friend bool operator==(const Model&, const Model&) = default;
};

}  // namespace lbdp::config
