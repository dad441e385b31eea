// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>
#include <span>
#include <string>

#include "config/types/result.h"
#include "control/ipvs_format.h"
#include "control/options.h"
#include "dataplane/dataplane.h"

namespace lbdp::control {

/// Exit codes of lbdp-cli.
enum class CliExit : int { kOk = 0, kRefused = 1, kUsage = 2, kNoDirector = 4 };

/// What lbdp-cli's command line asks for.
struct CliOptions {
  enum class Command : uint8_t {
    kShow,
    kExplain,
    kReload,
    kIpvsServices,
    kIpvsRules,
    kIpvsConnections,
    kIpvsTimeouts,
    kHelp
  };

  Command command = Command::kHelp;
  std::string socket{kDefaultControlSocket};
  bool json = false;
  std::string what;                           // of kShow
  dataplane::ConnectionFilter filter;         // of kShow
  uint64_t limit = 0;                         // of kShow, in rows; 0: none
  bool verbose = false;                       // of kShow
  Endpoint client, destination;               // of kExplain
  std::optional<Protocol> protocol;           // of kExplain; empty: the director chooses
  IpvsListing listing = IpvsListing::kPlain;  // of kIpvsServices
  bool exact = false;                         // of kIpvsServices
  bool dry_run = false;                       // of kReload
  std::string help_text;                      // of kHelp
};

/// The error is a usage message for standard error.
Result<CliOptions> parse_cli_options(std::span<const char* const> arguments);

}  // namespace lbdp::control
