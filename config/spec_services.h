// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What virtual servers and their groups say.

#include <optional>
#include <string>
#include <vector>

#include "config/address_range.h"
#include "config/model_services.h"
#include "config/spec_checks.h"
#include "config/spec_common.h"

namespace lbdp::config {

enum class LbKind : uint8_t { kDirectRouting };

struct RealServerSpec : CheckDefaultsSpec {
  std::optional<IpAddress> address;  // none: the head was wrong, and is reported
  std::optional<uint16_t> port;
  Place place;
  Setting<int> weight;
  Setting<LbKind> lvs_method;
  Setting<uint32_t> uthreshold, lthreshold;
  Setting<bool> inhibit_on_failure;
  Setting<bool> smtp_alert;
  Setting<CommandLine> notify_up, notify_down;
  std::vector<CheckerSpec> checkers;
};

/// A persistence_granularity before the family is known.
struct GranularitySpec {
  bool netmask = false;  // written as 255.255.255.0, IPv4's form
  uint8_t bits = 0;
};

/// virtual_server ADDRESS [PORT], virtual_server fwmark MARK or virtual_server group NAME.
struct VirtualServerHead {
  std::optional<IpAddress> address;
  uint16_t port = 0;
  bool by_mark = false;  // fwmark, be the mark right or wrong
  std::optional<uint32_t> fwmark;
  std::optional<std::string> group;
  Place place;  // of the address, mark or name

  [[nodiscard]] bool known() const { return address || fwmark || group; }  // false: it was wrong, and is reported
};

struct VirtualServerSpec : CheckDefaultsSpec {
  VirtualServerHead head;
  Place place;
  Setting<LbAlgo> lb_algo;
  Setting<LbKind> lb_kind;
  Setting<Protocol> protocol;
  // Flags of one scheduler each, and what ipvsadm calls flag-1 and flag-2: fallback and port of either.
  Setting<bool> sh_port, sh_fallback, mh_port, mh_fallback, flag_1, flag_2;
  Setting<bool> ops;
  Setting<Duration> persistence_timeout;
  Setting<GranularitySpec> persistence_granularity;
  Setting<Family> ip_family;
  Setting<uint32_t> quorum, hysteresis;
  Setting<CommandLine> quorum_up, quorum_down;
  Setting<Endpoint> sorry_server;
  Setting<bool> sorry_server_inhibit;
  Setting<LbKind> sorry_server_lvs_method;
  Setting<bool> ha_suspend, omega;
  Setting<int> weight;
  Setting<bool> inhibit_on_failure;
  Setting<bool> smtp_alert;
  std::vector<RealServerSpec> real_servers;
};

/// One line of a virtual_server_group: addresses with a port, or a mark.
struct GroupEntrySpec {
  AddressRange range;
  uint16_t port = 0;
  std::optional<uint32_t> fwmark;  // then there is no range
  std::optional<Family> family;    // of a mark, if the line says it
  Place place;
};

struct VirtualServerGroupSpec {
  std::string name;
  Place place;
  std::vector<GroupEntrySpec> entries;
  bool broken = false;  // a line was refused: then nothing is said about the others' being too few
};

}  // namespace lbdp::config
