// SPDX-License-Identifier: BSD-2-Clause
// An instance's addresses, and how its advertisements travel.
#include <algorithm>
#include <set>

#include "config/resolve_vrrp.h"

namespace lbdp::config {
namespace {

constexpr size_t kMostAddresses = 255;         // the packet's count has eight bits
constexpr uint32_t kVrrpGroup4 = 0xe0000012;   // 224.0.0.18, RFC 3768 section 5.2.2
constexpr std::array<uint8_t, 16> kVrrpGroup6  // ff02::12, RFC 5798 section 5.1.2.2
    {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12};

std::string name_of(Family family) {
  return family == Family::kIpv4 ? "IPv4" : "IPv6";
}

/// Takes the good lines of a list; `seen` has the addresses that the instance holds already.
std::vector<VirtualAddress> take_addresses(const AddressListSpec& list, std::optional<Family> family,
                                           std::set<IpAddress>& seen, BlockFindings& findings) {
  std::vector<VirtualAddress> result;
  for (const auto& [item, place] : list.items) {
    const IpAddress& address = item.prefix.address;
    if (address.is_multicast() || address.is_unspecified()) {
      findings.error(place, address.to_string() + " cannot be a virtual address");
    } else if (family && address.family() != *family) {
      findings.error(place, address.to_string() + " is no " + name_of(*family) +
                                " address as the first is: put it into virtual_ipaddress_excluded, or into an instance "
                                "of its own");
    } else if (!seen.insert(address).second) {
      findings.warn(place, "virtual address " + address.to_string() + " is here twice; one is left out");
    } else {
      result.push_back(item);
    }
  }
  return result;
}

/// The MAC address of the instance (RFC 5798 section 7.3), or the file's.
Vmac vmac_of(const VmacSpec& spec, const VrrpInstance& instance) {
  const uint8_t family = instance.family == Family::kIpv4 ? 1 : 2;
  const uint8_t vrid = instance.virtual_router_id;
  Vmac vmac{spec.name, spec.mac.value_or(MacAddress{{0x00, 0x00, 0x5e, 0x00, family, vrid}})};
  if (spec.add_vrid) vmac.mac.bytes[5] = vrid;
  return vmac;
}

class TransportResolver {
 public:
  TransportResolver(const VrrpInstanceSpec& spec, const GlobalSpec& global, VrrpInstance& instance,
                    BlockFindings& findings)
      : spec_(spec), global_(global), instance_(instance), findings_(findings) {}

  void resolve() {
    resolve_source();
    resolve_group();
    resolve_peers();
    instance_.unicast_fault_no_peer = first_of(false, spec_.unicast_fault_no_peer);
    if (instance_.unicast_peers.empty()) {
      warn_without_peers();
    } else {
      instance_.unicast_ttl = first_of(uint8_t{255}, spec_.unicast_ttl);
      instance_.old_unicast_checksum = first_of(instance_.old_unicast_checksum, spec_.old_unicast_checksum);
      instance_.check_unicast_src =
          spec_.unicast_peer.limits_ttl || first_of(false, spec_.check_unicast_src, global_.vrrp_check_unicast_src);
    }
    instance_.v3_checksum_as_v2 = first_of(false, spec_.v3_checksum_as_v2, global_.v3_checksum_as_v2);
    resolve_vmac();
  }

 private:
  /// Reports an address of the wrong family.
  bool fits(const IpAddress& address, Place place, const std::string& keyword) {
    if (address.family() == instance_.family) return true;
    findings_.error(place, keyword + " " + address.to_string() + " is no " + name_of(instance_.family) +
                               " address as the virtual addresses are");
    return false;
  }

  void resolve_source() {
    const bool both = spec_.mcast_src_ip.seen && spec_.unicast_src_ip.seen;
    if (both) findings_.warn(spec_.mcast_src_ip.place, "mcast_src_ip beside unicast_src_ip: the latter counts");
    const auto& source = spec_.unicast_src_ip.seen ? spec_.unicast_src_ip : spec_.mcast_src_ip;
    if (source && fits(*source, source.place, "the source address")) instance_.src_ip = *source;
    instance_.track_src_ip = first_of(false, spec_.track_src_ip);
    if (instance_.track_src_ip && !source.seen) {
      findings_.warn(spec_.track_src_ip.place, "track_src_ip without mcast_src_ip or unicast_src_ip is ignored");
      instance_.track_src_ip = false;
    }
  }

  void resolve_group() {
    instance_.mcast_dst_ip =
        instance_.family == Family::kIpv4
            ? first_of(IpAddress::v4(Be<uint32_t>::from_host(kVrrpGroup4)), global_.vrrp_mcast_group4)
            : first_of(IpAddress::v6(kVrrpGroup6), global_.vrrp_mcast_group6);
    if (!spec_.mcast_dst_ip || !fits(*spec_.mcast_dst_ip, spec_.mcast_dst_ip.place, "mcast_dst_ip")) return;
    if (!spec_.unicast_peer.items.empty()) {
      findings_.warn(spec_.mcast_dst_ip.place, "mcast_dst_ip does not go with unicast_peer and is ignored");
      return;
    }
    instance_.mcast_dst_ip = *spec_.mcast_dst_ip;
  }

  void resolve_peers() {
    std::set<IpAddress> seen;
    for (const auto& [peer, place] : spec_.unicast_peer.items) {
      if (!fits(peer.address, place, "unicast_peer")) continue;
      if (peer.address.is_multicast() || peer.address.is_unspecified()) {
        findings_.error(place, peer.address.to_string() + " cannot be a unicast_peer");
      } else if (!seen.insert(peer.address).second) {
        findings_.warn(place, "unicast_peer " + peer.address.to_string() + " is here twice; one is left out");
      } else {
        instance_.unicast_peers.push_back(peer);
      }
    }
  }

  /// Whoever writes about unicast means unicast: multicast instead is worth a warning.
  void warn_without_peers() {
    if (first_of(false, spec_.unicast_fault_no_peer)) return;
    const auto warn = [&](bool seen, Place place, const std::string& keyword) {
      if (seen) findings_.warn(place, keyword + " without an address in unicast_peer: advertisements are multicast");
    };
    warn(spec_.unicast_peer.seen && spec_.unicast_peer.items.empty(), spec_.unicast_peer.place, "unicast_peer");
    warn(spec_.unicast_src_ip.seen, spec_.unicast_src_ip.place, "unicast_src_ip");
    warn(spec_.unicast_ttl.seen, spec_.unicast_ttl.place, "unicast_ttl");
    warn(spec_.check_unicast_src.seen, spec_.check_unicast_src.place, "check_unicast_src");
    warn(spec_.old_unicast_checksum.seen, spec_.old_unicast_checksum.place, "old_unicast_checksum");
  }

  void resolve_vmac() {
    if (spec_.use_vmac) instance_.use_vmac = vmac_of(*spec_.use_vmac, instance_);
    instance_.use_vmac_addr = first_of(false, spec_.use_vmac_addr);
    instance_.vmac_xmit_base = first_of(false, spec_.vmac_xmit_base);
    instance_.promote_secondaries = first_of(false, spec_.promote_secondaries);
    if (instance_.vmac_xmit_base && !spec_.use_vmac.seen) {
      findings_.warn(spec_.vmac_xmit_base.place, "vmac_xmit_base without use_vmac is ignored");
      instance_.vmac_xmit_base = false;
    }
    if (!instance_.use_vmac) return;
    if (instance_.promote_secondaries) {
      findings_.warn(spec_.promote_secondaries.place, "promote_secondaries is ignored: use_vmac brings it");
      instance_.promote_secondaries = false;
    }
    if (instance_.unicast_peers.empty() || instance_.vmac_xmit_base) return;
    findings_.warn(spec_.use_vmac.place, "use_vmac with unicast_peer needs vmac_xmit_base, which is on then");
    instance_.vmac_xmit_base = true;
  }

  const VrrpInstanceSpec& spec_;
  const GlobalSpec& global_;
  VrrpInstance& instance_;
  BlockFindings& findings_;
};

}  // namespace

void resolve_addresses(const VrrpInstanceSpec& spec, VrrpInstance& instance, BlockFindings& findings) {
  std::set<IpAddress> seen;
  instance.virtual_ipaddress = take_addresses(spec.virtual_ipaddress, instance.family, seen, findings);
  instance.virtual_ipaddress_excluded = take_addresses(spec.virtual_ipaddress_excluded, {}, seen, findings);
  for (const auto& route : spec.virtual_routes) instance.virtual_routes.push_back(route.value);
  for (const auto& rule : spec.virtual_rules) instance.virtual_rules.push_back(rule.value);
  const bool meant = first_of(false, spec.no_virtual_ipaddress);
  if (instance.virtual_ipaddress.size() > kMostAddresses) {
    findings.error(std::to_string(instance.virtual_ipaddress.size()) +
                   " virtual addresses; an advertisement has room for 255");
  } else if (spec.virtual_ipaddress.names_address) {
    if (meant) findings.warn(spec.no_virtual_ipaddress.place, "no_virtual_ipaddress beside virtual_ipaddress");
  } else if (!meant) {
    findings.error("it has no virtual_ipaddress");
  } else if (instance.version == 3) {
    findings.error(spec.no_virtual_ipaddress.place, "VRRP version 3 needs an address in virtual_ipaddress");
  }
}

void resolve_transport(const VrrpInstanceSpec& spec, const GlobalSpec& global, VrrpInstance& instance,
                       BlockFindings& findings) {
  TransportResolver(spec, global, instance, findings).resolve();
}

void resolve_strict_mode(const VrrpInstanceSpec& spec, VrrpInstance& instance, BlockFindings& findings) {
  const auto reset = [&](bool wrong, Place place, const std::string& what) {
    if (wrong) findings.warn(place, "strict mode does not have " + what);
  };
  reset(instance.auth_pass.has_value(), spec.auth_type.place, "authentication: it is ignored");
  instance.auth_pass.reset();
  if (!instance.unicast_peers.empty()) {
    findings.error(spec.unicast_peer.place, "strict mode does not have unicast_peer");
  }
  const bool owner = instance.priority == kOwnerPriority;
  reset((instance.state == VrrpInstance::State::kMaster) != owner && spec.state.seen, spec.state.place,
        "another state than the priority's: MASTER goes with 255, and the state follows the priority");
  instance.state = owner ? VrrpInstance::State::kMaster : VrrpInstance::State::kBackup;
  reset(instance.down_timer_adverts != 3, spec.down_timer_adverts.place, "down_timer_adverts but 3: it is 3");
  instance.down_timer_adverts = 3;
  reset(spec.preempt_delay.seen && instance.preempt_delay != Duration(0), spec.preempt_delay.place,
        "preempt_delay: it is ignored");
  instance.preempt_delay = Duration(0);
  reset(instance.higher_prio_send_advert, spec.higher_prio_send_advert.place, "higher_prio_send_advert: it is off");
  instance.higher_prio_send_advert = false;
  instance.lower_prio_no_advert = true;
  instance.garp.lower_prio_repeat = 0;
  reset(instance.vmac_xmit_base, spec.vmac_xmit_base.place, "vmac_xmit_base: it is off");
  instance.vmac_xmit_base = false;
}

void resolve_garp(const VrrpInstanceSpec& spec, const FileSpec& file, VrrpInstance& instance) {
  const GlobalSpec& global = file.global;
  GarpSettings& garp = instance.garp;
  garp.master_delay = first_of(garp.master_delay, spec.garp_master_delay, global.vrrp_garp_master_delay);
  garp.master_repeat = first_of(garp.master_repeat, spec.garp_master_repeat, global.vrrp_garp_master_repeat);
  garp.master_refresh = first_of(Duration(0), spec.garp_master_refresh, global.vrrp_garp_master_refresh);
  garp.master_refresh_repeat =
      first_of(garp.master_refresh_repeat, spec.garp_master_refresh_repeat, global.vrrp_garp_master_refresh_repeat);
  garp.lower_prio_delay = first_of(garp.master_delay, spec.garp_lower_prio_delay, global.vrrp_garp_lower_prio_delay);
  garp.lower_prio_repeat =
      first_of(garp.master_repeat, spec.garp_lower_prio_repeat, global.vrrp_garp_lower_prio_repeat);
  Setting<Duration> group_garp;
  Setting<Duration> group_gna;
  for (const GarpGroupSpec& group : file.vrrp.garp_groups) {
    const bool member =
        (group.interface && *group.interface == instance.interface) ||
        std::ranges::find(group.interfaces, instance.interface, &Item<std::string>::value) != group.interfaces.end();
    if (!member) continue;
    group_garp = group.garp_interval;
    group_gna = group.gna_interval;
    break;
  }
  garp.garp_interval = first_of(Duration(0), spec.garp_interval, group_garp, global.vrrp_garp_interval);
  garp.gna_interval = first_of(Duration(0), spec.gna_interval, group_gna, global.vrrp_gna_interval);
  garp.extra_if = first_of(GarpExtraIf{}, spec.garp_extra_if, global.vrrp_garp_extra_if);
}

}  // namespace lbdp::config
