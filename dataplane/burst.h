// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <cstdint>

#include "dataplane/flow_table.h"
#include "dataplane/packet.h"
#include "dataplane/worker.h"

namespace lbdp::dataplane {

enum class Worker::FrameKind : uint8_t {
  kFlow,       // of a connection with a FlowKey
  kWideFlow,   // with a WideKey
  kOnePacket,  // to a virtual server that has no connections
  kFragment,   // a later fragment
  kIcmpError,
};

/// What became of a frame in the burst: a SlotId's number if it goes to that real server.
enum class Worker::Fate : uint32_t {
  kDone = 0x10000,  // dropped, punted or held, and counted
};

/// What the stages tell each other about one burst; by the frame's index. Arrays a field, so that each stage touches
/// little.
struct Worker::Burst {
  using Kind = FrameKind;
  /// In one word: it is written and read for every frame.
  class FrameFacts {
   public:
    FrameFacts() = default;
    FrameFacts(Kind kind, uint32_t ip_length, uint32_t protocol, uint32_t flags, bool odd, bool first_fragment)
        : word_(uint64_t{ip_length} | uint64_t{protocol} << 32 | uint64_t{flags} << 40 |
                static_cast<uint64_t>(kind) << 48 | uint64_t{first_fragment} << 56 | uint64_t{odd} << 63) {}

    [[nodiscard]] uint32_t ip_length() const { return static_cast<uint32_t>(word_); }
    [[nodiscard]] uint8_t protocol() const { return static_cast<uint8_t>(word_ >> 32); }
    [[nodiscard]] uint8_t flags() const { return static_cast<uint8_t>(word_ >> 40); }  // as in Parsed
    [[nodiscard]] Kind kind() const { return static_cast<Kind>(word_ >> 48 & 0xff); }
    [[nodiscard]] bool first_fragment() const { return (word_ >> 56 & 1) != 0; }
    /// It has a VLAN id, or is longer than some link's MTU.
    [[nodiscard]] bool odd() const { return static_cast<int64_t>(word_) < 0; }

   private:
    uint64_t word_ = 0;
  };
  /// The bits of all frames.
  [[nodiscard]] uint32_t all() const { return count == kBurst ? ~uint32_t{0} : (uint32_t{1} << count) - 1; }

  static_assert(kBurst == 32, "a bit a frame");

  rte_mbuf* const* frames = nullptr;
  const WorkerPort* port = nullptr;
  unsigned count = 0;
  // A bit a frame:
  uint32_t flows = 0;                      // of kFlow
  uint32_t wide_flows = 0;                 // of kWideFlow
  uint32_t missed = 0;                     // those that are not in their first bucket
  uint32_t waiting = 0;                    // those that are not steady
  uint64_t busy = 0;                       // a bit for a 64th of the hashes: connections with a packet that waits
  std::array<uint64_t, kBurst> addresses;  // of plain frames, as in PlainFlow
  std::array<uint32_t, kBurst> ports;
  std::array<FlowKey, kBurst> key;
  std::array<WideKey, kBurst> wide_key;
  std::array<uint32_t, kBurst> hash;
  /// What the flow's value holds above its slot if nothing about it is to change, generation aside.
  std::array<uint64_t, kBurst> steady;
  std::array<FrameFacts, kBurst> facts;
  std::array<Fate, kBurst> fate;
};

[[nodiscard]] inline FrameView view_of(const rte_mbuf& frame) noexcept {
  const uint16_t tag = (frame.ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0 ? frame.vlan_tci : uint16_t{0};
  return {rte_pktmbuf_mtod(&frame, const uint8_t*), frame.data_len, frame.pkt_len, tag};
}

[[nodiscard]] inline IpPlace place_of_packet(const Parsed& p) noexcept {
  return {p.l3_offset, p.l4_offset, p.version == IpVersion::k6};
}

}  // namespace lbdp::dataplane
