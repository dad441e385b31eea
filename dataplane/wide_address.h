// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "config/types/be.h"
#include "config/types/ip_address.h"

namespace lbdp::dataplane {

/// An IPv6 address, or an IPv4 address in its IPv4-mapped form (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2), as two words
/// of the bytes in network order: cheap to compare and to hash, and the same for both families.
struct WideAddress {
  uint64_t first = 0;
  uint64_t second = 0;

  static WideAddress from_v4(Be<uint32_t> address) {
    static_assert(std::endian::native == std::endian::little);
    return {0, uint64_t{address.raw()} << 32 | 0xffff0000U};
  }
  static WideAddress from_bytes(const uint8_t* sixteen) {
    WideAddress out;
    std::memcpy(&out.first, sixteen, 8);
    std::memcpy(&out.second, sixteen + 8, 8);
    return out;
  }
  static WideAddress of(const IpAddress& address) {
    return address.is_v4() ? from_v4(address.v4()) : from_bytes(address.bytes().data());
  }
  [[nodiscard]] bool is_v4() const { return first == 0 && (second & 0xffffffffU) == 0xffff0000U; }
  /// Only for is_v4().
  [[nodiscard]] Be<uint32_t> v4() const { return Be<uint32_t>::from_raw(static_cast<uint32_t>(second >> 32)); }
  [[nodiscard]] IpAddress to_ip() const {
    if (is_v4()) return IpAddress::v4(v4());
    uint8_t bytes[16];
    std::memcpy(bytes, &first, 8);
    std::memcpy(bytes + 8, &second, 8);
    return IpAddress::v6(bytes);
  }

  friend bool operator==(const WideAddress&, const WideAddress&) = default;
};

/// The bits of an address that are set in `mask`.
[[nodiscard]] inline WideAddress masked(const WideAddress& address, const WideAddress& mask) {
  return {address.first & mask.first, address.second & mask.second};
}
/// A masked address as a prefix.
[[nodiscard]] inline IpPrefix to_prefix(const WideAddress& address, const WideAddress& mask) {
  const int bits = std::popcount(mask.first) + std::popcount(mask.second);
  return {address.to_ip(), static_cast<uint8_t>(address.is_v4() ? bits - 96 : bits)};
}

}  // namespace lbdp::dataplane
