// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <rte_mempool.h>
#include <rte_ring.h>

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/inspect.h"
#include "dataplane/publisher.h"
#include "dataplane/worker.h"
#include "tests/packet/support/frames.h"

namespace lbdp::packet_tests {

inline constexpr uint16_t kPorts = 2;
inline constexpr uint16_t kQueues = 4;
inline const std::array<std::string, kPorts> kPortMacs{"02:00:00:00:00:a0", "02:00:00:00:00:a1"};

/// The process's EAL and its in-memory ports: rings in, rings out. Made once.
class Wires {
 public:
  static Wires& get();
  rte_ring* to_port(uint16_t port, uint16_t queue) { return rx_.at(port).at(queue); }
  rte_ring* from_port(uint16_t port, uint16_t queue) { return tx_.at(port).at(queue); }
  [[nodiscard]] uint16_t port_id(uint16_t port) const { return ids_.at(port); }
  rte_mempool* pool() { return pool_; }

 private:
  Wires();
  std::array<std::array<rte_ring*, kQueues>, kPorts> rx_{}, tx_{};
  std::array<uint16_t, kPorts> ids_{};
  rte_mempool* pool_ = nullptr;
};

/// What a worker did with what it was sent.
struct Outcome {
  struct Sent {
    uint16_t port;
    Bytes bytes;
  };
  struct Punted {
    dataplane::PuntClass punt_class;
    Bytes bytes;
  };
  std::vector<Sent> sent;
  std::vector<Punted> punted;
  std::map<std::string, uint64_t> drops;  // the reasons that were counted
  uint64_t replies = 0;
};

struct DirectorOptions {
  uint16_t workers = 1;
  uint32_t connections = 1024;
  uint32_t wide_connections = 1024;
  uint32_t templates = 1024;
  dataplane::Timeouts timeouts = {};
  dataplane::PolicingParams policing = {};
  bool one_queue = false;   // ports have one queue pair, worker 0's
  bool second_port = true;  // workers know port 1
  unsigned punt_ring = 1024;
};

/// How a frame lies in its mbuf, where that is not the plain way.
struct Layout {
  uint16_t stripped_tci = 0;  // 0: no tag was taken out
  bool tag_stripped = false;
  std::vector<size_t> segments = {};  // lengths of all segments but the last
  bool no_headroom = false;           // the first segment begins where its buffer does
};

/// Workers over the in-memory ports, with a clock that stands still unless told.
class Director {
 public:
  explicit Director(const DirectorOptions& options = {});
  ~Director();
  Director(const Director&) = delete;
  Director& operator=(const Director&) = delete;

  void publish(const dataplane::Tables& tables);
  /// Sends frames, at most a burst, to a port's queue of this worker, lets the worker run once, and collects.
  Outcome send(const std::vector<Bytes>& frames, uint16_t worker = 0, uint16_t port = 0, const Layout& layout = {});
  Outcome send(const Frame& frame, uint16_t worker = 0) { return send(std::vector<Bytes>{frame.bytes()}, worker); }
  void advance(std::chrono::milliseconds time);
  /// Lets eight seconds go by, in small steps: the sweep, which is paced by time, meets every bucket.
  void sweep_all(uint16_t worker = 0);

  [[nodiscard]] dataplane::RealServerCounters counters(const ServiceKey& service, const std::string& real) const;
  [[nodiscard]] std::vector<dataplane::ConnectionRow> connections(const dataplane::ConnectionFilter& filter = {}) const;
  [[nodiscard]] dataplane::WorkerStatus status(uint16_t worker = 0) const { return workers_.at(worker)->status(); }
  dataplane::Worker& worker(uint16_t i = 0) { return *workers_.at(i); }
  dataplane::Publisher& publisher() { return *publisher_; }
  std::vector<std::unique_ptr<dataplane::Worker>>& workers() { return workers_; }
  rte_ring* inject(uint16_t port) { return rings_.inject.at(Wires::get().port_id(port)); }
  rte_ring* handover(uint16_t port) { return rings_.handover.at(Wires::get().port_id(port)); }
  rte_ring* punt_ring(dataplane::PuntClass c) { return rings_.punt.at(static_cast<size_t>(c)); }

  /// Without running a worker.
  static void feed(const Bytes& frame, uint16_t worker, uint16_t port, const Layout& layout = {});
  /// All that a port sent from any queue.
  static std::vector<Outcome::Sent> drain_ports();
  std::vector<Outcome::Punted> drain_punts();

 private:
  dataplane::WorkerParams worker_params(uint16_t worker, const DirectorOptions& options) const;

  std::atomic<uint64_t> clock_{uint64_t{1} << 50};
  dataplane::ExceptionRings rings_;
  std::unique_ptr<dataplane::Publisher> publisher_;
  std::vector<std::unique_ptr<dataplane::Worker>> workers_;
};

/// received = transmitted + punted + dropped + held?
[[nodiscard]] bool adds_up(const dataplane::WorkerStatus& status);
[[nodiscard]] uint64_t drops_of(const dataplane::WorkerStatus& status, const std::string& reason);

/// Tables in words. VIP 192.0.2.10; real server i: 192.0.2.(100+i), MAC 02:00:00:00:01:0i, behind port 0.
inline const ServiceKey kWeb{Protocol::kTcp, Endpoint::parse("192.0.2.10:80").value()};
inline const ServiceKey kDns{Protocol::kUdp, Endpoint::parse("192.0.2.10:53").value()};
[[nodiscard]] dataplane::RealServerParams server(unsigned i);
[[nodiscard]] dataplane::VirtualServerParams service(const ServiceKey& key, unsigned servers);
/// kWeb and kDns with so many servers each.
[[nodiscard]] dataplane::Tables web_and_dns(unsigned servers);
/// Which server(i) a sent frame went to, by its MAC; 0 if none.
[[nodiscard]] unsigned server_of(const Outcome::Sent& sent);
/// The same, for an outcome of one sent frame; 0 if it is anything else.
[[nodiscard]] unsigned server_of(const Outcome& outcome);

}  // namespace lbdp::packet_tests
