// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What ipvsadm's listings are made from: the rows of lbdp's own lists.

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "control/ipvs_format.h"

namespace lbdp::control {

/// How many templates lead to a real server, by service and real server as rows write them.
using TemplateCounts = std::map<std::pair<std::string, std::string>, uint64_t>;
/// Firewall marks by service, as rows write it; services without one are not in it.
using ServiceMarks = std::map<std::string, uint32_t>;

/// From the rows of `show services` and `show backends`. Servers that are not in the table are not in the listing, as
/// with keepalived and ipvsadm.
std::vector<IpvsService> to_ipvs_services(const nlohmann::json& services, const nlohmann::json& backends,
                                          const TemplateCounts& templates = {});
ServiceMarks marks_of(const nlohmann::json& services);
/// From a row of `show connections`.
IpvsConnection to_ipvs_connection(const nlohmann::json& row);
/// From a row of `show persistence`, as the kernel lists a template: the client's port is 0, the state is ASSURED (NONE
/// while no connection made under it lives). A service by firewall mark stands as the kernel has it, too: protocol IP,
/// and the mark in the place of the address.
IpvsConnection to_ipvs_template(const nlohmann::json& row, const ServiceMarks& marks);
nlohmann::json to_ipvs_json(const std::vector<IpvsService>& services);

}  // namespace lbdp::control
