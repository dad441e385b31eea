// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// Cutting an IPv4 packet that is too long for a link (RFC 791, section 3.2). Headers only: no DPDK in here.

#include <array>
#include <cstdint>
#include <span>

namespace lbdp::dataplane {

inline constexpr uint32_t kMaxIpv4Header = 60;

/// Into which pieces a packet is cut, and their headers. The first piece has all of the packet's options, the others
/// those that have to be in every fragment. A packet that is a fragment itself can be cut further.
class Ipv4Cut {
 public:
  /// More pieces than this are not made: 64 KiB in pieces of 1,500 bytes are 45.
  static constexpr unsigned kMostPieces = 64;

  struct Piece {
    std::array<uint8_t, kMaxIpv4Header> header{};
    uint32_t header_length = 0;   // bytes
    uint32_t payload_offset = 0;  // from the end of the packet's own header
    uint32_t payload_length = 0;
  };

  /// `header`: the packet's whole IPv4 header, 20 to 60 bytes, a multiple of four. `ip_length`: of header and payload,
  /// not less than the header. `room`: the longest piece, in bytes of IP.
  Ipv4Cut(std::span<const uint8_t> header, uint32_t ip_length, uint32_t room);

  /// 0: it cannot be cut so. DF is not looked at: whether it may be cut is the caller's word.
  [[nodiscard]] unsigned count() const { return count_; }
  [[nodiscard]] Piece piece(unsigned index) const;

 private:
  [[nodiscard]] uint32_t first_payload() const { return payload_room(header_length_); }
  [[nodiscard]] uint32_t later_payload() const { return payload_room(later_length_); }
  [[nodiscard]] uint32_t payload_room(uint32_t header_length) const {
    return room_ <= header_length ? 0 : (room_ - header_length) & ~7U;  // offsets count in eights
  }
  void copy_options();

  std::array<uint8_t, kMaxIpv4Header> header_{}, later_{};
  uint32_t header_length_, later_length_ = 0;
  uint32_t payload_;
  uint32_t room_;
  unsigned count_ = 0;
};

}  // namespace lbdp::dataplane
