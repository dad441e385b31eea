// SPDX-License-Identifier: BSD-2-Clause
#include "control/cli_tables.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace lbdp::control {
namespace {

using nlohmann::json;

const Column kBackends[] = {{"  REAL SERVER", "real"},
                            {"STATE", "state"},
                            {"WEIGHT", "weight", true},
                            {"MAC", "mac"},
                            {"INTERFACE", "interface"},
                            {"VLAN", "vlan", true},
                            {"MTU", "mtu", true},
                            {"ACTIVE", "active", true},
                            {"INACTIVE", "inactive", true},
                            {"TOTAL", "connections", true},
                            {"CONN/S", "connections_per_s", true},
                            {"LAST CHECK", "last_check"},
                            {"REASON", "reason"}};
const Column kServices[] = {{"SERVICE", "service"},
                            {"SCHED", "scheduler"},
                            {"FLAGS", "flags"},
                            {"OWNED", "owned"},
                            {"INSTANCE", "instances"},
                            {"SERVERS", "real_servers", true},
                            {"USABLE", "usable", true},
                            {"ACTIVE", "active", true},
                            {"INACTIVE", "inactive", true},
                            {"TOTAL", "connections", true},
                            {"CONN/S", "connections_per_s", true},
                            {"PACKETS/S", "packets_per_s", true},
                            {"PACKETS", "packets", true},
                            {"BYTES", "bytes", true}};
// "255.255.255.255:65535" fits in an address's column, and a state of TCP in its own.
constexpr size_t kIpv4 = 21, kPrefix = 18, kState = 11, kNumber = 7;
const Column kConnections[] = {
    {"PROTO", "protocol"},          {"CLIENT", "client", false, kIpv4}, {"VIRTUAL", "virtual", false, kIpv4},
    {"REAL", "real", false, kIpv4}, {"STATE", "state", false, kState},  {"EXPIRES", "expires_s", true, kNumber},
    {"WORKER", "worker", true}};
const Column kPersistence[] = {{"SERVICE", "service", false, kIpv4 + 4},
                               {"CLIENT", "client", false, kPrefix},
                               {"REAL", "real", false, kIpv4},
                               {"EXPIRES", "expires_s", true, kNumber},
                               {"CONNECTIONS", "connections", true}};
const Column kChecks[] = {{"SERVICE", "service"},
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
const Column kWorkers[] = {{"WORKER", "worker", true},
                           {"LCORE", "lcore", true},
                           {"PORTS", "ports"},
                           {"PACKETS/S", "packets_per_s", true},
                           {"CYCLES/PACKET", "cycles_per_packet", true},
                           {"BUSY %", "busy_percent", true},
                           {"RECEIVED", "received", true},
                           {"TRANSMITTED", "transmitted", true},
                           {"PUNTED", "punted", true},
                           {"DROPPED", "dropped", true},
                           {"INJECTED", "injected", true},
                           {"REPLIES", "replies", true},
                           {"CONNECTIONS", "connections", true},
                           {"LIMIT", "connections_limit", true},
                           {"WIDE", "wide_connections", true},
                           {"LIMIT", "wide_connections_limit", true},
                           {"HELD", "held_fragments", true},
                           {"LOOP AGE US", "loop_age_us", true}};
const Column kPorts[] = {{"PORT", "port", true},
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
const Column kNeighbors[] = {{"ADDRESS", "address"},
                             {"INTERFACE", "interface"},
                             {"STATE", "state"},
                             {"MAC", "mac"},
                             {"KERNEL", "kernel_state"},
                             {"ANSWERED MS AGO", "last_answer_ms", true},
                             {"PROBES", "probes", true},
                             {"ANSWERS", "answers", true},
                             {"REJECTED", "rejected", true},
                             {"REASON", "reason"}};
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
    const bool unicast = !row.value("unicast_peers", json::array()).empty();
    out +=
        fmt::format("  master {} with priority {}, {} {}\n", cell(row, "master_address"), cell(row, "master_priority"),
                    unicast ? "peers" : "group", cell(row, unicast ? "unicast_peers" : "multicast_group"));
    if (!row.value("sync_group", json()).is_null()) out += fmt::format("  sync group {}\n", cell(row, "sync_group"));
    for (const auto& problem : row.value("problems", json::array())) {
      out += fmt::format("  not fit for MASTER: {}\n", problem.get<std::string>());
    }
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

/// Reasons that have counted something; `by_worker`: with a column for each worker.
std::string drops_table(const json& rows, bool by_worker) {
  std::vector<Column> columns{{"REASON", "reason"}, {"COUNT", "count", true}};
  json shown = json::array();
  for (json row : rows) {
    if (row["count"] == 0) continue;
    const json counts = by_worker ? row.value("by_worker", json::array()) : json::array();
    for (size_t i = 0; i < counts.size(); ++i) {
      const std::string name = "WORKER " + std::to_string(i);
      if (columns.size() < i + 3) columns.push_back({name, name, true});
      row[name] = counts[i];
    }
    shown.push_back(std::move(row));
  }
  return shown.empty() ? "no drops\n" : table(columns, shown);
}

/// "sh-port persistent 360/24 ops fwmark 7 +2 destinations"
std::string flags_text(const json& service) {
  std::string out;
  const auto add = [&out](const std::string& word) { out += (out.empty() ? "" : " ") + word; };
  for (const auto& flag : service.value("scheduler_flags", json::array())) add(flag.get<std::string>());
  if (const auto p = service.find("persistence"); p != service.end() && p->is_object()) {
    add("persistent " + cell(*p, "timeout_s") + "/" + cell(*p, "prefix_length"));
  }
  if (service.value("one_packet", false)) add("ops");
  if (cell(service, "fwmark") != "-") add("fwmark " + cell(service, "fwmark"));
  const size_t destinations = service.value("destinations", json::array()).size();
  if (destinations > 1) add(fmt::format("+{} destination{}", destinations - 1, destinations == 2 ? "" : "s"));
  return out;
}

json with_flags(json services) {
  for (auto& service : services) service["flags"] = flags_text(service);
  return services;
}

}  // namespace

std::string format_table(const std::string& what, const json& rows, bool verbose) {
  if (what == "vrrp") return vrrp_text(rows);
  if (what == "config" || what == "version") return rows.empty() ? std::string() : sheet(rows[0]);
  if (what == "backends") return rows.empty() ? std::string("no real servers\n") : backends_table(rows);
  if (what == "services") return table(kServices, with_flags(rows));
  if (what == "checks") return table(kChecks, rows);
  if (what == "workers") return table(kWorkers, with_totals(rows));
  if (what == "ports") return table(kPorts, rows);
  if (what == "neighbors") return table(kNeighbors, rows);
  return drops_table(rows, verbose);
}

Columns stream_columns(const std::string& what) {
  return what == "persistence" ? Columns(kPersistence) : Columns(kConnections);
}

std::string count_line(const std::string& what, uint64_t count, uint64_t limit) {
  const std::string one = what == "persistence" ? "template" : "connection";
  std::string out = fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
  if (limit != 0 && count == limit) out += fmt::format(" (--limit {}: there may be more)", limit);
  return out + "\n";
}

}  // namespace lbdp::control
