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

template <class Visit>
void for_each_bit(uint32_t bits, Visit&& visit) {
  for (; bits != 0; bits &= bits - 1) visit(static_cast<unsigned>(std::countr_zero(bits)));
}

uint64_t steady_word(uint8_t protocol, uint8_t flags, Tick tick) {
  if (protocol == kIpProtocolUdp) return FlowValue::steady_word(FlowState::kUdp, tick);
  if (protocol == kIpProtocolSctp)
    return flags == static_cast<uint8_t>(SctpEvent::kData) ? FlowValue::steady_word(FlowState::kSctpEstablished, tick)
                                                           : kNeverSteady;
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

// Two short loops rather than a long one: each iteration waits for its own loads, and the processor sees only so many
// instructions ahead to overlap them with the next ones'.
void Worker::classify(Burst& burst) noexcept {
  const uint32_t plain = parse_plain_frames(burst);
  if (plain == burst.all()) [[likely]] {
    burst.flows = plain;
    for (unsigned i = 0; i < burst.count; ++i) find_plain_service(burst, i);
    return;
  }
  burst.flows |= plain;  // beside those that classify_any() has found
  for_each_bit(plain, [&](unsigned i) { find_plain_service(burst, i); });
}

// Which frames are of the plainest kind; the others are classified.
uint32_t Worker::parse_plain_frames(Burst& burst) noexcept {
  const MacWord our_mac(burst.port->mac);
  const uint64_t steady_tcp = FlowValue::steady_word(FlowState::kEstablished, tick_);
  const uint64_t steady_udp = FlowValue::steady_word(FlowState::kUdp, tick_);
  const uint32_t mtu = snapshot_->common_mtu();
  uint32_t plain = 0;
  for (unsigned i = 0; i < burst.count; ++i) {
    const PlainFlow p = parse_plain(view_of(*burst.frames[i]), our_mac);
    if (p.protocol == 0) [[unlikely]] {
      classify_any(burst, i);
      continue;
    }
    burst.addresses[i] = p.addresses;
    burst.ports[i] = p.ports;
    burst.steady[i] = p.protocol == kIpProtocolUdp                           ? steady_udp
                      : is_steady_segment(static_cast<uint8_t>(p.tcp_flags)) ? steady_tcp
                                                                             : kNeverSteady;
    burst.facts[i] = {Burst::Kind::kFlow, p.ip_length, p.protocol, p.tcp_flags, p.ip_length > mtu, false};
    plain |= uint32_t{1} << i;
  }
  return plain;
}

// Virtual server, hash; the first bucket's line is asked for here and used in match().
inline void Worker::find_plain_service(Burst& burst, unsigned i) noexcept {
  const PlainFlow p{.addresses = burst.addresses[i], .ports = burst.ports[i]};
  const ServiceHit service = snapshot_->find_service(burst.facts[i].protocol(), p.destination(), p.destination_port());
  if (!service.plain()) [[unlikely]] {
    burst.flows &= ~(uint32_t{1} << i);
    return classify_any(burst, i);
  }
  const FlowKey key(p.source(), p.source_port(), service.id());
  const uint32_t hash = flows_->hash(key);
  flows_->prefetch_first(hash);
  burst.key[i] = key;
  burst.hash[i] = hash;
}

// All frames that are not of the plainest kind.
void Worker::classify_any(Burst& burst, unsigned i) noexcept {
  const Parsed p = parse(view_of(*burst.frames[i]), MacWord(burst.port->mac));
  if (p.verdict == Verdict::kFlow) return classify_flow(burst, i, p);
  burst.fate[i] = Fate::kDone;
  const bool about_flow = p.verdict == Verdict::kFragment || p.verdict == Verdict::kIcmpError;
  if (!about_flow || snapshot_->owner_of(p.destination) != VipOwner::kUs) return divert(burst, i, p);
  set_facts(burst, i, p, p.verdict == Verdict::kFragment ? Burst::Kind::kFragment : Burst::Kind::kIcmpError);
  burst.waiting |= uint32_t{1} << i;
}

void Worker::set_facts(Burst& burst, unsigned i, const Parsed& p, FrameKind kind) const noexcept {
  const bool odd = p.vlan != 0 || p.ip_length > snapshot_->common_mtu();
  burst.facts[i] = {kind, p.ip_length, p.protocol, p.flags, odd, p.first_fragment};
}

void Worker::classify_flow(Burst& burst, unsigned i, const Parsed& p) noexcept {
  const uint32_t bit = uint32_t{1} << i;
  burst.fate[i] = Fate::kDone;
  const ServiceHit service = snapshot_->find_service(p.protocol, p.destination, p.destination_port);
  if (!service.owned()) return divert(burst, i, p);
  burst.steady[i] = p.first_fragment ? kNeverSteady : steady_word(p.protocol, p.flags, tick_);
  if (service.plain()) {
    set_facts(burst, i, p, Burst::Kind::kFlow);
    burst.key[i] = FlowKey(p.source.v4(), p.source_port, service.id());
    burst.hash[i] = flows_->hash(burst.key[i]);
    flows_->prefetch_first(burst.hash[i]);
    burst.flows |= bit;
    return;
  }
  burst.wide_key[i] = WideKey(p.source, p.source_port, p.destination_port, service.id());
  burst.hash[i] = wide_flows_->hash(burst.wide_key[i]);
  if (service.one_packet()) {
    set_facts(burst, i, p, Burst::Kind::kOnePacket);
    burst.waiting |= bit;
    return;
  }
  set_facts(burst, i, p, Burst::Kind::kWideFlow);
  wide_flows_->prefetch_first(burst.hash[i]);
  burst.wide_flows |= bit;
}

void Worker::match(Burst& burst) noexcept {
  if (burst.flows == burst.all()) [[likely]] {
    for (unsigned i = 0; i < burst.count; ++i) match_first(burst, i, *flows_, burst.key[i]);
  } else {
    for_each_bit(burst.flows, [&](unsigned i) { match_first(burst, i, *flows_, burst.key[i]); });
  }
  for_each_bit(burst.wide_flows, [&](unsigned i) { match_first(burst, i, *wide_flows_, burst.wide_key[i]); });
  if (burst.missed == 0) return;
  for_each_bit(burst.missed & burst.flows, [&](unsigned i) { match_second(burst, i, *flows_, burst.key[i]); });
  for_each_bit(burst.missed & burst.wide_flows,
               [&](unsigned i) { match_second(burst, i, *wide_flows_, burst.wide_key[i]); });
}

// All that is not in its first bucket is looked for once more when the others are through: until then the second
// bucket's line has come.
template <class Key>
inline void Worker::match_first(Burst& burst, unsigned i, FlowTable<Key>& flows, const Key& key) noexcept {
  const auto place = flows.find_first(burst.hash[i], key);
  if (place) [[likely]]
    return match_place<Key>(burst, i, place);
  flows.prefetch_second(burst.hash[i]);
  burst.missed |= uint32_t{1} << i;
}

template <class Key>
inline void Worker::match_second(Burst& burst, unsigned i, FlowTable<Key>& flows, const Key& key) noexcept {
  const auto place = flows.find_second(burst.hash[i], key);
  if (place) return match_place<Key>(burst, i, place);
  burst.busy |= uint64_t{1} << (burst.hash[i] % 64);
  burst.waiting |= uint32_t{1} << i;
}

// Nothing is written to a flow's line when the packet is steady: same state, and seen not long ago. All that is not
// steady waits for the next loop, so that connections are scheduled in the order of their arrival; and what follows a
// packet that waits waits, too, if it may be of the same connection.
template <class Key>
inline void Worker::match_place(Burst& burst, unsigned i, typename FlowTable<Key>::Place place) noexcept {
  const uint64_t bit = uint64_t{1} << (burst.hash[i] % 64);
  const FlowValue value = FlowTable<Key>::value(place);
  const uint64_t difference = (burst.steady[i] | snapshot_->slot(value.slot()).generation) - value.above_slot();
  const bool steady =
      FlowValue::age(difference) <= timeouts_.patience() ||
      (FlowValue::only_tick(difference) && burst.steady[i] != kNeverSteady && refresh<Key>(place, value));
  if (steady && (burst.busy & bit) == 0) [[likely]] {
    burst.fate[i] = static_cast<Fate>(value.slot());
    return;
  }
  burst.busy |= bit;
  burst.waiting |= uint32_t{1} << i;
}

// The first packet of a steady connection after a while. False: it is no longer alive, or its server is gone.
template <class Key>
bool Worker::refresh(typename FlowTable<Key>::Place place, FlowValue value) noexcept {
  if (timeouts_.expired(value.state(), value.last_seen(), tick_)) return false;
  if (snapshot_->detail(value.slot()).link == LinkId::kGone) return false;
  FlowTable<Key>::set_value(place, FlowValue(value.slot(), value.generation(), value.state(), tick_));
  return true;
}

// After the loop above: an insert moves entries, and nothing points at one here. Each look-up begins anew, so a second
// packet of a new connection finds what the first one has inserted.
void Worker::resolve_waiting(Burst& burst) noexcept {
  for_each_bit(burst.waiting, [&](unsigned i) {
    switch (burst.facts[i].kind()) {
      case Burst::Kind::kFlow: burst.fate[i] = resolve(burst, i, *flows_, burst.key[i]); break;
      case Burst::Kind::kWideFlow: burst.fate[i] = resolve(burst, i, *wide_flows_, burst.wide_key[i]); break;
      case Burst::Kind::kOnePacket: burst.fate[i] = schedule_one_packet(burst, i); break;
      case Burst::Kind::kFragment: burst.fate[i] = follow_first_fragment(burst, i); break;
      case Burst::Kind::kIcmpError: burst.fate[i] = steer_icmp_error(burst, i); break;
    }
    if (burst.facts[i].first_fragment()) [[unlikely]]
      note_first_fragment(burst, i);
  });
}

// In the order of arrival, so that no connection is reordered.
void Worker::rewrite(Burst& burst) noexcept {
  for (unsigned i = 0; i < burst.count; ++i) {
    if (burst.fate[i] == Fate::kDone) continue;
    const SlotId id{static_cast<uint16_t>(burst.fate[i])};
    const RealSlot& slot = snapshot_->slot(id);
    const Burst::FrameFacts facts = burst.facts[i];
    uint16_t port = slot.plain_port;
    if (facts.odd() || !tx_.knows(port)) [[unlikely]] {
      const Link& link = snapshot_->link(id);
      if (!prepare_odd(burst, i, link)) continue;
      port = link.port;
    }
    send_to(burst.frames[i], id, slot, port, facts.ip_length());
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
