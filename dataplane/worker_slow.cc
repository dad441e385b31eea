// SPDX-License-Identifier: BSD-2-Clause
// Frames that are not forwarded as they came: punts, drops, refusals, and those that need more than two MAC addresses.
#include <rte_ring.h>

#include <algorithm>
#include <cstring>

#include "dataplane/burst.h"
#include "dataplane/icmp_reply.h"
#include "dataplane/internet_checksum.h"
#include "dataplane/vlan_tag.h"
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
  if (p.version != IpVersion::kNone && p.unicast) {
    const VipOwner owner = snapshot_->owner_of(p.destination);
    // The kernel does not hold this address now, and might forward the frame: it must not see it.
    if (owner == VipOwner::kOther) return drop(frame, DropReason::kVipNotOwned);
    // The fragments that follow have no port by which to know that they are the kernel's, too; IPv6's may not even
    // have the protocol.
    const bool may_be_awaited = has_ports(p.protocol) || p.version == IpVersion::k6;
    if (owner == VipOwner::kUs && p.first_fragment && may_be_awaited) note_fragments(p, kKernel, 0);
  }
  punt(frame, p.verdict == Verdict::kFlow ? punt_class_of_flow(p) : p.punt_class);
}

// No usable server: say so to the client, within the rate.
Worker::Fate Worker::reject(Burst& burst, unsigned index) noexcept {
  send_icmp_error(burst, index, IcmpErrorKind::kPortUnreachable, 0);
  drop(burst.frames[index], DropReason::kNoRealServer);
  return Fate::kDone;
}

void Worker::send_icmp_error(const Burst& burst, unsigned index, IcmpErrorKind kind, uint32_t mtu) noexcept {
  const FrameView view = view_of(*burst.frames[index]);
  const Parsed p = parse(view, MacWord(burst.port->mac));
  const IcmpErrorInput input{.kind = kind,
                             .mtu = static_cast<uint16_t>(std::min<uint32_t>(mtu, UINT16_MAX)),
                             .place = place_of_packet(p),
                             .protocol = p.protocol,
                             .later_fragment = p.verdict == Verdict::kFragment};
  rte_mbuf* reply = reply_policer_.take(now_) ? rte_pktmbuf_alloc(reply_pool_) : nullptr;
  if (reply == nullptr) {
    add<uint64_t>(counters_.replies_policed, 1);
    return;
  }
  const std::span<uint8_t, kMaxIcmpReply> out(rte_pktmbuf_mtod(reply, uint8_t*), kMaxIcmpReply);
  const uint32_t length = build_icmp_error(view, input, burst.port->mac, out);
  reply->data_len = static_cast<uint16_t>(length);
  reply->pkt_len = length;
  // Back the way that the frame came. A tag that the driver had taken out is put in again, with its priority.
  reply->ol_flags |= burst.frames[index]->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED;
  reply->vlan_tci = burst.frames[index]->vlan_tci;
  const bool ready = length > 0 && (view.stripped_vlan_id() == 0 || set_vlan(*reply, view.stripped_vlan_id()));
  if (ready && tx_.send(static_cast<uint16_t>(burst.port->id), &reply, 1) == 1) {
    add<uint64_t>(counters_.replies, 1);
  } else {
    rte_pktmbuf_free(reply);
  }
}

// The frame cannot just get its MAC addresses and go. False: it goes nowhere, or has gone, and that is counted.
bool Worker::prepare_odd(Burst& burst, unsigned index, SlotId id) noexcept {
  rte_mbuf* const frame = burst.frames[index];
  const Link& link = snapshot_->link(id);
  if (!tx_.knows(link.port)) {
    drop(frame, link.no_way);
    return false;
  }
  if (burst.ip_length[index] > link.mtu) {
    if (parse(view_of(*frame), MacWord(burst.port->mac)).dont_fragment) {
      send_icmp_error(burst, index, IcmpErrorKind::kPacketTooBig, link.mtu);
      drop(frame, DropReason::kTooBig);
    } else if (const auto reason = send_in_pieces(*frame, id, burst.ip_length[index])) {
      drop(frame, *reason);
    } else {
      dropped_[dropped_count_++] = frame;  // its pieces are copies
    }
    return false;
  }
  if (set_vlan(*frame, link.vlan)) return true;
  drop(frame, DropReason::kNoHeadroom);
  return false;
}

constexpr uint16_t kShortestFrame = 60;  // Ethernet's minimum, without FCS

// Behind what is gathered for the port, so that no connection is reordered. As the kernel's IPVS does it.
std::optional<DropReason> Worker::send_in_pieces(rte_mbuf& frame, SlotId id, uint32_t ip_length) noexcept {
  const Link& link = snapshot_->link(id);
  if (!set_vlan(frame, link.vlan)) return DropReason::kNoHeadroom;
  const FrameView view(rte_pktmbuf_mtod(&frame, const uint8_t*), frame.data_len, frame.pkt_len, 0);
  const uint32_t l3 = kEthernetHeader + (view.load_be<uint16_t>(kEthernetHeader - 2).host() == kEtherVlan ? 4 : 0);
  std::array<uint8_t, kMaxIpv4Header> header;
  const uint32_t length = (view.load<uint8_t>(l3) & 0x0fU) * 4U;
  if (!view.copy(l3, length, header.data())) return DropReason::kTooBig;
  const Ipv4Cut cut({header.data(), length}, ip_length, std::min<uint32_t>(link.mtu, kPieceRoom - l3));
  // Each piece gets a checksum of its own: one that is wrong must not become right on the way.
  if (cut.count() == 0 || internet_checksum({header.data(), length}).raw() != 0) return DropReason::kTooBig;
  std::array<rte_mbuf*, Ipv4Cut::kMostPieces> pieces;
  if (rte_pktmbuf_alloc_bulk(piece_pool_, pieces.data(), cut.count()) != 0) return DropReason::kNoPieceBuffers;
  for (unsigned i = 0; i < cut.count(); ++i)
    fill_piece(*pieces[i], frame, l3, length, cut.piece(i), snapshot_->slot(id));
  count_sent(tx_.flush());
  SlotCounters& counters = slot_counters_[static_cast<size_t>(id)];
  add<uint64_t>(counters.packets, 1);
  add<uint64_t>(counters.bytes, ip_length);
  if (tx_.send_all(link.port, {pieces.data(), cut.count()}).refused > 0) return DropReason::kTxQueueFull;
  add<uint64_t>(counters_.transmitted, 1);
  add<uint64_t>(counters_.cut, 1);
  add<uint64_t>(counters_.pieces, cut.count());
  return std::nullopt;
}

// `l3` bytes of Ethernet header and tag as the frame has them now, the server's MAC addresses, and the piece.
void Worker::fill_piece(rte_mbuf& piece, const rte_mbuf& frame, uint32_t l3, uint32_t ip_header,
                        const Ipv4Cut::Piece& what, const RealSlot& slot) noexcept {
  const uint32_t headers = l3 + what.header_length;
  auto* const out =
      reinterpret_cast<uint8_t*>(rte_pktmbuf_append(&piece, static_cast<uint16_t>(headers + what.payload_length)));
  std::memcpy(out, rte_pktmbuf_mtod(&frame, const uint8_t*), l3);
  std::memcpy(out, slot.macs.data(), slot.macs.size());
  std::memcpy(out + l3, what.header.data(), what.header_length);
  uint8_t* const payload = out + headers;
  const void* const found =
      rte_pktmbuf_read(&frame, l3 + ip_header + what.payload_offset, what.payload_length, payload);
  if (found != payload) std::memcpy(payload, found, what.payload_length);
  if (piece.data_len < kShortestFrame) {
    const auto missing = static_cast<uint16_t>(kShortestFrame - piece.data_len);
    std::memset(rte_pktmbuf_append(&piece, missing), 0, missing);
  }
}

void Worker::drop(rte_mbuf* frame, DropReason reason) noexcept {
  add<uint64_t>(counters_.dropped[static_cast<size_t>(reason)], 1);
  dropped_[dropped_count_++] = frame;
}

// A frame that is not of this burst.
void Worker::drop_now(rte_mbuf* frame, DropReason reason) noexcept {
  add<uint64_t>(counters_.dropped[static_cast<size_t>(reason)], 1);
  rte_pktmbuf_free(frame);
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

// A frame that is not of this burst.
void Worker::punt_now(rte_mbuf* frame) noexcept {
  constexpr auto kClass = static_cast<size_t>(PuntClass::kBulk);
  if (!punt_policers_[kClass].take(now_)) return drop_now(frame, kPoliced[kClass]);
  if (rte_ring_enqueue(rings_.punt[kClass], frame) != 0) return drop_now(frame, DropReason::kPuntRingFull);
  add<uint64_t>(counters_.punted[kClass], 1);
}

}  // namespace lbdp::dataplane
