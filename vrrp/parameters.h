// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/types/ip_address.h"

namespace lbdp::vrrp {

/// One VRRP instance's configuration, as vrrp takes it.
struct InstanceParams {
  std::string name;
  std::string interface;
  uint8_t virtual_router_id = 0;
  uint8_t priority = 100;                           // 255: owner of the addresses
  bool initial_master = false;                      // `state MASTER`: matters only with priority 255
  std::chrono::microseconds advert_int{1'000'000};  // v2: whole seconds
  std::optional<std::string> auth_pass;             // RFC 2338 simple text password; at most 8 bytes
  IpAddress multicast_group;
  std::vector<IpPrefix> virtual_addresses;
  bool nopreempt = false;
  std::chrono::microseconds preempt_delay{0};
  unsigned down_timer_adverts = 3;
  std::chrono::microseconds garp_master_delay{5'000'000};
  unsigned garp_master_repeat = 5;

  friend bool operator==(const InstanceParams&, const InstanceParams&) = default;
};

enum class State : uint8_t { kInit, kBackup, kMaster, kFault, kStopped };
[[nodiscard]] const char* to_string(State state);  // "MASTER"

/// Tells control what an instance did. `cause` is one line of text ("master down timer expired").
struct Transition {
  std::string instance;
  State from = State::kInit;
  State to = State::kInit;
  uint8_t priority = 0;
  std::string cause;
};

}  // namespace lbdp::vrrp
