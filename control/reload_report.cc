// SPDX-License-Identifier: BSD-2-Clause
#include "control/reload_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace lbdp::control {
namespace {

constexpr size_t kLoggedChanges = 50;
constexpr size_t kToldChanges = 1000;

}  // namespace

std::vector<std::string> to_lines(const ReloadReport& report) {
  std::vector<std::string> lines{report.message};
  const size_t shown = std::min(report.changes.size(), kLoggedChanges);
  for (size_t i = 0; i < shown; ++i) lines.push_back("  " + report.changes[i].to_string());
  if (shown < report.changes.size()) {
    lines.push_back("  and " + std::to_string(report.changes.size() - shown) + " more changes");
  }
  lines.insert(lines.end(), report.warnings.begin(), report.warnings.end());
  return lines;
}

nlohmann::json to_json(const ReloadReport& report) {
  auto changes = nlohmann::json::array();
  for (size_t i = 0; i < std::min(report.changes.size(), kToldChanges); ++i) {
    const config::Change& change = report.changes[i];
    changes.push_back({{"kind", config::to_string(change.kind)}, {"what", change.what}, {"detail", change.detail}});
  }
  return {{"ok", report.ok},
          {report.ok ? "message" : "error", report.message},
          {"dry_run", report.dry_run},
          {"changes", std::move(changes)},
          {"change_count", report.changes.size()},
          {"warnings", report.warnings}};
}

}  // namespace lbdp::control
