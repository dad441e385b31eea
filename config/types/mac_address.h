// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "config/types/result.h"

namespace lbdp {

/// An Ethernet address, bytes as on the wire.
struct MacAddress {
  std::array<uint8_t, 6> bytes{};

  static Result<MacAddress> parse(std::string_view text);  // "02:00:00:00:00:01"
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] bool is_group() const { return (bytes[0] & 1) != 0; }
  friend bool operator==(const MacAddress&, const MacAddress&) = default;
  friend std::strong_ordering operator<=>(const MacAddress&, const MacAddress&) = default;
};

}  // namespace lbdp
