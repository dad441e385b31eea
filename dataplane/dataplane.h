// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/result.h"
#include "dataplane/parameters.h"

namespace lbdp::dataplane {

/// Process-wide DPDK environment. One per process; destroyed last.
class Eal {
 public:
  /// Runs rte_eal_init with the arguments before "--" (argv[0] included). The error names what is missing: no hugepages
  /// (with the commands that reserve them), no port, one lcore only.
  static Result<Eal> start(std::span<const std::string> arguments);
  Eal(Eal&&) noexcept;
  Eal& operator=(Eal&&) = delete;
  ~Eal();  // rte_eal_cleanup

 private:
  Eal() = default;
  bool running_ = true;
  // What goes at the end; empty: nothing.
  std::string hugepage_prefix_;    // of our hugepage files
  std::string runtime_directory_;  // EAL's, with its sockets
};

struct PortStatus {
  PortId id{};
  std::string device;       // as EAL names it
  std::string driver;       // "net_af_packet"
  std::string interface;    // the tap
  int interface_index = 0;  // the tap's, in this network namespace
  MacAddress mac;
  uint16_t mtu = 0;
  bool link_up = false;
  uint32_t link_mbps = 0;
  uint16_t queues = 0;  // queue pairs in use
  // the driver's own statistics
  uint64_t rx_packets = 0, rx_bytes = 0, rx_missed = 0, rx_errors = 0, rx_nombuf = 0;
  uint64_t tx_packets = 0, tx_bytes = 0, tx_errors = 0;
  // exception path
  uint64_t to_kernel = 0;            // frames written to the tap
  uint64_t to_kernel_dropped = 0;    // the tap refused them
  uint64_t from_kernel = 0;          // frames read from the tap
  uint64_t from_kernel_dropped = 0;  // no mbuf, or the worker's ring full
};

struct NamedCount {
  std::string_view name;  // "not_for_us", "fragment", ...
  uint64_t count = 0;
};

/// A worker's counters: received = transmitted + punted + sum(drops) + held_fragments.
struct WorkerStatus {
  WorkerId id{};
  unsigned lcore = 0;
  std::vector<PortId> polled_ports;  // empty: this worker idles
  uint64_t received = 0;
  uint64_t transmitted = 0;
  std::vector<NamedCount> punted;  // by class
  std::vector<NamedCount> drops;   // by reason, all reasons, zeros too
  uint64_t injected = 0;           // frames from the kernel sent to the wire
  uint64_t injected_dropped = 0;
  uint64_t relayed = 0;          // sent for workers without a transmit queue, who counted them as transmitted
  uint64_t relayed_dropped = 0;  // of these, those that the transmit queue had no room for
  uint64_t replies = 0;          // ICMP errors of our own, sent
  uint64_t replies_policed = 0;  // due, but over their rate
  uint64_t cut = 0;              // IPv4 packets that went in pieces, since they were too long for the server's link
  uint64_t pieces = 0;           // their pieces
  uint64_t unstored = 0;         // packets forwarded without an entry because the connection table was full
  uint64_t templates_full = 0;   // new connections of persistent virtual servers whose client found no template's place
  uint64_t held_fragments = 0;   // early fragments that wait for their first one, now
  uint64_t connections = 0;      // with narrow keys: IPv4, to destinations with a port
  uint64_t connections_limit = 0;
  uint64_t wide_connections = 0;  // all others
  uint64_t wide_connections_limit = 0;
  uint64_t loops = 0;
  uint64_t idle_loops = 0;
  uint64_t busy_cycles = 0;
  uint64_t total_cycles = 0;
  uint64_t last_loop_age_us = 0;  // since the last pass of its loop: is it alive?
};

/// Sums over the workers.
struct RealServerCounters {
  SlotId slot{};
  bool overloaded = false;  // over its upper threshold, and not yet below the lower one again
  uint64_t active = 0;      // connections in ESTABLISHED, SYN_SENT, SYN_RECV (ipvs.md)
  uint64_t inactive = 0;
  uint64_t connections = 0;  // ever scheduled
  uint64_t packets = 0;
  uint64_t bytes = 0;  // IP length, as IPVS counts
};

struct ConnectionRow {
  WorkerId worker{};
  Protocol protocol = Protocol::kTcp;
  Endpoint client, virtual_server, real_server;
  std::string_view state;  // "ESTABLISHED"
  std::chrono::seconds expires_in{0};
};

/// Which connections to list; what is empty does not restrict.
struct ConnectionFilter {
  std::optional<IpPrefix> client;
  std::optional<uint16_t> client_port;
  std::optional<ServiceKey> service;  // the virtual server's key, or any of its destinations
  std::optional<Endpoint> real_server;
  std::string state;  // "ESTABLISHED"
  std::optional<WorkerId> worker;
};

struct ConnectionPage {
  std::vector<ConnectionRow> rows;
  uint64_t next_cursor = 0;  // 0: that was the last page
};

/// A persistence template: where a client's (or a client network's) next connection goes.
struct TemplateRow {
  ServiceKey service;
  IpPrefix client;
  Endpoint real_server;
  std::chrono::seconds expires_in{0};
  uint32_t connections = 0;  // that were made under it and live
};

struct TemplatePage {
  std::vector<TemplateRow> rows;
  uint64_t next_cursor = 0;
};

/// Where a packet would go, and why. Nothing is changed by asking.
struct Explanation {
  enum class Outcome : uint8_t {
    kNoService,        // no virtual server takes it: it goes to the kernel
    kNotOwned,         // another director owns the address: dropped
    kNoRealServer,     // no usable real server: ICMP port unreachable
    kKnownConnection,  // to the connection's server
    kPersistent,       // a new connection: to the server of the client's template
    kScheduled,        // a new connection: to the scheduler's next pick, as of now
    kServerGone,       // a known connection, whose server is not in the table: dropped (expire_nodest_conn off)
    kNoNeighbor,       // a known connection, whose server's MAC is not known: dropped
  };
  Outcome outcome = Outcome::kNoService;
  std::optional<ServiceKey> service;      // the virtual server's key
  std::optional<ServiceKey> destination;  // of its destinations, the one that matched
  std::optional<Endpoint> real_server;
  std::optional<MacAddress> mac;  // the frame's next destination
  PortId egress{};
  uint16_t vlan = 0;
  std::optional<ConnectionRow> connection;     // of kKnownConnection and the like
  std::optional<TemplateRow> client_template;  // of kPersistent
  std::vector<std::string> reasons;            // in words, in the order of the decisions
};

/// The running data path: ports, taps, workers, exception thread. All calls come from the control thread.
class Dataplane {
 public:
  /// Opens the ports, creates a tap for each, starts the exception thread and a worker on every worker lcore. On error
  /// all is undone. Notes worth logging (which workers idle, what a driver cannot do) come back in startup_notes().
  static Result<std::unique_ptr<Dataplane>> start(const StartupParams& params);
  /// Would publish() take these tables? Looks at the keys only. Needs no EAL.
  [[nodiscard]] static Result<void> check(const Tables& tables);
  virtual ~Dataplane() = default;  // stops everything, removes the taps

  /// Builds a snapshot and makes it the workers' next one. Never blocks on the workers; old snapshots are freed later
  /// by collect(). Errors: more virtual or real servers than ids.
  virtual Result<void> publish(const Tables& tables) = 0;
  /// Publishes virtual servers that differ from the last publication's of the same key, all others as they were. Costs
  /// what the changed ones cost. Errors: as publish(), or a key that the last publication did not have.
  virtual Result<void> publish_changes(std::span<const VirtualServerParams> changed) = 0;
  /// Frees snapshots that no worker can see any more, refreshes link state (the tap's carrier follows the port's link).
  /// Call it every 100 ms or so.
  virtual void collect() = 0;

  [[nodiscard]] virtual std::vector<std::string> startup_notes() const = 0;
  [[nodiscard]] virtual std::vector<PortStatus> ports() const = 0;
  [[nodiscard]] virtual std::vector<WorkerStatus> workers() const = 0;
  /// Counters of a real server that the last publication named; zeros otherwise.
  [[nodiscard]] virtual RealServerCounters counters(const RealServerKey& key) const = 0;
  /// A page of the connections, from cursor 0 on. Reads the workers' tables without stopping them: a row can be a
  /// moment old. A page may hold fewer rows than `limit`, even none, and yet not be the last: next_cursor says it.
  [[nodiscard]] virtual ConnectionPage connections(uint64_t cursor, size_t limit,
                                                   const ConnectionFilter& filter) const = 0;
  /// A page of the persistence templates, in the same way.
  [[nodiscard]] virtual TemplatePage templates(uint64_t cursor, size_t limit) const = 0;
  /// What a packet from `client` to `destination` meets now. A new connection is meant: for TCP, a SYN.
  [[nodiscard]] virtual Explanation explain(const Endpoint& client, const ServiceKey& destination) const = 0;
};

}  // namespace lbdp::dataplane
