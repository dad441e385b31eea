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
  /// Of a frame that waits; of others nobody asks.
  class FrameFacts {
   public:
    FrameFacts() = default;
    FrameFacts(Kind kind, uint8_t protocol, uint8_t flags, bool first_fragment)
        : kind_(kind), protocol_(protocol), flags_(flags), first_fragment_(first_fragment) {}

    [[nodiscard]] uint8_t protocol() const { return protocol_; }
    [[nodiscard]] uint8_t flags() const { return flags_; }  // as in Parsed
    [[nodiscard]] Kind kind() const { return kind_; }
    [[nodiscard]] bool first_fragment() const { return first_fragment_; }

   private:
    Kind kind_ = Kind::kFlow;
    uint8_t protocol_ = 0;
    uint8_t flags_ = 0;
    bool first_fragment_ = false;
  };
  /// A frame's connection: its key, and the bucket in which it is looked for first.
  template <class Key>
  struct Wanted {
    std::array<Key, kBurst> key;
    std::array<FlowBucket<Key>*, kBurst> bucket;
  };
  /// Forgets the burst before. What is held by the frame's index stays: each stage reads what an earlier one has
  /// written.
  void begin(const WorkerPort& from, unsigned received) {
    port = &from;
    count = received;
    plain = flows = wide_flows = odd = steady = missed = waiting = rewritten = 0;
    busy = out_ports = 0;
  }
  /// The bits of all frames.
  [[nodiscard]] uint32_t all() const { return count == kBurst ? ~uint32_t{0} : (uint32_t{1} << count) - 1; }

  static_assert(kBurst == 32, "a bit a frame");

  std::array<rte_mbuf*, kBurst> frames;
  const WorkerPort* port = nullptr;
  unsigned count = 0;
  // A bit a frame:
  uint32_t plain = 0;       // of the plainest kind; they have no facts yet
  uint32_t flows = 0;       // of kFlow
  uint32_t wide_flows = 0;  // of kWideFlow
  uint32_t odd = 0;         // those with a VLAN id, or longer than some link's MTU
  uint32_t steady = 0;      // those of which the connection says where they go, and nothing changes
  uint32_t missed = 0;      // those that are not in their first bucket
  uint32_t waiting = 0;     // those that are not steady
  uint32_t rewritten = 0;   // those that have their MAC addresses already
  uint64_t busy = 0;        // a bit for a 64th of the hashes: connections with a packet that waits
  uint64_t out_ports = 0;   // a bit for each RealSlot::plain_port to which a steady frame goes
  std::array<uint8_t*, kBurst> header;
  std::array<uint32_t, kBurst> ip_length;
  Wanted<FlowKey> narrow;
  Wanted<WideKey> wide;
  std::array<uint32_t, kBurst> hash;
  /// What the flow's value holds above its slot if nothing about it is to change, generation aside.
  std::array<uint64_t, kBurst> steady_word;
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
