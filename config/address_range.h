// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "config/types/ip_address.h"
#include "config/types/result.h"

namespace lbdp::config {

/// Consecutive addresses of one family; at least one.
struct AddressRange {
  /// As many as the dataplane has ids for.
  static constexpr uint32_t kMost = 65534;

  IpAddress first;
  uint32_t count = 1;

  [[nodiscard]] std::vector<IpAddress> addresses() const;
  friend bool operator==(const AddressRange&, const AddressRange&) = default;
};

/// What a line of keepalived's virtual_server_group may name: "192.0.2.1", "192.0.2.1-10" (the last byte; of an IPv6
/// address the last 16 bits, in hexadecimal), "192.0.2.250-192.0.3.10", "192.0.2.8/29" (all of its addresses, the first
/// and the last too).
Result<AddressRange> address_range(std::string_view text);

}  // namespace lbdp::config
