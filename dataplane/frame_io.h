// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <rte_mbuf.h>

namespace lbdp::dataplane {

/// Writes the frame to a tap in one system call: all segments, and the VLAN tag that the driver took out put back in.
/// The mbuf stays the caller's. False: the kernel did not take it.
[[nodiscard]] bool write_frame(int tap, const rte_mbuf& frame);

struct FrameRead {
  enum class Status {
    kFrame,
    kEmpty,    // nothing there now
    kDropped,  // a frame was read and lost: no mbuf, or longer than one
    kGone,     // the descriptor reads no more: the interface was deleted
  };
  Status status = Status::kEmpty;
  rte_mbuf* frame = nullptr;  // the caller's, only with kFrame
};

/// Reads one frame from a tap into one mbuf of `pool`, padded with zeros to Ethernet's minimum length.
[[nodiscard]] FrameRead read_frame(int tap, rte_mempool* pool);

}  // namespace lbdp::dataplane
