// SPDX-License-Identifier: BSD-2-Clause
#include "config/types/mac_address.h"

#include <charconv>
#include <cstdio>

namespace lbdp {

Result<MacAddress> MacAddress::parse(std::string_view text) {
  const auto bad = [&] { return fail("'" + std::string(text) + "' is not a MAC address like 02:00:00:00:00:01"); };
  if (text.size() != 17) return bad();
  MacAddress mac;
  for (size_t i = 0; i < 6; ++i) {
    const char* digits = text.data() + i * 3;
    const auto [end, ec] = std::from_chars(digits, digits + 2, mac.bytes[i], 16);
    if (ec != std::errc{} || end != digits + 2 || (i < 5 && digits[2] != ':')) return bad();
  }
  return mac;
}

std::string MacAddress::to_string() const {
  std::array<char, 18> text{};
  std::snprintf(text.data(), text.size(), "%02x:%02x:%02x:%02x:%02x:%02x", bytes[0], bytes[1], bytes[2], bytes[3],
                bytes[4], bytes[5]);
  return text.data();
}

}  // namespace lbdp
