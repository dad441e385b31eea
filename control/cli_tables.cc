// SPDX-License-Identifier: BSD-2-Clause
#include "control/cli_tables.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

namespace lbdp::control {
namespace {

using nlohmann::json;

/// A column: its heading, and how a row fills it. Numbers stand to the right.
struct Column {
  const char* heading;
  const char* member;
  bool right = false;
};
using Columns = std::span<const Column>;

constexpr Column kBackends[] = {{"  REAL SERVER", "real"},      {"STATE", "state"},
                                {"WEIGHT", "weight", true},     {"MAC", "mac"},
                                {"INTERFACE", "interface"},     {"ACTIVE", "active", true},
                                {"INACTIVE", "inactive", true}, {"TOTAL", "connections", true},
                                {"LAST CHECK", "last_check"},   {"REASON", "reason"}};
constexpr Column kServices[] = {{"SERVICE", "service"},
                                {"SCHED", "scheduler"},
                                {"OWNED", "owned"},
                                {"INSTANCE", "instances"},
                                {"SERVERS", "real_servers", true},
                                {"USABLE", "usable", true},
                                {"ACTIVE", "active", true},
                                {"INACTIVE", "inactive", true},
                                {"TOTAL", "connections", true},
                                {"PACKETS", "packets", true},
                                {"BYTES", "bytes", true}};
constexpr Column kConnections[] = {{"PROTO", "protocol"},     {"CLIENT", "client"}, {"VIRTUAL", "virtual"},
                                   {"REAL", "real"},          {"STATE", "state"},   {"EXPIRES", "expires_s", true},
                                   {"WORKER", "worker", true}};
constexpr Column kChecks[] = {{"SERVICE", "service"},
                              {"REAL SERVER", "real"},
                              {"TYPE", "type"},
                              {"CONNECT", "connect"},
                              {"UP", "up"},
                              {"FAILURES", "failures", true},
                              {"RETRY", "retry", true},
                              {"LAST RESULT", "last_result"},
                              {"MS", "last_duration_ms", true},
                              {"PROBES", "probes", true},
                              {"FAILED", "probes_failed", true},
                              {"LAST TIME", "last_time"}};
constexpr Column kWorkers[] = {{"WORKER", "worker", true},
                               {"LCORE", "lcore", true},
                               {"PORTS", "ports"},
                               {"RECEIVED", "received", true},
                               {"TRANSMITTED", "transmitted", true},
                               {"PUNTED", "punted", true},
                               {"DROPPED", "dropped", true},
                               {"INJECTED", "injected", true},
                               {"REPLIES", "replies", true},
                               {"CONNECTIONS", "connections", true},
                               {"LIMIT", "connections_limit", true},
                               {"BUSY %", "busy_percent", true},
                               {"LOOP AGE US", "loop_age_us", true}};
constexpr Column kPorts[] = {{"PORT", "port", true},
                             {"INTERFACE", "interface"},
                             {"DEVICE", "device"},
                             {"DRIVER", "driver"},
                             {"MAC", "mac"},
                             {"MTU", "mtu", true},
                             {"LINK", "link_up"},
                             {"MBPS", "link_mbps", true},
                             {"QUEUES", "queues", true},
                             {"RX", "rx_packets", true},
                             {"TX", "tx_packets", true},
                             {"RX MISSED", "rx_missed", true},
                             {"RX ERRORS", "rx_errors", true},
                             {"TX ERRORS", "tx_errors", true},
                             {"TO KERNEL", "to_kernel", true},
                             {"FROM KERNEL", "from_kernel", true}};
constexpr Column kNeighbors[] = {{"ADDRESS", "address"},
                                 {"INTERFACE", "interface"},
                                 {"STATE", "state"},
                                 {"MAC", "mac"},
                                 {"KERNEL", "kernel_state"},
                                 {"ANSWERED MS AGO", "last_answer_ms", true},
                                 {"PROBES", "probes", true},
                                 {"ANSWERS", "answers", true},
                                 {"REJECTED", "rejected", true},
                                 {"REASON", "reason"}};
constexpr Column kDrops[] = {{"REASON", "reason"}, {"COUNT", "count", true}};

/// The length in characters of UTF-8 text, as far as a terminal counts them.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

/// What comes from outside (a web server's words, say) must not drive the terminal.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return text;
}

std::string joined(const json& value) {
  std::string out;
  for (const auto& item : value) {
    if (!out.empty()) out += ",";
    out += item.is_string() ? item.get<std::string>() : item.dump();
  }
  return out.empty() ? "-" : out;
}

std::string cell(const json& row, const std::string& member) {
  const auto found = row.find(member);
  if (found == row.end() || found->is_null()) return "-";
  if (found->is_boolean()) return found->get<bool>() ? "yes" : "no";
  if (found->is_number_float()) return fmt::format("{:.1f}", found->get<double>());
  if (found->is_array()) return printable(joined(*found));
  if (!found->is_string()) return found->dump();
  const auto text = found->get<std::string>();
  return text.empty() ? "-" : printable(text);
}

std::string pad(const std::string& text, size_t width, bool right) {
  const std::string blanks(width > width_of(text) ? width - width_of(text) : 0, ' ');
  return right ? blanks + text : text + blanks;
}

std::string table(Columns columns, const json& rows) {
  std::vector<std::vector<std::string>> lines(1);
  for (const auto& column : columns) lines[0].emplace_back(column.heading);
  for (const auto& row : rows) {
    auto& line = lines.emplace_back();
    for (const auto& column : columns) line.push_back(cell(row, column.member));
  }
  std::vector<size_t> widths(columns.size(), 0);
  for (const auto& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width_of(line[i]));
  }
  std::string out;
  for (const auto& line : lines) {
    std::string text;
    for (size_t i = 0; i < line.size(); ++i) text += (i == 0 ? "" : "  ") + pad(line[i], widths[i], columns[i].right);
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  }
  return out;
}

/// One object as "name  value" lines.
std::string sheet(const json& row) {
  size_t width = 0;
  for (const auto& [name, value] : row.items()) width = std::max(width, name.size());
  std::string out;
  for (const auto& [name, value] : row.items()) {
    if (value.is_object()) {
      out += name + "\n";
      for (const auto& [inner, unused] : value.items()) {
        out += "  " + pad(inner, width > 2 ? width - 2 : 0, false) + "  " + cell(value, inner) + "\n";
      }
    } else {
      out += pad(name, width, false) + "  " + cell(row, name) + "\n";
    }
  }
  return out;
}

std::string backends_table(const json& rows) {
  std::string out;
  for (auto first = rows.begin(); first != rows.end();) {
    const auto last =
        std::find_if(first, rows.end(), [&](const json& r) { return r["service"] != (*first)["service"]; });
    json group = json::array();
    for (auto row = first; row != last; ++row) group.push_back(*row);
    out += (out.empty() ? "" : "\n") + cell(*first, "service") + "\n";
    for (auto& row : group) row["real"] = "  " + row["real"].get<std::string>();
    out += table(kBackends, group);
    first = last;
  }
  return out;
}

std::string vrrp_text(const json& rows) {
  std::string out;
  for (const auto& row : rows) {
    out += fmt::format("{}{}: {} since {} ({})\n", out.empty() ? "" : "\n", cell(row, "name"), cell(row, "state"),
                       cell(row, "last_transition"), cell(row, "last_cause"));
    out +=
        fmt::format("  interface {}, VRID {}, priority {} (in force {}), advert every {} ms, {}\n",
                    cell(row, "interface"), cell(row, "vrid"), cell(row, "priority"), cell(row, "effective_priority"),
                    row.value("advert_int_ms", 0.0), row.value("preempt", true) ? "preempt" : "nopreempt");
    out += fmt::format("  master {} with priority {}, group {}\n", cell(row, "master_address"),
                       cell(row, "master_priority"), cell(row, "multicast_group"));
    out += fmt::format("  addresses {}\n  became master {} times\n", cell(row, "virtual_addresses"),
                       cell(row, "became_master"));
    const json counters = row.value("counters", json::object());
    for (const auto& [name, count] : counters.items()) {
      if (count != 0) out += fmt::format("  {} {}\n", name, count.dump());
    }
  }
  return out.empty() ? "no VRRP instances\n" : out;
}

/// A member that is an object (name: count) becomes a total.
json with_totals(json rows) {
  for (auto& row : rows) {
    for (const char* name : {"punted", "dropped"}) {
      uint64_t sum = 0;
      for (const auto& count : row[name]) sum += count.get<uint64_t>();
      row[name] = sum;
    }
  }
  return rows;
}

json without_zeros(const json& rows) {
  json out = json::array();
  for (const auto& row : rows) {
    if (row["count"] != 0) out.push_back(row);
  }
  return out;
}

}  // namespace

std::string format_table(const std::string& what, const json& rows) {
  if (what == "vrrp") return vrrp_text(rows);
  if (what == "config" || what == "version") return rows.empty() ? std::string() : sheet(rows[0]);
  if (what == "backends") return rows.empty() ? std::string("no real servers\n") : backends_table(rows);
  if (what == "services") return table(kServices, rows);
  if (what == "connections") return table(kConnections, rows);
  if (what == "checks") return table(kChecks, rows);
  if (what == "workers") return table(kWorkers, with_totals(rows));
  if (what == "ports") return table(kPorts, rows);
  if (what == "neighbors") return table(kNeighbors, rows);
  const json shown = without_zeros(rows);
  return shown.empty() ? std::string("no drops\n") : table(kDrops, shown);
}

std::vector<IpvsService> to_ipvs_services(const json& services, const json& backends) {
  std::vector<IpvsService> out;
  for (const auto& service : services) {
    const auto key = ServiceKey::parse(service.at("service").get<std::string>());
    if (!key) continue;
    auto& to = out.emplace_back();
    to.key = *key;
    to.scheduler = service.at("scheduler").get<std::string>();
    for (const auto& backend : backends) {
      if (backend.at("service") != service.at("service") || !backend.at("in_table").get<bool>()) continue;
      const auto endpoint = Endpoint::parse(backend.at("real").get<std::string>());
      if (!endpoint) continue;
      to.destinations.push_back({.endpoint = *endpoint,
                                 .weight = backend.at("weight").get<int>(),
                                 .active = backend.at("active").get<uint64_t>(),
                                 .inactive = backend.at("inactive").get<uint64_t>(),
                                 .connections = backend.at("connections").get<uint64_t>(),
                                 .packets = backend.at("packets").get<uint64_t>(),
                                 .bytes = backend.at("bytes").get<uint64_t>()});
    }
  }
  return out;
}

std::vector<IpvsConnection> to_ipvs_connections(const json& connections) {
  std::vector<IpvsConnection> out;
  for (const auto& row : connections) {
    const auto endpoint = [&](const char* name) {
      return Endpoint::parse(row.at(name).get<std::string>()).value_or(Endpoint{});
    };
    out.push_back({.protocol = row.at("protocol") == "udp" ? Protocol::kUdp : Protocol::kTcp,
                   .expires_in = std::chrono::seconds(row.at("expires_s").get<int64_t>()),
                   .state = row.at("state").get<std::string>(),
                   .client = endpoint("client"),
                   .virtual_server = endpoint("virtual"),
                   .real_server = endpoint("real")});
  }
  return out;
}

json to_ipvs_json(const std::vector<IpvsService>& services) {
  json out = json::array();
  for (const auto& service : services) {
    json destinations = json::array();
    for (const auto& d : service.destinations) {
      destinations.push_back({{"address", d.endpoint.address.to_string()},
                              {"port", d.endpoint.port},
                              {"forward", "Route"},
                              {"weight", d.weight},
                              {"active", d.active},
                              {"inactive", d.inactive},
                              {"connections", d.connections},
                              {"packets", d.packets},
                              {"bytes", d.bytes}});
    }
    out.push_back({{"protocol", to_string(service.key.protocol)},
                   {"address", service.key.endpoint.address.to_string()},
                   {"port", service.key.endpoint.port},
                   {"scheduler", service.scheduler},
                   {"destinations", destinations}});
  }
  return out;
}

}  // namespace lbdp::control
