// SPDX-License-Identifier: BSD-2-Clause
#include "control/cli_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "control/connection_filter.h"

namespace lbdp::control {
namespace {

const std::vector<std::string> kShown{"backends", "services", "connections", "persistence", "vrrp",   "checks",
                                      "workers",  "ports",    "neighbors",   "drops",       "config", "version"};

constexpr std::string_view kCommands = "the commands are show, explain, ipvs and reload";

/// The command line's words, before they are understood.
struct ShowWords {
  std::string client, service, real, state;
  std::optional<uint16_t> worker;
  std::optional<uint64_t> limit;
};
struct ExplainWords {
  std::string client, destination, protocol;
};
struct IpvsFlags {
  bool list = false, save = false, numeric = false, sort = false;
  bool connections = false, stats = false, rate = false, thresholds = false, persistent = false, timeout = false;
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

Result<void> read_ipvs(const IpvsFlags& flags, CliOptions& options) {
  using enum CliOptions::Command;
  if (flags.list == flags.save)
    return usage_error("ipvs knows -L or -S only: it shows, the configuration file decides");
  if (!flags.numeric) return usage_error("ipvs -L and -S need -n: names are never looked up");
  const int views = int{flags.connections} + int{flags.stats} + int{flags.rate} + int{flags.thresholds} +
                    int{flags.persistent} + int{flags.timeout};
  if (flags.save && (views > 0 || options.exact)) return usage_error("-S goes with -n alone");
  if (views > 1) {
    return usage_error("only one of -c, --stats, --rate, --thresholds, --persistent-conn and --timeout");
  }
  if (options.exact && !flags.stats && !flags.rate) return usage_error("--exact goes with --stats or --rate");
  options.command = flags.save          ? kIpvsRules
                    : flags.connections ? kIpvsConnections
                    : flags.timeout     ? kIpvsTimeouts
                                        : kIpvsServices;
  options.listing = flags.stats        ? IpvsListing::kStats
                    : flags.rate       ? IpvsListing::kRate
                    : flags.thresholds ? IpvsListing::kThresholds
                    : flags.persistent ? IpvsListing::kPersistentConnections
                                       : IpvsListing::kPlain;
  return {};
}

/// The options that go with some lists only.
Result<void> check_show_options(const ShowWords& words, const CliOptions& options) {
  const bool connections = options.what == "connections", templates = options.what == "persistence";
  const bool common = !words.client.empty() || !words.service.empty() || !words.real.empty() || words.limit;
  if (common && !connections && !templates) {
    return usage_error("--client, --service, --real and --limit go with connections or persistence");
  }
  if ((!words.state.empty() || words.worker) && !connections) {
    return usage_error("--state and --worker go with connections");
  }
  if (options.verbose && options.what != "drops") return usage_error("-v goes with drops");
  return {};
}

Result<void> read_show(const ShowWords& words, CliOptions& options) {
  options.command = CliOptions::Command::kShow;
  if (options.what.empty()) return usage_error("show what? " + listed(kShown));
  if (std::find(kShown.begin(), kShown.end(), options.what) == kShown.end()) {
    return usage_error("there is no \"" + options.what + "\" to show, but " + listed(kShown));
  }
  if (auto checked = check_show_options(words, options); !checked) return checked;
  auto& filter = options.filter;
  if (!words.client.empty()) {
    if (auto read = parse_client(words.client, filter); !read) return usage_error("--client: " + read.error().message);
    if (filter.client_port && options.what == "persistence") return usage_error("--client: a template has no port");
  }
  if (!words.service.empty()) {
    const auto service = ServiceKey::parse(words.service);
    if (!service) return usage_error("--service: " + service.error().message);
    filter.service = *service;
  }
  if (!words.real.empty()) {
    const auto real = Endpoint::parse(words.real);
    if (!real) return usage_error("--real: " + real.error().message);
    filter.real_server = *real;
  }
  if (!words.state.empty()) {
    if (auto read = parse_state(words.state, filter); !read) return usage_error("--state: " + read.error().message);
  }
  if (words.worker) filter.worker = dataplane::WorkerId{*words.worker};
  if (words.limit == uint64_t{0}) return usage_error("--limit: 0 rows are none");
  options.limit = words.limit.value_or(0);
  return {};
}

Result<void> read_explain(const ExplainWords& words, CliOptions& options) {
  options.command = CliOptions::Command::kExplain;
  if (words.destination.empty()) {
    return usage_error("explain CLIENT:PORT VIP:PORT [tcp|udp|sctp]: " +
                       std::string(words.client.empty() ? "both are missing" : "VIP:PORT is missing"));
  }
  const auto client = Endpoint::parse(words.client);
  if (!client) return usage_error("CLIENT:PORT: " + client.error().message);
  const auto destination = Endpoint::parse(words.destination);
  if (!destination) return usage_error("VIP:PORT: " + destination.error().message);
  if (client->port == 0 || destination->port == 0) return usage_error("no packet has port 0");
  if (client->address.family() != destination->address.family()) {
    return usage_error("CLIENT and VIP are of one address family");
  }
  options.client = *client;
  options.destination = *destination;
  if (words.protocol.empty()) return {};
  for (const Protocol protocol : {Protocol::kTcp, Protocol::kUdp, Protocol::kSctp}) {
    if (words.protocol == to_string(protocol)) options.protocol = protocol;
  }
  if (!options.protocol) return usage_error("\"" + words.protocol + "\" is not tcp, udp or sctp");
  return {};
}

/// The grammar; where its words go.
struct Grammar {
  CLI::App app{"Asks a running lbdp director, or tells it something", "lbdp-cli"};
  CLI::App *show = nullptr, *explain = nullptr, *ipvs = nullptr, *reload = nullptr;
  ShowWords shown;
  ExplainWords explained;
  IpvsFlags flags;
  bool help = false;

  explicit Grammar(CliOptions& options) {
    app.set_help_flag();
    app.fallthrough();  // -j and -s may stand behind the command too
    app.add_flag("-h,--help", help, "print this, exit");
    app.add_option("-s,--socket", options.socket, "the director's control socket")->capture_default_str();
    app.add_flag("-j,--json", options.json, "one JSON document instead of a table");
    add_show(options);
    explain = app.add_subcommand("explain", "CLIENT:PORT VIP:PORT [tcp|udp|sctp]: where this flow would go, and why");
    explain->set_help_flag();
    explain->add_option("client", explained.client);
    explain->add_option("destination", explained.destination);
    explain->add_option("protocol", explained.protocol);
    add_ipvs(options);
    reload = app.add_subcommand("reload", "read the configuration file again; a bad one changes nothing");
    reload->set_help_flag();
    reload->add_flag("--dry-run", options.dry_run, "say what would change, and change nothing");
  }

 private:
  void add_show(CliOptions& options) {
    show = app.add_subcommand(
        "show", "show " + listed(kShown) +
                    "; connections and persistence take [--client PREFIX[:PORT]] [--service SERVICE] [--real REAL] "
                    "[--limit N], connections [--state STATE] [--worker N] too; drops take [-v]");
    show->set_help_flag();
    show->add_option("what", options.what);
    show->add_option("--client", shown.client);
    show->add_option("--service", shown.service);
    show->add_option("--real", shown.real);
    show->add_option("--state", shown.state);
    show->add_option("--worker", shown.worker);
    show->add_option("--limit", shown.limit);
    show->add_flag("-v,--verbose", options.verbose);
  }
  void add_ipvs(CliOptions& options) {
    ipvs = app.add_subcommand("ipvs",
                              "-Ln [--stats [--exact]|--rate [--exact]|--thresholds|--persistent-conn|-c|--timeout] or "
                              "-Sn: what ipvsadm prints");
    ipvs->set_help_flag();
    ipvs->add_flag("-L,-l,--list", flags.list);
    ipvs->add_flag("-S,--save", flags.save);
    ipvs->add_flag("-n,--numeric", flags.numeric);
    ipvs->add_flag("--sort", flags.sort);  // ipvsadm's default
    ipvs->add_flag("-c,--connection", flags.connections);
    ipvs->add_flag("--stats", flags.stats);
    ipvs->add_flag("--rate", flags.rate);
    ipvs->add_flag("--thresholds", flags.thresholds);
    ipvs->add_flag("--persistent-conn", flags.persistent);
    ipvs->add_flag("--exact", options.exact);
    ipvs->add_flag("--timeout", flags.timeout);
  }
};

}  // namespace

Result<CliOptions> parse_cli_options(std::span<const char* const> arguments) {
  CliOptions options;
  Grammar grammar(options);
  std::vector<std::string> own;
  if (!arguments.empty()) own.assign(arguments.begin() + 1, arguments.end());
  std::reverse(own.begin(), own.end());  // as CLI11 wants a vector
  try {
    grammar.app.parse(own);
  } catch (const CLI::ParseError& error) {
    const bool no_command = grammar.app.get_subcommands().empty();
    if (!grammar.help) {
      return usage_error(std::string(error.what()) + (no_command ? "; " + std::string(kCommands) : ""));
    }
  }
  if (grammar.help) {
    options.help_text = grammar.app.help() +
                        "Exit status: 0 done, 1 refused, 2 usage, 4 no director answers.\n"
                        "Examples: lbdp-cli show backends    lbdp-cli -j show vrrp    lbdp-cli ipvs -Ln\n"
                        "          lbdp-cli explain 203.0.113.9:40000 172.18.250.99:80\n";
    return options;
  }
  Result<void> read;
  if (grammar.show->parsed()) {
    read = read_show(grammar.shown, options);
  } else if (grammar.explain->parsed()) {
    read = read_explain(grammar.explained, options);
  } else if (grammar.ipvs->parsed()) {
    read = read_ipvs(grammar.flags, options);
  } else if (grammar.reload->parsed()) {
    options.command = CliOptions::Command::kReload;
  } else {
    return usage_error("a command is missing; " + std::string(kCommands));
  }
  if (!read) return tl::unexpected(read.error());
  return options;
}

}  // namespace lbdp::control
