// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What VRRP and its trackers say.

#include <string>
#include <vector>

#include "config/model_vrrp.h"
#include "config/spec_common.h"

namespace lbdp::config {

enum class AuthType : uint8_t { kPass };

struct VrrpInstanceSpec {
  std::string name;
  Place place;
  Setting<VrrpInstance::State> state;
  Setting<std::string> interface;
  Setting<uint8_t> virtual_router_id;
  Setting<uint8_t> priority;
  Setting<Duration> advert_int;
  Setting<AuthType> auth_type;
  Setting<std::string> auth_pass;
  std::vector<Item<IpPrefix>> virtual_ipaddress;
  bool names_address = false;  // a refused one too: then it does not lack one besides
  Setting<bool> preempt;       // false: nopreempt
  Setting<Duration> preempt_delay;
  Setting<bool> smtp_alert;
};

}  // namespace lbdp::config
