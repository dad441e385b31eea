// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/types/be.h"
#include "config/types/result.h"

namespace lbdp {

enum class Family : uint8_t { kIpv4, kIpv6 };

/// An IPv4 or IPv6 address, kept in network byte order. Default-constructed: 0.0.0.0.
class IpAddress {
 public:
  constexpr IpAddress() = default;
  static IpAddress v4(Be<uint32_t> address);
  static IpAddress v6(std::span<const uint8_t, 16> address);
  /// Numeric addresses only ("192.0.2.1", "2001:db8::1"); names are never looked up.
  static Result<IpAddress> parse(std::string_view text);

  [[nodiscard]] Family family() const { return family_; }
  [[nodiscard]] bool is_v4() const { return family_ == Family::kIpv4; }
  /// The IPv4 address; only for is_v4().
  [[nodiscard]] Be<uint32_t> v4() const;
  /// 4 or 16 bytes in network order.
  [[nodiscard]] std::span<const uint8_t> bytes() const { return {bytes_.data(), is_v4() ? size_t{4} : size_t{16}}; }
  [[nodiscard]] bool is_multicast() const;
  [[nodiscard]] bool is_unspecified() const;
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;
  /// IPv4 before IPv6, then numerically.
  friend std::strong_ordering operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  Family family_ = Family::kIpv4;
  std::array<uint8_t, 16> bytes_{};  // IPv4 uses the first four; the rest stay 0
};

/// An address with a prefix length ("172.18.250.75/16"); a missing length means the whole address (/32, /128).
struct IpPrefix {
  IpAddress address;
  uint8_t length = 32;

  static Result<IpPrefix> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;  // always with "/length"
  friend bool operator==(const IpPrefix&, const IpPrefix&) = default;
  friend std::strong_ordering operator<=>(const IpPrefix&, const IpPrefix&) = default;
};

}  // namespace lbdp

template <>
struct std::hash<lbdp::IpAddress> {
  size_t operator()(const lbdp::IpAddress& a) const noexcept;
};
