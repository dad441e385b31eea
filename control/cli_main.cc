// SPDX-License-Identifier: BSD-2-Clause
#include <iostream>

#include "control/cli_client.h"
#include "control/cli_options.h"
#include "control/cli_tables.h"

namespace lbdp::control {
namespace {

using nlohmann::json;
using Command = CliOptions::Command;

constexpr auto kReloadPatience = std::chrono::seconds(60);
constexpr auto kPatience = std::chrono::seconds(10);

/// What goes to standard output.
using Output = CliResult<std::string>;

std::string document(const std::string& name, json value) {
  return json{{name, std::move(value)}}.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Output show(CliClient& client, const CliOptions& options) {
  auto rows = client.rows(options.what);
  if (!rows) return tl::unexpected(rows.error());
  if (!options.json) return format_table(options.what, *rows);
  const bool single = options.what == "config" || options.what == "version";
  return document(options.what, single && !rows->empty() ? json((*rows)[0]) : json(*rows));
}

Output ipvs_services(CliClient& client, const CliOptions& options) {
  const auto services = client.rows("services");
  if (!services) return tl::unexpected(services.error());
  const auto backends = client.rows("backends");
  if (!backends) return tl::unexpected(backends.error());
  const auto listed = to_ipvs_services(*services, *backends);
  if (options.json) return document("ipvs", to_ipvs_json(listed));
  return options.command == Command::kIpvsStats ? format_stats(listed, options.exact) : format_services(listed);
}

Output ipvs_connections(CliClient& client, const CliOptions& options) {
  const auto rows = client.rows("connections");
  if (!rows) return tl::unexpected(rows.error());
  return options.json ? document("connections", *rows) : format_connections(to_ipvs_connections(*rows));
}

Output ipvs_timeouts(CliClient& client, const CliOptions& options) {
  const auto answer = client.ask({{"command", "timeouts"}});
  if (!answer) return tl::unexpected(answer.error());
  const IpvsTimeouts timeouts{.tcp = answer->at("tcp"), .tcpfin = answer->at("tcpfin"), .udp = answer->at("udp")};
  if (!options.json) return format_timeouts(timeouts);
  return document("timeouts", {{"tcp", timeouts.tcp}, {"tcpfin", timeouts.tcpfin}, {"udp", timeouts.udp}});
}

Output reload(CliClient& client, const CliOptions& options) {
  const auto answer = client.ask({{"command", "reload"}});
  if (!answer) return tl::unexpected(answer.error());
  const auto message = answer->value("message", std::string());
  return options.json ? document("reload", {{"ok", true}, {"message", message}}) : message + "\n";
}

Output perform(const CliOptions& options) {
  CliClient client(options.socket, options.command == Command::kReload ? kReloadPatience : kPatience);
  switch (options.command) {
    case Command::kShow: return show(client, options);
    case Command::kReload: return reload(client, options);
    case Command::kIpvsServices:
    case Command::kIpvsStats: return ipvs_services(client, options);
    case Command::kIpvsConnections: return ipvs_connections(client, options);
    case Command::kIpvsTimeouts: return ipvs_timeouts(client, options);
    case Command::kHelp: break;
  }
  return options.help_text;
}

CliExit guarded_main(std::span<const char* const> arguments) {
  const auto options = parse_cli_options(arguments);
  if (!options) {
    std::cerr << options.error().message << '\n';
    return CliExit::kUsage;
  }
  const auto output = perform(*options);
  if (!output) {
    std::cerr << "lbdp-cli: " << output.error().message << '\n';
    return output.error().exit;
  }
  std::cout << *output << std::flush;
  return CliExit::kOk;
}

}  // namespace
}  // namespace lbdp::control

int main(int argc, char** argv) {
  try {
    const std::span<const char* const> arguments(argv, static_cast<size_t>(argc));
    return static_cast<int>(lbdp::control::guarded_main(arguments));
  } catch (const std::exception& error) {  // an answer of another version of lbdp, say
    std::cerr << "lbdp-cli: " << error.what() << '\n';
    return static_cast<int>(lbdp::control::CliExit::kRefused);
  }
}
