// SPDX-License-Identifier: BSD-2-Clause
#include "control/connection_filter.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>

namespace lbdp::control {
namespace {

using dataplane::ConnectionFilter;
using nlohmann::json;

constexpr std::array<std::string_view, 15> kStates{"NONE",      "ESTABLISHED", "SYN_SENT",   "SYN_RECV", "FIN_WAIT",
                                                   "TIME_WAIT", "CLOSE",       "CLOSE_WAIT", "LAST_ACK", "LISTEN",
                                                   "SYNACK",    "UDP",         "INIT",       "SHUTDOWN", "CLOSED"};

Result<uint16_t> parse_port(std::string_view digits) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) {
    return fail("'" + std::string(digits) + "' is not a port from 0 to 65535");
  }
  return port;
}

/// A client's two halves; `port` with its colon.
struct Halves {
  std::string_view prefix, port;
};

Halves split_client(std::string_view text) {
  if (text.starts_with('[')) {
    const size_t bracket = text.find(']');
    if (bracket != std::string_view::npos) return {text.substr(1, bracket - 1), text.substr(bracket + 1)};
  }
  const size_t colon = text.find(':');
  // More than one colon: an IPv6 address without a port.
  if (colon == std::string_view::npos || colon != text.rfind(':')) return {text, {}};
  return {text.substr(0, colon), text.substr(colon)};
}

/// Reads one member of a filter in JSON.
Result<void> read_member(const std::string& name, const json& value, ConnectionFilter& filter) {
  const auto wrong = [&] { return fail("filter: \"" + name + "\" is " + value.dump()); };
  const bool small = value.is_number_unsigned() && value.get<uint64_t>() <= std::numeric_limits<uint16_t>::max();
  if (name == "client_port" || name == "worker") {
    if (!small) return wrong();
    const auto number = value.get<uint16_t>();
    if (name == "worker") {
      filter.worker = dataplane::WorkerId{number};
    } else {
      filter.client_port = number;
    }
    return {};
  }
  if (!value.is_string()) return wrong();
  const auto text = value.get<std::string>();
  const auto take = [](auto parsed, auto& to) -> Result<void> {
    if (!parsed) return fail("filter: " + parsed.error().message);
    to = *parsed;
    return {};
  };
  if (name == "client") return take(IpPrefix::parse(text), filter.client);
  if (name == "service") return take(ServiceKey::parse(text), filter.service);
  if (name == "real") return take(Endpoint::parse(text), filter.real_server);
  if (name == "state") return parse_state(text, filter);
  return fail("filter: there is no \"" + name + "\"");
}

}  // namespace

Result<void> parse_client(std::string_view text, ConnectionFilter& filter) {
  const Halves halves = split_client(text);
  const auto prefix = IpPrefix::parse(halves.prefix);
  if (!prefix) return tl::unexpected(prefix.error());
  filter.client = *prefix;
  if (halves.port.empty()) return {};
  if (!halves.port.starts_with(':'))
    return fail("'" + std::string(text) + "' is not a client like [2001:db8::/32]:4711");
  const auto port = parse_port(halves.port.substr(1));
  if (!port) return tl::unexpected(port.error());
  filter.client_port = *port;
  return {};
}

Result<void> parse_state(std::string_view text, ConnectionFilter& filter) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  if (std::find(kStates.begin(), kStates.end(), upper) == kStates.end()) {
    std::string all;
    for (const auto& state : kStates) all += (all.empty() ? "" : ", ") + std::string(state);
    return fail("no connection has the state '" + std::string(text) + "', but one of " + all);
  }
  filter.state = upper;
  return {};
}

json to_json(const ConnectionFilter& filter) {
  json out = json::object();
  if (filter.client) out["client"] = filter.client->to_string();
  if (filter.client_port) out["client_port"] = *filter.client_port;
  if (filter.service) out["service"] = filter.service->to_string();
  if (filter.real_server) out["real"] = filter.real_server->to_string();
  if (!filter.state.empty()) out["state"] = filter.state;
  if (filter.worker) out["worker"] = static_cast<unsigned>(*filter.worker);
  return out;
}

Result<ConnectionFilter> to_filter(const json& members) {
  if (!members.is_object()) return fail("a filter is a JSON object");
  ConnectionFilter filter;
  for (const auto& [name, value] : members.items()) {
    if (auto read = read_member(name, value, filter); !read) return tl::unexpected(read.error());
  }
  return filter;
}

bool contains(const IpPrefix& prefix, const IpAddress& address) {
  if (prefix.address.family() != address.family()) return false;
  const auto wanted = prefix.address.bytes(), given = address.bytes();
  const size_t whole = prefix.length / 8U, rest = prefix.length % 8U;
  if (!std::equal(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(whole), given.begin())) return false;
  if (rest == 0) return true;
  const unsigned differing = static_cast<unsigned>(wanted[whole]) ^ static_cast<unsigned>(given[whole]);
  return (differing >> (8U - rest)) == 0;
}

bool matches(const ConnectionFilter& filter, const dataplane::TemplateRow& row) {
  if (filter.service && *filter.service != row.service) return false;
  if (filter.real_server && *filter.real_server != row.real_server) return false;
  return !filter.client || contains(*filter.client, row.client.address) || contains(row.client, filter.client->address);
}

}  // namespace lbdp::control
