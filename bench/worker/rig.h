// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <rte_ethdev.h>
#include <rte_mempool.h>

#include <atomic>
#include <ctime>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/worker/flow_source.h"
#include "bench/worker/network.h"
#include "bench/worker/sink_check.h"
#include "dataplane/publisher.h"
#include "dataplane/worker.h"

namespace lbdp::bench {

/// The benchmark cannot be run, or did not do all of its work. main() prints it.
class BenchError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Which way the CPUs are shared: control (publications, listings) beside the workers, or the main lcore is one of
/// them.
enum class MainLcore : uint8_t { kWorks, kControls };

struct RigParams {
  Network network;
  uint32_t flows = 1000;     // established ones, over all workers
  uint32_t connections = 0;  // of each worker's table, as lbdp is configured; 0: `flows`
  unsigned workers = 1;
  std::chrono::seconds udp_timeout{300};
  std::chrono::seconds persistence{0};
  bool flood_service = false;  // one virtual server more, which only fresh flows go to
  uint32_t fresh_clients = 0;  // see SourceParams
  uint32_t cold = 0;           // see FlowSource
  bool check_frames = false;   // with a SinkCheck
  MainLcore main_lcore = MainLcore::kWorks;
};

/// What became of the frames, over all workers.
struct Totals {
  uint64_t received = 0, transmitted = 0, dropped = 0, punted = 0, unstored = 0, connections = 0, capacity = 0;

  friend Totals operator-(const Totals& later, const Totals& earlier);
};

/// A worker's packets and the time that they took, from its thread's own CPU clock: on a machine where others run, too,
/// that is what it cost.
struct Sample {
  uint64_t packets = 0;
  double cpu_s = 0;
  double wall_s = 0;
};

/// A net_null port whose receive queues are fed by FlowSources, one a worker, and the real workers on them.
class Rig {
 public:
  explicit Rig(const RigParams& params);
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  /// Sets the sources' pattern. Not while workers run.
  void set_pattern(Pattern pattern);
  /// Sends each established flow's first frame; throws if the workers do not know all of them then. A few in a million
  /// may find no place, as docs/performance.md says.
  void fill();
  /// Runs all workers on their lcores for so long; one sample a worker. With MainLcore::kWorks only.
  std::vector<Sample> run(double seconds);
  /// Runs them until finish(), while the caller goes on. With MainLcore::kControls only.
  void start();
  void finish();
  /// A running or finished worker's packets and times so far.
  [[nodiscard]] Sample sample(unsigned worker) const;
  /// The same work without a worker: receive, rewrite both addresses, transmit. One sample a queue.
  std::vector<Sample> run_mac_only(double seconds);

  [[nodiscard]] Totals totals() const;
  [[nodiscard]] uint64_t frames_made() const;
  [[nodiscard]] uint64_t established_made() const;
  /// Packets, and connections ever scheduled, of each real server of a virtual server.
  [[nodiscard]] std::vector<dataplane::RealServerCounters> servers_of(unsigned service) const;
  [[nodiscard]] SinkCheck* check(unsigned worker) { return checks_.empty() ? nullptr : checks_.at(worker).get(); }
  [[nodiscard]] unsigned flood_service() const { return params_.network.services; }
  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] const RigParams& params() const { return params_; }
  [[nodiscard]] dataplane::Publisher& publisher() const { return *publisher_; }
  [[nodiscard]] std::span<const std::unique_ptr<dataplane::Worker>> workers() const { return workers_; }

 private:
  using Pass = std::function<uint64_t(unsigned worker)>;  // returns the packets of a chunk of passes

  void open_port();
  void create_rings();
  void create_workers();
  void add_callbacks();
  void remove_callbacks();
  std::vector<Sample> run_everywhere(double seconds, const Pass& chunk);
  uint64_t run_chunk(unsigned worker) noexcept;
  uint64_t mac_only_chunk(uint16_t queue) const noexcept;
  [[nodiscard]] std::vector<unsigned> lcores() const;

  RigParams params_;
  uint16_t port_ = 0;
  MacAddress mac_;
  rte_mempool* pool_ = nullptr;
  dataplane::ExceptionRings rings_;
  std::unique_ptr<FrameWriter> writer_;
  std::vector<std::unique_ptr<FlowSource>> sources_;  // by worker
  std::vector<std::unique_ptr<SinkCheck>> checks_;    // by worker
  std::vector<const rte_eth_rxtx_callback*> receive_callbacks_, send_callbacks_;
  std::unique_ptr<dataplane::Publisher> publisher_;
  std::vector<std::unique_ptr<dataplane::Worker>> workers_;
  std::atomic<bool> stop_{false};
  std::vector<unsigned> launched_;
  std::vector<std::atomic<clockid_t>> clocks_;  // of the workers' threads, while they run beside the caller
};

/// Packets a second of CPU time, all workers' together.
[[nodiscard]] double rate_of(std::span<const Sample> samples);
[[nodiscard]] Sample operator-(const Sample& later, const Sample& earlier);

}  // namespace lbdp::bench
