// SPDX-License-Identifier: BSD-2-Clause
#include <map>
#include <set>
#include <string>
#include <tuple>

#include "config/resolve.h"

namespace lbdp::config {
namespace {

constexpr size_t kLongestPassword = 8;   // RFC 2338 section 5.3.10
constexpr size_t kMostAddresses = 255;   // the packet's count has eight bits
constexpr uint8_t kOwnerPriority = 255;  // RFC 3768 section 5.3.4
constexpr Duration kSecond = std::chrono::seconds(1);

/// Resolves one instance; its findings start with "vrrp_instance NAME:".
class InstanceResolver {
 public:
  InstanceResolver(const VrrpInstanceSpec& spec, const GlobalSpec& global, Diagnostics& diagnostics)
      : spec_(spec), global_(global), diagnostics_(diagnostics) {}

  VrrpInstance resolve() {
    VrrpInstance instance;
    instance.name = spec_.name;
    instance.where = diagnostics_.location(spec_.place);
    instance.state = first_of(VrrpInstance::State::kBackup, spec_.state);
    require(spec_.interface.seen, "interface");
    instance.interface = first_of(std::string(), spec_.interface);
    require(spec_.virtual_router_id.seen, "virtual_router_id");
    instance.virtual_router_id = first_of(uint8_t{0}, spec_.virtual_router_id);
    instance.priority = priority();
    instance.advert_int = advert_int();
    instance.auth_pass = auth_pass();
    instance.virtual_ipaddress = addresses();
    resolve_preemption(instance);
    instance.smtp_alert = first_of(false, spec_.smtp_alert, global_.smtp_alert_vrrp, global_.smtp_alert);
    return instance;
  }

 private:
  [[nodiscard]] std::string message(const std::string& text) const {
    return "vrrp_instance " + (spec_.name.empty() ? std::string() : in_quotes(spec_.name)) + ": " + text;
  }
  void warn(Place place, const std::string& text) { diagnostics_.warning(place, message(text)); }

  void require(bool seen, const std::string& keyword) {
    if (!seen) diagnostics_.error(spec_.place, message("'" + keyword + "' is missing"));
  }

  uint8_t priority() {
    const bool master = spec_.state && *spec_.state == VrrpInstance::State::kMaster;
    if (!spec_.priority.seen && master) {
      warn(spec_.state.place, "state MASTER without a priority: the priority is 255, the address owner's");
      return kOwnerPriority;
    }
    return first_of(uint8_t{100}, spec_.priority);
  }

  Duration advert_int() {
    const Duration wanted = first_of(kSecond, spec_.advert_int);
    if (wanted % kSecond == Duration(0)) return wanted;
    const Duration rounded = std::max(kSecond, (wanted + kSecond / 2) / kSecond * kSecond);
    warn(spec_.advert_int.place,
         "VRRP version 2 has whole seconds only: advert_int is rounded to " + std::to_string(rounded / kSecond) + " s");
    return rounded;
  }

  std::optional<std::string> auth_pass() {
    if (!spec_.auth_type.seen) {
      if (spec_.auth_pass.seen) warn(spec_.auth_pass.place, "auth_pass without auth_type PASS is ignored");
      return std::nullopt;
    }
    if (!spec_.auth_pass.seen) {
      warn(spec_.auth_type.place, "auth_type without auth_pass: there is no authentication");
      return std::nullopt;
    }
    if (!spec_.auth_pass) return std::nullopt;
    if ((*spec_.auth_pass).size() > kLongestPassword) {
      warn(spec_.auth_pass.place, "auth_pass has more than eight characters; the first eight count");
    }
    return (*spec_.auth_pass).substr(0, kLongestPassword);
  }

  std::vector<IpPrefix> addresses() {
    std::vector<IpPrefix> result;
    std::set<IpAddress> seen;
    for (const auto& [prefix, place] : spec_.virtual_ipaddress) {
      if (!prefix.address.is_v4()) {
        diagnostics_.error(place, message("IPv6 addresses are not there yet: " + prefix.address.to_string()));
      } else if (prefix.address.is_multicast() || prefix.address.is_unspecified()) {
        diagnostics_.error(place, message(prefix.address.to_string() + " cannot be a virtual address"));
      } else if (!seen.insert(prefix.address).second) {
        warn(place, "virtual address " + prefix.address.to_string() + " is here twice; one is left out");
      } else {
        result.push_back(prefix);
      }
    }
    if (!spec_.names_address) {
      diagnostics_.error(spec_.place, message("it has no virtual_ipaddress"));
    } else if (result.size() > kMostAddresses) {
      diagnostics_.error(spec_.place, message(std::to_string(result.size()) + " virtual addresses; an advertisement "
                                                                              "has room for 255"));
    }
    return result;
  }

  void resolve_preemption(VrrpInstance& instance) {
    instance.nopreempt = !first_of(true, spec_.preempt);
    instance.preempt_delay = first_of(Duration(0), spec_.preempt_delay);
    const bool master = instance.state == VrrpInstance::State::kMaster;
    if (instance.nopreempt && master) {
      warn(spec_.preempt.place, "nopreempt does not go with state MASTER and is ignored; write state BACKUP");
      instance.nopreempt = false;
    } else if (instance.nopreempt && instance.priority == kOwnerPriority) {
      warn(spec_.preempt.place, "nopreempt is ignored: with priority 255 the address owner always preempts");
      instance.nopreempt = false;
    }
    if (instance.preempt_delay == Duration(0)) return;
    if (master) {
      warn(spec_.preempt_delay.place, "preempt_delay does not go with state MASTER and is ignored; write state BACKUP");
    } else if (instance.nopreempt) {
      warn(spec_.preempt_delay.place, "preempt_delay does not go with nopreempt and is ignored");
    } else {
      return;
    }
    instance.preempt_delay = Duration(0);
  }

  const VrrpInstanceSpec& spec_;
  const GlobalSpec& global_;
  Diagnostics& diagnostics_;
};

/// Names, VRIDs and addresses that two instances have in common.
void check_duplicates(const std::vector<VrrpInstanceSpec>& instances, Diagnostics& diagnostics) {
  const auto first_at = [&](Place place) { return "; the first is at " + diagnostics.location(place).to_string(); };
  std::map<std::string, Place> names;
  std::map<std::tuple<std::string, uint8_t>, Place> routers;
  std::map<IpAddress, Place> addresses;
  for (const VrrpInstanceSpec& instance : instances) {
    if (!instance.name.empty()) {
      const auto [known, inserted] = names.emplace(instance.name, instance.place);
      if (!inserted) {
        diagnostics.error(instance.place,
                          "a second vrrp_instance " + in_quotes(instance.name) + first_at(known->second));
      }
    }
    if (instance.interface && instance.virtual_router_id) {
      const Place place = instance.virtual_router_id.place;
      const auto [known, inserted] =
          routers.emplace(std::tuple(*instance.interface, *instance.virtual_router_id), place);
      if (!inserted) {
        diagnostics.error(place, "a second virtual_router_id " + std::to_string(*instance.virtual_router_id) +
                                     " on interface " + in_quotes(*instance.interface) + first_at(known->second));
      }
    }
    std::set<IpAddress> own;  // twice in one instance is the instance's matter
    for (const auto& [prefix, place] : instance.virtual_ipaddress) {
      if (!own.insert(prefix.address).second) continue;
      const auto [known, inserted] = addresses.emplace(prefix.address, place);
      if (!inserted) {
        diagnostics.error(place, "virtual address " + prefix.address.to_string() +
                                     " belongs to another vrrp_instance "
                                     "too" +
                                     first_at(known->second));
      }
    }
  }
}

}  // namespace

std::vector<VrrpInstance> resolve_vrrp(const FileSpec& spec, Diagnostics& diagnostics) {
  std::vector<VrrpInstance> instances;
  instances.reserve(spec.vrrp_instances.size());
  for (const VrrpInstanceSpec& instance : spec.vrrp_instances) {
    instances.push_back(InstanceResolver(instance, spec.global, diagnostics).resolve());
  }
  check_duplicates(spec.vrrp_instances, diagnostics);
  return instances;
}

}  // namespace lbdp::config
