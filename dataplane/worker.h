// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "config/types/result.h"
#include "dataplane/counters.h"
#include "dataplane/dataplane.h"
#include "dataplane/exception_rings.h"
#include "dataplane/flow_table.h"
#include "dataplane/fragment_table.h"
#include "dataplane/icmp_error.h"
#include "dataplane/icmp_reply.h"
#include "dataplane/ipv4_cut.h"
#include "dataplane/mapped_array.h"
#include "dataplane/packet.h"
#include "dataplane/parameters.h"
#include "dataplane/pick.h"
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
  uint32_t wide_connections = 131072;
  Timeouts timeouts;
  std::chrono::microseconds idle_sleep{0};
  PolicingParams policing;
  WorkerClock clock;
  std::optional<uint64_t> seed;  // of the flow table's hash; default: random
};

/// One forwarding thread: its queues, its flow tables, its counters. run() or run_once() belong to one thread at a
/// time; what is const may be called from any.
class Worker {
 public:
  static constexpr uint16_t kBurst = TxPorts::kBurst;

  /// Allocates everything that it will ever need. `publisher` and the rings outlive it.
  static Result<std::unique_ptr<Worker>> create(WorkerParams params, Publisher& publisher, const ExceptionRings& rings);
  ~Worker();
  /// All workers of the director, so that this one can look into the others' flow tables. Before any runs.
  void meet(std::span<const std::unique_ptr<Worker>> all);
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
  /// The connections with this kind of key.
  template <class Key>
  [[nodiscard]] const FlowTable<Key>& table() const {
    if constexpr (std::is_same_v<Key, WideKey>) {
      return *wide_flows_;
    } else {
      return *flows_;
    }
  }
  [[nodiscard]] const SlotCounters& slot_counters(SlotId id) const { return slot_counters_[static_cast<size_t>(id)]; }
  /// The worker's coarse time, as of now.
  [[nodiscard]] Tick tick() const { return static_cast<Tick>(read_clock() / tsc_per_tick_) & kTickMask; }
  /// Seconds that a connection read from table() has left; negative if it is past its time and not swept yet.
  [[nodiscard]] std::chrono::seconds expires_in(FlowValue value) const;

 private:
  struct Burst;
  enum class FrameKind : uint8_t;
  enum class Fate : uint32_t;  // a slot id, or what else became of a packet

  Worker(WorkerParams params, Publisher& publisher, const ExceptionRings& rings);
  Result<void> allocate();
  Result<void> allocate_flows();

  // The stages; worker_burst.cc
  unsigned receive(const WorkerPort& port) noexcept;
  void process(Burst& burst) noexcept;
  void prefetch_headers(Burst& burst) noexcept;
  void classify(Burst& burst) noexcept;
  void classify_any(Burst& burst, unsigned index) noexcept;
  void classify_flow(Burst& burst, unsigned index, const Parsed& parsed) noexcept;
  void set_facts(Burst& burst, unsigned index, const Parsed& parsed, FrameKind kind) const noexcept;
  template <class Wanted>
  void match_first(Burst& burst, uint32_t which, const Wanted& wanted) noexcept;
  void settle_rest(Burst& burst) noexcept;
  template <class Key>
  void look_again(Burst& burst, unsigned index, FlowTable<Key>& flows, const Key& key) noexcept;
  template <class Key>
  void match_second(Burst& burst, unsigned index, FlowTable<Key>& flows, const Key& key) noexcept;
  template <class Key>
  void settle(Burst& burst, unsigned index, typename FlowTable<Key>::Place place) noexcept;
  template <class Key>
  bool refresh(typename FlowTable<Key>::Place place, FlowValue value) noexcept;
  void resolve_waiting(Burst& burst) noexcept;
  [[nodiscard]] bool goes_to_one_port(const Burst& burst) const noexcept;
  void rewrite_steady(Burst& burst, uint32_t which) noexcept;
  void send(Burst& burst) noexcept;
  void send_each(Burst& burst) noexcept;
  void count_sent(TxPorts::Flushed flushed) noexcept;
  void finish() noexcept;

  // Connections; worker_flows.cc
  [[nodiscard]] bool opens(uint8_t protocol, uint8_t flags) const noexcept;
  [[nodiscard]] bool reopens(uint8_t protocol, uint8_t flags, FlowState state, SlotId slot) const noexcept;
  template <class Key>
  Fate resolve(Burst& burst, unsigned index, FlowTable<Key>& flows, const Key& key) noexcept;
  template <class Key>
  Fate advance(Burst& burst, unsigned index, FlowTable<Key>& flows, const Key& key,
               typename FlowTable<Key>::Place place) noexcept;
  template <class Key>
  Fate admit(Burst& burst, unsigned index, FlowTable<Key>& flows, const Key& key,
             typename FlowTable<Key>::Place old) noexcept;
  template <class Key>
  Fate open(Burst& burst, unsigned index, FlowTable<Key>& flows, const Key& key,
            typename FlowTable<Key>::Place place) noexcept;
  template <class Key>
  Fate adopt(Burst& burst, unsigned index, FlowTable<Key>& flows, const Key& key, typename FlowTable<Key>::Place place,
             FlowValue known) noexcept;
  Fate schedule_one_packet(Burst& burst, unsigned index) noexcept;
  [[nodiscard]] std::optional<SlotId> schedule(const PickInput& input, ServiceId service) noexcept;
  template <class Key>
  [[nodiscard]] PickInput pick_input(const Burst& burst, unsigned index, const Key& key) const noexcept;
  template <class Key>
  [[nodiscard]] std::optional<SlotId> pick_unstored(Burst& burst, unsigned index, const Key& key) noexcept;
  /// For all connections of a client that has no template, and gets none, the same server.
  [[nodiscard]] static std::optional<SlotId> pick_without_template(const VirtualService& service,
                                                                   const PickInput& input) noexcept;
  Fate forward_unstored(SlotId slot) noexcept;

  // What follows another packet's connection; worker_follow.cc
  template <class Key>
  [[nodiscard]] std::optional<FlowValue> peek_peers(const Key& key) const noexcept;
  template <class Key>
  [[nodiscard]] std::optional<FlowValue> peek_anywhere(const Key& key) const noexcept;
  template <class Key>
  [[nodiscard]] std::optional<FlowValue> known_elsewhere(const Burst& burst, unsigned index,
                                                         const Key& key) const noexcept;
  void note_first_fragment(Burst& burst, unsigned index) noexcept;
  void note_fragments_for_kernel(const Burst& burst, unsigned index) noexcept;
  void note_fragments(const Parsed& parsed, SlotId slot, uint16_t generation) noexcept;
  Fate follow_first_fragment(Burst& burst, unsigned index) noexcept;
  void expire_fragments() noexcept;
  void send_released() noexcept;
  Fate steer_icmp_error(Burst& burst, unsigned index) noexcept;
  [[nodiscard]] std::optional<FlowValue> find_quoted(const QuotedFlow& quoted) const noexcept;

  // What is not forwarded as it came; worker_slow.cc
  void divert(Burst& burst, unsigned index, const Parsed& parsed) noexcept;
  Fate reject(Burst& burst, unsigned index) noexcept;
  void send_icmp_error(const Burst& burst, unsigned index, IcmpErrorKind kind, uint32_t mtu) noexcept;
  bool prepare_odd(Burst& burst, unsigned index, SlotId id) noexcept;
  /// A packet that is too long for the way to its server, in pieces. None: it is on its way, and counted; else why not.
  /// The frame stays the caller's, to free.
  std::optional<DropReason> send_in_pieces(rte_mbuf& frame, SlotId id, uint32_t ip_length) noexcept;
  static void fill_piece(rte_mbuf& piece, const rte_mbuf& frame, uint32_t l3, uint32_t ip_header,
                         const Ipv4Cut::Piece& what, const RealSlot& slot) noexcept;
  /// The first twelve bytes, and out. The parser has seen an Ethernet header in the first segment; everything behind
  /// the two addresses stays as it came.
  void send_to(rte_mbuf* frame, SlotId id, const RealSlot& slot, uint16_t port, uint32_t ip_length) noexcept {
    std::memcpy(rte_pktmbuf_mtod(frame, uint8_t*), slot.macs.data(), slot.macs.size());
    SlotCounters& counters = slot_counters_[static_cast<size_t>(id)];
    add<uint64_t>(counters.packets, 1);
    add<uint64_t>(counters.bytes, ip_length);
    tx_.put(port, frame);
  }
  void punt(rte_mbuf* frame, PuntClass punt_class) noexcept;
  void punt_now(rte_mbuf* frame) noexcept;
  void drop(rte_mbuf* frame, DropReason reason) noexcept;
  void drop_now(rte_mbuf* frame, DropReason reason) noexcept;
  void flush_punts() noexcept;

  // Connections' book-keeping; worker_flows.cc
  [[nodiscard]] bool alive(FlowValue value) const noexcept;
  [[nodiscard]] bool is_valid(BoundServer server) const noexcept;
  template <class Key>
  bool release_if_dead(const Key& key, FlowValue value) noexcept;
  void adopt_tenancy(SlotId slot) noexcept;
  void count_new(SlotId slot, FlowState state) noexcept;
  void count_live(SlotId slot, FlowState state) noexcept;
  void count_gone(FlowValue value) noexcept;
  void count_change(SlotId slot, FlowState from, FlowState to) noexcept;
  void join_load(SlotId slot) noexcept;
  template <class Key>
  void hold_template(const Key& key, FlowValue value) noexcept;
  template <class Key>
  bool release_template(const Key& key, FlowValue value) noexcept;

  [[nodiscard]] uint64_t read_clock() const noexcept;
  void tick_to(uint64_t now) noexcept;
  void sweep() noexcept;
  void sweep_templates(size_t buckets) noexcept;
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
  void* wide_flow_memory_ = nullptr;
  std::optional<FlowTable<FlowKey>> flows_;
  std::optional<FlowTable<WideKey>> wide_flows_;
  SharedTables& shared_;
  std::vector<const Worker*> peers_;
  TxPorts tx_;
  std::unique_ptr<Burst> burst_;
  std::optional<MappedArray<SlotCounters>> slot_counter_memory_;
  std::span<SlotCounters> slot_counters_;
  WorkerCounters counters_;

  // Frames to free or to punt, gathered over a burst.
  std::array<rte_mbuf*, kBurst> dropped_{};
  unsigned dropped_count_ = 0;
  std::array<std::array<rte_mbuf*, kBurst>, kPuntClasses> punted_{};
  std::array<unsigned, kPuntClasses> punted_count_{};

  /// In place of a SlotId: the datagram is the kernel's.
  static constexpr SlotId kKernel{0xffff};
  static constexpr uint16_t kHeldPerDatagram = 48;
  struct Released {
    rte_mbuf* frame;
    SlotId slot;
  };
  std::optional<FragmentTable> fragments_;
  std::array<Released, TxPorts::kSpare> released_{};  // early fragments whose first one has come in this burst
  unsigned released_count_ = 0;

  std::array<Policer, kPuntClasses> punt_policers_;
  Policer reply_policer_;
  rte_mempool* reply_pool_ = nullptr;
  /// Bytes of a piece, its Ethernet header and tag included. Pieces may be shorter than their link would take.
  static constexpr uint16_t kPieceRoom = 2048;
  rte_mempool* piece_pool_ = nullptr;

  uint64_t next_tick_tsc_ = 0;
  uint64_t tsc_per_tick_ = 0;
  uint64_t last_sweep_tsc_ = 0;
  uint64_t last_loop_tsc_ = 0;
  bool last_loop_busy_ = false;
  uint64_t sweep_gap_tsc_ = 0;       // a chunk of buckets is due each time this passes
  size_t wide_sweep_chunk_ = 0;      // and so many of the wide table's
  size_t template_sweep_chunk_ = 0;  // and so many of the templates'
  /// While the table overflowed within a connection's lifetime, a segment without a connection may belong to one that
  /// found no room.
  bool overflowed_ = false;
  Tick last_overflow_ = 0;
};

}  // namespace lbdp::dataplane
