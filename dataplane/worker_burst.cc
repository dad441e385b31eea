// SPDX-License-Identifier: BSD-2-Clause
// The worker's steady path: a burst in short loops, so that each stage's misses in the cache overlap.
#include <rte_prefetch.h>

#include <cstring>

#include "dataplane/burst.h"
#include "dataplane/worker.h"

namespace lbdp::dataplane {
namespace {

// No flow value has all these bits set: a packet that expects them is never steady.
constexpr uint64_t kNeverSteady = ~uint64_t{0};

bool is_steady_segment(uint8_t tcp_flags) {
  return (tcp_flags & (kTcpSyn | kTcpFin | kTcpRst | kTcpAck)) == kTcpAck;
}

}  // namespace

void Worker::process(std::span<rte_mbuf* const> frames, const WorkerPort& port) noexcept {
  Burst burst;
  burst.frames = frames.data();
  burst.port = &port;
  burst.count = static_cast<unsigned>(frames.size());
  for (unsigned i = 0; i < burst.count; ++i) rte_prefetch0(rte_pktmbuf_mtod(burst.frames[i], const void*));
  classify(burst, port);
  match(burst);
  resolve_waiting(burst);
  rewrite(burst);
  finish();
}

// Parse, virtual server, hash; the first bucket's line is asked for here and used in the next loop.
void Worker::classify(Burst& burst, const WorkerPort& port) noexcept {
  const MacWord our_mac(port.mac);
  const uint64_t steady_tcp = FlowValue::steady_word(FlowState::kEstablished, tick_);
  const uint64_t steady_udp = FlowValue::steady_word(FlowState::kUdp, tick_);
  for (unsigned i = 0; i < burst.count; ++i) {
    burst.fate[i] = Fate::kDone;
    const Parsed p = parse(view_of(*burst.frames[i]), our_mac);
    if (p.verdict != Verdict::kFlow) [[unlikely]] {
      divert(burst, i, p);
      continue;
    }
    const ServiceHit service = snapshot_->find_service(p.protocol, p.destination, p.destination_port);
    if (!service.owned) [[unlikely]] {
      divert(burst, i, p);
      continue;
    }
    burst.key[i] = FlowKey(p.source, p.source_port, service.id);
    burst.hash[i] = flows_->hash(burst.key[i]);
    flows_->prefetch_first(burst.hash[i]);
    const bool udp = p.protocol == kIpProtocolUdp;
    burst.steady[i] = udp ? steady_udp : is_steady_segment(p.tcp_flags) ? steady_tcp : kNeverSteady;
    burst.ip_length[i] = p.ip_length;
    burst.protocol[i] = p.protocol;
    burst.tcp_flags[i] = p.tcp_flags;
    burst.candidate[burst.candidates++] = static_cast<uint8_t>(i);
  }
}

// Nothing is written to a flow's line when the packet is steady: same state, and already seen within this tick. All
// that is not steady waits for the next loop, so that connections are scheduled in the order of their arrival; and what
// follows a packet that waits waits, too, if it may be of the same connection (one bit of 64 says so).
void Worker::match(Burst& burst) noexcept {
  uint64_t waiting = 0;
  for (unsigned c = 0; c < burst.candidates; ++c) {
    const unsigned i = burst.candidate[c];
    const FlowTable::Place place = flows_->find_first(burst.hash[i], burst.key[i]);
    const uint64_t bit = uint64_t{1} << (burst.hash[i] % 64);
    if (place && (waiting & bit) == 0) [[likely]] {
      const FlowValue value = FlowTable::value(place);
      const uint64_t difference = value.above_slot() ^ (burst.steady[i] | snapshot_->slot(value.slot()).generation);
      if (difference == 0 || (FlowValue::only_tick(difference) && refresh(place, value))) [[likely]] {
        burst.fate[i] = static_cast<Fate>(value.slot());
        continue;
      }
    }
    if (!place) flows_->prefetch_second(burst.hash[i]);
    waiting |= bit;
    burst.waiting[burst.waiting_count++] = static_cast<uint8_t>(i);
  }
}

// The first packet of a steady connection in this tick. False: it is no longer alive, or its server is gone.
bool Worker::refresh(FlowTable::Place place, FlowValue value) noexcept {
  if (timeouts_.expired(value.state(), value.last_seen(), tick_)) return false;
  if (snapshot_->slot(value.slot()).egress == RealSlot::kGone) return false;
  FlowTable::set_value(place, FlowValue(value.slot(), value.generation(), value.state(), tick_));
  return true;
}

// After the loop above: an insert moves entries, and nothing points at one here. Each look-up begins anew, so a second
// packet of a new connection finds what the first one has inserted.
void Worker::resolve_waiting(Burst& burst) noexcept {
  for (unsigned w = 0; w < burst.waiting_count; ++w) {
    const unsigned i = burst.waiting[w];
    const FlowTable::Place place = flows_->find(burst.hash[i], burst.key[i]);
    burst.fate[i] = place ? advance(burst, i, place) : admit(burst, i, {});
  }
}

// In the order of arrival, so that no connection is reordered.
void Worker::rewrite(Burst& burst) noexcept {
  for (unsigned i = 0; i < burst.count; ++i) {
    if (burst.fate[i] == Fate::kDone) continue;
    const SlotId id{static_cast<uint16_t>(burst.fate[i])};
    const RealSlot& slot = snapshot_->slot(id);
    rte_mbuf* const frame = burst.frames[i];
    if (!tx_.knows(slot.egress)) [[unlikely]] {
      drop(frame, slot.egress == RealSlot::kNoNeighbor ? DropReason::kNoNeighbor
                  : slot.egress == RealSlot::kGone     ? DropReason::kServerGone
                                                       : DropReason::kNoEgress);
      continue;
    }
    // The parser has seen an Ethernet header in this segment. Everything behind the two addresses stays as it came.
    std::memcpy(rte_pktmbuf_mtod(frame, uint8_t*), slot.macs.data(), slot.macs.size());
    SlotCounters& counters = slot_counters_[static_cast<size_t>(id)];
    add<uint64_t>(counters.packets, 1);
    add<uint64_t>(counters.bytes, burst.ip_length[i]);
    tx_.put(slot.egress, frame);
  }
}

void Worker::finish() noexcept {
  const TxPorts::Flushed flushed = tx_.flush();
  add<uint64_t>(counters_.transmitted, flushed.sent);
  if (flushed.refused > 0) [[unlikely]]
    add<uint64_t>(counters_.dropped[static_cast<size_t>(DropReason::kTxQueueFull)], flushed.refused);
  flush_punts();
  if (dropped_count_ > 0) {
    rte_pktmbuf_free_bulk(dropped_.data(), dropped_count_);
    dropped_count_ = 0;
  }
}

}  // namespace lbdp::dataplane
