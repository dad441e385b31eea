// SPDX-License-Identifier: BSD-2-Clause
// What is outside of instances: static addresses, routes and rules, and how interfaces are treated.
#include <algorithm>
#include <map>
#include <set>

#include "config/resolve_vrrp.h"
#include "config/values.h"

namespace lbdp::config {
namespace {

constexpr const char* kDefaultInterface = "eth0";  // keepalived's

bool has_instance(const FileSpec& spec, const std::string& name) {
  return std::ranges::find(spec.vrrp_instances, name, &VrrpInstanceSpec::name) != spec.vrrp_instances.end();
}

std::vector<TrackGroup> resolve_track_groups(const FileSpec& spec, Diagnostics& diagnostics) {
  std::vector<TrackGroup> groups;
  std::set<std::string> names;
  for (const TrackGroupSpec& group : spec.vrrp.statics.track_groups) {
    BlockFindings findings("track_group", group.name, group.place, diagnostics);
    if (!group.name.empty() && !names.insert(group.name).second) findings.error("it is defined twice");
    TrackGroup& to = groups.emplace_back(TrackGroup{group.name, {}});
    for (const auto& [member, place] : group.members) {
      if (!has_instance(spec, member)) {
        findings.warn(place, "there is no vrrp_instance " + in_quotes(member) + ": it is left out");
      } else if (std::ranges::find(to.members, member) == to.members.end()) {
        to.members.push_back(member);
      }
    }
    if (to.members.empty()) findings.warn("it has no member");
  }
  return groups;
}

class StaticsResolver {
 public:
  StaticsResolver(const FileSpec& spec, Diagnostics& diagnostics) : spec_(spec), diagnostics_(diagnostics) {}

  Statics resolve() {
    statics_.track_groups = resolve_track_groups(spec_, diagnostics_);
    for (const auto& [item, place] : spec_.vrrp.statics.addresses.items) add_address(item, place);
    for (const auto& [item, place] : spec_.vrrp.statics.routes) {
      check_group(item.track_group, place, "static_routes");
      statics_.routes.push_back(item);
    }
    for (const auto& [item, place] : spec_.vrrp.statics.rules) {
      check_group(item.track_group, place, "static_rules");
      statics_.rules.push_back(item);
    }
    return std::move(statics_);
  }

 private:
  void add_address(VirtualAddress address, Place place) {
    check_group(address.track_group, place, "static_ipaddress");
    if (address.dev.empty()) address.dev = first_of(std::string(kDefaultInterface), spec_.global.default_interface);
    const auto known = std::ranges::find_if(statics_.addresses, [&](const VirtualAddress& other) {
      return other.prefix == address.prefix && other.dev == address.dev;
    });
    if (known == statics_.addresses.end()) {
      statics_.addresses.push_back(std::move(address));
    } else {
      diagnostics_.warning(place,
                           "static_ipaddress: " + address.prefix.to_string() + " is here twice; one is left out");
    }
  }

  void check_group(const std::string& name, Place place, const std::string& keyword) {
    const auto& groups = statics_.track_groups;
    if (name.empty() || std::ranges::find(groups, name, &TrackGroup::name) != groups.end()) return;
    diagnostics_.error(place, keyword + ": there is no track_group " + in_quotes(name));
  }

  const FileSpec& spec_;
  Diagnostics& diagnostics_;
  Statics statics_;
};

/// The shortest time in which an instance on the interface would lose its mastership unnoticed; nothing without one.
std::optional<Duration> limit_of(const std::string& interface, const std::vector<VrrpInstance>& instances) {
  std::optional<Duration> limit;
  for (const VrrpInstance& instance : instances) {
    const auto& tracked = instance.tracking.interfaces;
    const bool uses =
        instance.interface == interface || std::ranges::find(tracked, interface, &Tracked::name) != tracked.end();
    if (!uses) continue;
    const Duration silence = instance.advert_int * (instance.down_timer_adverts - 1);
    limit = std::min(limit.value_or(silence), silence);
  }
  return limit;
}

}  // namespace

Statics resolve_statics(const FileSpec& spec, Diagnostics& diagnostics) {
  return StaticsResolver(spec, diagnostics).resolve();
}

std::vector<GarpGroup> resolve_garp_groups(const VrrpSpec& spec, Diagnostics& diagnostics) {
  std::vector<GarpGroup> groups;
  std::set<std::string> taken;
  for (const GarpGroupSpec& from : spec.garp_groups) {
    BlockFindings findings("garp_group", "", from.place, diagnostics);
    if (!from.garp_interval.seen && !from.gna_interval.seen) {
      findings.warn("it has neither garp_interval nor gna_interval and is left out");
      continue;
    }
    GarpGroup group{findings.location(), from.garp_interval.value, from.gna_interval.value, {}, false};
    const auto add = [&](const std::string& name, Place place) {
      if (taken.insert(name).second) return group.interfaces.push_back(name);
      findings.warn(place, "interface " + in_quotes(name) + " is in a garp_group already: it is left out here");
    };
    if (from.interface) add(*from.interface, from.interface.place);
    for (const auto& [name, place] : from.interfaces) add(name, place);
    group.together = !from.interfaces.empty();
    if (from.interface && !from.interfaces.empty()) {
      findings.warn(from.interface.place, "'interface' beside 'interfaces': all of them are paced as one");
    }
    if (group.interfaces.empty()) {
      findings.warn("it names no interface and is left out");
    } else {
      groups.push_back(std::move(group));
    }
  }
  return groups;
}

std::vector<InterfaceDelay> resolve_interface_delays(const VrrpSpec& spec, const std::vector<VrrpInstance>& instances,
                                                     Diagnostics& diagnostics) {
  std::vector<InterfaceDelay> delays;
  for (auto [delay, place] : spec.interface_delays) {
    const std::string name = "interface_up_down_delays: " + in_quotes(delay.interface);
    if (std::ranges::find(delays, delay.interface, &InterfaceDelay::interface) != delays.end()) {
      diagnostics.warning(place, name + " is here twice; the first one counts");
      continue;
    }
    const auto limit = limit_of(delay.interface, instances);
    if (limit && std::max(delay.down, delay.up) >= *limit) {
      diagnostics.warning(place, name + " has a delay that is not below " + seconds_text(*limit) +
                                     " s, after which another router takes over: there is no delay");
      delay.down = delay.up = Duration(0);
    }
    delays.push_back(std::move(delay));
  }
  return delays;
}

}  // namespace lbdp::config
