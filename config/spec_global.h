// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What global_defs says. Members have their keywords' names.

#include <string>
#include <vector>

#include "config/model_global.h"
#include "config/spec_common.h"

namespace lbdp::config {

struct TimeoutsSpec {
  Setting<Duration> tcp, tcpfin, udp;
};

struct NotifyFifoSpec {
  Setting<NotifyFifo> fifo;  // without the script
  Setting<CommandLine> script;
};

/// Defaults of vrrp_instances.
struct VrrpGlobalSpec {
  Setting<std::string> default_interface;
  Setting<IpAddress> vrrp_mcast_group4, vrrp_mcast_group6;
  Setting<uint8_t> vrrp_version;
  Setting<Duration> vrrp_garp_master_delay, vrrp_garp_master_refresh, vrrp_garp_lower_prio_delay;
  Setting<uint32_t> vrrp_garp_master_repeat, vrrp_garp_master_refresh_repeat, vrrp_garp_lower_prio_repeat;
  Setting<Duration> vrrp_garp_interval, vrrp_gna_interval;
  Setting<bool> vrrp_min_garp;
  Setting<GarpExtraIf> vrrp_garp_extra_if;
  Setting<uint8_t> vrrp_down_timer_adverts;
  Setting<bool> vrrp_lower_prio_no_advert, vrrp_higher_prio_send_advert, vrrp_owner_ignore_adverts;
  Setting<bool> vrrp_check_unicast_src, vrrp_skip_check_adv_addr, vrrp_strict, v3_checksum_as_v2;
  Setting<bool> vrrp_notify_priority_changes, log_unknown_vrids;
  Setting<Duration> vrrp_startup_delay, vrrp_delay_after_boot;
  Setting<std::string> vmac_prefix, vmac_addr_prefix;
  Setting<DynamicInterfaces> dynamic_interfaces;
};

struct GlobalSpec : VrrpGlobalSpec {
  std::vector<std::string> notification_email;
  Place notification_email_place;
  Setting<std::string> notification_email_from;
  Setting<Endpoint> smtp_server;
  Setting<std::string> smtp_helo_name;
  Setting<Duration> smtp_connect_timeout;
  Setting<std::string> router_id;
  Setting<bool> smtp_alert, smtp_alert_vrrp, smtp_alert_checker;
  Setting<bool> no_email_faults, no_checker_emails, checker_log_all_failures, rs_init_notifies;
  TimeoutsSpec timeouts;
  Setting<LvsSyncDaemon> lvs_sync_daemon;

  Setting<Account> script_user;
  Setting<bool> enable_script_security, use_symlink_paths, set_supplementary_groups;
  Setting<CommandLine> startup_script, shutdown_script;
  Setting<Duration> startup_script_timeout, shutdown_script_timeout;
  NotifyFifoSpec notify_fifo, vrrp_notify_fifo, lvs_notify_fifo;
  Setting<bool> fifo_write_vrrp_states_on_reload;
};

}  // namespace lbdp::config
