// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "config/resolve.h"
#include "config/resolve_destinations.h"

namespace lbdp::config {
namespace {

Duration default_delay_before_retry(CheckerSpec::Type type) {
  return type == CheckerSpec::Type::kHttp ? std::chrono::seconds(3) : std::chrono::seconds(1);
}

/// Resolves one virtual server and all that is in it.
class ServiceResolver {
 public:
  ServiceResolver(const VirtualServerSpec& spec, const GlobalSpec& global, DestinationResolver& destinations,
                  Diagnostics& diagnostics)
      : spec_(spec), global_(global), destinations_(destinations), diagnostics_(diagnostics) {}

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
    server.group = spec_.head.group.value_or("");
    server.where = diagnostics_.location(spec_.place);
    server.alpha = first_of(false, spec_.alpha);
    server.smtp_alert = first_of(false, spec_.smtp_alert, global_.smtp_alert_checker, global_.smtp_alert);
    resolve_scheduling(spec_, server, diagnostics_);
    resolve_real_servers(server);
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
      if (!real.address || !real.port || !check_address(real, own)) continue;
      const Endpoint endpoint{*real.address, first.fwmark == 0 ? first.key.endpoint.port : uint16_t{0}};
      const auto [before, inserted] = known.emplace(*real.address, real.place);
      if (!inserted) {
        const std::string name = endpoint.port == 0 ? real.address->to_string() : endpoint.to_string();
        diagnostics_.warning(real.place, "real_server " + name + " is already there, at " +
                                             diagnostics_.location(before->second).to_string() +
                                             "; this one is left out");
        continue;
      }
      if (port && *real.port != 0 && *real.port != *port) {
        diagnostics_.warning(real.place, "real_server " + Endpoint{*real.address, *real.port}.to_string() +
                                             ": direct routing keeps the virtual server's port, so the port is " +
                                             std::to_string(*port));
      }
      server.real_servers.push_back(resolve_real_server(real, endpoint, port.value_or(*real.port)));
    }
  }

  bool check_address(const RealServerSpec& real, const std::set<IpAddress>& own) {
    const IpAddress& service = *own.begin();
    if (real.address->family() != service.family()) {
      diagnostics_.error(real.place, "real_server " + real.address->to_string() +
                                         ": its family is not that of virtual_server " +
                                         (spec_.head.address ? service.to_string() : to_string(spec_.head)));
      return false;
    }
    if (real.address->is_multicast() || real.address->is_unspecified() || own.contains(*real.address)) {
      diagnostics_.error(real.place,
                         "real_server " + real.address->to_string() + ": this address cannot be a real server's");
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
    real.checkers.reserve(spec.checkers.size());
    for (const CheckerSpec& checker : spec.checkers) {
      // The model knows alpha of a real server only: one checker that has it keeps the server out until all succeed.
      real.alpha = real.alpha || inherited(&CheckDefaultsSpec::alpha, checker, spec, false);
      if (checker.type == CheckerSpec::Type::kHttp) {
        real.checkers.emplace_back(resolve_http(checker, spec, checked));
      } else {
        real.checkers.emplace_back(TcpCheck{timing(checker, spec), connect(checker, checked)});
      }
    }
    return real;
  }

  /// A setting of a checker, of its real server or of the virtual server: the innermost counts.
  template <class T>
  [[nodiscard]] T inherited(Setting<T> CheckDefaultsSpec::*member, const CheckerSpec& checker,
                            const RealServerSpec& real, T fallback) const {
    return first_of(std::move(fallback), checker.*member, real.*member, spec_.*member);
  }

  [[nodiscard]] CheckTiming timing(const CheckerSpec& checker, const RealServerSpec& real) const {
    using D = CheckDefaultsSpec;
    CheckTiming timing;
    timing.delay_loop = inherited(&D::delay_loop, checker, real, timing.delay_loop);
    timing.connect_timeout = inherited(&D::connect_timeout, checker, real, timing.connect_timeout);
    timing.retry = inherited(&D::retry, checker, real, timing.retry);
    timing.delay_before_retry =
        inherited(&D::delay_before_retry, checker, real, default_delay_before_retry(checker.type));
    timing.warmup = inherited(&D::warmup, checker, real, timing.delay_loop);
    return timing;
  }

  Endpoint connect(const CheckerSpec& checker, const Endpoint& real) {
    const Endpoint connect{first_of(real.address, checker.connect_ip), first_of(real.port, checker.connect_port)};
    if (connect.address.is_multicast() || connect.address.is_unspecified()) {
      diagnostics_.error(checker.connect_ip.place, "connect_ip: " + connect.address.to_string() + " cannot be checked");
    }
    if (connect.port == 0 && !checker.connect_port.seen) {
      diagnostics_.error(checker.place,
                         "'connect_port' is missing: the virtual server has no port of its own, and real_server none "
                         "either; write 'real_server " +
                             real.address.to_string() + " PORT'");
    }
    return connect;
  }

  HttpGet resolve_http(const CheckerSpec& checker, const RealServerSpec& real, const Endpoint& endpoint) {
    HttpGet http{timing(checker, real), connect(checker, endpoint), {}};
    if (checker.urls.empty()) diagnostics_.error(checker.place, "HTTP_GET: 'url' is missing");
    http.urls.reserve(checker.urls.size());
    for (const UrlSpec& url : checker.urls) {
      if (!url.path.seen) diagnostics_.error(url.place, "url: 'path' is missing");
      http.urls.push_back(
          {first_of(std::string("/"), url.path), url.status_code,
           first_of(std::string(), url.virtualhost, checker.virtualhost, real.virtualhost, spec_.virtualhost)});
    }
    return http;
  }

  const VirtualServerSpec& spec_;
  const GlobalSpec& global_;
  DestinationResolver& destinations_;
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
  for (const VirtualServerSpec& one : spec.virtual_servers) {
    auto server = ServiceResolver(one, spec.global, destinations, diagnostics).resolve();
    if (!server) continue;
    check_owners(*server, owners, one.place, diagnostics);
    servers.push_back(std::move(*server));
  }
  destinations.report_unused();
  return servers;
}

}  // namespace lbdp::config
