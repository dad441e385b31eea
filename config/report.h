// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "config/load.h"

namespace lbdp::config {

/// What `lbdp -t` says about a file.
struct ReportOptions {
  bool verbose = false;  // the notes too (old names, values that keepalived reads otherwise), and the defaults taken
};

/// Prints the findings, each with the file's line and a caret. What has no effect is not among them: see
/// remark_lines().
void print_diagnostics(std::ostream& out, const LoadResult& result, const ReportOptions& options = {});

/// `lbdp -t`: the findings to `err`, then the summary to `out`: what there is, what is not yet active, and what has no
/// effect. Returns the process's exit status: 0 for a usable file, warnings or not, and kExitBadConfiguration
/// otherwise.
int report_check(std::ostream& out, std::ostream& err, const std::string& path, const LoadResult& result,
                 const ReportOptions& options = {});

/// The remarks of a kind, each a line: "lvs_flush (2 times): the tables start empty. lb.conf:3:5, lb.conf:9:5".
[[nodiscard]] std::vector<std::string> remark_lines(const LoadResult& result, Remark::Kind kind);

inline constexpr int kExitBadConfiguration = 3;

}  // namespace lbdp::config
