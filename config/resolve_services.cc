// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "config/resolve.h"
#include "config/resolve_checks.h"
#include "config/resolve_destinations.h"

namespace lbdp::config {
namespace {

/// Resolves one virtual server and all that is in it.
class ServiceResolver {
 public:
  ServiceResolver(const VirtualServerSpec& spec, const GlobalSpec& global, DestinationResolver& destinations,
                  CheckResolver& checks, Diagnostics& diagnostics)
      : spec_(spec), global_(global), destinations_(destinations), checks_(checks), diagnostics_(diagnostics) {}

  /// None: it has no address, port or protocol, or no real servers, or is of a kind that is not there; reported.
  std::optional<VirtualServer> resolve() {
    check_required();
    if (!spec_.head.known()) return std::nullopt;
    if (spec_.real_servers.empty()) {
      diagnostics_.warning(spec_.place, message("it has no real_server and is left out"));
      return std::nullopt;
    }
    VirtualServer server;
    server.services = destinations_.resolve(spec_);
    if (server.services.empty()) return std::nullopt;
    check_family(server);
    server.group = spec_.head.group.value_or("");
    server.where = diagnostics_.location(spec_.place);
    server.smtp_alert = first_of(false, spec_.smtp_alert, global_.smtp_alert_checker, global_.smtp_alert);
    resolve_scheduling(spec_, server, diagnostics_);
    resolve_real_servers(server);
    resolve_sorry_server(server);
    resolve_quorum(spec_, server, diagnostics_);
    return server;
  }

 private:
  [[nodiscard]] std::string message(const std::string& text) const {
    const std::string name = to_string(spec_.head);
    return "virtual_server" + (name.empty() ? "" : " " + name) + ": " + text;
  }

  void check_required() {
    if (spec_.head.by_mark && spec_.protocol) {
      diagnostics_.warning(spec_.protocol.place, "protocol is ignored: what has the fwmark has a protocol of its own");
    } else if (!spec_.head.by_mark && !spec_.protocol.seen) {
      diagnostics_.error(spec_.place,
                         message("'protocol' is missing; write 'protocol TCP' or 'protocol UDP' (keepalived "
                                 "takes UDP)"));
    }
    if (!spec_.lb_kind.seen) {
      diagnostics_.note(spec_.place, message("'lb_kind' is missing: DR here, while keepalived takes NAT"));
    }
  }

  void check_family(const VirtualServer& server) {
    const Family own = server.services.front().key.endpoint.address.family();
    if (!spec_.ip_family || *spec_.ip_family == own) return;
    diagnostics_.error(spec_.ip_family.place,
                       message("ip_family is " + std::string(family_name(*spec_.ip_family)) +
                               ", but the addresses of the service are " + std::string(family_name(own))));
  }

  /// The port that real servers have: that of all services, if they have one in common.
  static std::optional<uint16_t> common_port(const VirtualServer& server) {
    const uint16_t port = server.services.front().key.endpoint.port;
    const bool common = std::ranges::all_of(server.services, [&](const Service& service) {
      return service.fwmark == 0 && service.key.endpoint.port == port;
    });
    return common && port != 0 ? std::optional(port) : std::nullopt;
  }

  static std::set<IpAddress> addresses_of(const VirtualServer& server) {
    std::set<IpAddress> addresses;
    for (const Service& service : server.services) {
      addresses.insert(service.key.endpoint.address);
      for (const ServiceKey& key : service.more_keys) addresses.insert(key.endpoint.address);
    }
    return addresses;
  }

  void resolve_real_servers(VirtualServer& server) {
    const std::set<IpAddress> own = addresses_of(server);
    const std::optional<uint16_t> port = common_port(server);
    const Service& first = server.services.front();
    std::map<IpAddress, Place> known;
    server.real_servers.reserve(spec_.real_servers.size());
    for (const RealServerSpec& real : spec_.real_servers) {
      if (!real.address || !real.port || !check_address("real_server", *real.address, real.place, own)) continue;
      const Endpoint endpoint{*real.address, service_port(first)};
      const auto [before, inserted] = known.emplace(*real.address, real.place);
      if (!inserted) {
        const std::string name = endpoint.port == 0 ? real.address->to_string() : endpoint.to_string();
        diagnostics_.warning(real.place, "real_server " + name + " is already there, at " +
                                             diagnostics_.location(before->second).to_string() +
                                             "; this one is left out");
        continue;
      }
      check_port("real_server", {*real.address, *real.port}, real.place, port);
      server.real_servers.push_back(resolve_real_server(real, endpoint, port.value_or(*real.port)));
    }
  }

  void resolve_sorry_server(VirtualServer& server) {
    if (!spec_.sorry_server) {
      check_without_sorry_server();
      return;
    }
    const auto& [address, port] = *spec_.sorry_server;
    const Place place = spec_.sorry_server.place;
    if (!check_address("sorry_server", address, place, addresses_of(server))) return;
    check_port("sorry_server", {address, port}, place, common_port(server));
    server.sorry_server = SorryServer{.endpoint = {address, service_port(server.services.front())},
                                      .inhibit = first_of(false, spec_.sorry_server_inhibit)};
  }

  void check_without_sorry_server() {
    if (spec_.sorry_server.seen) return;  // wrong, and reported
    const auto ignored = [&](const auto& setting, const std::string& name) {
      if (setting) diagnostics_.warning(setting.place, name + " without sorry_server is ignored");
    };
    ignored(spec_.sorry_server_inhibit, "sorry_server_inhibit");
    ignored(spec_.sorry_server_lvs_method, "sorry_server_lvs_method");
  }

  /// The port that servers have in a service; 0 if that serves all ports, or a mark.
  static uint16_t service_port(const Service& service) {
    return service.fwmark == 0 ? service.key.endpoint.port : uint16_t{0};
  }

  void check_port(const std::string& keyword, const Endpoint& server, Place place, std::optional<uint16_t> port) {
    if (!port || server.port == 0 || server.port == *port) return;
    diagnostics_.warning(place, keyword + " " + server.to_string() +
                                    ": direct routing keeps the virtual server's port, so the port is " +
                                    std::to_string(*port));
  }

  bool check_address(const std::string& keyword, const IpAddress& address, Place place,
                     const std::set<IpAddress>& own) {
    const IpAddress& service = *own.begin();
    if (address.family() != service.family()) {
      diagnostics_.error(place, keyword + " " + address.to_string() + ": its family is not that of virtual_server " +
                                    (spec_.head.address ? service.to_string() : to_string(spec_.head)));
      return false;
    }
    if (address.is_multicast() || address.is_unspecified() || own.contains(address)) {
      diagnostics_.error(place, keyword + " " + address.to_string() + ": this address cannot be a " +
                                    (keyword == "real_server" ? "real" : "sorry") + " server's");
      return false;
    }
    return true;
  }

  void check_thresholds(const RealServerSpec& spec) {
    const uint32_t upper = first_of(0U, spec.uthreshold);
    const uint32_t lower = first_of(0U, spec.lthreshold);
    if (lower <= upper || (spec.uthreshold.seen && !spec.uthreshold)) return;
    diagnostics_.error(spec.lthreshold.place,
                       "lthreshold " + std::to_string(lower) +
                           (upper == 0 ? " without uthreshold" : " is above uthreshold " + std::to_string(upper)));
  }

  /// Checks go to `check_port`; 0: it is not known.
  RealServer resolve_real_server(const RealServerSpec& spec, const Endpoint& endpoint, uint16_t check_port) {
    check_thresholds(spec);
    const Endpoint checked{endpoint.address, check_port};
    RealServer real;
    real.endpoint = endpoint;
    real.upper_threshold = first_of(0U, spec.uthreshold);
    real.lower_threshold = first_of(0U, spec.lthreshold);
    real.where = diagnostics_.location(spec.place);
    real.weight = first_of(1, spec.weight, spec_.weight);
    real.inhibit_on_failure = first_of(false, spec.inhibit_on_failure, spec_.inhibit_on_failure);
    real.smtp_alert = first_of(true, spec.smtp_alert, global_.smtp_alert_checker, global_.smtp_alert);
    real.notify_up = spec.notify_up.value;
    real.notify_down = spec.notify_down.value;
    real.checkers = checks_.resolve(spec_, spec, checked);
    return real;
  }

  const VirtualServerSpec& spec_;
  const GlobalSpec& global_;
  DestinationResolver& destinations_;
  CheckResolver& checks_;
  Diagnostics& diagnostics_;
};

/// A firewall mark's addresses are ours together, or not.
void check_owners(const VirtualServer& server, const std::map<IpAddress, std::string>& owners, Place place,
                  Diagnostics& diagnostics) {
  const auto owner = [&](const ServiceKey& key) {
    const auto found = owners.find(key.endpoint.address);
    return found == owners.end() ? std::string() : found->second;
  };
  for (const Service& service : server.services) {
    const std::string first = owner(service.key);
    const auto other = std::ranges::find_if(service.more_keys, [&](const auto& key) { return owner(key) != first; });
    if (other == service.more_keys.end()) continue;
    const auto text = [&](const ServiceKey& key) {
      const std::string name = owner(key);
      return key.endpoint.address.to_string() + " (" + (name.empty() ? "no vrrp_instance" : "vrrp_instance " + name) +
             ")";
    };
    diagnostics.warning(place, "virtual_server fwmark " + std::to_string(service.fwmark) + ": " + text(service.key) +
                                   " and " + text(*other) +
                                   " do not move together; lbdp forwards for all of them while one instance is MASTER");
  }
}

}  // namespace

std::vector<VirtualServer> resolve_services(const FileSpec& spec, Diagnostics& diagnostics) {
  std::map<IpAddress, std::string> owners;
  for (const auto& instance : spec.vrrp_instances) {
    for (const auto* list : {&instance.virtual_ipaddress, &instance.virtual_ipaddress_excluded}) {
      for (const auto& item : list->items) owners.emplace(item.value.prefix.address, instance.name);
    }
  }
  std::vector<VirtualServer> servers;
  servers.reserve(spec.virtual_servers.size());
  DestinationResolver destinations(spec, diagnostics);
  CheckResolver checks(spec, diagnostics);
  for (const VirtualServerSpec& one : spec.virtual_servers) {
    auto server = ServiceResolver(one, spec.global, destinations, checks, diagnostics).resolve();
    if (!server) continue;
    check_owners(*server, owners, one.place, diagnostics);
    servers.push_back(std::move(*server));
  }
  destinations.report_unused();
  return servers;
}

}  // namespace lbdp::config
