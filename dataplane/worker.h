// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "config/types/result.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/exception_rings.h"
#include "dataplane/flow_table.h"
#include "dataplane/packet.h"
#include "dataplane/parameters.h"
#include "dataplane/policer.h"
#include "dataplane/publisher.h"
#include "dataplane/snapshot.h"
#include "dataplane/tx_ports.h"

namespace lbdp::dataplane {

/// How much of each class a worker lets through to the kernel, and how many ICMP errors it sends.
struct PolicingParams {
  Rate vrrp{10'000, 1'000};
  Rate control{20'000, 2'000};
  Rate bulk{100'000, 8'000};
  Rate replies{1'000, 50};
};

/// A worker's time: the TSC, or a test's own counter.
struct WorkerClock {
  uint64_t hz = 0;
  const std::atomic<uint64_t>* manual = nullptr;  // null: the TSC
};

struct WorkerParams {
  WorkerId id{};
  unsigned lcore = 0;
  int socket = 0;  // NUMA node of its lcore
  std::vector<WorkerPort> ports;
  uint32_t connections = 1048576;
  Timeouts timeouts;
  std::chrono::microseconds idle_sleep{0};
  PolicingParams policing;
  WorkerClock clock;
  std::optional<uint64_t> seed;  // of the flow table's hash; default: random
};

/// One forwarding thread: its queues, its flow table, its counters. run() or run_once() belong to one thread at a time;
/// what is const may be called from any.
class Worker {
 public:
  static constexpr uint16_t kBurst = TxPorts::kBurst;

  /// Allocates everything that it will ever need. `publisher` and the rings outlive it.
  static Result<std::unique_ptr<Worker>> create(WorkerParams params, Publisher& publisher, const ExceptionRings& rings);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Loops until `stop`, then leaves RCU.
  void run(const std::atomic<bool>& stop) noexcept;
  /// One pass over all its queues and rings; returns the number of frames received or injected. Begin with enter().
  unsigned run_once() noexcept;
  /// Joins RCU: from now on snapshots wait for this worker's passes. run() does it itself.
  void enter() noexcept { reader_.online(); }
  void leave() noexcept { reader_.offline(); }

  [[nodiscard]] WorkerStatus status() const;
  [[nodiscard]] const WorkerParams& params() const { return params_; }
  [[nodiscard]] const FlowTable& flows() const { return *flows_; }
  [[nodiscard]] const SlotCounters& slot_counters(SlotId id) const { return slot_counters_[static_cast<size_t>(id)]; }
  /// Seconds that a connection read from flows() has left; negative if it is past its time and not swept yet.
  [[nodiscard]] std::chrono::seconds expires_in(FlowValue value) const;

 private:
  struct Burst;
  enum class Fate : uint32_t;  // a slot id, or what else became of a packet

  Worker(WorkerParams params, Publisher& publisher, const ExceptionRings& rings);
  Result<void> allocate();

  // The stages; worker_burst.cc
  void process(std::span<rte_mbuf* const> frames, const WorkerPort& port) noexcept;
  void classify(Burst& burst, const WorkerPort& port) noexcept;
  void match(Burst& burst) noexcept;
  bool refresh(FlowTable::Place place, FlowValue value) noexcept;
  void resolve_waiting(Burst& burst) noexcept;
  void rewrite(Burst& burst) noexcept;
  void finish() noexcept;

  // What is not the steady case; worker_slow.cc
  void divert(Burst& burst, unsigned index, const Parsed& parsed) noexcept;
  Fate advance(Burst& burst, unsigned index, FlowTable::Place place) noexcept;
  Fate admit(Burst& burst, unsigned index, FlowTable::Place dead) noexcept;
  Fate open_connection(Burst& burst, unsigned index, FlowTable::Place dead) noexcept;
  Fate forward_unstored(Burst& burst, unsigned index) noexcept;
  Fate reject(Burst& burst, unsigned index) noexcept;
  void punt(rte_mbuf* frame, PuntClass punt_class) noexcept;
  void drop(rte_mbuf* frame, DropReason reason) noexcept;
  void flush_punts() noexcept;

  // Connections' book-keeping
  [[nodiscard]] bool alive(FlowValue value) const noexcept;
  bool release_if_dead(FlowValue value) noexcept;
  void count_new(SlotId slot, FlowState state) noexcept;
  void adopt_tenancy(SlotId slot) noexcept;
  void count_gone(FlowValue value) noexcept;
  void count_change(SlotId slot, FlowState from, FlowState to) noexcept;

  [[nodiscard]] uint64_t read_clock() const noexcept;
  void tick_to(uint64_t now) noexcept;
  void sweep() noexcept;
  unsigned send_for_others(const WorkerPort& port) noexcept;
  unsigned send_from(rte_ring* ring, PortId port, uint64_t& sent, uint64_t& dropped) noexcept;
  void sleep() noexcept;

  WorkerParams params_;
  SnapshotReader reader_;
  const ExceptionRings& rings_;
  TimeoutTable timeouts_;

  // Set at the beginning of each pass.
  const Snapshot* snapshot_ = nullptr;
  uint64_t now_ = 0;
  Tick tick_ = 0;

  void* flow_memory_ = nullptr;
  std::optional<FlowTable> flows_;
  TxPorts tx_;
  std::span<SlotCounters> slot_counters_;
  WorkerCounters counters_;

  // Frames to free or to punt, gathered over a burst.
  std::array<rte_mbuf*, kBurst> dropped_{};
  unsigned dropped_count_ = 0;
  std::array<std::array<rte_mbuf*, kBurst>, kPuntClasses> punted_{};
  std::array<unsigned, kPuntClasses> punted_count_{};

  std::array<Policer, kPuntClasses> punt_policers_;
  Policer reply_policer_;
  rte_mempool* reply_pool_ = nullptr;

  uint64_t next_tick_tsc_ = 0;
  uint64_t tsc_per_tick_ = 0;
  uint64_t last_sweep_tsc_ = 0;
  uint64_t last_loop_tsc_ = 0;
  bool last_loop_busy_ = false;
  uint64_t sweep_gap_tsc_ = 0;  // a chunk of buckets is due each time this passes
  /// While the table overflowed within a connection's lifetime, a segment without a connection may belong to one that
  /// found no room.
  bool overflowed_ = false;
  Tick last_overflow_ = 0;
};

}  // namespace lbdp::dataplane
