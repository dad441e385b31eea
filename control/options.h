// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/types/result.h"

namespace lbdp::control {

/// Exit codes of lbdp; users' scripts and units depend on them.
enum class ExitCode : int { kOk = 0, kRuntimeFailure = 1, kUsage = 2, kBadConfiguration = 3 };

enum class LogFormat : uint8_t { kText, kJson };
enum class DumpFormat : uint8_t { kText, kJson };

constexpr std::string_view kDefaultControlSocket = "/run/lbdp/lbdp.sock";

/// What lbdp's command line asks for.
struct Options {
  enum class Action : uint8_t { kRun, kTestConfig, kDumpConfig, kVersion, kHelp };

  Action action = Action::kRun;
  std::string config_file;
  std::string config_id = "lbdp";
  bool lenient = false;
  bool verbose = false;  // -t prints notes too
  DumpFormat dump_format = DumpFormat::kText;
  std::string control_socket{kDefaultControlSocket};
  std::string log_level = "info";  // one that spdlog knows
  LogFormat log_format = LogFormat::kText;
  std::vector<std::string> eal_arguments;  // argv[0] and what stands before "--"
};

/// Reads the command line: EAL's options, "--", lbdp's own. -t, --dump-config, -V and -h work without "--". The error
/// is a usage message for standard error.
Result<Options> parse_options(std::span<const char* const> arguments);

/// The text of -h.
std::string help_text();

}  // namespace lbdp::control
