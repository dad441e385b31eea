// SPDX-License-Identifier: BSD-2-Clause
#include "config/resolve.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace lbdp::config {
namespace {

constexpr uint32_t kVrrpGroup4 = 0xe0000012;  // 224.0.0.18, RFC 3768 section 5.2.2

/// "eth0" of "eth0.100": VLAN interfaces are the kernel's, on top of the port's interface.
std::string port_interface(const std::string& name) {
  const size_t dot = name.rfind('.');
  const bool vlan = dot != std::string::npos && dot > 0 && dot + 1 < name.size() &&
                    name.find_first_not_of("0123456789", dot + 1) == std::string::npos;
  return vlan ? name.substr(0, dot) : name;
}

/// Those that `interfaces` of the dataplane block lists come first.
std::vector<std::string> interfaces_in_order(const FileSpec& spec) {
  std::vector<Item<std::string>> named;
  for (const auto& instance : spec.vrrp_instances) {
    if (instance.interface) named.push_back({port_interface(*instance.interface), instance.interface.place});
  }
  for (const auto& port : spec.dataplane.ports) {
    if (port.interface) named.push_back({*port.interface, port.interface.place});
  }
  std::ranges::stable_sort(named, {}, &Item<std::string>::place);
  std::vector<std::string> names;
  std::set<std::string, std::less<>> seen;
  named.insert(named.begin(), spec.dataplane.interfaces.begin(), spec.dataplane.interfaces.end());
  for (auto& name : named) {
    if (seen.insert(name.value).second) names.push_back(std::move(name.value));
  }
  return names;
}

}  // namespace

GlobalDefs resolve_global(const GlobalSpec& spec, Diagnostics& diagnostics) {
  GlobalDefs global;
  global.notification_email = spec.notification_email;
  global.notification_email_from = first_of(std::string(), spec.notification_email_from);
  global.smtp_server = spec.smtp_server.value;
  global.smtp_helo_name = first_of(std::string(), spec.smtp_helo_name);
  global.smtp_connect_timeout = first_of(global.smtp_connect_timeout, spec.smtp_connect_timeout);
  global.router_id = first_of(std::string(), spec.router_id);
  global.vrrp_mcast_group4 = first_of(IpAddress::v4(Be<uint32_t>::from_host(kVrrpGroup4)), spec.vrrp_mcast_group4);
  global.smtp_alert = spec.smtp_alert.value;
  global.smtp_alert_vrrp = spec.smtp_alert_vrrp.value;
  global.smtp_alert_checker = spec.smtp_alert_checker.value;
  if (!global.notification_email.empty() && !spec.smtp_server.seen) {
    diagnostics.warning(spec.notification_email_place, "notification_email without smtp_server: no mail is sent");
  }
  return global;
}

Model resolve(const FileSpec& spec, Diagnostics& diagnostics) {
  Model model;
  model.global = resolve_global(spec.global, diagnostics);
  model.vrrp_instances = resolve_vrrp(spec, diagnostics);
  model.virtual_servers = resolve_services(spec, diagnostics);
  model.ssl = resolve_ssl(spec.ssl);
  model.dataplane = resolve_dataplane(spec, diagnostics);
  model.interfaces = interfaces_in_order(spec);
  tell_defaults(spec, diagnostics);
  return model;
}

}  // namespace lbdp::config
