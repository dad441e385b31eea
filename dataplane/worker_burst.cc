// SPDX-License-Identifier: BSD-2-Clause
// The worker's steady path: a burst in short loops, so that each stage's misses in the cache overlap.
#include <rte_prefetch.h>

#include <bit>
#include <cstring>

#include "dataplane/burst.h"
#include "dataplane/sctp_state.h"
#include "dataplane/worker.h"

namespace lbdp::dataplane {
namespace {

// A packet that expects this is never steady: no entry is younger by so many ticks.
constexpr uint64_t kNeverSteady = uint64_t{1} << 63;

bool is_steady_segment(uint8_t tcp_flags) {
  return (tcp_flags & (kTcpSyn | kTcpFin | kTcpRst | kTcpAck)) == kTcpAck;
}

uint64_t steady_word(uint8_t protocol, uint8_t flags, Tick tick) {
  if (protocol == kIpProtocolUdp) return FlowValue::steady_word(FlowState::kUdp, tick);
  if (protocol == kIpProtocolSctp)
    return is_steady_chunk(flags) ? FlowValue::steady_word(FlowState::kSctpEstablished, tick) : kNeverSteady;
  return is_steady_segment(flags) ? FlowValue::steady_word(FlowState::kEstablished, tick) : kNeverSteady;
}

}  // namespace

void Worker::process(std::span<rte_mbuf* const> frames, const WorkerPort& port) noexcept {
  Burst burst;
  burst.frames = frames.data();
  burst.port = &port;
  burst.count = static_cast<unsigned>(frames.size());
  for (unsigned i = 0; i < burst.count; ++i) rte_prefetch0(rte_pktmbuf_mtod(burst.frames[i], const void*));
  classify(burst);
  match(burst);
  if (burst.waiting != 0) resolve_waiting(burst);
  rewrite(burst);
  finish();
}

// Parse, virtual server, hash; the first bucket's line is asked for here and used in the next loop.
void Worker::classify(Burst& burst) noexcept {
  const MacWord our_mac(burst.port->mac);
  const uint64_t steady_tcp = FlowValue::steady_word(FlowState::kEstablished, tick_);
  const uint64_t steady_udp = FlowValue::steady_word(FlowState::kUdp, tick_);
  for (unsigned i = 0; i < burst.count; ++i) {
    burst.fate[i] = Fate::kDone;
    const PlainFlow p = parse_plain(view_of(*burst.frames[i]), our_mac);
    if (p.protocol == 0) [[unlikely]] {
      classify_any(burst, i);
      continue;
    }
    const ServiceHit service = snapshot_->find_service(p.protocol, p.destination, p.destination_port);
    if (!service.plain) [[unlikely]] {
      classify_any(burst, i);
      continue;
    }
    burst.key[i] = FlowKey(p.source, p.source_port, service.id);
    burst.hash[i] = flows_->hash(burst.key[i]);
    flows_->prefetch_first(burst.hash[i]);
    const bool udp = p.protocol == kIpProtocolUdp;
    burst.steady[i] = udp ? steady_udp : is_steady_segment(p.tcp_flags) ? steady_tcp : kNeverSteady;
    burst.ip_length[i] = p.ip_length;
    burst.protocol[i] = p.protocol;
    burst.flags[i] = p.tcp_flags;
    burst.kind[i] = Burst::Kind::kFlow;
    burst.tagged[i] = false;
    burst.first_fragment[i] = false;
    burst.candidate[burst.candidates++] = static_cast<uint8_t>(i);
  }
}

// All frames that are not of the plainest kind.
void Worker::classify_any(Burst& burst, unsigned i) noexcept {
  const Parsed p = parse(view_of(*burst.frames[i]), MacWord(burst.port->mac));
  burst.ip_length[i] = p.ip_length;
  burst.protocol[i] = p.protocol;
  burst.flags[i] = p.flags;
  burst.tagged[i] = p.vlan != 0;
  burst.first_fragment[i] = p.first_fragment;
  if (p.verdict == Verdict::kFlow) return classify_flow(burst, i, p);
  const bool about_flow = p.verdict == Verdict::kFragment || p.verdict == Verdict::kIcmpError;
  if (!about_flow || snapshot_->owner_of(p.destination) != VipOwner::kUs) return divert(burst, i, p);
  burst.kind[i] = p.verdict == Verdict::kFragment ? Burst::Kind::kFragment : Burst::Kind::kIcmpError;
  burst.waiting |= uint32_t{1} << i;
}

void Worker::classify_flow(Burst& burst, unsigned i, const Parsed& p) noexcept {
  const ServiceHit service = snapshot_->find_service(p.protocol, p.destination, p.destination_port);
  if (!service.owned) return divert(burst, i, p);
  burst.steady[i] = p.first_fragment ? kNeverSteady : steady_word(p.protocol, p.flags, tick_);
  burst.kind[i] = service.one_packet ? Burst::Kind::kOnePacket
                  : service.wide     ? Burst::Kind::kWideFlow
                                     : Burst::Kind::kFlow;
  if (service.wide || service.one_packet) {
    burst.wide_key[i] = WideKey(p.source, p.source_port, p.destination_port, service.id);
    burst.hash[i] = wide_flows_->hash(burst.wide_key[i]);
    if (service.one_packet) {
      burst.waiting |= uint32_t{1} << i;
      return;
    }
    wide_flows_->prefetch_first(burst.hash[i]);
    burst.wide_candidate[burst.wide_candidates++] = static_cast<uint8_t>(i);
    return;
  }
  burst.key[i] = FlowKey(p.source.v4(), p.source_port, service.id);
  burst.hash[i] = flows_->hash(burst.key[i]);
  flows_->prefetch_first(burst.hash[i]);
  burst.candidate[burst.candidates++] = static_cast<uint8_t>(i);
}

void Worker::match(Burst& burst) noexcept {
  match(burst, *flows_, std::span(burst.candidate.data(), burst.candidates), burst.key);
  if (burst.wide_candidates > 0) [[unlikely]]
    match(burst, *wide_flows_, std::span(burst.wide_candidate.data(), burst.wide_candidates), burst.wide_key);
}

// Nothing is written to a flow's line when the packet is steady: same state, and seen not long ago. All that is not
// steady waits for the next loop, so that connections are scheduled in the order of their arrival; and what follows a
// packet that waits waits, too, if it may be of the same connection.
template <class Key>
void Worker::match(Burst& burst, FlowTable<Key>& flows, std::span<const uint8_t> candidates,
                   const std::array<Key, kBurst>& keys) noexcept {
  const uint64_t patience = timeouts_.patience();
  for (const unsigned i : candidates) {
    const auto place = flows.find_first(burst.hash[i], keys[i]);
    const uint64_t bit = uint64_t{1} << (burst.hash[i] % 64);
    if (place && (burst.busy & bit) == 0) [[likely]] {
      const FlowValue value = FlowTable<Key>::value(place);
      const uint64_t difference = (burst.steady[i] | snapshot_->slot(value.slot()).generation) - value.above_slot();
      if (FlowValue::age(difference) <= patience ||
          (FlowValue::only_tick(difference) && burst.steady[i] != kNeverSteady && refresh<Key>(place, value)))
          [[likely]] {
        burst.fate[i] = static_cast<Fate>(value.slot());
        continue;
      }
    }
    if (!place) flows.prefetch_second(burst.hash[i]);
    burst.busy |= bit;
    burst.waiting |= uint32_t{1} << i;
  }
}

// The first packet of a steady connection after a while. False: it is no longer alive, or its server is gone.
template <class Key>
bool Worker::refresh(typename FlowTable<Key>::Place place, FlowValue value) noexcept {
  if (timeouts_.expired(value.state(), value.last_seen(), tick_)) return false;
  if (snapshot_->slot(value.slot()).link == LinkId::kGone) return false;
  FlowTable<Key>::set_value(place, FlowValue(value.slot(), value.generation(), value.state(), tick_));
  return true;
}

// After the loop above: an insert moves entries, and nothing points at one here. Each look-up begins anew, so a second
// packet of a new connection finds what the first one has inserted.
void Worker::resolve_waiting(Burst& burst) noexcept {
  for (uint32_t waiting = burst.waiting; waiting != 0; waiting &= waiting - 1) {
    const auto i = static_cast<unsigned>(std::countr_zero(waiting));
    switch (burst.kind[i]) {
      case Burst::Kind::kFlow: burst.fate[i] = resolve(burst, i, *flows_, burst.key[i]); break;
      case Burst::Kind::kWideFlow: burst.fate[i] = resolve(burst, i, *wide_flows_, burst.wide_key[i]); break;
      case Burst::Kind::kOnePacket: burst.fate[i] = schedule_one_packet(burst, i); break;
      case Burst::Kind::kFragment: burst.fate[i] = follow_first_fragment(burst, i); break;
      case Burst::Kind::kIcmpError: burst.fate[i] = steer_icmp_error(burst, i); break;
    }
    if (burst.first_fragment[i] && burst.kind[i] != Burst::Kind::kFragment) note_first_fragment(burst, i);
  }
}

// In the order of arrival, so that no connection is reordered.
void Worker::rewrite(Burst& burst) noexcept {
  for (unsigned i = 0; i < burst.count; ++i) {
    if (burst.fate[i] == Fate::kDone) continue;
    const SlotId id{static_cast<uint16_t>(burst.fate[i])};
    const RealSlot& slot = snapshot_->slot(id);
    const Link& link = snapshot_->link(slot.link);
    rte_mbuf* const frame = burst.frames[i];
    const bool plain = burst.ip_length[i] <= link.mtu && tx_.knows(link.port) && link.vlan == 0 && !burst.tagged[i];
    if (!plain) [[unlikely]] {
      if (!prepare_odd(burst, i, link)) continue;
    }
    // The parser has seen an Ethernet header in this segment. Everything behind the two addresses stays as it came.
    std::memcpy(rte_pktmbuf_mtod(frame, uint8_t*), slot.macs.data(), slot.macs.size());
    SlotCounters& counters = slot_counters_[static_cast<size_t>(id)];
    add<uint64_t>(counters.packets, 1);
    add<uint64_t>(counters.bytes, burst.ip_length[i]);
    tx_.put(link.port, frame);
  }
  if (released_count_ > 0) [[unlikely]]
    send_released();
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
