// SPDX-License-Identifier: BSD-2-Clause
// The worker's steady path: a burst in short loops, so that each stage's misses in the cache overlap.
#include <rte_prefetch.h>

#include <algorithm>
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

void Worker::process(Burst& burst) noexcept {
  prefetch_headers(burst);
  classify(burst);
  match_first(burst, burst.flows, burst.narrow);
  if (burst.wide_flows != 0) match_first(burst, burst.wide_flows, burst.wide);
  if (burst.steady != (burst.flows | burst.wide_flows)) settle_rest(burst);
  if (burst.waiting != 0) resolve_waiting(burst);
  send(burst);
  finish();
}

void Worker::prefetch_headers(Burst& burst) noexcept {
  for (unsigned i = 0; i < burst.count; ++i) {
    burst.header[i] = rte_pktmbuf_mtod(burst.frames[i], uint8_t*);
    rte_prefetch0(burst.header[i]);
  }
}

void Worker::classify(Burst& burst) noexcept {
  const MacWord our_mac(burst.port->mac);
  const uint64_t steady_tcp = FlowValue::steady_word(FlowState::kEstablished, tick_);
  const uint64_t steady_udp = FlowValue::steady_word(FlowState::kUdp, tick_);
  const FlowTable<FlowKey> flows = *flows_;
  const Snapshot& snapshot = *snapshot_;
  uint32_t others = 0, longest = 0;
  for (unsigned i = 0; i < burst.count; ++i) {
    const rte_mbuf& frame = *burst.frames[i];
    const bool stripped = (frame.ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0;
    const FrameView view(burst.header[i], frame.data_len, frame.pkt_len, 0);
    const PlainFlow p = stripped ? PlainFlow{} : parse_plain(view, our_mac);
    burst.ip_length[i] = p.ip_length;
    burst.steady_word[i] = p.protocol == kIpProtocolUdp                           ? steady_udp
                           : is_steady_segment(static_cast<uint8_t>(p.tcp_flags)) ? steady_tcp
                                                                                  : kNeverSteady;
    longest = std::max(longest, p.ip_length);
    const ServiceHit service = snapshot.find_service(Snapshot::service_key(p.protocol, p.addresses, p.ports));
    if (!service.plain()) [[unlikely]] {  // as none is whose protocol is 0
      others |= uint32_t{1} << i;
      classify_any(burst, i);
      continue;
    }
    const FlowKey key(p.source(), p.source_port(), service.id());
    const uint32_t hash = flows.hash(key);
    FlowBucket<FlowKey>* const bucket = flows.first(hash);
    FlowTable<FlowKey>::prefetch(bucket);
    burst.narrow.key[i] = key;
    burst.narrow.bucket[i] = bucket;
    burst.hash[i] = hash;
  }
  burst.plain = burst.all() & ~others;
  burst.flows |= burst.plain;  // beside those that classify_any() has found
  const uint32_t mtu = snapshot.common_mtu();
  if (longest > mtu) [[unlikely]]
    for_each_bit(burst.plain, [&](unsigned i) { burst.odd |= uint32_t{burst.ip_length[i] > mtu} << i; });
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
  burst.facts[i] = {kind, p.protocol, p.flags, p.first_fragment};
  burst.ip_length[i] = p.ip_length;
  burst.odd |= uint32_t{p.vlan != 0 || p.ip_length > snapshot_->common_mtu()} << i;
}

void Worker::classify_flow(Burst& burst, unsigned i, const Parsed& p) noexcept {
  const uint32_t bit = uint32_t{1} << i;
  burst.fate[i] = Fate::kDone;
  const ServiceHit service = snapshot_->find_service(p.protocol, p.destination, p.destination_port);
  if (!service.owned()) return divert(burst, i, p);
  burst.steady_word[i] = p.first_fragment ? kNeverSteady : steady_word(p.protocol, p.flags, tick_);
  if (service.plain()) {
    set_facts(burst, i, p, Burst::Kind::kFlow);
    burst.narrow.key[i] = FlowKey(p.source.v4(), p.source_port, service.id());
    burst.hash[i] = flows_->hash(burst.narrow.key[i]);
    burst.narrow.bucket[i] = flows_->first(burst.hash[i]);
    FlowTable<FlowKey>::prefetch(burst.narrow.bucket[i]);
    burst.flows |= bit;
    return;
  }
  burst.wide.key[i] = WideKey(p.source, p.source_port, p.destination_port, service.id());
  burst.hash[i] = wide_flows_->hash(burst.wide.key[i]);
  if (service.one_packet()) {
    set_facts(burst, i, p, Burst::Kind::kOnePacket);
    burst.waiting |= bit;
    return;
  }
  set_facts(burst, i, p, Burst::Kind::kWideFlow);
  burst.wide.bucket[i] = wide_flows_->first(burst.hash[i]);
  FlowTable<WideKey>::prefetch(burst.wide.bucket[i]);
  burst.wide_flows |= bit;
}

// Which frames are steady: their connection is in its first bucket, in the same state, and was seen not long ago.
// Nothing is written to its line then. Without a branch a frame: lane and age are anybody's guess, and a wrong guess
// would wait for the line and then throw away what was done ahead.
template <class Wanted>
inline void Worker::match_first(Burst& burst, uint32_t which, const Wanted& wanted) noexcept {
  using Table = FlowTable<typename decltype(wanted.key)::value_type>;
  const RealSlot* const slots = snapshot_->slots().data();
  const uint64_t patience = timeouts_.patience();
  uint64_t out_ports = burst.out_ports;
  uint32_t all_steady = burst.steady;
  const auto match = [&](unsigned i) {
    const uint32_t lanes = Table::lanes_with(wanted.bucket[i], wanted.key[i]);
    const FlowValue value = Table::value(wanted.bucket[i], static_cast<uint32_t>(std::countr_zero(lanes | 8U)));
    const RealSlot& slot = slots[static_cast<size_t>(value.slot())];
    const uint64_t difference = (burst.steady_word[i] | slot.generation) - value.above_slot();
    const uint32_t steady = uint32_t{FlowValue::age(difference) <= patience} & uint32_t{lanes != 0};
    burst.fate[i] = static_cast<Fate>(value.slot());  // if it is steady
    all_steady |= steady << i;
    out_ports |= uint64_t{steady} << slot.plain_port;
  };
  if (which == burst.all()) [[likely]] {
    for (unsigned i = 0; i < burst.count; ++i) match(i);
  } else {
    for_each_bit(which, match);
  }
  burst.steady = all_steady;
  burst.out_ports = out_ports;
}

// All that is not steady at first sight. What is not in its first bucket is looked for once more when the others have
// been rewritten: until then the second bucket's line has come.
void Worker::settle_rest(Burst& burst) noexcept {
  for_each_bit(burst.flows & ~burst.steady, [&](unsigned i) { look_again(burst, i, *flows_, burst.narrow.key[i]); });
  for_each_bit(burst.wide_flows & ~burst.steady,
               [&](unsigned i) { look_again(burst, i, *wide_flows_, burst.wide.key[i]); });
  if (burst.busy != 0) {
    // Its connection may have a packet that waits: wait, too, so that both stay in order.
    for_each_bit(burst.steady, [&](unsigned i) {
      if ((burst.busy >> burst.hash[i] % 64 & 1) != 0) burst.waiting |= uint32_t{1} << i;
    });
    burst.steady &= ~burst.waiting;
  }
  if (burst.missed == 0) return;
  if (goes_to_one_port(burst)) rewrite_steady(burst, burst.steady);
  for_each_bit(burst.missed & burst.flows, [&](unsigned i) { match_second(burst, i, *flows_, burst.narrow.key[i]); });
  for_each_bit(burst.missed & burst.wide_flows,
               [&](unsigned i) { match_second(burst, i, *wide_flows_, burst.wide.key[i]); });
}

template <class Key>
inline void Worker::look_again(Burst& burst, unsigned i, FlowTable<Key>& flows, const Key& key) noexcept {
  if (const auto place = flows.find_first(burst.hash[i], key)) return settle<Key>(burst, i, place);
  flows.prefetch_second(burst.hash[i]);
  burst.missed |= uint32_t{1} << i;
}

template <class Key>
inline void Worker::match_second(Burst& burst, unsigned i, FlowTable<Key>& flows, const Key& key) noexcept {
  if (const auto place = flows.find_second(burst.hash[i], key)) return settle<Key>(burst, i, place);
  burst.busy |= uint64_t{1} << (burst.hash[i] % 64);
  burst.waiting |= uint32_t{1} << i;
}

// All that is not steady waits for the next loop, so that connections are scheduled in the order of their arrival; and
// what follows a packet that waits waits, too, if it may be of the same connection.
template <class Key>
inline void Worker::settle(Burst& burst, unsigned i, typename FlowTable<Key>::Place place) noexcept {
  const uint64_t hash_bit = uint64_t{1} << (burst.hash[i] % 64);
  const FlowValue value = FlowTable<Key>::value(place);
  const RealSlot& slot = snapshot_->slot(value.slot());
  const uint64_t difference = (burst.steady_word[i] | slot.generation) - value.above_slot();
  const bool steady =
      FlowValue::age(difference) <= timeouts_.patience() ||
      (FlowValue::only_tick(difference) && burst.steady_word[i] != kNeverSteady && refresh<Key>(place, value));
  if (!steady || (burst.busy & hash_bit) != 0) {
    burst.busy |= hash_bit;
    burst.waiting |= uint32_t{1} << i;
    return;
  }
  burst.fate[i] = static_cast<Fate>(value.slot());
  burst.steady |= uint32_t{1} << i;
  burst.out_ports |= uint64_t{1} << slot.plain_port;
}

// The first packet of a steady connection after a while. False: it is no longer alive, or its server is gone.
template <class Key>
bool Worker::refresh(typename FlowTable<Key>::Place place, FlowValue value) noexcept {
  if (timeouts_.expired(value.state(), value.last_seen(), tick_)) return false;
  if (snapshot_->detail(value.slot()).link == LinkId::kGone) return false;
  FlowTable<Key>::set_value(place, FlowValue(value.slot(), value.generation(), value.state(), tick_));
  return true;
}

// After the loops above: an insert moves entries, and nothing points at one here. Each look-up begins anew, so a second
// packet of a new connection finds what the first one has inserted.
void Worker::resolve_waiting(Burst& burst) noexcept {
  for_each_bit(burst.waiting & burst.plain, [&](unsigned i) {
    const FrameView view = view_of(*burst.frames[i]);
    const auto protocol = view.load<uint8_t>(kEthernetHeader + 9);
    const auto flags = view.load<uint8_t>(kEthernetHeader + kMinIpv4Header + 13);
    burst.facts[i] = {Burst::Kind::kFlow, protocol, protocol == kIpProtocolTcp ? flags : uint8_t{0}, false};
  });
  for_each_bit(burst.waiting, [&](unsigned i) {
    switch (burst.facts[i].kind()) {
      case Burst::Kind::kFlow: burst.fate[i] = resolve(burst, i, *flows_, burst.narrow.key[i]); break;
      case Burst::Kind::kWideFlow: burst.fate[i] = resolve(burst, i, *wide_flows_, burst.wide.key[i]); break;
      case Burst::Kind::kOnePacket: burst.fate[i] = schedule_one_packet(burst, i); break;
      case Burst::Kind::kFragment: burst.fate[i] = follow_first_fragment(burst, i); break;
      case Burst::Kind::kIcmpError: burst.fate[i] = steer_icmp_error(burst, i); break;
    }
    if (burst.facts[i].first_fragment()) [[unlikely]]
      note_first_fragment(burst, i);
  });
}

// Do the steady frames of this burst, which has no others but waiting ones, go as they are to one port that we know?
bool Worker::goes_to_one_port(const Burst& burst) const noexcept {
  return (burst.flows | burst.wide_flows) == burst.all() && burst.odd == 0 && std::has_single_bit(burst.out_ports) &&
         tx_.knows(static_cast<uint16_t>(std::countr_zero(burst.out_ports)));
}

// MAC addresses, counters. A slot's counters stay in registers while frames go to the same one: to add to what has just
// been written to memory takes longer than all the rest. Chosen without a branch: which slot is next, nobody guesses.
void Worker::rewrite_steady(Burst& burst, uint32_t which) noexcept {
  const RealSlot* const slots = snapshot_->slots().data();
  SlotCounters* const all_counters = slot_counters_.data();
  uint64_t packets = 0, bytes = 0;
  uint32_t last = UINT32_MAX;
  const auto rewrite = [&](unsigned i) {
    const auto id = static_cast<uint32_t>(burst.fate[i]);
    std::memcpy(burst.header[i], slots[id].macs.data(), slots[id].macs.size());
    SlotCounters& counters = all_counters[id];
    const uint64_t same = id == last ? ~uint64_t{0} : 0;
    packets = ((packets & same) | (counters.packets & ~same)) + 1;
    bytes = ((bytes & same) | (counters.bytes & ~same)) + burst.ip_length[i];
    set(counters.packets, packets);
    set(counters.bytes, bytes);
    last = id;
  };
  if (which == burst.all()) [[likely]] {
    for (unsigned i = 0; i < burst.count; ++i) rewrite(i);
  } else {
    for_each_bit(which, rewrite);
  }
  burst.rewritten |= which;
}

// In the order of arrival, so that no connection is reordered.
void Worker::send(Burst& burst) noexcept {
  if (burst.steady == burst.all() && goes_to_one_port(burst)) [[likely]] {
    rewrite_steady(burst, burst.steady & ~burst.rewritten);
    const auto port = static_cast<uint16_t>(std::countr_zero(burst.out_ports));
    return count_sent(tx_.send_all(port, {burst.frames.data(), burst.count}));
  }
  send_each(burst);
  if (released_count_ > 0) [[unlikely]]
    send_released();
  count_sent(tx_.flush());
}

void Worker::send_each(Burst& burst) noexcept {
  for (unsigned i = 0; i < burst.count; ++i) {
    if (burst.fate[i] == Fate::kDone) continue;
    const SlotId id{static_cast<uint16_t>(burst.fate[i])};
    const RealSlot& slot = snapshot_->slot(id);
    uint16_t port = slot.plain_port;
    if ((burst.rewritten >> i & 1) != 0) {
      tx_.put(port, burst.frames[i]);
      continue;
    }
    if ((burst.odd >> i & 1) != 0 || !tx_.knows(port)) [[unlikely]] {
      if (!prepare_odd(burst, i, id)) continue;
      port = snapshot_->link(id).port;
    }
    send_to(burst.frames[i], id, slot, port, burst.ip_length[i]);
  }
}

void Worker::count_sent(TxPorts::Flushed flushed) noexcept {
  add<uint64_t>(counters_.transmitted, flushed.sent);
  if (flushed.refused > 0) [[unlikely]]
    add<uint64_t>(counters_.dropped[static_cast<size_t>(DropReason::kTxQueueFull)], flushed.refused);
}

void Worker::finish() noexcept {
  flush_punts();
  if (dropped_count_ > 0) {
    rte_pktmbuf_free_bulk(dropped_.data(), dropped_count_);
    dropped_count_ = 0;
  }
}

}  // namespace lbdp::dataplane
