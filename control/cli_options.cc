// SPDX-License-Identifier: BSD-2-Clause
#include "control/cli_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

namespace lbdp::control {
namespace {

const std::vector<std::string> kShown{"backends", "services",  "connections", "vrrp",   "checks", "workers",
                                      "ports",    "neighbors", "drops",       "config", "version"};

constexpr std::string_view kCommands = "the commands are show, ipvs and reload";

struct IpvsFlags {
  bool list = false, numeric = false, connections = false, stats = false, timeout = false;
};

/// "a, b or c"
std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

tl::unexpected<Error> usage_error(const std::string& what) {
  return fail("lbdp-cli: " + what + "\nlbdp-cli -h tells more");
}

Result<CliOptions::Command> ipvs_command(const IpvsFlags& flags, bool exact) {
  if (!flags.list) return usage_error("ipvs knows -L only: it shows, the configuration file decides");
  if (!flags.numeric) return usage_error("ipvs -L needs -n: names are never looked up");
  if (int{flags.connections} + int{flags.stats} + int{flags.timeout} > 1) {
    return usage_error("only one of -c, --stats and --timeout");
  }
  if (exact && !flags.stats) return usage_error("--exact goes with --stats");
  if (flags.connections) return CliOptions::Command::kIpvsConnections;
  if (flags.stats) return CliOptions::Command::kIpvsStats;
  return flags.timeout ? CliOptions::Command::kIpvsTimeouts : CliOptions::Command::kIpvsServices;
}

Result<CliOptions::Command> show_command(const std::string& what) {
  if (what.empty()) return usage_error("show what? " + listed(kShown));
  if (std::find(kShown.begin(), kShown.end(), what) == kShown.end()) {
    return usage_error("there is no \"" + what + "\" to show, but " + listed(kShown));
  }
  return CliOptions::Command::kShow;
}

}  // namespace

Result<CliOptions> parse_cli_options(std::span<const char* const> arguments) {
  CLI::App app("Asks a running lbdp director, or tells it something", "lbdp-cli");
  CliOptions options;
  IpvsFlags flags;
  bool help = false;
  app.set_help_flag();
  app.fallthrough();  // -j and -s may stand behind the command too
  app.add_flag("-h,--help", help, "print this, exit");
  app.add_option("-s,--socket", options.socket, "the director's control socket")->capture_default_str();
  app.add_flag("-j,--json", options.json, "one JSON document instead of a table");
  auto* show = app.add_subcommand("show", "show " + listed(kShown));
  show->set_help_flag();
  show->add_option("what", options.what);
  auto* ipvs = app.add_subcommand("ipvs", "-Ln [--stats [--exact]|-c|--timeout]: what ipvsadm prints");
  ipvs->set_help_flag();
  ipvs->add_flag("-L,-l,--list", flags.list);
  ipvs->add_flag("-n,--numeric", flags.numeric);
  ipvs->add_flag("-c,--connection", flags.connections);
  ipvs->add_flag("--stats", flags.stats);
  ipvs->add_flag("--exact", options.exact);
  ipvs->add_flag("--timeout", flags.timeout);
  auto* reload = app.add_subcommand("reload", "read the configuration file again; a bad one changes nothing");
  reload->set_help_flag();

  std::vector<std::string> own;
  if (!arguments.empty()) own.assign(arguments.begin() + 1, arguments.end());
  std::reverse(own.begin(), own.end());  // as CLI11 wants a vector
  try {
    app.parse(own);
  } catch (const CLI::ParseError& error) {
    const bool no_command = app.get_subcommands().empty();
    if (!help) return usage_error(std::string(error.what()) + (no_command ? "; " + std::string(kCommands) : ""));
  }
  if (help) {
    options.help_text = app.help() +
                        "Exit status: 0 done, 1 refused, 2 usage, 4 no director answers.\n"
                        "Examples: lbdp-cli show backends    lbdp-cli -j show vrrp    lbdp-cli ipvs -Ln\n";
    return options;
  }
  if (show->parsed()) {
    const auto command = show_command(options.what);
    if (!command) return tl::unexpected(command.error());
    options.command = *command;
  } else if (reload->parsed()) {
    options.command = CliOptions::Command::kReload;
  } else if (ipvs->parsed()) {
    const auto command = ipvs_command(flags, options.exact);
    if (!command) return tl::unexpected(command.error());
    options.command = *command;
  } else {
    return usage_error("a command is missing; " + std::string(kCommands));
  }
  return options;
}

}  // namespace lbdp::control
