// SPDX-License-Identifier: BSD-2-Clause
#include "control/translate.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "control/translate_vrrp.h"

namespace lbdp::control {
namespace {

using config::Model;

/// "eth0.100" is the kernel's, on top of the tap "eth0".
std::string base_interface(const std::string& name) {
  return name.substr(0, name.find('.'));
}

/// The names that ports without a name of their own take, in order.
std::deque<std::string> free_names(const Model& model) {
  std::set<std::string> taken;
  for (const auto& port : model.dataplane.ports) taken.insert(port.interface);
  std::deque<std::string> names;
  for (const auto& name : model.interfaces) {
    if (taken.insert(base_interface(name)).second) names.push_back(base_interface(name));
  }
  return names;
}

dataplane::PortParams to_port_params(const config::Port& port) {
  return {.device = port.device,
          .interface = port.interface,
          .rx_descriptors = port.rx_descriptors,
          .tx_descriptors = port.tx_descriptors};
}

std::chrono::seconds whole_seconds(config::Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration);
}

/// VRRP instances by the addresses that they hold.
using Holders = std::map<IpAddress, std::vector<std::string>>;

Holders holders(const Model& model) {
  Holders holders;
  for (const auto& instance : model.vrrp_instances) {
    for (const auto* list : {&instance.virtual_ipaddress, &instance.virtual_ipaddress_excluded}) {
      for (const auto& held : *list) holders[held.prefix.address].push_back(instance.name);
    }
  }
  return holders;
}

/// The instances that hold an address of a service, each once.
std::vector<std::string> instances_of(const config::Service& service, const Holders& holders) {
  std::vector<std::string> instances;
  const auto add = [&](const ServiceKey& key) {
    const auto found = holders.find(key.endpoint.address);
    if (found == holders.end()) return;
    for (const auto& name : found->second) {
      if (std::find(instances.begin(), instances.end(), name) == instances.end()) instances.push_back(name);
    }
  };
  add(service.key);
  for (const auto& key : service.more_keys) add(key);
  return instances;
}

dataplane::Scheduler to_scheduler(config::LbAlgo algo) {
  using config::LbAlgo;
  using dataplane::Scheduler;
  switch (algo) {
    case LbAlgo::kRoundRobin: return Scheduler::kRoundRobin;
    case LbAlgo::kWeightedRoundRobin: return Scheduler::kWeightedRoundRobin;
    case LbAlgo::kLeastConnection: return Scheduler::kLeastConnection;
    case LbAlgo::kWeightedLeastConnection: return Scheduler::kWeightedLeastConnection;
    case LbAlgo::kShortestExpectedDelay: return Scheduler::kShortestExpectedDelay;
    case LbAlgo::kNeverQueue: return Scheduler::kNeverQueue;
    case LbAlgo::kSourceHash: return Scheduler::kSourceHash;
    case LbAlgo::kDestinationHash: return Scheduler::kDestinationHash;
    case LbAlgo::kMaglev: return Scheduler::kMaglev;
    case LbAlgo::kFailover: return Scheduler::kFailover;
    case LbAlgo::kOverflow: return Scheduler::kOverflow;
    case LbAlgo::kTwoChoices: return Scheduler::kTwoChoices;
  }
  return Scheduler::kWeightedLeastConnection;
}

/// What stands for a virtual server in log lines, as in keepalived's; empty: its address and port. `groups` counts the
/// virtual servers of each group.
std::string log_name(const config::VirtualServer& server, std::map<std::string, unsigned>& groups) {
  if (!server.group.empty()) return "[" + server.group + "]:" + std::to_string(groups[server.group]++);
  const uint32_t mark = server.services.front().fwmark;
  return mark == 0 ? std::string() : "FWM " + std::to_string(mark);
}

/// A real server in one of its virtual server's services: direct routing keeps the service's port, if it has one.
Endpoint endpoint_in(const config::Service& service, const config::RealServer& real) {
  return {real.endpoint.address, service.fwmark == 0 ? service.key.endpoint.port : uint16_t{0}};
}

RealServerInput to_real_server_input(const config::RealServer& real) {
  RealServerInput out;
  out.endpoint = real.endpoint;
  out.weight = real.weight;
  out.upper_threshold = real.upper_threshold;
  out.lower_threshold = real.lower_threshold;
  out.inhibit_on_failure = real.inhibit_on_failure;
  out.smtp_alert = real.smtp_alert;
  return out;
}

ServiceInput to_service_input(const config::VirtualServer& server, const config::Service& service,
                              const Holders& holders, const std::string& name) {
  ServiceInput out;
  out.key = service.key;
  out.more_keys = service.more_keys;
  out.fwmark = service.fwmark;
  out.name = name;
  out.scheduler = to_scheduler(server.lb_algo);
  out.scheduler_flags = {.fallback = server.hash_fallback, .port = server.hash_port};
  out.persistence = {.timeout = whole_seconds(server.persistence_timeout),
                     .granularity = server.persistence_granularity};
  out.one_packet = server.one_packet;
  out.instances = instances_of(service, holders);
  const ServiceKey& checked = server.services.front().key;
  for (const auto& real : server.real_servers) {
    auto& to = out.real_servers.emplace_back(to_real_server_input(real));
    if (service.key == checked) continue;
    to.endpoint = endpoint_in(service, real);
    to.checked_as = RealServerKey{checked, real.endpoint};
  }
  return out;
}

checks::Timing to_timing(const config::CheckTiming& timing) {
  return {.delay_loop = timing.delay_loop,
          .connect_timeout = timing.connect_timeout,
          .retry = timing.retry,
          .delay_before_retry = timing.delay_before_retry,
          .warmup = timing.warmup};
}

checks::HttpUrl to_url(const config::HttpUrl& url, const Endpoint& connect) {
  checks::HttpUrl out{
      .path = url.path, .status_code = {}, .host = url.virtualhost.empty() ? connect.to_string() : url.virtualhost};
  for (const auto& range : url.status_code) out.status_code.push_back({.first = range.first, .last = range.last});
  if (out.status_code.empty()) out.status_code.push_back({});
  return out;
}

/// None: the type is not built yet; see unsupported_checks().
struct ToChecker {
  using Params = std::optional<checks::CheckerParams>;
  Params operator()(const config::TcpCheck& check) const {
    return checks::TcpCheckParams{.timing = to_timing(check.timing), .connect = check.connect};
  }
  Params operator()(const config::HttpGet& check) const {
    checks::HttpGetParams out{.timing = to_timing(check.timing), .connect = check.connect, .urls = {}};
    for (const auto& url : check.urls) out.urls.push_back(to_url(url, check.connect));
    return out;
  }
  template <class Other>
  Params operator()(const Other&) const {
    return std::nullopt;
  }
};

checks::TargetParams to_target(const config::VirtualServer& server, const config::RealServer& real) {
  checks::TargetParams target{.key = {server.services.front().key, real.endpoint}, .alpha = false, .checkers = {}};
  for (const auto& checker : real.checkers) {
    // The checks know alpha of a real server only: one checker that has it keeps the server out until all succeed.
    target.alpha = target.alpha || config::has_alpha(checker);
    if (auto params = std::visit(ToChecker{}, checker)) target.checkers.push_back(std::move(*params));
  }
  return target;
}

void to_transport(const config::VrrpInstance& from, vrrp::InstanceParams& to) {
  to.multicast_group = from.mcast_dst_ip;
  for (const auto& peer : from.unicast_peers) to.unicast_peers.push_back({peer.address, peer.min_ttl, peer.max_ttl});
  to.unicast_ttl = from.unicast_ttl;
  to.check_unicast_src = from.check_unicast_src;
  to.source = from.src_ip;
  to.plain_checksum = from.v3_checksum_as_v2;
}

vrrp::Announcements to_announcements(const config::GarpSettings& garp) {
  return {.master_repeat = garp.master_repeat,
          .master_delay = garp.master_delay,
          .refresh = garp.master_refresh,
          .refresh_repeat = garp.master_refresh_repeat,
          .lower_prio_repeat = garp.lower_prio_repeat,
          .lower_prio_delay = garp.lower_prio_delay,
          .garp_interval = garp.garp_interval,
          .gna_interval = garp.gna_interval};
}

/// What of a checker cannot be run, although its verdict depends on it; empty: nothing.
std::string lacking(const config::Checker& checker) {
  if (const auto* get = std::get_if<config::HttpGet>(&checker)) {
    const auto has = [&](auto member) { return std::ranges::any_of(get->urls, member); };
    if (has([](const config::HttpUrl& url) { return !url.digest.empty(); })) return "digest in HTTP_GET";
    if (has([](const config::HttpUrl& url) { return url.regex.has_value(); })) return "regex in HTTP_GET";
    return {};
  }
  return std::holds_alternative<config::TcpCheck>(checker) ? std::string() : std::string(keyword_of(checker));
}

// --- what a reload cannot change

/// "lb.conf:12:5: "; nothing for a default.
std::string at(const config::Location& where) {
  return where.line == 0 ? std::string() : where.to_string() + ": ";
}

std::string shown(uint32_t number) {
  return std::to_string(number);
}
std::string shown(const std::string& text) {
  return text;
}
std::string shown(config::Duration duration) {
  return std::to_string(duration.count()) + " us";
}

/// "tcp 900 s, tcpfin 120 s, udp 300 s"
std::string timeouts_of(const config::Dataplane& dataplane) {
  const auto text = [](const char* name, config::Duration duration) {
    return name + std::to_string(whole_seconds(duration).count()) + " s";
  };
  return text("tcp ", dataplane.timeout_tcp) + text(", tcpfin ", dataplane.timeout_tcpfin) +
         text(", udp ", dataplane.timeout_udp);
}

void compare_ports(const config::Dataplane& from, const config::Dataplane& to, std::vector<std::string>& reasons) {
  for (const auto& port : to.ports) {
    const auto before =
        std::find_if(from.ports.begin(), from.ports.end(), [&](const auto& p) { return p.id == port.id; });
    if (before != from.ports.end() && *before == port) continue;
    reasons.push_back(at(port.where) + "port " + std::to_string(port.id) +
                      (before == from.ports.end() ? " is new" : " is another one now"));
  }
  for (const auto& port : from.ports) {
    const bool stays = std::any_of(to.ports.begin(), to.ports.end(), [&](const auto& p) { return p.id == port.id; });
    if (!stays) reasons.push_back("port " + std::to_string(port.id) + " is not in the file any more");
  }
}

/// The first instance that names an interface, or a VLAN on it, is where it is new.
config::Location named_at(const Model& model, const std::string& interface) {
  const auto found = std::find_if(model.vrrp_instances.begin(), model.vrrp_instances.end(),
                                  [&](const auto& i) { return base_interface(i.interface) == interface; });
  return found == model.vrrp_instances.end() ? config::Location{} : found->where;
}

void compare_interfaces(const Model& running, const Model& next, std::vector<std::string>& reasons) {
  const auto before = free_names(running);
  for (const auto& name : free_names(next)) {
    if (std::find(before.begin(), before.end(), name) != before.end()) continue;
    reasons.push_back(at(named_at(next, name)) + "interface " + name + " is new: taps are made at start only");
  }
}

}  // namespace

dataplane::StartupParams to_startup_params(const Model& model) {
  dataplane::StartupParams out;
  out.connections_per_worker = model.dataplane.connections;
  out.wide_connections_per_worker = model.dataplane.wide_connections;
  out.templates = model.dataplane.templates;
  out.idle_sleep = model.dataplane.idle_sleep;
  out.mbufs = model.dataplane.mbufs;
  out.mbuf_size = model.dataplane.mbuf_size;
  out.timeouts = {.tcp = whole_seconds(model.dataplane.timeout_tcp),
                  .tcpfin = whole_seconds(model.dataplane.timeout_tcpfin),
                  .udp = whole_seconds(model.dataplane.timeout_udp)};
  for (const auto& port : model.dataplane.ports) {
    if (port.id >= out.ports.size()) out.ports.resize(size_t{port.id} + 1);
    out.ports[port.id] = to_port_params(port);
  }
  auto names = free_names(model);
  for (auto& port : out.ports) {
    if (!port.interface.empty() || names.empty()) continue;
    port.interface = names.front();
    names.pop_front();
  }
  for (const auto& name : names) out.ports.push_back({.device = {}, .interface = name});
  return out;
}

std::vector<TapAddress> to_tap_addresses(const Model& model, const dataplane::StartupParams& startup) {
  std::vector<TapAddress> out;
  for (const auto& port : model.dataplane.ports) {
    if (!port.ipaddress) continue;
    const std::string& interface = startup.ports.at(port.id).interface;
    out.push_back({interface.empty() ? "lbdp" + std::to_string(port.id) : interface, *port.ipaddress});
  }
  return out;
}

BackendInputs to_backend_inputs(const Model& model) {
  BackendInputs out;
  out.switches = {.expire_nodest_conn = model.dataplane.expire_nodest_conn,
                  .expire_quiescent_template = model.dataplane.expire_quiescent_template,
                  .conn_reuse = model.dataplane.conn_reuse,
                  .sloppy_tcp = model.dataplane.sloppy_tcp};
  const Holders held = holders(model);
  std::map<std::string, unsigned> groups;
  for (const auto& server : model.virtual_servers) {
    const std::string name = log_name(server, groups);
    for (const auto& service : server.services) out.services.push_back(to_service_input(server, service, held, name));
  }
  return out;
}

std::vector<vrrp::InstanceParams> to_vrrp_instances(const Model& model) {
  std::vector<vrrp::InstanceParams> out;
  for (const auto& instance : model.vrrp_instances) {
    vrrp::InstanceParams& to = out.emplace_back();
    to.name = instance.name;
    to.interface = instance.interface;
    to.version = instance.version;
    to.virtual_router_id = instance.virtual_router_id;
    to.priority = instance.priority;
    to.initial_master = instance.state == config::VrrpInstance::State::kMaster;
    to.advert_int = instance.advert_int;
    to.auth_pass = instance.auth_pass;
    to_transport(instance, to);
    to.sync_group = sync_group_of(model, instance.name);
    for (const auto& held : instance.virtual_ipaddress) to.virtual_addresses.push_back(held.prefix);
    for (const auto& held : instance.virtual_ipaddress_excluded) to.excluded_addresses.push_back(held.prefix);
    to.nopreempt = instance.nopreempt;
    to.preempt_delay = instance.preempt_delay;
    to.down_timer_adverts = instance.down_timer_adverts;
    to.announcements = to_announcements(instance.garp);
    to.lower_prio_no_advert = instance.lower_prio_no_advert;
    to.higher_prio_send_advert = instance.higher_prio_send_advert;
    to.owner_ignore_adverts = instance.owner_ignore_adverts;
  }
  return out;
}

std::vector<checks::TargetParams> to_check_targets(const Model& model) {
  std::vector<checks::TargetParams> out;
  for (const auto& service : model.virtual_servers) {
    for (const auto& real : service.real_servers) out.push_back(to_target(service, real));
  }
  return out;
}

std::vector<std::string> unsupported_checks(const Model& model) {
  std::map<std::string, std::string, std::less<>> first;  // where each reason comes up first
  for (const auto& service : model.virtual_servers) {
    for (const auto& real : service.real_servers) {
      for (const auto& checker : real.checkers) {
        const std::string reason = lacking(checker);
        if (!reason.empty()) first.emplace(reason, real.where.to_string());
      }
    }
  }
  std::vector<std::string> reasons;
  reasons.reserve(first.size());
  for (const auto& [reason, where] : first) {
    reasons.push_back(reason + " (first in the real_server at " + where +
                      ") is not there yet: a server that is dead would look alive");
  }
  return reasons;
}

std::string router_id(const Model& model) {
  if (!model.global.router_id.empty()) return model.global.router_id;
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string("lbdp");
}

MailParams to_mail_params(const Model& model) {
  MailParams out;
  out.smtp_server = model.global.smtp_server;
  out.helo_name = model.global.smtp_helo_name;
  out.from = model.global.notification_email_from;
  out.to = model.global.notification_email;
  out.smtp_connect_timeout = model.global.smtp_connect_timeout;
  return out;
}

bool wants_vrrp_mail(const Model& model, const std::string& instance, vrrp::State state) {
  // As keepalived: the states that an instance lives in, not its coming and going.
  const bool worth = state == vrrp::State::kMaster || state == vrrp::State::kBackup || state == vrrp::State::kFault;
  return worth && std::any_of(model.vrrp_instances.begin(), model.vrrp_instances.end(),
                              [&](const auto& known) { return known.smtp_alert && known.name == instance; });
}

std::vector<std::string> restart_reasons(const Model& running, const Model& next) {
  std::vector<std::string> reasons;
  const auto& from = running.dataplane;
  const auto& to = next.dataplane;
  compare_ports(from, to, reasons);
  const auto compare = [&](const char* name, const auto& now, const auto& wanted) {
    if (now == wanted) return;
    reasons.push_back(at(to.places.of(name)) + name + " is " + shown(now) + " now and " + shown(wanted) +
                      " in the file");
  };
  compare("connections", from.connections, to.connections);
  compare("wide_connections", from.wide_connections, to.wide_connections);
  compare("templates", from.templates, to.templates);
  compare("mbufs", from.mbufs, to.mbufs);
  compare("mbuf_size", from.mbuf_size, to.mbuf_size);
  compare("idle_sleep", from.idle_sleep, to.idle_sleep);
  compare("lvs_timeouts", timeouts_of(from), timeouts_of(to));
  compare_interfaces(running, next, reasons);
  return reasons;
}

}  // namespace lbdp::control
