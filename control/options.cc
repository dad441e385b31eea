// SPDX-License-Identifier: BSD-2-Clause
#include "control/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace lbdp::control {
namespace {

constexpr std::string_view kUsage = "lbdp [EAL options] -- -c FILE [options]";

struct Flags {
  bool test = false;
  std::string dump_config;  // "text", "json"; empty: not wanted
  bool version = false;
  bool help = false;
  std::string log_format = "text";
};

void describe(CLI::App& app, Options& options, Flags& flags) {
  app.set_help_flag();  // -h is ours, so that help goes through the same way out as the rest
  app.add_option("-c,--config", options.config_file, "configuration file (keepalived.conf's language)");
  app.add_flag("-t,--test", flags.test, "check the configuration file, report all errors, exit");
  app.add_flag("--dump-config{text}", flags.dump_config,
               "print the configuration as understood, defaults filled in, exit; =json: as JSON, without passwords")
      ->check(CLI::IsMember({"text", "json"}));
  app.add_option("-i,--config-id", options.config_id, "selects the lines that start with @ID")->capture_default_str();
  app.add_flag("--lenient", options.lenient, "unknown keywords are warnings, not errors");
  app.add_option("--control-socket", options.control_socket, "where lbdp-cli finds us")->capture_default_str();
  app.add_option("--log-level", options.log_level, "trace, debug, info, warning, error, critical or off")
      ->capture_default_str()
      ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error", "critical", "off"}));
  app.add_option("--log-format", flags.log_format, "text or json")
      ->capture_default_str()
      ->check(CLI::IsMember({"text", "json"}));
  app.add_flag("-v,--verbose", options.verbose, "with -t: notes about the file too, and the defaults taken");
  app.add_flag("-V,--version", flags.version, "print the version, exit");
  app.add_flag("-h,--help", flags.help, "print this, exit");
}

tl::unexpected<Error> usage_error(const std::string& what) {
  return fail("lbdp: " + what + "\nusage: " + std::string(kUsage) + "   (lbdp -h tells more)");
}

Result<void> parse_own(std::vector<std::string> own, bool has_separator, Options& options, Flags& flags) {
  CLI::App app;
  describe(app, options, flags);
  std::reverse(own.begin(), own.end());  // as CLI11 wants a vector
  try {
    app.parse(own);
  } catch (const CLI::ParseError& error) {
    const std::string hint =
        has_separator ? "" : "; before EAL's options can be told from lbdp's own, \"--\" is needed";
    return usage_error(error.what() + hint);
  }
  return {};
}

Options::Action action_of(const Flags& flags) {
  if (flags.help) return Options::Action::kHelp;
  if (flags.version) return Options::Action::kVersion;
  if (flags.test) return Options::Action::kTestConfig;
  return flags.dump_config.empty() ? Options::Action::kRun : Options::Action::kDumpConfig;
}

Result<void> check_complete(const Options& options, const Flags& flags, bool has_separator) {
  if (flags.test && !flags.dump_config.empty()) return usage_error("-t and --dump-config: choose one of them");
  if (options.action == Options::Action::kHelp || options.action == Options::Action::kVersion) return {};
  if (options.config_file.empty()) return usage_error("no configuration file: -c FILE is missing");
  if (options.control_socket.empty()) return usage_error("--control-socket needs a path");
  if (options.action == Options::Action::kRun && !has_separator) {
    return usage_error("\"--\" is missing: EAL's options stand before it, lbdp's own after it");
  }
  return {};
}

}  // namespace

Result<Options> parse_options(std::span<const char* const> arguments) {
  const auto separator = std::find(arguments.begin(), arguments.end(), std::string_view("--"));
  const bool has_separator = separator != arguments.end();
  Options options;
  std::vector<std::string> own;
  if (has_separator) {
    options.eal_arguments.assign(arguments.begin(), separator);
    own.assign(separator + 1, arguments.end());
  } else if (!arguments.empty()) {
    options.eal_arguments.assign(arguments.begin(), arguments.begin() + 1);
    own.assign(arguments.begin() + 1, arguments.end());
  }
  Flags flags;
  if (auto parsed = parse_own(std::move(own), has_separator, options, flags); !parsed) {
    return tl::unexpected(parsed.error());
  }
  options.action = action_of(flags);
  options.dump_format = flags.dump_config == "json" ? DumpFormat::kJson : DumpFormat::kText;
  options.log_format = flags.log_format == "json" ? LogFormat::kJson : LogFormat::kText;
  if (auto complete = check_complete(options, flags, has_separator); !complete) {
    return tl::unexpected(complete.error());
  }
  return options;
}

std::string help_text() {
  CLI::App app("lbdp: LVS-DR load balancer on DPDK, with VRRP and health checks", "lbdp [EAL options] --");
  Options defaults;
  Flags flags;
  describe(app, defaults, flags);
  app.footer(
      "-t, --dump-config, -V and -h need neither root nor EAL nor \"--\".\n"
      "Signals: HUP reads the file again (a bad file changes nothing); TERM and INT stop in order.\n"
      "Exit status: 0 ok, 1 runtime failure, 2 usage, 3 bad configuration.\n"
      "Example: lbdp -l 2-5 -a 0000:03:00.0 -- -c /etc/lbdp/lb.conf");
  return app.help();
}

}  // namespace lbdp::control
