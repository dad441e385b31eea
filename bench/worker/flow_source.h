// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <array>
#include <cstdint>
#include <vector>

#include "bench/worker/network.h"
#include "config/types/mac_address.h"

namespace lbdp::bench {

/// Bytes of a frame: the shortest on the wire without its checksum, or what IPv6 and UDP need.
[[nodiscard]] constexpr uint16_t frame_length(Family family) {
  return family == Family::kIpv4 ? uint16_t{60} : uint16_t{62};
}

/// Writes UDP frames to the director's MAC that differ in client, client port and virtual server. Checksums are valid
/// (UDP over IPv4 has none, which is).
class FrameWriter {
 public:
  FrameWriter(Family family, const MacAddress& director);
  /// At least kRoom bytes at `to`. The client's IPv4 address, or the host part of its IPv6 one; all in host order.
  void write(uint8_t* to, uint32_t client, uint16_t client_port, unsigned service) const;
  static constexpr uint32_t kRoom = 64;

 private:
  void write_ipv4(uint8_t* to, uint32_t client, uint16_t client_port, unsigned service) const;
  void write_ipv6(uint8_t* to, uint32_t client, uint16_t client_port, unsigned service) const;

  Family family_;
  std::array<uint8_t, kRoom> template_{};
  uint32_t constant_sum_ = 0;  // of the checksum's words that are the same in all frames
};

/// Which flows a source's frames belong to.
enum class Pattern : uint8_t {
  kOnce,         // each established flow once, in order; then nothing more
  kEstablished,  // established flows, each frame's drawn uniformly at random
  kFresh,        // a flow on each frame that was never there before
  kFlood,        // in turn an established one and a fresh one
};

/// Range of established flows, and where fresh ones go.
struct SourceParams {
  uint32_t first_flow = 0;
  uint32_t flows = 1;
  unsigned services = 1;       // flow i is for service i mod this
  unsigned fresh_service = 0;  // of fresh flows
  uint32_t fresh_clients = 0;  // fresh flows come from so many clients, each time from a new port; 0: from all of /8
  uint32_t stream = 0;         // of sources at work at the same time, which one: their fresh flows differ
};

/// Turns the empty frames of a net_null receive queue into a client's. One thread uses it.
///
/// Warm, it hands a frame out as soon as it has written it: its bytes are in the first-level cache. Cold, it hands out
/// the frame that it wrote so many frames before, from buffers in no order, as a NIC's come out of the last-level
/// cache.
class FlowSource {
 public:
  /// `cold`: frames between writing and handing out; 0: warm.
  FlowSource(const FrameWriter& writer, const SourceParams& params, rte_mempool* pool, uint32_t cold)
      : writer_(writer), params_(params), pool_(pool), delayed_(cold, nullptr) {}
  ~FlowSource();
  FlowSource(const FlowSource&) = delete;
  FlowSource& operator=(const FlowSource&) = delete;

  /// False: not enough buffers for a cold source.
  [[nodiscard]] bool set_pattern(Pattern pattern);
  [[nodiscard]] uint64_t established() const { return made_[kEstablished]; }  // frames handed out
  [[nodiscard]] uint64_t fresh() const { return made_[kFresh]; }
  [[nodiscard]] bool exhausted() const { return pattern_ == Pattern::kOnce && next_ >= params_.flows; }
  /// Fills frames; what it has no flow for is freed. Returns how many are left.
  uint16_t fill(rte_mbuf** frames, uint16_t count) noexcept;
  /// For rte_eth_add_rx_callback(); `source` is a FlowSource.
  static uint16_t on_receive(uint16_t port, uint16_t queue, rte_mbuf** frames, uint16_t count, uint16_t limit,
                             void* source);

 private:
  enum Kind : uint32_t { kEstablished, kFresh, kKinds };

  uint16_t fill_once(rte_mbuf** frames, uint16_t count) noexcept;
  bool prepare_delayed();
  void delay(rte_mbuf** frames, uint16_t count) noexcept;
  Kind write(rte_mbuf* frame, uint32_t turn) noexcept;
  void write_established(rte_mbuf* frame, uint32_t flow) noexcept;
  void write_fresh(rte_mbuf* frame) noexcept;
  uint32_t random_flow() noexcept;

  const FrameWriter& writer_;
  SourceParams params_;
  rte_mempool* pool_;
  std::vector<rte_mbuf*> delayed_;
  size_t oldest_ = 0;
  Pattern pattern_ = Pattern::kOnce;
  std::array<uint64_t, kKinds> made_{};
  uint32_t next_ = 0;
  uint64_t random_ = 0x853c49e6748fea9b;
  uint64_t next_fresh_ = 0;
  uint32_t fresh_client_ = 0;
  uint32_t fresh_port_ = 0;
};

}  // namespace lbdp::bench
