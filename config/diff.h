// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"

namespace lbdp::config {

/// One difference between two configurations.
struct Change {
  enum class Kind : uint8_t { kAdded, kChanged, kRemoved };

  Kind kind = Kind::kChanged;
  std::string what;      // "real server 172.18.250.77:80 of virtual server tcp/172.18.250.99:80", "vrrp_instance VI_1"
  std::string detail{};  // of a changed one: "weight 1 -> 3", "virtual_ipaddress + 10.0.0.9/32", "auth_pass changed"

  /// One line: "changed: vrrp_instance VI_1: priority 100 -> 90".
  [[nodiscard]] std::string to_string() const;
  friend bool operator==(const Change&, const Change&) = default;
};

[[nodiscard]] std::string_view to_string(Change::Kind kind);  // "added"

/// What has to change for `before` to become `after`, keyword by keyword as describe() of dump.h has them; of what is
/// added or removed only that it is. Virtual servers match by group, firewall mark, or protocol, address and port; real
/// servers by address and port; checkers by type and definition, and those that are left over by type and order. Where
/// a keyword stands for a secret, neither value is told.
[[nodiscard]] std::vector<Change> diff(const Model& before, const Model& after);

}  // namespace lbdp::config
