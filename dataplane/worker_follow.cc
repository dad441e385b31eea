// SPDX-License-Identifier: BSD-2-Clause
// Packets that follow another one's connection: later fragments, ICMP errors, and what the NIC spreads in two ways.
#include <algorithm>

#include "dataplane/burst.h"
#include "dataplane/icmp_error.h"
#include "dataplane/vlan_tag.h"
#include "dataplane/worker.h"

namespace lbdp::dataplane {
namespace {

constexpr uint8_t kIpv6FragmentHeader = 44;

// Which protocol an IPv6 packet has, only its first fragment tells for sure.
FragmentKey fragment_key(const Parsed& p) {
  return {.source = p.source,
          .destination = p.destination,
          .identification = p.fragment_id,
          .protocol = p.version == IpVersion::k6 ? kIpv6FragmentHeader : p.protocol};
}

// A frame that has been looked at before, and found to be for us.
Parsed parse_again(const rte_mbuf& frame) {
  MacAddress destination;
  const FrameView view = view_of(frame);
  (void)view.copy(0, destination.bytes.size(), destination.bytes.data());
  return parse(view, MacWord(destination));
}

// RFC 792; RFC 4443, section 2.3. Over all segments.
bool icmp_checksum_good(const rte_mbuf& frame, IpPlace place) {
  const FrameView view = view_of(frame);
  const ChecksumVerdict verdict = check_icmp_checksum(view, place);
  if (verdict != ChecksumVerdict::kUnknown) return verdict == ChecksumVerdict::kGood;
  InternetSum sum = icmp_pseudo_header_sum(view, place);
  uint32_t skip = place.l4_offset, left = icmp_message_length(view, place);
  for (const rte_mbuf* segment = &frame; segment != nullptr && left > 0; segment = segment->next) {
    const uint32_t begin = std::min<uint32_t>(skip, segment->data_len);
    const uint32_t take = std::min<uint32_t>(left, segment->data_len - begin);
    sum.add({rte_pktmbuf_mtod(segment, const uint8_t*) + begin, take});
    skip -= begin;
    left -= take;
  }
  return left == 0 && sum.good();
}

}  // namespace

template <class Key>
std::optional<FlowValue> Worker::peek_peers(const Key& key) const noexcept {
  for (const Worker* peer : peers_) {
    const auto value = peer->table<Key>().peek(key);
    if (value && alive(*value)) return value;
  }
  return std::nullopt;
}

// NICs spread fragments by their addresses alone: the whole packets of the same flow may be another worker's.
template <class Key>
std::optional<FlowValue> Worker::known_elsewhere(const Burst& burst, unsigned index, const Key& key) const noexcept {
  if (peers_.empty()) return std::nullopt;
  const bool may_be_split =
      burst.facts[index].first_fragment() || (burst.facts[index].protocol() == kIpProtocolUdp &&
                                              shared_.fragmented_within(timeouts_.of(FlowState::kUdp), tick_));
  return may_be_split ? peek_peers(key) : std::nullopt;
}
template std::optional<FlowValue> Worker::known_elsewhere(const Burst&, unsigned, const FlowKey&) const noexcept;
template std::optional<FlowValue> Worker::known_elsewhere(const Burst&, unsigned, const WideKey&) const noexcept;

template <class Key>
std::optional<FlowValue> Worker::peek_anywhere(const Key& key) const noexcept {
  const auto value = table<Key>().peek(key);
  return value && alive(*value) ? value : peek_peers(key);
}

void Worker::note_first_fragment(Burst& burst, unsigned index) noexcept {
  if (burst.fate[index] == Fate::kDone) return;  // dropped: the rest will be, too
  const Parsed p = parse(view_of(*burst.frames[index]), MacWord(burst.port->mac));
  const SlotId slot{static_cast<uint16_t>(burst.fate[index])};
  if (p.protocol == kIpProtocolUdp) shared_.note_udp_fragment(tick_);
  note_fragments(p, slot, snapshot_->slot(slot).generation);
}

// A first fragment that the kernel gets: it is to have the rest, too.
void Worker::note_fragments_for_kernel(const Burst& burst, unsigned index) noexcept {
  note_fragments(parse(view_of(*burst.frames[index]), MacWord(burst.port->mac)), kKernel, 0);
}

// From now on the datagram's other fragments go to this slot. Those that came too early are sent behind this burst.
void Worker::note_fragments(const Parsed& p, SlotId slot, uint16_t generation) noexcept {
  const FragmentKey key = fragment_key(p);
  fragments_->note_first(key, slot, generation, now_);
  std::array<rte_mbuf*, kHeldPerDatagram> early;
  const size_t count = fragments_->take_held(key, early);
  for (size_t i = 0; i < count; ++i) {
    rte_mbuf* const frame = early[i];
    set<uint64_t>(counters_.held, counters_.held - 1);
    if (slot == kKernel) {
      punt_now(frame);
    } else if (released_count_ == released_.size()) {
      drop_now(frame, DropReason::kFragment);
    } else {
      released_[released_count_++] = {frame, slot};
    }
  }
}

Worker::Fate Worker::follow_first_fragment(Burst& burst, unsigned index) noexcept {
  rte_mbuf* const frame = burst.frames[index];
  const Parsed p = parse(view_of(*frame), MacWord(burst.port->mac));
  const auto first = fragments_->find(fragment_key(p), now_);
  if (first && first->slot == kKernel) {
    punt(frame, PuntClass::kBulk);
    return Fate::kDone;
  }
  if (first && first->generation == snapshot_->slot(first->slot).generation) return static_cast<Fate>(first->slot);
  if (!first && fragments_->hold(fragment_key(p), frame, now_)) {
    set<uint64_t>(counters_.held, counters_.held + 1);
    return Fate::kDone;
  }
  drop(frame, DropReason::kFragment);
  return Fate::kDone;
}

void Worker::expire_fragments() noexcept {
  std::array<rte_mbuf*, kBurst> late;
  size_t count = 0;
  do {  // at most what the table can hold
    count = fragments_->expire(now_, late);
    for (size_t i = 0; i < count; ++i) {
      set<uint64_t>(counters_.held, counters_.held - 1);
      drop_now(late[i], DropReason::kFragment);
    }
  } while (count == late.size());
}

void Worker::send_released() noexcept {
  for (unsigned i = 0; i < released_count_; ++i) {
    const auto [frame, id] = released_[i];
    const Link& link = snapshot_->link(id);
    const Parsed p = parse_again(*frame);
    if (!tx_.knows(link.port)) {
      drop_now(frame, link.no_way);
    } else if (p.ip_length > link.mtu) {
      const auto reason =
          p.dont_fragment ? std::optional(DropReason::kTooBig) : send_in_pieces(*frame, id, p.ip_length);
      if (reason) {
        drop_now(frame, *reason);
      } else {
        rte_pktmbuf_free(frame);
      }
    } else if (!set_vlan(*frame, link.vlan)) {
      drop_now(frame, DropReason::kNoHeadroom);
    } else {
      send_to(frame, id, snapshot_->slot(id), link.port, p.ip_length);
    }
  }
  released_count_ = 0;
}

Worker::Fate Worker::steer_icmp_error(Burst& burst, unsigned index) noexcept {
  rte_mbuf* const frame = burst.frames[index];
  const FrameView view = view_of(*frame);
  const Parsed p = parse(view, MacWord(burst.port->mac));
  const IpPlace place = place_of_packet(p);
  if (const auto quoted = parse_icmp_error(view, place)) {
    if (!icmp_checksum_good(*frame, place)) {
      drop(frame, DropReason::kBadIcmpChecksum);
      return Fate::kDone;
    }
    const auto value = find_quoted(*quoted);
    if (value && snapshot_->detail(value->slot()).link != LinkId::kGone) {
      adopt_tenancy(value->slot());  // the connection may be another worker's, and this the first packet here
      return static_cast<Fate>(value->slot());
    }
  }
  punt(frame, PuntClass::kBulk);
  return Fate::kDone;
}

std::optional<FlowValue> Worker::find_quoted(const QuotedFlow& quoted) const noexcept {
  const ServiceHit service = snapshot_->find_service(quoted.protocol, quoted.virtual_address, quoted.virtual_port);
  if (!service.owned() || service.one_packet()) return std::nullopt;
  if (service.wide())
    return peek_anywhere(WideKey(quoted.client, quoted.client_port, quoted.virtual_port, service.id()));
  return peek_anywhere(FlowKey(quoted.client.v4(), quoted.client_port, service.id()));
}

}  // namespace lbdp::dataplane
