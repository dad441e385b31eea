// SPDX-License-Identifier: BSD-2-Clause
#include <map>
#include <string>
#include <utility>

#include "config/resolve.h"

namespace lbdp::config {
namespace {

Duration default_delay_before_retry(CheckerSpec::Type type) {
  return type == CheckerSpec::Type::kHttp ? std::chrono::seconds(3) : std::chrono::seconds(1);
}

/// Resolves one virtual server and all that is in it.
class ServiceResolver {
 public:
  ServiceResolver(const VirtualServerSpec& spec, const GlobalSpec& global, Diagnostics& diagnostics)
      : spec_(spec), global_(global), diagnostics_(diagnostics) {}

  /// None: it has no address, port or protocol, or no real servers, or is of a kind that is not there; reported.
  std::optional<VirtualServer> resolve() {
    check_required();
    check_address();
    if (!spec_.address || !spec_.port) return std::nullopt;
    VirtualServer server;
    server.key = {first_of(Protocol::kTcp, spec_.protocol), {*spec_.address, *spec_.port}};
    server.where = diagnostics_.location(spec_.place);
    server.lb_algo = first_of(LbAlgo::kRoundRobin, spec_.lb_algo);
    server.persistence_timeout = first_of(Duration(0), spec_.persistence_timeout);
    server.alpha = first_of(false, spec_.alpha);
    server.smtp_alert = first_of(false, spec_.smtp_alert, global_.smtp_alert_checker, global_.smtp_alert);
    if (spec_.real_servers.empty()) {
      diagnostics_.warning(spec_.place, message("it has no real_server and is left out"));
      return std::nullopt;
    }
    resolve_real_servers(server);
    return server;
  }

 private:
  [[nodiscard]] std::string message(const std::string& text) const {
    std::string head = "virtual_server ";
    if (spec_.address && spec_.port) head += Endpoint{*spec_.address, *spec_.port}.to_string();
    return head + ": " + text;
  }

  void check_required() {
    if (!spec_.protocol.seen) {
      diagnostics_.error(spec_.place,
                         message("'protocol' is missing; write 'protocol TCP' or 'protocol UDP' (keepalived "
                                 "takes UDP)"));
    }
    if (!spec_.lb_algo.seen) {
      diagnostics_.error(spec_.place, message("'lb_algo' is missing, and wlc, keepalived's default, is not there yet; "
                                              "write 'lb_algo rr'"));
    }
    if (!spec_.lb_kind.seen) {
      diagnostics_.note(spec_.place, message("'lb_kind' is missing: DR here, while keepalived takes NAT"));
    }
  }

  void check_address() {
    if (!spec_.address) return;
    if (!spec_.address->is_v4()) {
      diagnostics_.error(spec_.place, message("IPv6 virtual servers are not there yet"));
    } else if (spec_.address->is_multicast() || spec_.address->is_unspecified()) {
      diagnostics_.error(spec_.place, message("this address cannot be a virtual server's"));
    }
  }

  void resolve_real_servers(VirtualServer& server) {
    std::map<Endpoint, Place> known;
    server.real_servers.reserve(spec_.real_servers.size());
    for (const RealServerSpec& real : spec_.real_servers) {
      const auto endpoint = real_endpoint(real, server.key.endpoint);
      if (!endpoint) continue;
      const auto [first, inserted] = known.emplace(*endpoint, real.place);
      if (!inserted) {
        diagnostics_.warning(real.place, "real_server " + endpoint->to_string() + " is already there, at " +
                                             diagnostics_.location(first->second).to_string() +
                                             "; this one is left out");
        continue;
      }
      server.real_servers.push_back(resolve_real_server(real, *endpoint));
    }
  }

  std::optional<Endpoint> real_endpoint(const RealServerSpec& real, const Endpoint& service) {
    if (!real.address || !real.port) return std::nullopt;
    if (real.address->family() != service.address.family()) {
      diagnostics_.error(real.place, "real_server " + real.address->to_string() +
                                         ": its family is not that of virtual_server " + service.address.to_string());
      return std::nullopt;
    }
    if (real.address->is_multicast() || real.address->is_unspecified() || *real.address == service.address) {
      diagnostics_.error(real.place,
                         "real_server " + real.address->to_string() + ": this address cannot be a real server's");
      return std::nullopt;
    }
    if (*real.port != 0 && *real.port != service.port) {
      diagnostics_.warning(real.place, "real_server " + Endpoint{*real.address, *real.port}.to_string() +
                                           ": direct routing keeps the virtual server's port, so the port is " +
                                           std::to_string(service.port));
    }
    return Endpoint{*real.address, service.port};
  }

  RealServer resolve_real_server(const RealServerSpec& spec, const Endpoint& endpoint) {
    RealServer real;
    real.endpoint = endpoint;
    real.where = diagnostics_.location(spec.place);
    real.weight = first_of(1, spec.weight, spec_.weight);
    real.inhibit_on_failure = first_of(false, spec.inhibit_on_failure, spec_.inhibit_on_failure);
    real.smtp_alert = first_of(true, spec.smtp_alert, global_.smtp_alert_checker, global_.smtp_alert);
    real.checkers.reserve(spec.checkers.size());
    for (const CheckerSpec& checker : spec.checkers) {
      // The model knows alpha of a real server only: one checker that has it keeps the server out until all succeed.
      real.alpha = real.alpha || inherited(&CheckDefaultsSpec::alpha, checker, spec, false);
      if (checker.type == CheckerSpec::Type::kHttp) {
        real.checkers.emplace_back(resolve_http(checker, spec, endpoint));
      } else {
        real.checkers.emplace_back(TcpCheck{timing(checker, spec), connect(checker, endpoint)});
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
  Diagnostics& diagnostics_;
};

}  // namespace

std::vector<VirtualServer> resolve_services(const FileSpec& spec, Diagnostics& diagnostics) {
  std::vector<VirtualServer> servers;
  servers.reserve(spec.virtual_servers.size());
  std::map<ServiceKey, Place> known;
  for (const VirtualServerSpec& one : spec.virtual_servers) {
    auto server = ServiceResolver(one, spec.global, diagnostics).resolve();
    if (!server) continue;
    const auto [first, inserted] = known.emplace(server->key, one.place);
    if (!inserted && one.protocol) {
      diagnostics.error(one.place, "a second virtual_server " + server->key.to_string() + "; the first is at " +
                                       diagnostics.location(first->second).to_string());
      continue;
    }
    servers.push_back(std::move(*server));
  }
  return servers;
}

}  // namespace lbdp::config
