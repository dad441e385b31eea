// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "control/ipvs_format.h"

namespace lbdp::control {

/// The rows of `show WHAT` as people read them.
std::string format_table(const std::string& what, const nlohmann::json& rows);

/// What ipvsadm's listings are made from: the rows of `show services` and `show backends`. Servers that are not in the
/// table are not in the listing, as with keepalived and ipvsadm.
std::vector<IpvsService> to_ipvs_services(const nlohmann::json& services, const nlohmann::json& backends);
std::vector<IpvsConnection> to_ipvs_connections(const nlohmann::json& connections);
nlohmann::json to_ipvs_json(const std::vector<IpvsService>& services);

}  // namespace lbdp::control
