// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What VRRP instances, their groups and the static addresses say.

#include <string>
#include <vector>

#include "config/model_vrrp.h"
#include "config/spec_common.h"
#include "config/spec_trackers.h"

namespace lbdp::config {

enum class AuthType : uint8_t { kPass };

/// The notify keywords and mails; VrrpInstanceSpec and VrrpSyncGroupSpec have them.
struct NotifySpec {
  Setting<CommandLine> notify_master;
  Setting<CommandLine> notify_backup;
  Setting<CommandLine> notify_fault;
  Setting<CommandLine> notify_stop;
  Setting<std::optional<CommandLine>> notify_deleted;
  Setting<CommandLine> notify;
  Setting<CommandLine> notify_master_rx_lower_pri;
  Setting<bool> notify_priority_changes;
  Setting<bool> smtp_alert;
};

/// Lines of virtual_ipaddress and its like.
struct AddressListSpec {
  Place place;
  std::vector<Item<VirtualAddress>> items;
  bool seen = false;
  bool names_address = false;  // a refused one too: then it does not lack one besides
};

using RouteListSpec = std::vector<Item<IpRoute>>;
using RuleListSpec = std::vector<Item<IpRule>>;

struct UnicastPeerListSpec {
  Place place;
  std::vector<Item<UnicastPeer>> items;
  bool seen = false;
  bool limits_ttl = false;  // min_ttl or max_ttl somewhere
};

/// The garp_* keywords; those of vrrp_garp_* in global_defs are their defaults.
struct GarpSpec {
  Setting<Duration> garp_master_delay;
  Setting<uint32_t> garp_master_repeat;
  Setting<Duration> garp_master_refresh;
  Setting<uint32_t> garp_master_refresh_repeat;
  Setting<Duration> garp_lower_prio_delay;
  Setting<uint32_t> garp_lower_prio_repeat;
  Setting<Duration> garp_interval;
  Setting<Duration> gna_interval;
  Setting<GarpExtraIf> garp_extra_if;
};

struct VmacSpec {
  std::string name;
  std::optional<MacAddress> mac;  // the last octet is the VRID if `add_vrid`
  bool add_vrid = false;
};

struct VrrpInstanceSpec : TrackingSpec, NotifySpec, GarpSpec {
  std::string name;
  Place place;
  Setting<VrrpInstance::State> state;
  Setting<std::string> interface;
  Setting<uint8_t> virtual_router_id;
  Setting<uint8_t> priority;
  Setting<Duration> advert_int;
  Setting<uint8_t> version;
  Setting<bool> native_ipv6;
  Setting<AuthType> auth_type;
  Setting<std::string> auth_pass;

  Setting<IpAddress> mcast_src_ip;
  Setting<IpAddress> unicast_src_ip;
  Setting<IpAddress> mcast_dst_ip;
  Setting<bool> track_src_ip;
  UnicastPeerListSpec unicast_peer;
  Setting<bool> unicast_fault_no_peer;
  Setting<uint8_t> unicast_ttl;
  Setting<bool> check_unicast_src;
  Setting<VrrpInstance::OldChecksum> old_unicast_checksum;
  Setting<bool> v3_checksum_as_v2;

  AddressListSpec virtual_ipaddress;
  AddressListSpec virtual_ipaddress_excluded;
  Setting<bool> no_virtual_ipaddress;
  RouteListSpec virtual_routes;
  RuleListSpec virtual_rules;
  Setting<bool> promote_secondaries;
  Setting<VmacSpec> use_vmac;
  Setting<bool> use_vmac_addr;
  Setting<bool> vmac_xmit_base;

  Setting<bool> dont_track_primary;
  Setting<bool> preempt;  // false: nopreempt
  Setting<Duration> preempt_delay;
  Setting<uint8_t> down_timer_adverts;
  Setting<bool> lower_prio_no_advert;
  Setting<bool> higher_prio_send_advert;
  Setting<bool> owner_ignore_adverts;
  Setting<bool> skip_check_adv_addr;
  Setting<bool> strict_mode;
  Setting<bool> accept;
  Setting<uint8_t> timer_expired_backup;
  Setting<std::string> lvs_sync_daemon_interface;
};

struct VrrpSyncGroupSpec : TrackingSpec, NotifySpec {
  std::string name;
  Place place;
  std::vector<Item<std::string>> members;
  bool names_member = false;  // a refused one too
  Setting<bool> sync_group_tracking_weight;
};

struct GarpGroupSpec {
  Place place;
  Setting<Duration> garp_interval;
  Setting<Duration> gna_interval;
  Setting<std::string> interface;
  std::vector<Item<std::string>> interfaces;
};

struct TrackGroupSpec {
  std::string name;
  Place place;
  std::vector<Item<std::string>> members;
};

struct StaticsSpec {
  AddressListSpec addresses;
  RouteListSpec routes;
  RuleListSpec rules;
  std::vector<TrackGroupSpec> track_groups;
};

/// Everything about VRRP at the top level.
struct VrrpSpec {
  std::vector<VrrpSyncGroupSpec> sync_groups;
  std::vector<VrrpScriptSpec> scripts;
  std::vector<TrackFileSpec> files;
  std::vector<VrrpTrackProcessSpec> processes;
  std::vector<BfdInstanceSpec> bfd;
  StaticsSpec statics;
  std::vector<GarpGroupSpec> garp_groups;
  std::vector<Item<InterfaceDelay>> interface_delays;
};

}  // namespace lbdp::config
