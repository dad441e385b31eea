// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <span>
#include <string>

#include "config/types/result.h"
#include "control/options.h"

namespace lbdp::control {

/// Exit codes of lbdp-cli.
enum class CliExit : int { kOk = 0, kRefused = 1, kUsage = 2, kNoDirector = 4 };

/// What lbdp-cli's command line asks for.
struct CliOptions {
  enum class Command : uint8_t { kShow, kReload, kIpvsServices, kIpvsStats, kIpvsConnections, kIpvsTimeouts, kHelp };

  Command command = Command::kHelp;
  std::string what;  // of kShow
  std::string socket{kDefaultControlSocket};
  bool json = false;
  bool exact = false;     // of kIpvsStats
  std::string help_text;  // of kHelp
};

/// The error is a usage message for standard error.
Result<CliOptions> parse_cli_options(std::span<const char* const> arguments);

}  // namespace lbdp::control
