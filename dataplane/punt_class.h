// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lbdp::dataplane {

/// Classes of punted frames, first served first. A flood of one cannot starve those before it.
enum class PuntClass : uint8_t {
  kVrrp,     // IP protocol 112
  kControl,  // ARP, neighbour discovery, BFD, BGP
  kBulk,     // everything else for the kernel
};
inline constexpr size_t kPuntClasses = 3;

/// "vrrp", "control", "bulk".
[[nodiscard]] constexpr std::string_view to_string(PuntClass punt_class) {
  switch (punt_class) {
    case PuntClass::kVrrp: return "vrrp";
    case PuntClass::kControl: return "control";
    case PuntClass::kBulk: return "bulk";
  }
  return "?";
}

}  // namespace lbdp::dataplane
