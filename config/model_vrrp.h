// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The part of the model that VRRP instances and their groups make. What they track is in model_trackers.h.

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "config/model_common.h"
#include "config/model_trackers.h"
#include "config/quoting.h"
#include "config/types/ip_address.h"
#include "config/types/mac_address.h"

namespace lbdp::config {

/// rtnetlink's scopes of addresses and routes; any number from 0 to 255 is one.
inline constexpr uint8_t kScopeGlobal = 0;
inline constexpr uint8_t kScopeSite = 200;
inline constexpr uint8_t kScopeLink = 253;
inline constexpr uint8_t kScopeHost = 254;
inline constexpr uint8_t kScopeNowhere = 255;

inline constexpr uint32_t kLifetimeForever = std::numeric_limits<uint32_t>::max();

/// A line of virtual_ipaddress, virtual_ipaddress_excluded or static_ipaddress.
struct VirtualAddress {
  IpPrefix prefix;
  std::string dev;               // empty: the instance's interface
  std::optional<IpAddress> brd;  // "+" and "-" are resolved
  uint8_t scope = kScopeGlobal;
  std::string label;
  std::optional<IpAddress> peer;
  bool home = false;
  bool nodad = false;  // "-nodad"
  bool mngtmpaddr = false;
  bool noprefixroute = false;
  bool autojoin = false;
  bool no_track = false;
  bool use_vmac = false;
  uint32_t preferred_lft = kLifetimeForever;  // seconds; 0 by default for an IPv6 host address
  std::string track_group;                    // of static_ipaddress only; empty: none

  friend bool operator==(const VirtualAddress&, const VirtualAddress&) = default;
};

/// A line of virtual_routes or static_routes. `words` is all of it but no_track and track_group, as `ip route add`
/// would take it; the other members are what of it is looked at most.
struct IpRoute {
  std::vector<std::string> words;
  Family family = Family::kIpv4;
  IpPrefix destination;  // length 0: the default route
  std::optional<IpAddress> via;
  std::string dev;  // empty: the kernel finds it
  bool no_track = false;
  std::string track_group;

  friend bool operator==(const IpRoute&, const IpRoute&) = default;
};

/// A line of virtual_rules or static_rules; `words` as in IpRoute, with the preference that the parser gave it.
struct IpRule {
  std::vector<std::string> words;
  Family family = Family::kIpv4;
  uint32_t preference = 0;
  bool no_track = false;
  std::string track_group;

  friend bool operator==(const IpRule&, const IpRule&) = default;
};

struct UnicastPeer {
  IpAddress address;
  uint8_t min_ttl = 0;
  uint8_t max_ttl = 255;

  friend bool operator==(const UnicastPeer&, const UnicastPeer&) = default;
};

/// Gratuitous ARP and unsolicited neighbour advertisements; resolved: instance, garp_group, global_defs.
struct GarpSettings {
  Duration master_delay = std::chrono::seconds(5);  // before the second set; 0: no second set
  unsigned master_repeat = 5;
  Duration master_refresh{0};  // 0: never
  unsigned master_refresh_repeat = 1;
  Duration lower_prio_delay = std::chrono::seconds(5);
  unsigned lower_prio_repeat = 5;
  Duration garp_interval{0};
  Duration gna_interval{0};
  GarpExtraIf extra_if;

  friend bool operator==(const GarpSettings&, const GarpSettings&) = default;
};

/// The commands of a vrrp_instance or vrrp_sync_group; empty: none. The commands of an instance that is a member of a
/// group are run beside the group's.
struct Notify {
  std::optional<CommandLine> master;
  std::optional<CommandLine> backup;
  std::optional<CommandLine> fault;
  std::optional<CommandLine> stop;
  std::optional<CommandLine> deleted;
  std::optional<CommandLine> any;                  // `notify`: for each transition, with four more arguments
  std::optional<CommandLine> master_rx_lower_pri;  // instances only
  bool says_deleted = false;                       // notify_deleted: DELETED instead of FAULT when a reload removes it
  bool priority_changes = false;                   // notify_priority_changes, on the FIFOs

  friend bool operator==(const Notify&, const Notify&) = default;
};

/// use_vmac: the instance has a MAC address of its own.
struct Vmac {
  std::string name;  // empty: "vrrp." and the VRID
  MacAddress mac;    // 00:00:5e:00:01:VRID, 00:00:5e:00:02:VRID for IPv6 (RFC 5798 section 7.3), or what the file says

  friend bool operator==(const Vmac&, const Vmac&) = default;
};

struct VrrpInstance {
  enum class State : uint8_t { kBackup, kMaster };
  /// Which checksum of version 3 unicast advertisements is taken and sent: keepalived's before 1.3.6 was another one.
  enum class OldChecksum : uint8_t { kDetect, kAlways, kNever };

  std::string name;
  Location where;
  State state = State::kBackup;  // a hint only
  std::string interface;
  uint8_t version = 2;            // 3 for IPv6
  Family family = Family::kIpv4;  // of the advertisements, and of virtual_ipaddress
  uint8_t virtual_router_id = 0;
  uint8_t priority = 100;
  Duration advert_int = std::chrono::seconds(1);  // version 2: whole seconds; version 3: units of 10 ms
  std::optional<std::string> auth_pass;           // set for auth_type PASS; at most 8 bytes; never for version 3

  IpAddress mcast_dst_ip;           // the group of the instance's family, global_defs' unless the instance has one
  std::optional<IpAddress> src_ip;  // mcast_src_ip or unicast_src_ip
  bool track_src_ip = false;        // FAULT while src_ip is on no interface
  std::vector<UnicastPeer> unicast_peers;  // any: advertisements go to these and not to the group
  bool unicast_fault_no_peer = false;      // FAULT for an instance that has no peer
  uint8_t unicast_ttl = 255;
  bool check_unicast_src = false;
  OldChecksum old_unicast_checksum = OldChecksum::kDetect;
  bool v3_checksum_as_v2 = false;

  std::vector<VirtualAddress> virtual_ipaddress;           // advertised
  std::vector<VirtualAddress> virtual_ipaddress_excluded;  // held too, not advertised; of either family
  std::vector<IpRoute> virtual_routes;
  std::vector<IpRule> virtual_rules;
  bool promote_secondaries = false;
  std::optional<Vmac> use_vmac;
  bool use_vmac_addr = false;
  bool vmac_xmit_base = false;

  Tracking tracking;
  bool dont_track_primary = false;

  bool nopreempt = false;
  Duration preempt_delay{0};
  unsigned down_timer_adverts = 3;
  bool lower_prio_no_advert = false;
  bool higher_prio_send_advert = false;
  bool owner_ignore_adverts = false;
  bool skip_check_adv_addr = false;
  bool strict_mode = false;
  bool accept = true;                           // the virtual addresses take connections; no_accept: only forward
  std::optional<uint8_t> timer_expired_backup;  // 0: step down and keep the priority

  GarpSettings garp;
  Notify notify;
  bool smtp_alert = false;                // resolved: instance, then smtp_alert_vrrp, then smtp_alert
  std::string lvs_sync_daemon_interface;  // deprecated: lvs_sync_daemon of global_defs; empty: not set

  friend bool operator==(const VrrpInstance&, const VrrpInstance&) = default;
};

struct VrrpSyncGroup {
  std::string name;
  Location where;
  std::vector<std::string> members;  // names of vrrp_instances
  Tracking tracking;
  Notify notify;
  bool smtp_alert = false;  // resolved as an instance's
  bool sync_group_tracking_weight = false;

  friend bool operator==(const VrrpSyncGroup&, const VrrpSyncGroup&) = default;
};

/// The interfaces of a garp_group share its pace; of one with `together`, as one.
struct GarpGroup {
  Location where;
  std::optional<Duration> garp_interval;
  std::optional<Duration> gna_interval;
  std::vector<std::string> interfaces;
  bool together = false;  // "interfaces", not "interface"

  friend bool operator==(const GarpGroup&, const GarpGroup&) = default;
};

/// How long an interface must be down, or up, before an instance takes notice.
struct InterfaceDelay {
  std::string interface;
  Duration down{0};
  Duration up{0};

  friend bool operator==(const InterfaceDelay&, const InterfaceDelay&) = default;
};

/// The instances that go to FAULT when a static address, route or rule of the group is lost.
struct TrackGroup {
  std::string name;
  std::vector<std::string> members;

  friend bool operator==(const TrackGroup&, const TrackGroup&) = default;
};

/// What is there always, whichever state the instances are in.
struct Statics {
  std::vector<VirtualAddress> addresses;  // `dev` is never empty
  std::vector<IpRoute> routes;
  std::vector<IpRule> rules;
  std::vector<TrackGroup> track_groups;

  friend bool operator==(const Statics&, const Statics&) = default;
};

}  // namespace lbdp::config
