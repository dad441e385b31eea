// SPDX-License-Identifier: BSD-2-Clause
// What is not the steady path: new connections, changes of state, frames that are not ours to forward.
#include <rte_ring.h>

#include "dataplane/burst.h"
#include "dataplane/icmp_reply.h"
#include "dataplane/scheduler.h"
#include "dataplane/worker.h"

namespace lbdp::dataplane {
namespace {

constexpr std::array<DropReason, kPuntClasses> kPoliced{DropReason::kPuntPolicedVrrp, DropReason::kPuntPolicedControl,
                                                        DropReason::kPuntPolicedBulk};

}  // namespace

// A frame that no virtual server of ours takes.
void Worker::divert(Burst& burst, unsigned index, const Parsed& p) noexcept {
  rte_mbuf* const frame = burst.frames[index];
  if (p.verdict == Verdict::kDrop) return drop(frame, p.drop_reason);
  if (p.is_ipv4 && p.unicast) {
    const VipOwner owner = snapshot_->owner_of(p.destination);
    // The kernel does not hold this address now, and might forward the frame: it must not see it.
    if (owner == VipOwner::kOther) return drop(frame, DropReason::kVipNotOwned);
    // The kernel holds this one, and would reset the connection.
    const bool tcp_or_udp = p.protocol == kIpProtocolTcp || p.protocol == kIpProtocolUdp;
    if (owner == VipOwner::kUs && p.fragment && tcp_or_udp) return drop(frame, DropReason::kFragment);
  }
  punt(frame, p.verdict == Verdict::kFlow ? punt_class_of_flow(p) : p.punt_class);
}

// A packet of a known connection about which something changes.
Worker::Fate Worker::advance(Burst& burst, unsigned index, FlowTable::Place place) noexcept {
  const FlowValue value = FlowTable::value(place);
  if (!alive(value)) return admit(burst, index, place);
  const SlotId id = value.slot();
  const FlowState state = value.state();
  FlowState next = state;
  if (burst.protocol[index] == kIpProtocolTcp) {
    const uint8_t flags = burst.tcp_flags[index];
    const bool drained = snapshot_->expire_nodest_conn() && snapshot_->detail(id).draining;
    if (opens_connection(flags) && (is_over(state) || drained)) return admit(burst, index, place);
    next = next_tcp_state(state, flags);
  }
  if (snapshot_->slot(id).egress == RealSlot::kGone) {
    drop(burst.frames[index], DropReason::kServerGone);  // and the connection's time runs on
    return Fate::kDone;
  }
  if (next != state) count_change(id, state, next);
  const FlowValue updated(id, value.generation(), next, tick_);
  if (updated.word() != value.word()) FlowTable::set_value(place, updated);
  return static_cast<Fate>(id);
}

// A packet without a live connection. `old` is what is left of the one before, if anything.
Worker::Fate Worker::admit(Burst& burst, unsigned index, FlowTable::Place old) noexcept {
  if (old) count_gone(FlowTable::value(old));
  const bool opens = burst.protocol[index] == kIpProtocolUdp || opens_connection(burst.tcp_flags[index]);
  if (opens) return open_connection(burst, index, old);
  if (old) flows_->erase(old);
  const bool may_be_unstored = overflowed_ && !old;
  if (may_be_unstored && !snapshot_->service(burst.key[index].service()).usable.empty())
    return forward_unstored(burst, index);
  punt(burst.frames[index], PuntClass::kBulk);  // the kernel resets it
  return Fate::kDone;
}

Worker::Fate Worker::open_connection(Burst& burst, unsigned index, FlowTable::Place old) noexcept {
  const ServiceId service = burst.key[index].service();
  if (snapshot_->service(service).usable.empty()) {
    if (old) flows_->erase(old);
    return reject(burst, index);
  }
  FlowTable::Place place = old;
  if (!place) {
    place = flows_->insert(burst.hash[index], burst.key[index], FlowValue(),
                           [this](FlowValue value) { return release_if_dead(value); });
  }
  if (!place) {
    overflowed_ = true;
    last_overflow_ = tick_;
    return forward_unstored(burst, index);
  }
  // Only now: a connection that found no room must not move the cursor.
  const SlotId slot = *pick_round_robin(*snapshot_, service);
  const FlowState state = burst.protocol[index] == kIpProtocolUdp ? FlowState::kUdp : FlowState::kSynRecv;
  FlowTable::set_value(place, FlowValue(slot, snapshot_->slot(slot).generation, state, tick_));
  count_new(slot, state);
  return static_cast<Fate>(slot);
}

Worker::Fate Worker::forward_unstored(Burst& burst, unsigned index) noexcept {
  const SlotId slot = *pick_by_hash(*snapshot_, burst.key[index].service(), burst.hash[index]);
  adopt_tenancy(slot);
  add<uint64_t>(counters_.unstored, 1);
  return static_cast<Fate>(slot);
}

// No usable server: say so to the client, within the rate.
Worker::Fate Worker::reject(Burst& burst, unsigned index) noexcept {
  rte_mbuf* const frame = burst.frames[index];
  const FrameView view = view_of(*frame);
  const bool within_rate = reply_policer_.take(now_);
  rte_mbuf* reply = within_rate ? rte_pktmbuf_alloc(reply_pool_) : nullptr;
  if (reply == nullptr) {
    add<uint64_t>(counters_.replies_policed, 1);
  } else {
    const std::span<uint8_t, kMaxIcmpReply> out(rte_pktmbuf_mtod(reply, uint8_t*), kMaxIcmpReply);
    const uint32_t length = build_port_unreachable(view, parse(view, MacWord(burst.port->mac)), burst.port->mac, out);
    reply->data_len = static_cast<uint16_t>(length);
    reply->pkt_len = length;
    const bool sent = length > 0 && tx_.send(static_cast<uint16_t>(burst.port->id), &reply, 1) == 1;
    if (sent) {
      add<uint64_t>(counters_.replies, 1);
    } else {
      rte_pktmbuf_free(reply);
    }
  }
  drop(frame, DropReason::kNoRealServer);
  return Fate::kDone;
}

void Worker::drop(rte_mbuf* frame, DropReason reason) noexcept {
  add<uint64_t>(counters_.dropped[static_cast<size_t>(reason)], 1);
  dropped_[dropped_count_++] = frame;
}

void Worker::punt(rte_mbuf* frame, PuntClass punt_class) noexcept {
  const auto c = static_cast<size_t>(punt_class);
  if (!punt_policers_[c].take(now_)) return drop(frame, kPoliced[c]);
  punted_[c][punted_count_[c]++] = frame;
}

void Worker::flush_punts() noexcept {
  for (size_t c = 0; c < kPuntClasses; ++c) {
    if (punted_count_[c] == 0) continue;
    rte_mbuf** const frames = punted_[c].data();
    const unsigned taken =
        rte_ring_enqueue_burst(rings_.punt[c], reinterpret_cast<void* const*>(frames), punted_count_[c], nullptr);
    add<uint64_t>(counters_.punted[c], taken);
    for (unsigned i = taken; i < punted_count_[c]; ++i) drop(frames[i], DropReason::kPuntRingFull);
    punted_count_[c] = 0;
  }
}

bool Worker::alive(FlowValue value) const noexcept {
  return value.generation() == snapshot_->slot(value.slot()).generation &&
         !timeouts_.expired(value.state(), value.last_seen(), tick_);
}

bool Worker::release_if_dead(FlowValue value) noexcept {
  if (alive(value)) return false;
  count_gone(value);
  return true;
}

// Counts of a slot's former real server, or of connections that a publication ended, are not this one's.
void Worker::adopt_tenancy(SlotId slot) noexcept {
  SlotCounters& c = slot_counters_[static_cast<size_t>(slot)];
  const uint16_t tenancy = snapshot_->detail(slot).tenancy, generation = snapshot_->slot(slot).generation;
  if (c.tenancy != tenancy) {
    set<uint64_t>(c.packets, 0);
    set<uint64_t>(c.bytes, 0);
    set<uint64_t>(c.connections, 0);
    set(c.tenancy, tenancy);
  }
  if (c.generation != generation) {
    set<uint32_t>(c.active, 0);
    set<uint32_t>(c.inactive, 0);
    set(c.generation, generation);
  }
}

void Worker::count_new(SlotId slot, FlowState state) noexcept {
  adopt_tenancy(slot);
  SlotCounters& c = slot_counters_[static_cast<size_t>(slot)];
  add<uint64_t>(c.connections, 1);
  add<uint32_t>(is_active(state) ? c.active : c.inactive, 1);
}

void Worker::count_gone(FlowValue value) noexcept {
  SlotCounters& c = slot_counters_[static_cast<size_t>(value.slot())];
  if (c.generation != value.generation()) return;  // adopt_tenancy() forgot it already
  uint32_t& counter = is_active(value.state()) ? c.active : c.inactive;
  set(counter, counter - 1);
}

void Worker::count_change(SlotId slot, FlowState from, FlowState to) noexcept {
  if (is_active(from) == is_active(to)) return;
  SlotCounters& c = slot_counters_[static_cast<size_t>(slot)];
  set(c.active, is_active(to) ? c.active + 1 : c.active - 1);
  set(c.inactive, is_active(to) ? c.inactive - 1 : c.inactive + 1);
}

}  // namespace lbdp::dataplane
