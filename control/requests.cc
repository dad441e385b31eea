// SPDX-License-Identifier: BSD-2-Clause
#include "control/requests.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "control/status.h"

namespace lbdp::control {
namespace {

using nlohmann::json;

// What one turn of the reactor answers: each well under a millisecond.
constexpr uint64_t kRowsPerPage = 100;
constexpr uint64_t kServicesPerPage = 20;
constexpr size_t kMaxNesting = 16;  // brackets in a request: a line full of them would cost time and memory

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
  if (command == "show") {
    return reply({to_line(show(text_member(*request, "what"), number_member(*request, "cursor"))), false});
  }
  if (command == "timeouts") {
    const auto& timeouts = sources_.config.timeouts;
    const json answer = {{"ok", true},
                         {"tcp", timeouts.tcp.count()},
                         {"tcpfin", timeouts.tcpfin.count()},
                         {"udp", timeouts.udp.count()}};
    return reply({to_line(answer), false});
  }
  if (command == "reload") {
    return reload_([reply](const Result<std::string>& outcome) {
      const json answer = outcome ? json{{"ok", true}, {"message", *outcome}} : refused(outcome.error().message);
      reply({to_line(answer), false});
    });
  }
  reply({to_line(refused("unknown command \"" + command + "\"")), false});
}

json Requests::show(const std::string& what, uint64_t cursor) {
  Page page = rows_of(what, cursor);
  if (!page.known) return refused("there is nothing of the name \"" + what + "\" to show");
  return {{"ok", true},
          {"rows", std::move(page.rows)},
          {"next_cursor", page.next_cursor},
          {"generation", sources_.config.generation}};
}

Requests::Page Requests::rows_of(const std::string& what, uint64_t cursor) {
  if (what == "backends") return backends(cursor);
  if (what == "services") return services(cursor);
  if (what == "connections") return connections(cursor);
  if (what == "vrrp") return Page::of(sources_.vrrp(), cursor, vrrp_row);
  if (what == "checks") return Page::of(sources_.checks(), cursor, check_row);
  if (what == "workers") return Page::of(sources_.dataplane.workers(), cursor, worker_row);
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
  for (const auto& service : sources_.backends.inputs().services) {
    const uint64_t size = service.real_servers.size();
    for (uint64_t i = cursor > at ? cursor - at : 0; i < size; ++i) {
      if (page.rows.size() == kRowsPerPage) {
        page.next_cursor = at + i;
        return page;
      }
      const auto row = sources_.backends.status(service, service.real_servers[i]);
      page.rows.push_back(backend_row(row, sources_.dataplane.counters(row.key), last_check(row.key)));
    }
    at += size;
  }
  return page;
}

Requests::Page Requests::services(uint64_t cursor) {
  Page page;
  const auto& services = sources_.backends.inputs().services;
  uint64_t i = cursor;
  for (; i < services.size() && page.rows.size() < kServicesPerPage; ++i) {
    std::vector<dataplane::RealServerCounters> counters;
    for (const auto& real : services[i].real_servers) {
      counters.push_back(sources_.dataplane.counters({services[i].key, real.endpoint}));
    }
    page.rows.push_back(service_row(sources_.backends, services[i], counters));
  }
  page.next_cursor = i < services.size() ? i : 0;
  return page;
}

Requests::Page Requests::connections(uint64_t cursor) {
  Page page;
  const auto found = sources_.dataplane.connections(cursor, kRowsPerPage, {});
  for (const auto& connection : found.rows) page.rows.push_back(connection_row(connection));
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
