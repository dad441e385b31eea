// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/worker.h"

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_mempool.h>

#include <algorithm>
#include <ctime>
#include <random>

#include "dataplane/burst.h"
#include "dataplane/icmp_reply.h"

namespace lbdp::dataplane {
namespace {

constexpr unsigned kReplyBuffers = 511;
constexpr unsigned kPieceBuffers = 1023;
constexpr uint16_t kReplyRoom = RTE_PKTMBUF_HEADROOM + kMaxIcmpReply;
/// The sweep meets every bucket once in this time, whatever the load.
constexpr uint64_t kSweepSeconds = 4;
constexpr uint64_t kSweepChunk = 16;     // buckets
constexpr uint64_t kMaxSweepChunks = 8;  // a pass
constexpr unsigned kEmptyLoopsBeforeSleep = 64;
// How long a first fragment is remembered: its fellows come at its heels, and identifications recur.
constexpr uint64_t kFragmentLifetimeSeconds = 4;

uint64_t random_seed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

std::array<Policer, kPuntClasses> punt_policers(const PolicingParams& p, uint64_t hz, uint64_t now) {
  return {Policer(p.vrrp, hz, now), Policer(p.control, hz, now), Policer(p.bulk, hz, now)};
}

}  // namespace

Result<std::unique_ptr<Worker>> Worker::create(WorkerParams params, Publisher& publisher, const ExceptionRings& rings) {
  if (params.clock.hz == 0) params.clock.hz = rte_get_tsc_hz();
  std::unique_ptr<Worker> worker(new Worker(std::move(params), publisher, rings));
  if (auto allocated = worker->allocate(); !allocated) return tl::unexpected(allocated.error());
  return worker;
}

Worker::Worker(WorkerParams params, Publisher& publisher, const ExceptionRings& rings)
    : params_(std::move(params)),
      reader_(publisher.reader(params_.id)),
      rings_(rings),
      timeouts_(params_.timeouts),
      now_(read_clock()),
      shared_(publisher.shared()),
      tx_(params_.ports, rings),
      burst_(std::make_unique<Burst>()),
      punt_policers_(punt_policers(params_.policing, params_.clock.hz, now_)),
      reply_policer_(params_.policing.replies, params_.clock.hz, now_),
      tsc_per_tick_(std::max<uint64_t>(params_.clock.hz / kTicksPerSecond, 1)),
      last_sweep_tsc_(now_),
      last_loop_tsc_(now_) {
  tick_to(now_);
  set(counters_.last_loop_tsc, now_);
}

Worker::~Worker() {
  leave();
  if (fragments_) {
    std::array<rte_mbuf*, kBurst> held;
    while (const size_t count = fragments_->drain(held))
      rte_pktmbuf_free_bulk(held.data(), static_cast<unsigned>(count));
  }
  rte_free(flow_memory_);
  rte_free(wide_flow_memory_);
  rte_mempool_free(reply_pool_);
  rte_mempool_free(piece_pool_);
}

void Worker::meet(std::span<const std::unique_ptr<Worker>> all) {
  peers_.clear();
  for (const auto& worker : all) {
    if (worker.get() != this) peers_.push_back(worker.get());
  }
}

Result<void> Worker::allocate() {
  const auto id = std::to_string(static_cast<unsigned>(params_.id));
  if (auto flows = allocate_flows(); !flows) return flows;
  // 4 MiB of address space, and as much memory as there are real servers.
  auto counters = MappedArray<SlotCounters>::create(SlotRegistry::kMaxSlots, "worker " + id + "'s counters");
  if (!counters) return tl::unexpected(counters.error());
  slot_counter_memory_.emplace(std::move(*counters));
  slot_counters_ = slot_counter_memory_->items();
  fragments_.emplace(FragmentTableParams{.held_per_datagram = kHeldPerDatagram,
                                         .lifetime = params_.clock.hz * kFragmentLifetimeSeconds,
                                         .hold_time = params_.clock.hz / 2,
                                         .seed = params_.seed ? *params_.seed : random_seed()});
  reply_pool_ = rte_pktmbuf_pool_create(("lbdp_reply_" + id).c_str(), kReplyBuffers, 0, 0, kReplyRoom, params_.socket);
  if (reply_pool_ == nullptr) return fail("worker " + id + ": no buffers for ICMP replies: " + rte_strerror(rte_errno));
  piece_pool_ = rte_pktmbuf_pool_create(("lbdp_pieces_" + id).c_str(), kPieceBuffers, 0, 0,
                                        RTE_PKTMBUF_HEADROOM + kPieceRoom, params_.socket);
  if (piece_pool_ == nullptr)
    return fail("worker " + id + ": no buffers for pieces of long packets: " + rte_strerror(rte_errno));
  return {};
}

Result<void> Worker::allocate_flows() {
  const size_t buckets = FlowTable<FlowKey>::buckets_for(params_.connections);
  const size_t wide_buckets = FlowTable<WideKey>::buckets_for(params_.wide_connections);
  const size_t bytes = buckets * sizeof(FlowBucket<FlowKey>), wide_bytes = wide_buckets * sizeof(FlowBucket<WideKey>);
  flow_memory_ = rte_zmalloc_socket("lbdp_flows", bytes, alignof(FlowBucket<FlowKey>), params_.socket);
  wide_flow_memory_ = rte_zmalloc_socket("lbdp_wide_flows", wide_bytes, alignof(FlowBucket<WideKey>), params_.socket);
  if (flow_memory_ == nullptr || wide_flow_memory_ == nullptr) {
    return fail("worker " + std::to_string(static_cast<unsigned>(params_.id)) + ": no " +
                std::to_string((bytes + wide_bytes) / (1024 * 1024) + 1) + " MiB of hugepage memory for " +
                std::to_string(params_.connections) + " connections and " + std::to_string(params_.wide_connections) +
                " wide ones; reserve more hugepages, or lower `connections` and `wide_connections` in the dataplane "
                "block");
  }
  const uint64_t seed = params_.seed ? *params_.seed : random_seed();
  flows_.emplace(std::span(static_cast<FlowBucket<FlowKey>*>(flow_memory_), buckets), seed);
  wide_flows_.emplace(std::span(static_cast<FlowBucket<WideKey>*>(wide_flow_memory_), wide_buckets), seed);
  sweep_gap_tsc_ = std::max<uint64_t>(params_.clock.hz * kSweepSeconds / buckets, 1) * kSweepChunk;
  // Of the other tables so much a chunk that a round of them takes no longer.
  wide_sweep_chunk_ = wide_buckets * kSweepChunk / buckets + 1;
  template_sweep_chunk_ = shared_.templates().bucket_count() * kSweepChunk / buckets + 1;
  return {};
}

void Worker::run(const std::atomic<bool>& stop) noexcept {
  enter();
  unsigned empty_loops = 0;
  while (!stop.load(std::memory_order_relaxed)) {
    empty_loops = run_once() == 0 ? empty_loops + 1 : 0;
    if (empty_loops >= kEmptyLoopsBeforeSleep && params_.idle_sleep.count() > 0) sleep();
  }
  leave();
}

unsigned Worker::run_once() noexcept {
  const uint64_t now = read_clock();
  tick_to(now);
  snapshot_ = &reader_.current();
  unsigned handled = 0;
  for (const WorkerPort& port : params_.ports) {
    if (port.rx_queue) handled += receive(port);
    if (port.sends_for_others) handled += send_for_others(port);
  }
  sweep();
  reader_.quiescent();

  const uint64_t elapsed = now - last_loop_tsc_;  // the pass before this one: one clock reading a pass
  add(counters_.total_cycles, elapsed);
  if (last_loop_busy_) add(counters_.busy_cycles, elapsed);
  add<uint64_t>(counters_.loops, 1);
  if (handled == 0) add<uint64_t>(counters_.idle_loops, 1);
  set(counters_.last_loop_tsc, now);
  last_loop_tsc_ = now;
  last_loop_busy_ = handled > 0;
  return handled;
}

unsigned Worker::receive(const WorkerPort& port) noexcept {
  Burst& burst = *burst_;
  const uint16_t received =
      rte_eth_rx_burst(static_cast<uint16_t>(port.id), *port.rx_queue, burst.frames.data(), kBurst);
  if (received == 0) return 0;
  add<uint64_t>(counters_.received, received);
  burst.begin(port, received);
  process(burst);
  return received;
}

// Frames that others cannot send, since this worker owns the queue; the kernel's first.
unsigned Worker::send_for_others(const WorkerPort& port) noexcept {
  const auto id = static_cast<size_t>(port.id);
  if (id >= rings_.inject.size() || rings_.inject[id] == nullptr) return 0;
  return send_from(rings_.inject[id], port.id, counters_.injected, counters_.injected_dropped) +
         send_from(rings_.handover[id], port.id, counters_.relayed, counters_.relayed_dropped);
}

unsigned Worker::send_from(rte_ring* ring, PortId port, uint64_t& sent, uint64_t& dropped) noexcept {
  std::array<rte_mbuf*, kBurst> frames;
  const unsigned count = rte_ring_dequeue_burst(ring, reinterpret_cast<void**>(frames.data()), kBurst, nullptr);
  if (count == 0) return 0;
  const unsigned taken = tx_.send(static_cast<uint16_t>(port), frames.data(), count);
  if (taken < count) rte_pktmbuf_free_bulk(frames.data() + taken, count - taken);
  add<uint64_t>(sent, taken);
  add<uint64_t>(dropped, count - taken);
  return count;
}

uint64_t Worker::read_clock() const noexcept {
  const auto* manual = params_.clock.manual;
  return manual != nullptr ? manual->load(std::memory_order_relaxed) : rte_rdtsc();
}

void Worker::tick_to(uint64_t now) noexcept {
  now_ = now;
  if (now < next_tick_tsc_) [[likely]]
    return;
  const uint64_t ticks = now / tsc_per_tick_;
  tick_ = static_cast<Tick>(ticks) & kTickMask;
  next_tick_tsc_ = (ticks + 1) * tsc_per_tick_;
  overflowed_ = overflowed_ && !timeouts_.expired(FlowState::kEstablished, last_overflow_, tick_);
}

// Paced by time and not by passes: an idle worker makes far more of them than a busy one.
void Worker::sweep() noexcept {
  const uint64_t elapsed = now_ - last_sweep_tsc_;
  if (elapsed < sweep_gap_tsc_) [[likely]]
    return;
  const uint64_t due = elapsed / sweep_gap_tsc_;
  const uint64_t chunks = std::min(due, kMaxSweepChunks);
  flows_->sweep(chunks * kSweepChunk, [this](const FlowKey& k, FlowValue v) { return release_if_dead(k, v); });
  wide_flows_->sweep(chunks * wide_sweep_chunk_,
                     [this](const WideKey& k, FlowValue v) { return release_if_dead(k, v); });
  if (params_.id == WorkerId{0}) sweep_templates(chunks * template_sweep_chunk_);
  if (counters_.held > 0) expire_fragments();
  last_sweep_tsc_ = chunks == due ? last_sweep_tsc_ + chunks * sweep_gap_tsc_ : now_;  // what is too much is let go
}

// The templates are everybody's: one worker is enough to find those whose time is over.
void Worker::sweep_templates(size_t buckets) noexcept {
  shared_.templates().sweep(
      buckets, tick_,
      [this](ServiceId id) -> std::optional<Tick> {
        const VirtualService* service = snapshot_->service(id);
        if (service == nullptr || service->persistence == 0) return std::nullopt;
        return service->persistence;
      },
      [this](BoundServer server) { return snapshot_->slot(server.slot).generation == server.generation; });
}

void Worker::sleep() noexcept {
  reader_.offline();
  const auto ns = std::chrono::nanoseconds(params_.idle_sleep).count();
  const timespec duration{ns / 1'000'000'000, ns % 1'000'000'000};
  nanosleep(&duration, nullptr);
  reader_.online();
}

WorkerStatus Worker::status() const {
  WorkerStatus s;
  s.id = params_.id;
  s.lcore = params_.lcore;
  for (const WorkerPort& port : params_.ports) {
    if (port.rx_queue) s.polled_ports.push_back(port.id);
  }
  s.received = read(counters_.received);
  s.transmitted = read(counters_.transmitted);
  for (size_t c = 0; c < kPuntClasses; ++c)
    s.punted.push_back({to_string(static_cast<PuntClass>(c)), read(counters_.punted[c])});
  for (size_t r = 0; r < kDropReasons; ++r)
    s.drops.push_back({to_string(static_cast<DropReason>(r)), read(counters_.dropped[r])});
  s.injected = read(counters_.injected);
  s.injected_dropped = read(counters_.injected_dropped);
  s.relayed = read(counters_.relayed);
  s.relayed_dropped = read(counters_.relayed_dropped);
  s.replies = read(counters_.replies);
  s.replies_policed = read(counters_.replies_policed);
  s.cut = read(counters_.cut);
  s.pieces = read(counters_.pieces);
  s.unstored = read(counters_.unstored);
  s.templates_full = read(counters_.templates_full);
  s.held_fragments = read(counters_.held);
  s.connections = flows_->size();
  s.connections_limit = flows_->capacity();
  s.wide_connections = wide_flows_->size();
  s.wide_connections_limit = wide_flows_->capacity();
  s.loops = read(counters_.loops);
  s.idle_loops = read(counters_.idle_loops);
  s.busy_cycles = read(counters_.busy_cycles);
  s.total_cycles = read(counters_.total_cycles);
  const uint64_t last = read(counters_.last_loop_tsc), now = read_clock();
  s.last_loop_age_us = now > last ? (now - last) / std::max<uint64_t>(params_.clock.hz / 1'000'000, 1) : 0;
  return s;
}

std::chrono::seconds Worker::expires_in(FlowValue value) const {
  const Tick now = tick();
  if (timeouts_.expired(value.state(), value.last_seen(), now)) return std::chrono::seconds(-1);
  const auto left = int64_t{timeouts_.of(value.state())} - int64_t{ticks_between(value.last_seen(), now)};
  return std::chrono::seconds(std::max<int64_t>(left, 0) / int64_t{kTicksPerSecond});
}

}  // namespace lbdp::dataplane
