// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The part of the model that VRRP and its trackers make.

#include <optional>
#include <string>
#include <vector>

#include "config/model_common.h"
#include "config/types/ip_address.h"

namespace lbdp::config {

struct VrrpInstance {
  enum class State : uint8_t { kBackup, kMaster };

  std::string name;
  Location where;
  State state = State::kBackup;  // a hint only
  std::string interface;
  uint8_t virtual_router_id = 0;
  uint8_t priority = 100;
  Duration advert_int = std::chrono::seconds(1);
  std::optional<std::string> auth_pass;  // set for auth_type PASS; at most 8 bytes
  std::vector<IpPrefix> virtual_ipaddress;
  bool nopreempt = false;
  Duration preempt_delay{0};
  bool smtp_alert = false;  // resolved: instance, then smtp_alert_vrrp, then smtp_alert

  friend bool operator==(const VrrpInstance&, const VrrpInstance&) = default;
};

}  // namespace lbdp::config
