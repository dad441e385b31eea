// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The part of the model that global_defs makes.

#include <optional>
#include <string>
#include <vector>

#include "config/model_common.h"
#include "config/types/endpoint.h"
#include "config/types/ip_address.h"

namespace lbdp::config {

struct GlobalDefs {
  std::vector<std::string> notification_email;
  std::string notification_email_from;
  std::optional<Endpoint> smtp_server;  // port 25 unless given
  std::string smtp_helo_name;           // empty: the host's name
  Duration smtp_connect_timeout = std::chrono::seconds(30);
  std::string router_id;        // empty: the host's name
  IpAddress vrrp_mcast_group4;  // default 224.0.0.18 (RFC 3768 section 5.2.2), filled in by the parser
  std::optional<bool> smtp_alert;
  std::optional<bool> smtp_alert_vrrp;
  std::optional<bool> smtp_alert_checker;

  friend bool operator==(const GlobalDefs&, const GlobalDefs&) = default;
};

}  // namespace lbdp::config
