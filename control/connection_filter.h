// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// Which connections to list, as lbdp-cli's command line and the control socket's requests have it.

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "dataplane/dataplane.h"

namespace lbdp::control {

/// "192.0.2.1", "192.0.2.0/24", "192.0.2.1:4711", "2001:db8::/32", "[2001:db8::1]:4711", "[2001:db8::/32]:4711": sets
/// the filter's client and, if there is one, its port.
Result<void> parse_client(std::string_view text, dataplane::ConnectionFilter& filter);
/// A connection's state in either case ("established"). The error lists the states that there are.
Result<void> parse_state(std::string_view text, dataplane::ConnectionFilter& filter);

/// A request's member "filter": what is empty does not stand in it.
nlohmann::json to_json(const dataplane::ConnectionFilter& filter);
/// The error names the member that makes no sense. Members that are not known are errors, so that nobody takes a list
/// for a filtered one.
Result<dataplane::ConnectionFilter> to_filter(const nlohmann::json& members);

/// Is this template one that `filter` asks for? Its client, service and real server count; a template of a network
/// matches each client in it.
[[nodiscard]] bool matches(const dataplane::ConnectionFilter& filter, const dataplane::TemplateRow& row);
/// Is `address` in `prefix`? Bits behind the prefix's length do not count.
[[nodiscard]] bool contains(const IpPrefix& prefix, const IpAddress& address);

}  // namespace lbdp::control
