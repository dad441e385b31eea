// SPDX-License-Identifier: BSD-2-Clause
#include "config/report.h"

#include <algorithm>
#include <string>

namespace lbdp::config {
namespace {

std::string plural(size_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

size_t count_of(const LoadResult& result, Severity severity) {
  return static_cast<size_t>(std::ranges::count(result.diagnostics, severity, &Diagnostic::severity));
}

size_t real_servers(const Model& model) {
  size_t count = 0;
  for (const VirtualServer& server : model.virtual_servers) count += server.real_servers.size();
  return count;
}

}  // namespace

void print_diagnostics(std::ostream& out, const LoadResult& result, const ReportOptions& options) {
  for (const Diagnostic& diagnostic : result.diagnostics) {
    if (diagnostic.severity == Severity::kNote && !options.verbose) continue;
    out << diagnostic.to_string() << '\n';
    if (diagnostic.excerpt.empty()) continue;
    std::string_view rest = diagnostic.excerpt;
    while (!rest.empty()) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      out << "    " << rest.substr(0, end) << '\n';
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
}

int report_check(std::ostream& out, std::ostream& err, const std::string& path, const LoadResult& result,
                 const ReportOptions& options) {
  print_diagnostics(err, result, options);
  const std::string warnings = plural(count_of(result, Severity::kWarning), "warning", "warnings");
  if (!result.ok()) {
    err << path << ": not usable: " << plural(count_of(result, Severity::kError), "error", "errors") << ", " << warnings
        << '\n';
    return kExitBadConfiguration;
  }
  const Model& model = *result.model;
  out << path << ": ok: " << plural(model.virtual_servers.size(), "virtual server", "virtual servers") << ", "
      << plural(real_servers(model), "real server", "real servers") << ", "
      << plural(model.vrrp_instances.size(), "VRRP instance", "VRRP instances") << "; " << warnings << ", "
      << plural(count_of(result, Severity::kNote), "note", "notes") << '\n';
  return 0;
}

}  // namespace lbdp::config
