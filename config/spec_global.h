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
  Setting<bool> smtp_alert, smtp_alert_vrrp, smtp_alert_checker;
  TimeoutsSpec timeouts;
};

}  // namespace lbdp::config
