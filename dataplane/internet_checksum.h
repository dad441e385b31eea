// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The Internet checksum (RFC 1071), piece by piece.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "config/types/be.h"
#include "dataplane/packet.h"

namespace lbdp::dataplane {

/// A ones' complement sum over pieces of any lengths: where a piece ends does not matter, odd lengths too. It holds
/// for 2^32 bytes.
class InternetSum {
 public:
  void add(std::span<const uint8_t> bytes) noexcept {
    add_piece(static_cast<uint32_t>(bytes.size()),
              [&](uint32_t offset, void* to, uint32_t length) { std::memcpy(to, bytes.data() + offset, length); });
  }
  /// The range has to be wholly in the first segment.
  void add(FrameView frame, uint32_t offset, uint32_t length) noexcept {
    add_piece(length, [&](uint32_t at, void* to, uint32_t bytes) {
      frame.copy(offset + at, bytes, static_cast<uint8_t*>(to));
    });
  }
  void add(Be<uint32_t> word) noexcept {
    const uint32_t raw = word.raw();
    add_piece(4, [&](uint32_t, void* to, uint32_t length) { std::memcpy(to, &raw, length); });
  }

  /// What a header's checksum field has to hold, if it was summed up as 0.
  [[nodiscard]] Be<uint16_t> checksum() const noexcept {
    return Be<uint16_t>::from_raw(static_cast<uint16_t>(~fold(sum_)));
  }
  /// If the checksum field was summed up as it came: is it right?
  [[nodiscard]] bool good() const noexcept { return fold(sum_) == 0xffff; }

 private:
  static constexpr uint16_t fold(uint64_t sum) {
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<uint16_t>(sum);
  }
  // Summed in the machine's byte order, which swaps the sum's bytes and nothing else (RFC 1071, section 2 (B)); behind
  // an odd number of bytes, the pairs begin at the other byte, which does the same.
  template <class Copy>
  void add_piece(uint32_t length, Copy&& copy) noexcept {
    uint64_t sum = 0;
    uint32_t at = 0;
    for (; length - at >= 4; at += 4) {
      uint32_t word = 0;
      copy(at, &word, 4);
      sum += word;
    }
    if (at < length) {
      uint32_t rest = 0;  // zeros behind the last byte change no sum
      copy(at, &rest, length - at);
      sum += rest;
    }
    const uint16_t folded = fold(sum);
    sum_ += odd_ ? __builtin_bswap16(folded) : folded;
    odd_ = odd_ != (length % 2 != 0);
  }

  uint64_t sum_ = 0;
  bool odd_ = false;
};

/// Over bytes in network order.
[[nodiscard]] inline Be<uint16_t> internet_checksum(std::span<const uint8_t> bytes) noexcept {
  InternetSum sum;
  sum.add(bytes);
  return sum.checksum();
}

}  // namespace lbdp::dataplane
