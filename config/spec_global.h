// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What global_defs says.

#include <string>
#include <vector>

#include "config/model_global.h"
#include "config/spec_common.h"

namespace lbdp::config {

struct TimeoutsSpec {
  Setting<Duration> tcp, tcpfin, udp;
};

struct GlobalSpec {
  std::vector<std::string> notification_email;
  Place notification_email_place;
  Setting<std::string> notification_email_from;
  Setting<Endpoint> smtp_server;
  Setting<std::string> smtp_helo_name;
  Setting<Duration> smtp_connect_timeout;
  Setting<std::string> router_id;
  Setting<IpAddress> vrrp_mcast_group4;

  // What holds for VRRP instances that do not say otherwise; each has its keyword's name.
  Setting<std::string> default_interface;
  Setting<IpAddress> vrrp_mcast_group6;
  Setting<uint8_t> vrrp_version;
  Setting<Duration> vrrp_garp_master_delay;
  Setting<uint32_t> vrrp_garp_master_repeat;
  Setting<Duration> vrrp_garp_master_refresh;
  Setting<uint32_t> vrrp_garp_master_refresh_repeat;
  Setting<Duration> vrrp_garp_lower_prio_delay;
  Setting<uint32_t> vrrp_garp_lower_prio_repeat;
  Setting<Duration> vrrp_garp_interval;
  Setting<Duration> vrrp_gna_interval;
  Setting<GarpExtraIf> vrrp_garp_extra_if;
  Setting<uint8_t> vrrp_down_timer_adverts;
  Setting<bool> vrrp_lower_prio_no_advert;
  Setting<bool> vrrp_higher_prio_send_advert;
  Setting<bool> vrrp_check_unicast_src;
  Setting<bool> vrrp_skip_check_adv_addr;
  Setting<bool> vrrp_strict;
  Setting<bool> v3_checksum_as_v2;
  Setting<bool> vrrp_owner_ignore_adverts;
  Setting<bool> vrrp_notify_priority_changes;

  Setting<bool> smtp_alert, smtp_alert_vrrp, smtp_alert_checker;
  TimeoutsSpec timeouts;
};

}  // namespace lbdp::config
