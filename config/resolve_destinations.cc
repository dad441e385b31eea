// SPDX-License-Identifier: BSD-2-Clause
#include "config/resolve_destinations.h"

#include <algorithm>
#include <iterator>

namespace lbdp::config {
namespace {

bool unfit(const IpAddress& address) {
  return address.is_multicast() || address.is_unspecified();
}

/// A mark has no family; its virtual server has what ip_family says, or that of its real servers.
Family family_of_servers(const VirtualServerSpec& spec) {
  if (spec.ip_family) return *spec.ip_family;
  const auto known =
      std::ranges::find_if(spec.real_servers, [](const RealServerSpec& real) { return real.address.has_value(); });
  return known == spec.real_servers.end() ? Family::kIpv4 : known->address->family();
}

/// The family of all of a group, if a line says it: marks alone need not.
std::optional<Family> family_of(const VirtualServerGroupSpec& group) {
  for (const GroupEntrySpec& entry : group.entries) {
    if (!entry.fwmark) return entry.range.first.family();
    if (entry.family) return entry.family;
  }
  return std::nullopt;
}

std::string mark_name(uint32_t mark) {
  return "fwmark " + std::to_string(mark);
}

}  // namespace

std::string_view family_name(Family family) {
  return family == Family::kIpv4 ? "IPv4" : "IPv6";
}

std::string to_string(const VirtualServerHead& head) {
  if (head.fwmark) return mark_name(*head.fwmark);
  if (head.group) return "group " + *head.group;
  if (!head.address) return "";
  return head.port == 0 ? head.address->to_string() : Endpoint{*head.address, head.port}.to_string();
}

DestinationResolver::DestinationResolver(const FileSpec& spec, Diagnostics& diagnostics) : diagnostics_(diagnostics) {
  for (const auto& mark : spec.dataplane.fwmarks) {
    if (mark.mark) marks_.emplace(*mark.mark, &mark);  // a second one is resolve_dataplane's to report
  }
  for (const auto& group : spec.groups) {
    if (group.name.empty()) continue;
    const auto [first, inserted] = groups_.emplace(group.name, &group);
    if (inserted) {
      check_group(group);
    } else {
      diagnostics_.error(group.place, "a second virtual_server_group " + in_quotes(group.name) + "; the first is at " +
                                          diagnostics_.location(first->second->place).to_string());
    }
  }
}

void DestinationResolver::check_group(const VirtualServerGroupSpec& group) {
  const std::string name = "virtual_server_group " + in_quotes(group.name);
  if (group.entries.empty() && !group.broken) {
    diagnostics_.error(group.place, name + ": it names no address and no fwmark");
  }
  std::optional<Family> family;
  for (const GroupEntrySpec& entry : group.entries) {
    const std::optional<Family> own = entry.fwmark ? entry.family : entry.range.first.family();
    if (!own) continue;
    if (!family) family = own;
    if (*own == *family) continue;
    diagnostics_.error(entry.place, name + " has " + std::string(family_name(*family)) + " before, and " +
                                        std::string(family_name(*own)) +
                                        " here: its real servers can have one family only; make it two groups");
    return;
  }
}

std::vector<Service> DestinationResolver::resolve(const VirtualServerSpec& spec) {
  ++owner_;
  const VirtualServerHead& head = spec.head;
  std::vector<Service> services;
  if (head.group) return of_group(spec);
  if (head.fwmark) {
    if (auto service = of_mark(*head.fwmark, std::nullopt, head.place, spec)) services.push_back(std::move(*service));
  } else if (head.address) {
    const auto protocol = spec.protocol.value.value_or(Protocol::kTcp);
    for (const auto& key : claim({*head.address, 1}, protocol, head.port, spec.place, owner_)) {
      services.emplace_back().key = key;
    }
  }
  // Without its protocol the key is a guess, of which others need not hear.
  if (!head.fwmark && !spec.protocol) {
    for (const auto& service : services) claimed_.erase(service.key);
  }
  return services;
}

std::vector<Service> DestinationResolver::of_group(const VirtualServerSpec& spec) {
  const auto found = groups_.find(*spec.head.group);
  if (found == groups_.end()) {
    std::vector<std::string_view> names;
    for (const auto& [name, group] : groups_) names.push_back(name);
    const std::string_view meant = nearest(*spec.head.group, names);
    diagnostics_.error(spec.head.place, "there is no virtual_server_group " + in_quotes(*spec.head.group) +
                                            (meant.empty() ? "" : " (did you mean " + in_quotes(meant) + "?)"));
    return {};
  }
  used_groups_.insert(found->first);
  std::vector<Service> services;
  const std::optional<Family> family = family_of(*found->second);
  for (const GroupEntrySpec& entry : found->second->entries) {
    if (entry.fwmark) {
      if (auto service = of_mark(*entry.fwmark, family, entry.place, spec)) services.push_back(*service);
    } else if (spec.protocol) {
      for (const auto& key : claim(entry.range, *spec.protocol, entry.port, entry.place, owner_)) {
        services.emplace_back().key = key;
      }
    }
  }
  return services;
}

std::optional<Service> DestinationResolver::of_mark(uint32_t mark, std::optional<Family> family, Place place,
                                                    const VirtualServerSpec& spec) {
  const std::string name = "virtual_server " + mark_name(mark);
  const auto found = marks_.find(mark);
  if (found == marks_.end()) {
    diagnostics_.error(place, name +
                                  ": lbdp gets packets before iptables could mark them, so the dataplane block has to "
                                  "say what has this mark; write 'dataplane { " +
                                  mark_name(mark) + " { PROTOCOL ADDRESS [PORT] } }', one line a destination");
    return std::nullopt;
  }
  used_marks_.insert(mark);
  const Family wanted = family.value_or(family_of_servers(spec));
  const auto [first, inserted] = claimed_marks_.emplace(std::pair(mark, wanted), place);
  if (!inserted) {
    diagnostics_.error(place,
                       "a second " + name + "; the first is at " + diagnostics_.location(first->second).to_string());
    return std::nullopt;
  }
  auto keys = mark_keys(*found->second, wanted);
  if (keys.empty()) {
    if (!found->second->broken) {
      diagnostics_.error(place, name + ": " + mark_name(mark) + " of the dataplane block, at " +
                                    diagnostics_.location(found->second->place).to_string() + ", has no " +
                                    std::string(family_name(wanted)) + " destination");
    }
    return std::nullopt;
  }
  Service service{.key = keys.front(), .more_keys = {}, .fwmark = mark};
  service.more_keys.assign(std::next(keys.begin()), keys.end());
  return service;
}

std::vector<ServiceKey> DestinationResolver::mark_keys(const FwmarkSpec& mark, Family family) {
  std::vector<ServiceKey> keys;
  for (const auto& destination : mark.destinations) {
    if (destination.range.first.family() != family) continue;
    const auto some = claim(destination.range, destination.protocol, destination.port, destination.place, owner_);
    keys.insert(keys.end(), some.begin(), some.end());
  }
  return keys;
}

bool DestinationResolver::expand(const AddressRange& range, Place place) {
  if (expanded_ > AddressRange::kMost) return false;  // reported
  expanded_ += range.count;
  if (expanded_ <= AddressRange::kMost) return true;
  diagnostics_.error(
      place, "with these addresses there are more than " + std::to_string(AddressRange::kMost) + " virtual servers");
  return false;
}

std::vector<ServiceKey> DestinationResolver::claim(const AddressRange& range, Protocol protocol, uint16_t port,
                                                   Place place, size_t owner) {
  if (!expand(range, place)) return {};
  std::vector<ServiceKey> keys;
  bool reported = false;  // one overlap of a range says enough
  for (const IpAddress& address : range.addresses()) {
    const ServiceKey key{protocol, {address, port}};
    if (unfit(address)) {
      if (!std::exchange(reported, true)) {
        diagnostics_.error(place,
                           "virtual_server " + address.to_string() + ": this address cannot be a virtual server's");
      }
      continue;
    }
    const auto [first, inserted] = claimed_.emplace(key, Claim{place, owner});
    if (inserted) {
      keys.push_back(key);
    } else if (!std::exchange(reported, true)) {
      const std::string there = diagnostics_.location(first->second.place).to_string();
      if (first->second.owner == owner) {
        diagnostics_.warning(place, key.to_string() + " is already there, at " + there + "; this one is left out");
      } else {
        diagnostics_.error(place, "a second virtual_server " + key.to_string() + "; the first is at " + there);
      }
    }
  }
  return keys;
}

void DestinationResolver::report_unused() {
  for (const auto& [name, group] : groups_) {
    if (used_groups_.contains(name)) continue;
    diagnostics_.warning(
        group->place, "virtual_server_group " + in_quotes(name) + ": no 'virtual_server group " + name + "' uses it");
  }
  for (const auto& [mark, spec] : marks_) {
    if (used_marks_.contains(mark)) continue;
    diagnostics_.warning(spec->place, mark_name(mark) + ": no 'virtual_server " + mark_name(mark) + "' uses it");
  }
}

}  // namespace lbdp::config
