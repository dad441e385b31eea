// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// How worker_fuzz reads its input: bytes to frames, to their places in buffers, and to tables.

#include <cstdint>
#include <span>

#include "tests/packet/support/director.h"
#include "tests/packet/support/packets.h"

namespace lbdp::fuzz {

/// Bytes, one after the other; behind the end come zeros.
class Input {
 public:
  explicit Input(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  [[nodiscard]] bool ended() const { return bytes_.empty(); }
  uint8_t byte() {
    if (bytes_.empty()) return 0;
    const uint8_t first = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return first;
  }
  [[nodiscard]] size_t left() const { return bytes_.size(); }

 private:
  std::span<const uint8_t> bytes_;
};

/// length (1), so many bytes; at least one.
[[nodiscard]] packet_tests::Bytes raw_frame(Input& in);
/// Kind (1), client and its port (1), TCP's flags or SCTP's chunk (1), then changes: how many (1, modulo 4), and for
/// each the offset and the new byte.
[[nodiscard]] packet_tests::Bytes sensible_frame(Input& in);

struct Placing {
  uint16_t port = 0;
  uint16_t worker = 0;
  packet_tests::Layout layout;
};
/// bit 0: port 1; bit 1: worker 1; bit 2: a tag was taken out, its TCI follows (2); bit 3: no headroom; bits 4, 5: so
/// many segments but the last, the length of each follows (1).
[[nodiscard]] Placing placing(Input& in, size_t frame_length);

/// A small set of tables: services of every kind, and servers that come, go, drain, lose their MAC, move to a VLAN or
/// behind a small MTU.
[[nodiscard]] dataplane::Tables tables(uint8_t which);

}  // namespace lbdp::fuzz
