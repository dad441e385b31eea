// SPDX-License-Identifier: BSD-2-Clause
#include "config/resolve_vrrp.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "config/accounts.h"
#include "config/values.h"

namespace lbdp::config {
namespace {

constexpr size_t kLongestPassword = 8;  // RFC 2338 section 5.3.10
constexpr Duration kSecond = std::chrono::seconds(1);
constexpr Duration kHundredth = std::chrono::milliseconds(10);

/// The family of what the instance advertises.
Family family_of(const VrrpInstanceSpec& spec) {
  if (!spec.virtual_ipaddress.items.empty()) return spec.virtual_ipaddress.items[0].value.prefix.address.family();
  if (spec.native_ipv6) return Family::kIpv6;
  if (!spec.unicast_peer.items.empty()) return spec.unicast_peer.items[0].value.address.family();
  for (const auto& source : {spec.unicast_src_ip, spec.mcast_src_ip}) {
    if (source) return (*source).family();
  }
  return Family::kIpv4;
}

/// Resolves what an instance says of itself alone.
class InstanceResolver {
 public:
  InstanceResolver(const VrrpInstanceSpec& spec, const FileSpec& file, Diagnostics& diagnostics)
      : spec_(spec),
        file_(file),
        global_(file.global),
        findings_("vrrp_instance", spec.name, spec.place, diagnostics) {}

  VrrpInstance resolve() {
    VrrpInstance instance;
    instance.name = spec_.name;
    instance.where = findings_.location();
    instance.state = first_of(VrrpInstance::State::kBackup, spec_.state);
    findings_.require(spec_.interface.seen || global_.default_interface.seen, "interface");
    instance.interface = spec_.interface.seen ? first_of(std::string(), spec_.interface)
                                              : first_of(std::string(), global_.default_interface);
    findings_.require(spec_.virtual_router_id.seen, "virtual_router_id");
    instance.virtual_router_id = first_of(uint8_t{0}, spec_.virtual_router_id);
    instance.family = family_of(spec_);
    instance.version = version(instance.family);
    instance.priority = priority();
    instance.advert_int = instance.version == 2 ? advert_int_v2() : advert_int_v3();
    instance.auth_pass = auth_pass(instance);
    resolve_addresses(spec_, instance, findings_);
    resolve_transport(spec_, global_, instance, findings_);
    resolve_preemption(instance);
    resolve_flags(instance);
    resolve_garp(spec_, file_, instance);
    instance.tracking = resolve_tracking(spec_, file_.vrrp, findings_);
    drop_useless_trackers(instance);
    instance.notify = resolve_notify(spec_, global_, findings_.diagnostics());
    instance.smtp_alert = first_of(false, spec_.smtp_alert, global_.smtp_alert_vrrp, global_.smtp_alert);
    if (instance.strict_mode) resolve_strict_mode(spec_, instance, findings_);
    warn_not_yet(instance);
    return instance;
  }

 private:
  uint8_t version(Family family) {
    const uint8_t wanted = first_of(uint8_t{2}, spec_.version, global_.vrrp_version);
    if (family == Family::kIpv4) return wanted;
    if (spec_.version && *spec_.version == 2) {
      findings_.warn(spec_.version.place, "VRRP version 2 has no IPv6: the version is 3");
    }
    return 3;
  }

  uint8_t priority() {
    const bool master = spec_.state && *spec_.state == VrrpInstance::State::kMaster;
    if (!spec_.priority.seen && master) {
      findings_.warn(spec_.state.place, "state MASTER without a priority: the priority is 255, the address owner's");
      return kOwnerPriority;
    }
    return first_of(uint8_t{100}, spec_.priority);
  }

  Duration advert_int_v2() {
    const Duration wanted = first_of(kSecond, spec_.advert_int);
    if (wanted % kSecond == Duration(0)) return wanted;
    const Duration rounded = std::max(kSecond, (wanted + kSecond / 2) / kSecond * kSecond);
    findings_.warn(spec_.advert_int.place, "VRRP version 2 has whole seconds only: advert_int is rounded to " +
                                               std::to_string(rounded / kSecond) + " s");
    return rounded;
  }

  /// RFC 5798 section 5.2.7: twelve bits of hundredths of a second.
  Duration advert_int_v3() {
    constexpr Duration kMost = 4095 * kHundredth;
    const Duration wanted = first_of(kSecond, spec_.advert_int);
    if (wanted > kMost) {
      findings_.error(spec_.advert_int.place, "VRRP version 3 has room for an advert_int of at most 40.95 s");
      return kMost;
    }
    if (wanted % kHundredth == Duration(0)) return wanted;
    const Duration rounded = (wanted + kHundredth / 2) / kHundredth * kHundredth;
    findings_.warn(spec_.advert_int.place,
                   "VRRP version 3 has steps of 10 ms: advert_int is rounded to " + seconds_text(rounded) + " s");
    return rounded;
  }

  std::optional<std::string> auth_pass(const VrrpInstance& instance) {
    if (!spec_.auth_type.seen) {
      if (spec_.auth_pass.seen) findings_.warn(spec_.auth_pass.place, "auth_pass without auth_type PASS is ignored");
      return std::nullopt;
    }
    if (!spec_.auth_pass.seen) {
      findings_.warn(spec_.auth_type.place, "auth_type without auth_pass: there is no authentication");
      return std::nullopt;
    }
    if (instance.version == 3) {
      findings_.warn(spec_.auth_type.place, "VRRP version 3 has no authentication: it is ignored");
      return std::nullopt;
    }
    if (!spec_.auth_pass) return std::nullopt;
    if ((*spec_.auth_pass).size() > kLongestPassword) {
      findings_.warn(spec_.auth_pass.place, "auth_pass has more than eight characters; the first eight count");
    }
    return (*spec_.auth_pass).substr(0, kLongestPassword);
  }

  void resolve_preemption(VrrpInstance& instance) {
    instance.nopreempt = !first_of(true, spec_.preempt);
    instance.preempt_delay = first_of(Duration(0), spec_.preempt_delay);
    const bool master = instance.state == VrrpInstance::State::kMaster;
    if (instance.nopreempt && master) {
      findings_.warn(spec_.preempt.place, "nopreempt does not go with state MASTER and is ignored; write state BACKUP");
      instance.nopreempt = false;
    } else if (instance.nopreempt && instance.priority == kOwnerPriority) {
      findings_.warn(spec_.preempt.place, "nopreempt is ignored: with priority 255 the address owner always preempts");
      instance.nopreempt = false;
    }
    if (instance.preempt_delay == Duration(0)) return;
    if (master) {
      findings_.warn(spec_.preempt_delay.place,
                     "preempt_delay does not go with state MASTER and is ignored; write state BACKUP");
    } else if (instance.nopreempt) {
      findings_.warn(spec_.preempt_delay.place, "preempt_delay does not go with nopreempt and is ignored");
    } else {
      return;
    }
    instance.preempt_delay = Duration(0);
  }

  void resolve_flags(VrrpInstance& instance) {
    instance.down_timer_adverts = first_of(uint8_t{3}, spec_.down_timer_adverts, global_.vrrp_down_timer_adverts);
    instance.lower_prio_no_advert = first_of(false, spec_.lower_prio_no_advert, global_.vrrp_lower_prio_no_advert);
    instance.higher_prio_send_advert =
        first_of(false, spec_.higher_prio_send_advert, global_.vrrp_higher_prio_send_advert);
    instance.owner_ignore_adverts = first_of(false, spec_.owner_ignore_adverts, global_.vrrp_owner_ignore_adverts);
    instance.skip_check_adv_addr = first_of(false, spec_.skip_check_adv_addr, global_.vrrp_skip_check_adv_addr);
    instance.strict_mode = first_of(false, spec_.strict_mode, global_.vrrp_strict);
    instance.accept = first_of(!instance.strict_mode, spec_.accept);
    instance.timer_expired_backup = spec_.timer_expired_backup.value;
    instance.dont_track_primary = first_of(false, spec_.dont_track_primary);
    instance.lvs_sync_daemon_interface = first_of(std::string(), spec_.lvs_sync_daemon_interface);
  }

  /// An owner's priority cannot change, and its own interface is followed anyway.
  void drop_useless_trackers(VrrpInstance& instance) {
    std::erase_if(instance.tracking.interfaces, [&](const Tracked& tracked) {
      if (tracked.name != instance.interface || instance.dont_track_primary) return false;
      findings_.warn("track_interface " + in_quotes(tracked.name) + " is the instance's own interface: left out");
      return true;
    });
    if (instance.priority != kOwnerPriority) return;
    Tracking& tracking = instance.tracking;
    for (auto* list : {&tracking.interfaces, &tracking.scripts, &tracking.files, &tracking.processes, &tracking.bfd}) {
      std::erase_if(*list, [&](const Tracked& tracked) {
        if (tracked.weight == 0) return false;
        findings_.warn("the address owner's priority is always 255: " + in_quotes(tracked.name) + " with weight " +
                       std::to_string(tracked.weight) + " is left out; weight 0 would count");
        return true;
      });
    }
  }

  /// What no row can say, since it depends on the value.
  void warn_not_yet(const VrrpInstance& instance) {
    for (const auto* list : {&spec_.virtual_ipaddress, &spec_.virtual_ipaddress_excluded}) {
      for (const auto& [address, place] : list->items) {
        if (address != plain(address, instance.interface)) {
          findings_.warn(place, "options of virtual address " + address.prefix.address.to_string() +
                                    " are checked, but do nothing yet");
        }
      }
    }
  }

  static VirtualAddress plain(const VirtualAddress& address, const std::string& interface) {
    VirtualAddress plain;
    plain.prefix = address.prefix;
    if (address.dev == interface) plain.dev = address.dev;
    plain.preferred_lft = address.preferred_lft;
    return plain;
  }

  const VrrpInstanceSpec& spec_;
  const FileSpec& file_;
  const GlobalSpec& global_;
  BlockFindings findings_;
};

/// What makes two instances hear each other's advertisements.
using Router = std::tuple<std::string, uint8_t, Family, IpAddress>;

/// Names, VRIDs and addresses that two instances have in common.
class DuplicateCheck {
 public:
  explicit DuplicateCheck(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void add(const VrrpInstanceSpec& spec, const VrrpInstance& instance) {
    if (!spec.name.empty()) {
      const auto [known, inserted] = names_.emplace(spec.name, spec.place);
      if (!inserted) {
        diagnostics_.error(spec.place, "a second vrrp_instance " + in_quotes(spec.name) + first_at(known->second));
      }
    }
    if (!instance.interface.empty() && spec.virtual_router_id) add_router(spec, instance);
    std::set<IpAddress> own;  // twice in one instance is the instance's matter
    for (const auto* list : {&spec.virtual_ipaddress, &spec.virtual_ipaddress_excluded}) {
      for (const auto& item : list->items) {
        if (own.insert(item.value.prefix.address).second) add_address(item);
      }
    }
  }

 private:
  [[nodiscard]] std::string first_at(Place place) const {
    return "; the first is at " + diagnostics_.location(place).to_string();
  }

  /// One VRID may be there once for each group that it is advertised to, and once for each peer.
  void add_router(const VrrpInstanceSpec& spec, const VrrpInstance& instance) {
    std::vector<IpAddress> destinations;
    for (const UnicastPeer& peer : instance.unicast_peers) destinations.push_back(peer.address);
    if (destinations.empty()) destinations.push_back(instance.mcast_dst_ip);
    const Place place = spec.virtual_router_id.place;
    for (const IpAddress& destination : destinations) {
      const auto [known, inserted] =
          routers_.emplace(Router(instance.interface, instance.virtual_router_id, instance.family, destination), place);
      if (inserted) continue;
      diagnostics_.error(place, "a second virtual_router_id " + std::to_string(instance.virtual_router_id) +
                                    " on interface " + in_quotes(instance.interface) + first_at(known->second));
      return;
    }
  }

  void add_address(const Item<VirtualAddress>& item) {
    const auto [known, inserted] = addresses_.emplace(item.value.prefix.address, item.place);
    if (inserted) return;
    diagnostics_.error(item.place, "virtual address " + item.value.prefix.address.to_string() +
                                       " belongs to another vrrp_instance too" + first_at(known->second));
  }

  Diagnostics& diagnostics_;
  std::map<std::string, Place> names_;
  std::map<Router, Place> routers_;
  std::map<IpAddress, Place> addresses_;
};

}  // namespace

Notify resolve_notify(const NotifySpec& spec, const GlobalSpec& global, Diagnostics& diagnostics) {
  const auto take = [&](const Setting<CommandLine>& setting) {
    if (setting) check_accounts((*setting).user, (*setting).group, setting.place, diagnostics);
    return setting.value;
  };
  Notify notify;
  notify.master = take(spec.notify_master);
  notify.backup = take(spec.notify_backup);
  notify.fault = take(spec.notify_fault);
  notify.stop = take(spec.notify_stop);
  notify.deleted = take({spec.notify_deleted.value.value_or(std::nullopt), spec.notify_deleted.place, true});
  notify.says_deleted = spec.notify_deleted.seen;
  notify.any = take(spec.notify);
  notify.master_rx_lower_pri = take(spec.notify_master_rx_lower_pri);
  notify.priority_changes = first_of(false, spec.notify_priority_changes, global.vrrp_notify_priority_changes);
  return notify;
}

std::vector<VrrpInstance> resolve_vrrp(const FileSpec& spec, Diagnostics& diagnostics) {
  std::vector<VrrpInstance> instances;
  instances.reserve(spec.vrrp_instances.size());
  DuplicateCheck duplicates(diagnostics);
  for (const VrrpInstanceSpec& instance : spec.vrrp_instances) {
    instances.push_back(InstanceResolver(instance, spec, diagnostics).resolve());
    duplicates.add(instance, instances.back());
  }
  return instances;
}

}  // namespace lbdp::config
