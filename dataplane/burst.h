// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <cstdint>

#include "dataplane/flow_table.h"
#include "dataplane/packet.h"
#include "dataplane/worker.h"

namespace lbdp::dataplane {

/// What became of a frame in the burst: a SlotId's number if it goes to that real server.
enum class Worker::Fate : uint32_t {
  kDone = 0x10000,  // dropped, punted or held, and counted
};

/// What the stages tell each other about one burst; by the frame's index. Arrays a field, so that each stage touches
/// little.
struct Worker::Burst {
  enum class Kind : uint8_t {
    kFlow,       // of a connection with a FlowKey
    kWideFlow,   // with a WideKey
    kOnePacket,  // to a virtual server that has no connections
    kFragment,   // a later fragment
    kIcmpError,
  };
  static_assert(kBurst == 32, "a bit a frame in `waiting`");

  rte_mbuf* const* frames = nullptr;
  const WorkerPort* port = nullptr;
  unsigned count = 0;
  unsigned candidates = 0;
  unsigned wide_candidates = 0;
  uint32_t waiting = 0;  // a bit a frame: those that are not steady
  uint64_t busy = 0;     // a bit for a 64th of the hashes: connections with a packet that waits
  std::array<uint8_t, kBurst> candidate;       // indices of frames of kFlow
  std::array<uint8_t, kBurst> wide_candidate;  // of kWideFlow
  std::array<FlowKey, kBurst> key;
  std::array<WideKey, kBurst> wide_key;
  std::array<uint32_t, kBurst> hash;
  /// What the flow's value holds above its slot if nothing about it is to change, generation aside.
  std::array<uint64_t, kBurst> steady;
  std::array<uint32_t, kBurst> ip_length;
  std::array<uint8_t, kBurst> protocol;
  std::array<uint8_t, kBurst> flags;  // as in Parsed
  std::array<Kind, kBurst> kind;
  std::array<bool, kBurst> tagged;          // with a VLAN id
  std::array<bool, kBurst> first_fragment;
  std::array<Fate, kBurst> fate;
};

[[nodiscard]] inline FrameView view_of(const rte_mbuf& frame) noexcept {
  const uint16_t tag = (frame.ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0 ? frame.vlan_tci : uint16_t{0};
  return {rte_pktmbuf_mtod(&frame, const uint8_t*), frame.data_len, frame.pkt_len, tag};
}

}  // namespace lbdp::dataplane
