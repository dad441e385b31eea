// SPDX-License-Identifier: BSD-2-Clause
#include "config/resolve.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace lbdp::config {
namespace {

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
    const auto& interface = instance.interface.seen ? instance.interface : spec.global.default_interface;
    if (interface) named.push_back({port_interface(*interface), interface.place});
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

Model resolve(const FileSpec& spec, Diagnostics& diagnostics) {
  Model model;
  model.global = resolve_global(spec.global, diagnostics);
  model.vrrp_instances = resolve_vrrp(spec, diagnostics);
  model.vrrp_sync_groups = resolve_sync_groups(spec, model.vrrp_instances, diagnostics);
  model.trackers = resolve_trackers(spec.vrrp, diagnostics);
  model.statics = resolve_statics(spec, diagnostics);
  model.garp_groups = resolve_garp_groups(spec.vrrp, diagnostics);
  model.interface_delays = resolve_interface_delays(spec.vrrp, model.vrrp_instances, diagnostics);
  model.virtual_servers = resolve_services(spec, diagnostics);
  model.ssl = resolve_ssl(spec.ssl);
  model.dataplane = resolve_dataplane(spec, diagnostics);
  model.interfaces = interfaces_in_order(spec);
  tell_defaults(spec, diagnostics);
  return model;
}

}  // namespace lbdp::config
