// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <ostream>

#include "config/load.h"

namespace lbdp::config {

/// What `lbdp -t` says about a file.
struct ReportOptions {
  bool verbose = false;  // the notes too: defaults that differ from keepalived's, old names
};

/// Prints the findings, each with the file's line and a caret.
void print_diagnostics(std::ostream& out, const LoadResult& result, const ReportOptions& options = {});

/// `lbdp -t`: the findings to `err`, then one line of summary to `out`. Returns the process's exit status: 0 for a
/// usable file, warnings or not, and kExitBadConfiguration otherwise.
int report_check(std::ostream& out, std::ostream& err, const std::string& path, const LoadResult& result,
                 const ReportOptions& options = {});

inline constexpr int kExitBadConfiguration = 3;

}  // namespace lbdp::config
