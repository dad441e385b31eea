// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <bit>
#include <compare>
#include <cstdint>
#include <type_traits>

namespace lbdp {

/// An unsigned integer kept in network byte order, as it lies in a packet. Conversion is always explicit.
template <class T>
requires std::is_unsigned_v<T>
class Be {
 public:
  constexpr Be() = default;
  /// From host byte order.
  static constexpr Be from_host(T host) { return Be(swap(host)); }
  /// From the bytes as they lie in memory or in a packet.
  static constexpr Be from_raw(T raw) { return Be(raw); }

  [[nodiscard]] constexpr T host() const { return swap(raw_); }
  [[nodiscard]] constexpr T raw() const { return raw_; }

  friend constexpr bool operator==(Be, Be) = default;
  /// Orders by numeric (host) value.
  friend constexpr std::strong_ordering operator<=>(Be a, Be b) { return a.host() <=> b.host(); }

 private:
  constexpr explicit Be(T raw) : raw_(raw) {}

  static constexpr T swap(T value) {
    if constexpr (std::endian::native == std::endian::big || sizeof(T) == 1) {
      return value;
    } else if constexpr (sizeof(T) == 2) {
      return __builtin_bswap16(value);
    } else if constexpr (sizeof(T) == 4) {
      return __builtin_bswap32(value);
    } else {
      static_assert(sizeof(T) == 8);
      return __builtin_bswap64(value);
    }
  }

  T raw_ = 0;
};

}  // namespace lbdp
