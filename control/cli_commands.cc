// SPDX-License-Identifier: BSD-2-Clause
#include "control/cli_commands.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "control/cli_ipvs.h"
#include "control/cli_tables.h"

namespace lbdp::control {
namespace {

using nlohmann::json;
using Command = CliOptions::Command;

constexpr auto kReloadPatience = std::chrono::seconds(60);
constexpr auto kPatience = std::chrono::seconds(10);

/// What goes to standard output.
using Output = CliResult<std::string>;

std::string to_text(const json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

std::string document(const std::string& name, json value) {
  return to_text(json{{name, std::move(value)}}, 2) + "\n";
}

// --- lists of any length

/// Rows as a table: the first page that has some decides how wide the columns are.
CliResult<void> stream_table(CliClient& client, const CliOptions& options, const CliSink& sink) {
  std::optional<FixedTable> table;
  const auto columns = stream_columns(options.what);
  bool wanted = true;
  const auto count = client.stream(options.what, options.filter, options.limit, [&](const json& rows) {
    if (rows.empty()) return true;
    std::string text;
    if (!table) text = table.emplace(columns, rows).heading();
    for (const auto& row : rows) text += table->line(row);
    wanted = sink(text);
    return wanted;
  });
  if (!count) return tl::unexpected(count.error());
  if (!wanted) return {};
  sink((table ? "" : FixedTable(columns, json::array()).heading()) + count_line(options.what, *count, options.limit));
  return {};
}

/// {"connections": [ROW, ROW, ...]}, a row a line.
CliResult<void> stream_json(CliClient& client, const CliOptions& options, const CliSink& sink) {
  std::string text = "{\n  \"" + options.what + "\": [";
  bool first = true, wanted = true;
  const auto count = client.stream(options.what, options.filter, options.limit, [&](const json& rows) {
    for (const auto& row : rows) {
      text += (first ? "\n    " : ",\n    ") + to_text(row, -1);
      first = false;
    }
    wanted = sink(text);
    text.clear();
    return wanted;
  });
  if (!count) return tl::unexpected(count.error());
  if (wanted) sink(text + (first ? "]\n}\n" : "\n  ]\n}\n"));
  return {};
}

CliResult<void> ipvs_connections(CliClient& client, const CliOptions& options, const CliSink& sink) {
  if (options.json) {
    CliOptions as_shown = options;
    as_shown.what = "connections";
    return stream_json(client, as_shown, sink);
  }
  const auto services = client.rows("services");
  if (!services) return tl::unexpected(services.error());
  const auto marks = marks_of(*services);
  bool wanted = sink(connections_heading());
  for (const std::string what : {"connections", "persistence"}) {
    if (!wanted) break;
    const auto count = client.stream(what, {}, 0, [&](const json& rows) {
      std::string text;
      for (const auto& row : rows) {
        text += format_connection(what == "connections" ? to_ipvs_connection(row) : to_ipvs_template(row, marks));
      }
      wanted = sink(text);
      return wanted;
    });
    if (!count) return tl::unexpected(count.error());
  }
  return {};
}

// --- answers of bounded length

Output show(CliClient& client, const CliOptions& options) {
  auto rows = client.rows(options.what);
  if (!rows) return tl::unexpected(rows.error());
  if (!options.json) return format_table(options.what, *rows, options.verbose);
  const bool single = options.what == "config" || options.what == "version";
  return document(options.what, single && !rows->empty() ? json((*rows)[0]) : json(*rows));
}

Output explain(CliClient& client, const CliOptions& options) {
  json request = {
      {"command", "explain"}, {"client", options.client.to_string()}, {"virtual", options.destination.to_string()}};
  if (options.protocol) request["protocol"] = to_string(*options.protocol);
  const auto answer = client.ask(request);
  if (!answer) return tl::unexpected(answer.error());
  const json& explanation = answer->at("explanation");
  return options.json ? document("explain", explanation) : format_explanation(explanation);
}

CliResult<TemplateCounts> count_templates(CliClient& client) {
  TemplateCounts counts;
  const auto count = client.stream("persistence", {}, 0, [&counts](const json& rows) {
    for (const auto& row : rows) ++counts[{row.at("service").get<std::string>(), row.at("real").get<std::string>()}];
    return true;
  });
  if (!count) return tl::unexpected(count.error());
  return counts;
}

Output ipvs_services(CliClient& client, const CliOptions& options) {
  const auto services = client.rows("services");
  if (!services) return tl::unexpected(services.error());
  const auto backends = client.rows("backends");
  if (!backends) return tl::unexpected(backends.error());
  CliResult<TemplateCounts> templates;
  if (options.json || options.listing == IpvsListing::kPersistentConnections) templates = count_templates(client);
  if (!templates) return tl::unexpected(templates.error());
  const auto listed = to_ipvs_services(*services, *backends, *templates);
  if (options.json) return document("ipvs", to_ipvs_json(listed));
  if (options.command == Command::kIpvsRules) return format_rules(listed);
  return format_services(listed, options.listing, options.exact);
}

Output ipvs_timeouts(CliClient& client, const CliOptions& options) {
  const auto answer = client.ask({{"command", "timeouts"}});
  if (!answer) return tl::unexpected(answer.error());
  const IpvsTimeouts timeouts{.tcp = answer->at("tcp"), .tcpfin = answer->at("tcpfin"), .udp = answer->at("udp")};
  if (!options.json) return format_timeouts(timeouts);
  return document("timeouts", {{"tcp", timeouts.tcp}, {"tcpfin", timeouts.tcpfin}, {"udp", timeouts.udp}});
}

std::string format_reload(const json& answer) {
  std::string text = answer.at("message").get<std::string>() + "\n";
  const json& changes = answer.at("changes");
  for (const auto& change : changes) {
    const auto detail = change.at("detail").get<std::string>();
    text += "  " + change.at("kind").get<std::string>() + ": " + change.at("what").get<std::string>();
    text += detail.empty() ? "\n" : ": " + detail + "\n";
  }
  const auto count = answer.at("change_count").get<uint64_t>();
  if (count > changes.size()) text += "  and " + std::to_string(count - changes.size()) + " more changes\n";
  for (const auto& warning : answer.at("warnings")) text += warning.get<std::string>() + "\n";
  return text;
}

Output reload(CliClient& client, const CliOptions& options) {
  const auto answer = client.ask({{"command", "reload"}, {"dry_run", options.dry_run}});
  if (!answer) return tl::unexpected(answer.error());
  return options.json ? document("reload", *answer) : format_reload(*answer);
}

CliResult<void> write(const Output& output, const CliSink& sink) {
  if (!output) return tl::unexpected(output.error());
  sink(*output);
  return {};
}

}  // namespace

CliResult<void> perform(const CliOptions& options, const CliSink& sink) {
  CliClient client(options.socket, options.command == Command::kReload ? kReloadPatience : kPatience);
  switch (options.command) {
    case Command::kShow:
      if (options.what != "connections" && options.what != "persistence") return write(show(client, options), sink);
      return options.json ? stream_json(client, options, sink) : stream_table(client, options, sink);
    case Command::kExplain: return write(explain(client, options), sink);
    case Command::kReload: return write(reload(client, options), sink);
    case Command::kIpvsServices:
    case Command::kIpvsRules: return write(ipvs_services(client, options), sink);
    case Command::kIpvsConnections: return ipvs_connections(client, options, sink);
    case Command::kIpvsTimeouts: return write(ipvs_timeouts(client, options), sink);
    case Command::kHelp: break;
  }
  sink(options.help_text);
  return {};
}

}  // namespace lbdp::control
