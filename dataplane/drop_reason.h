// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lbdp::dataplane {

/// Why a worker dropped a received frame. Every drop has exactly one reason.
enum class DropReason : uint8_t {
  kNotForUs,         // unicast to another MAC
  kTruncated,        // the frame ends before the headers that it announces
  kHeadersSplit,     // the headers do not lie in the mbuf's first segment
  kBadIpHeader,      // version, IPv4's header length, too many of IPv6's headers, IPv6 with IPv4-mapped addresses
  kBadIpLength,      // shorter than the IP header or longer than the frame
  kFragment,         // a fragment to a VIP of ours whose first one did not come in time, or had no room to wait for it
  kBadIcmpChecksum,  // an ICMP error about a flow
  kTooBig,           // longer than the MTU of the way to the real server, and not to be cut
  kNoPieceBuffers,   // the same, to be cut, and no buffers left for the pieces
  kNoHeadroom,       // no room in the buffer for the VLAN tag of the real server's segment
  kVipNotOwned,      // to a VIP that another director owns now
  kNoRealServer,     // a new connection, and no usable real server
  kNoNeighbor,       // the connection's real server has no resolved MAC
  kServerGone,       // the connection's real server left the table, and expire_nodest_conn is 0
  kNoEgress,         // the real server is behind a port that this worker does not know
  kTxQueueFull,      // the egress queue (or the ring to the worker that owns it) took no more
  kPuntPolicedVrrp,  // over the rate at which a class may go to the kernel
  kPuntPolicedControl,
  kPuntPolicedBulk,
  kPuntRingFull,  // the exception thread is behind
};
inline constexpr size_t kDropReasons = static_cast<size_t>(DropReason::kPuntRingFull) + 1;

/// "not_for_us", "fragment", ...: the name in `show drops` and in metrics.
[[nodiscard]] constexpr std::string_view to_string(DropReason reason) {
  switch (reason) {
    case DropReason::kNotForUs: return "not_for_us";
    case DropReason::kTruncated: return "truncated";
    case DropReason::kHeadersSplit: return "headers_split";
    case DropReason::kBadIpHeader: return "bad_ip_header";
    case DropReason::kBadIpLength: return "bad_ip_length";
    case DropReason::kFragment: return "fragment";
    case DropReason::kBadIcmpChecksum: return "bad_icmp_checksum";
    case DropReason::kTooBig: return "too_big";
    case DropReason::kNoPieceBuffers: return "no_piece_buffers";
    case DropReason::kNoHeadroom: return "no_headroom";
    case DropReason::kVipNotOwned: return "vip_not_owned";
    case DropReason::kNoRealServer: return "no_real_server";
    case DropReason::kNoNeighbor: return "no_neighbor";
    case DropReason::kServerGone: return "server_gone";
    case DropReason::kNoEgress: return "no_egress";
    case DropReason::kTxQueueFull: return "tx_queue_full";
    case DropReason::kPuntPolicedVrrp: return "punt_policed_vrrp";
    case DropReason::kPuntPolicedControl: return "punt_policed_control";
    case DropReason::kPuntPolicedBulk: return "punt_policed_bulk";
    case DropReason::kPuntRingFull: return "punt_ring_full";
  }
  return "?";
}

}  // namespace lbdp::dataplane
