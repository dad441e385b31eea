// SPDX-License-Identifier: BSD-2-Clause
#include "control/requests.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "control/connection_filter.h"
#include "control/status.h"

namespace lbdp::control {
namespace {

using nlohmann::json;

// What one turn of the reactor answers: each well under a millisecond.
constexpr uint64_t kRowsPerPage = 100;
constexpr uint64_t kServicesPerPage = 20;
constexpr size_t kServersPerPage = 500;    // of the services of a page, which are summed up
constexpr size_t kTemplatesPerScan = 250;  // of which a filter leaves some
constexpr size_t kMaxNesting = 16;         // brackets in a request: a line full of them would cost time and memory

json refused(const std::string& why) {
  return {{"ok", false}, {"error", why}};
}

std::string to_line(const json& answer) {
  return answer.dump(-1, ' ', false, json::error_handler_t::replace);  // reasons may quote bytes from the network
}

std::optional<json> parse_request(const std::string& line) {
  const auto brackets = std::count_if(line.begin(), line.end(), [](char c) { return c == '[' || c == '{'; });
  if (static_cast<size_t>(brackets) > kMaxNesting) return std::nullopt;
  json request = json::parse(line, nullptr, false);
  if (!request.is_object()) return std::nullopt;
  return request;
}

std::string text_member(const json& request, const char* name) {
  const auto found = request.find(name);
  return found != request.end() && found->is_string() ? found->get<std::string>() : std::string();
}

uint64_t number_member(const json& request, const char* name) {
  const auto found = request.find(name);
  return found != request.end() && found->is_number_unsigned() ? found->get<uint64_t>() : 0;
}

/// The key of the virtual server that has this destination among its own; the destination itself if there is none.
ServiceKey virtual_server_of(const std::vector<ServiceInput>& services, const ServiceKey& destination) {
  const auto found = std::find_if(services.begin(), services.end(), [&](const ServiceInput& service) {
    return std::find(service.more_keys.begin(), service.more_keys.end(), destination) != service.more_keys.end();
  });
  return found == services.end() ? destination : found->key;
}

std::optional<Protocol> find_protocol(std::string_view name) {
  for (const Protocol protocol : {Protocol::kTcp, Protocol::kUdp, Protocol::kSctp}) {
    if (name == to_string(protocol)) return protocol;
  }
  return std::nullopt;
}

}  // namespace

struct Requests::Page {
  json rows = json::array();
  uint64_t next_cursor = 0;
  bool known = true;

  /// Rows `cursor` to `cursor` + kRowsPerPage of a list.
  template <class List, class ToRow>
  static Page of(const List& list, uint64_t cursor, ToRow&& to_row) {
    Page page;
    const uint64_t end = std::min<uint64_t>(list.size(), cursor < list.size() ? cursor + kRowsPerPage : 0);
    for (uint64_t i = cursor; i < end; ++i) page.rows.push_back(to_row(list[i]));
    page.next_cursor = end < list.size() && end > cursor ? end : 0;
    return page;
  }
  static Page one(json row) {
    Page page;
    page.rows.push_back(std::move(row));
    return page;
  }
};

std::string Requests::too_long() {
  return to_line(refused("the request is too long"));
}

void Requests::handle(const std::string& line, const ControlSocket::Reply& reply) {
  const auto request = parse_request(line);
  if (!request) return reply({to_line(refused("a request is one JSON object in one line")), true});
  const std::string command = text_member(*request, "command");
  if (command == "show") return reply({to_line(show(*request)), false});
  if (command == "explain") return reply({to_line(explain(*request)), false});
  if (command == "timeouts") {
    const auto& timeouts = sources_.config.timeouts;
    const json answer = {{"ok", true},
                         {"tcp", timeouts.tcp.count()},
                         {"tcpfin", timeouts.tcpfin.count()},
                         {"udp", timeouts.udp.count()}};
    return reply({to_line(answer), false});
  }
  if (command == "reload") {
    const json dry_run = request->value("dry_run", json(false));
    if (!dry_run.is_boolean()) return reply({to_line(refused("dry_run is true or false")), false});
    return reload_(dry_run.get<bool>(), [reply](const ReloadReport& report) {
      reply({to_line(to_json(report)), false});
    });
  }
  reply({to_line(refused("unknown command \"" + command + "\"")), false});
}

json Requests::show(const json& request) {
  const std::string what = text_member(request, "what");
  const uint64_t cursor = number_member(request, "cursor");
  const bool filtered = what == "connections" || what == "persistence";
  if (!filtered && request.contains("filter")) return refused("\"" + what + "\" takes no filter");
  Page page;
  if (filtered) {
    const auto filter = to_filter(request.value("filter", json::object()));
    if (!filter) return refused(filter.error().message);
    const uint64_t wanted = number_member(request, "limit");
    const size_t limit = wanted == 0 ? kRowsPerPage : std::min(wanted, kRowsPerPage);
    page = what == "connections" ? connections(cursor, limit, *filter) : persistence(cursor, limit, *filter);
  } else {
    page = rows_of(what, cursor);
  }
  if (!page.known) return refused("there is nothing of the name \"" + what + "\" to show");
  return {{"ok", true},
          {"rows", std::move(page.rows)},
          {"next_cursor", page.next_cursor},
          {"generation", sources_.config.generation}};
}

json Requests::explain(const json& request) const {
  const auto client = Endpoint::parse(text_member(request, "client"));
  if (!client) return refused("client: " + client.error().message);
  const auto endpoint = Endpoint::parse(text_member(request, "virtual"));
  if (!endpoint) return refused("virtual: " + endpoint.error().message);
  if (client->address.family() != endpoint->address.family()) {
    return refused("client and virtual are of one address family");
  }
  ServiceKey destination{protocol_at(*endpoint), *endpoint};
  if (const std::string name = text_member(request, "protocol"); !name.empty()) {
    const auto protocol = find_protocol(name);
    if (!protocol) return refused("\"" + name + "\" is not tcp, udp or sctp");
    destination.protocol = *protocol;
  }
  const auto explanation = sources_.dataplane.explain(*client, destination);
  std::string interface;
  for (const auto& port : sources_.dataplane.ports()) {
    if (port.id == explanation.egress) interface = port.interface;
  }
  return {{"ok", true}, {"explanation", explanation_row(*client, destination, explanation, interface)}};
}

Protocol Requests::protocol_at(const Endpoint& destination) const {
  std::set<Protocol> there;
  const auto look = [&](const ServiceKey& key) {
    const bool any_port = key.endpoint.port == 0;
    if (key.endpoint.address == destination.address && (any_port || key.endpoint.port == destination.port)) {
      there.insert(key.protocol);
    }
  };
  for (const auto& service : sources_.backends.inputs().services) {
    look(service.key);
    for (const auto& key : service.more_keys) look(key);
  }
  return there.empty() ? Protocol::kTcp : *there.begin();  // tcp stands before udp, and that before sctp
}

Requests::Page Requests::rows_of(const std::string& what, uint64_t cursor) {
  if (what == "backends") return backends(cursor);
  if (what == "services") return services(cursor);
  if (what == "vrrp") return Page::of(sources_.vrrp(), cursor, vrrp_row);
  if (what == "checks") return Page::of(sources_.checks(), cursor, check_row);
  if (what == "workers") {
    return Page::of(sources_.dataplane.workers(), cursor,
                    [this](const auto& worker) { return worker_row(worker, rates_.of(worker.id)); });
  }
  if (what == "ports") return Page::of(sources_.dataplane.ports(), cursor, port_row);
  if (what == "drops") {
    Page page;
    page.rows = drop_rows(sources_.dataplane.workers());
    return page;
  }
  if (what == "neighbors") {
    const auto now = NeighbourStatus::Clock::now();
    return Page::of(sources_.neighbours(), cursor, [now](const NeighbourStatus& n) { return neighbour_row(n, now); });
  }
  if (what == "config") return config();
  if (what == "version") return version();
  Page unknown;
  unknown.known = false;
  return unknown;
}

Requests::Page Requests::backends(uint64_t cursor) {
  if (cursor == 0) remember_checks();
  Page page;
  uint64_t at = 0;
  const auto& services = sources_.backends.inputs().services;
  for (size_t s = 0; s < services.size(); ++s) {
    const auto& real_servers = services[s].real_servers;
    for (uint64_t i = cursor > at ? cursor - at : 0; i < real_servers.size(); ++i) {
      if (page.rows.size() == kRowsPerPage) {
        page.next_cursor = at + i;
        return page;
      }
      const auto status = sources_.backends.status(services[s], real_servers[i]);
      page.rows.push_back(backend_row(status, real_servers[i], sources_.dataplane.counters(status.key),
                                      rates_.of(s, i, status.key), last_check(status.key)));
    }
    at += real_servers.size();
  }
  return page;
}

Requests::Page Requests::services(uint64_t cursor) {
  Page page;
  const auto& services = sources_.backends.inputs().services;
  size_t servers = 0;
  uint64_t i = cursor;
  for (; i < services.size() && page.rows.size() < kServicesPerPage && servers < kServersPerPage; ++i) {
    const ServiceInput& service = services[i];
    ServiceSums sums;
    for (size_t r = 0; r < service.real_servers.size(); ++r) {
      const auto status = sources_.backends.status(service, service.real_servers[r]);
      const auto counters = sources_.dataplane.counters(status.key);
      sums.add(counters, rates_.of(i, r, status.key), state_name(status, counters) == "UP");
    }
    servers += service.real_servers.size();
    page.rows.push_back(service_row(service, sources_.backends.owned(service), sums));
  }
  page.next_cursor = i < services.size() ? i : 0;
  return page;
}

Requests::Page Requests::connections(uint64_t cursor, size_t limit, const dataplane::ConnectionFilter& filter) {
  Page page;
  const auto found = sources_.dataplane.connections(cursor, limit, filter);
  for (const auto& connection : found.rows) page.rows.push_back(connection_row(connection));
  page.next_cursor = found.next_cursor;
  return page;
}

Requests::Page Requests::persistence(uint64_t cursor, size_t limit, const dataplane::ConnectionFilter& filter) {
  Page page;
  const bool all = to_json(filter).empty();
  dataplane::ConnectionFilter wanted = filter;
  if (filter.service) wanted.service = virtual_server_of(sources_.backends.inputs().services, *filter.service);
  const auto found = sources_.dataplane.templates(cursor, all ? limit : kTemplatesPerScan);
  for (const auto& row : found.rows) {
    if (all || matches(wanted, row)) page.rows.push_back(template_row(row));
  }
  page.next_cursor = found.next_cursor;
  return page;
}

Requests::Page Requests::config() {
  const ConfigStatus& config = sources_.config;
  json last = nullptr;
  if (config.last_reload) {
    last = {{"time", iso_time(config.last_reload->time)},
            {"ok", config.last_reload->ok},
            {"message", config.last_reload->message}};
  }
  return Page::one({{"file", config.file},
                    {"config_id", config.config_id},
                    {"loaded", iso_time(config.loaded)},
                    {"reloads", config.generation - 1},
                    {"last_reload", last}});
}

Requests::Page Requests::version() {
  const auto uptime = std::chrono::system_clock::now() - sources_.config.started;
  return Page::one({{"version", LBDP_VERSION},
                    {"pid", ::getpid()},
                    {"started", iso_time(sources_.config.started)},
                    {"uptime_s", std::chrono::duration_cast<std::chrono::seconds>(uptime).count()}});
}

std::optional<std::string> Requests::last_check(const RealServerKey& key) const {
  const auto found = last_checks_.find(key);
  if (found == last_checks_.end()) return std::nullopt;
  return found->second;
}

void Requests::remember_checks() {
  last_checks_.clear();
  for (const auto& checker : sources_.checks()) {
    if (!checker.checked) continue;
    // Of several checkers, one that fails says more than one that does not.
    auto [known, fresh] = last_checks_.try_emplace(checker.key, checker.last_result);
    if (!fresh && !checker.up) known->second = checker.last_result;
  }
}

}  // namespace lbdp::control
