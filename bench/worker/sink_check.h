// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <rte_mbuf.h>

#include <cstdint>
#include <vector>

#include "bench/worker/network.h"

namespace lbdp::bench {

/// Looks at every frame that is sent: does each established flow stay with its real server, and is that one of its
/// virtual server's? Costs a cache miss a frame: not for modes that measure a rate. One thread uses it.
class SinkCheck {
 public:
  explicit SinkCheck(const Network& network) : network_(network), server_of_(kMaxFlows, kNone) {}

  void inspect(rte_mbuf* const* frames, uint16_t count) noexcept;
  [[nodiscard]] uint64_t frames() const { return frames_; }
  /// Frames that went to another server than their flow's first frame.
  [[nodiscard]] uint64_t moved() const { return moved_; }
  /// Frames that went to no server of their virtual server.
  [[nodiscard]] uint64_t misdirected() const { return misdirected_; }
  /// For rte_eth_add_tx_callback(); `check` is a SinkCheck.
  static uint16_t on_send(uint16_t port, uint16_t queue, rte_mbuf** frames, uint16_t count, void* check);

 private:
  static constexpr uint16_t kNone = 0xffff;

  Network network_;
  std::vector<uint16_t> server_of_;  // by flow
  uint64_t frames_ = 0;
  uint64_t moved_ = 0;
  uint64_t misdirected_ = 0;
};

}  // namespace lbdp::bench
