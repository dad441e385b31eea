// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The part of the model that global_defs makes.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/model_common.h"
#include "config/quoting.h"
#include "config/types/endpoint.h"
#include "config/types/ip_address.h"

namespace lbdp::config {

/// An account of the system; without a group its own.
struct Account {
  std::string user;
  std::string group;

  friend bool operator==(const Account&, const Account&) = default;
};

/// A named pipe that events are written to, and the program that reads it.
struct NotifyFifo {
  std::string path;
  Account owner;  // empty: script_user
  std::optional<CommandLine> script;

  friend bool operator==(const NotifyFifo&, const NotifyFifo&) = default;
};

/// A program that runs once, at start or stop.
struct OnceScript {
  std::optional<CommandLine> command;
  Duration timeout = std::chrono::seconds(10);

  friend bool operator==(const OnceScript&, const OnceScript&) = default;
};

/// lvs_sync_daemon: IPVS's synchronisation of connections.
struct LvsSyncDaemon {
  std::string interface;
  std::string instance;       // whose state decides who sends; empty: both send and receive always
  std::optional<uint8_t> id;  // none: the instance's VRID, or 0
  std::optional<uint16_t> maxlen;
  uint16_t port = 8848;
  uint8_t ttl = 1;
  IpAddress group;  // 224.0.0.81 by default, filled in by the parser

  friend bool operator==(const LvsSyncDaemon&, const LvsSyncDaemon&) = default;
};

/// dynamic_interfaces: interfaces may be missing at start; with kIfChanges they may also come back as another kind.
enum class DynamicInterfaces : uint8_t { kOff, kOn, kIfChanges };

/// Defaults of vrrp_instances. Members have their keywords' names.
struct VrrpGlobals {
  std::string default_interface = "eth0";
  IpAddress vrrp_mcast_group4;  // default 224.0.0.18 (RFC 3768 section 5.2.2), filled in by the parser
  IpAddress vrrp_mcast_group6;  // default ff02::12 (RFC 5798 section 5.1.2.2), filled in by the parser
  uint8_t vrrp_version = 2;
  Duration vrrp_garp_master_delay = std::chrono::seconds(5);  // 0: no second set
  uint32_t vrrp_garp_master_repeat = 5;
  Duration vrrp_garp_master_refresh{0};  // 0: never
  uint32_t vrrp_garp_master_refresh_repeat = 1;
  Duration vrrp_garp_lower_prio_delay = std::chrono::seconds(5);
  uint32_t vrrp_garp_lower_prio_repeat = 5;
  Duration vrrp_garp_interval{0};
  Duration vrrp_gna_interval{0};
  bool vrrp_min_garp = false;  // resolved: the defaults above are one set of one
  GarpExtraIf vrrp_garp_extra_if;
  uint8_t vrrp_down_timer_adverts = 3;
  bool vrrp_lower_prio_no_advert = false;
  bool vrrp_higher_prio_send_advert = false;
  bool vrrp_owner_ignore_adverts = false;
  bool vrrp_check_unicast_src = false;
  bool vrrp_skip_check_adv_addr = false;
  bool vrrp_strict = false;
  bool v3_checksum_as_v2 = false;
  bool vrrp_notify_priority_changes = false;
  Duration vrrp_startup_delay{0};
  Duration vrrp_delay_after_boot{0};
  bool log_unknown_vrids = false;
  std::string vmac_prefix = "vrrp";
  std::string vmac_addr_prefix;  // empty: vmac_prefix
  DynamicInterfaces dynamic_interfaces = DynamicInterfaces::kOff;

  friend bool operator==(const VrrpGlobals&, const VrrpGlobals&) = default;
};

struct GlobalDefs : VrrpGlobals {
  std::vector<std::string> notification_email;
  std::string notification_email_from;
  std::optional<Endpoint> smtp_server;  // port 25 unless given
  std::string smtp_helo_name;           // empty: the host's name
  Duration smtp_connect_timeout = std::chrono::seconds(30);
  std::string router_id;  // empty: the host's name
  std::optional<bool> smtp_alert;
  std::optional<bool> smtp_alert_vrrp;
  std::optional<bool> smtp_alert_checker;
  bool no_email_faults = false;
  bool no_checker_emails = false;
  bool checker_log_all_failures = false;
  bool rs_init_notifies = false;

  std::optional<LvsSyncDaemon> lvs_sync_daemon;

  Account script_user;  // empty: keepalived_script if there is such a user, or else root
  bool enable_script_security = false;
  bool use_symlink_paths = false;
  bool set_supplementary_groups = false;
  OnceScript startup_script;
  OnceScript shutdown_script;
  NotifyFifo notify_fifo;  // an empty path: none
  NotifyFifo vrrp_notify_fifo;
  NotifyFifo lvs_notify_fifo;
  bool fifo_write_vrrp_states_on_reload = false;

  friend bool operator==(const GlobalDefs&, const GlobalDefs&) = default;
};

}  // namespace lbdp::config
