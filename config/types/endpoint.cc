// SPDX-License-Identifier: BSD-2-Clause
#include "config/types/endpoint.h"

#include <charconv>

namespace lbdp {
namespace {

Result<uint16_t> parse_port(std::string_view digits) {
  uint16_t port = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || ec != std::errc{} || end != digits.data() + digits.size()) {
    return fail("'" + std::string(digits) + "' is not a port from 0 to 65535");
  }
  return port;
}

}  // namespace

std::string_view to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::kTcp: return "tcp";
    case Protocol::kUdp: return "udp";
    case Protocol::kSctp: return "sctp";
  }
  return "?";
}

std::string_view to_upper_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::kTcp: return "TCP";
    case Protocol::kUdp: return "UDP";
    case Protocol::kSctp: return "SCTP";
  }
  return "?";
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail("'" + std::string(text) + "' has no :PORT");
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  auto address = IpAddress::parse(host);
  if (!address) return tl::unexpected(address.error());
  if (address->is_v4() == bracketed)
    return fail("'" + std::string(text) + "': an IPv6 address, and only that, stands in [ ]");
  auto port = parse_port(text.substr(colon + 1));
  if (!port) return tl::unexpected(port.error());
  return Endpoint{*address, *port};
}

std::string Endpoint::to_string() const {
  const std::string host = address.is_v4() ? address.to_string() : "[" + address.to_string() + "]";
  return host + ":" + std::to_string(port);
}

std::string keepalived_name(Protocol protocol, const Endpoint& endpoint) {
  return "[" + endpoint.address.to_string() + "]:" + std::string(to_string(protocol)) + ":" +
         std::to_string(endpoint.port);
}

Result<ServiceKey> ServiceKey::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view name = text.substr(0, slash == std::string_view::npos ? 0 : slash);
  for (const Protocol protocol : {Protocol::kTcp, Protocol::kUdp, Protocol::kSctp}) {
    if (name != lbdp::to_string(protocol)) continue;
    auto endpoint = Endpoint::parse(text.substr(slash + 1));
    if (!endpoint) return tl::unexpected(endpoint.error());
    return ServiceKey{protocol, *endpoint};
  }
  return fail("'" + std::string(text) + "' is not a service like tcp/192.0.2.1:80");
}

std::string ServiceKey::to_string() const {
  return std::string(lbdp::to_string(protocol)) + "/" + endpoint.to_string();
}

}  // namespace lbdp
