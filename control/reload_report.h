// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "config/diff.h"

namespace lbdp::control {

/// What came of a reload, or would come of it.
struct ReloadReport {
  bool ok = false;
  bool dry_run = false;
  std::string message{};                  // what was done, or why nothing was: then each reason has a line of its own
  std::vector<config::Change> changes{};  // from what was in force to what is in the file
  std::vector<std::string> warnings{};    // findings in the file that are no errors
};

/// For the log: the message, the first 50 changes and how many more there are, the warnings.
[[nodiscard]] std::vector<std::string> to_lines(const ReloadReport& report);
/// The answer to the request "reload", in the schema of docs/lbdp-cli.md. Bounded: the first 1,000 changes.
[[nodiscard]] nlohmann::json to_json(const ReloadReport& report);

}  // namespace lbdp::control
