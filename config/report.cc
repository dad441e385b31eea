// SPDX-License-Identifier: BSD-2-Clause
#include "config/report.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace lbdp::config {
namespace {

std::string plural(size_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

size_t count_of(const LoadResult& result, Severity severity) {
  return static_cast<size_t>(std::ranges::count(result.diagnostics, severity, &Diagnostic::severity));
}

/// "2 TCP, 1 UDP", the most frequent first; those without any are left out.
std::string tally(const std::map<std::string_view, size_t>& counts) {
  std::vector<std::pair<std::string_view, size_t>> items(counts.begin(), counts.end());
  std::ranges::stable_sort(items, std::ranges::greater(), &std::pair<std::string_view, size_t>::second);
  std::string text;
  for (const auto& [name, count] : items) {
    if (count > 0) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(name);
  }
  return text;
}

/// What the file sets up, counted.
struct Counts {
  explicit Counts(const Model& model) {
    for (const VirtualServer& server : model.virtual_servers) {
      for (const Service& service : server.services) {
        ++protocols[service.fwmark != 0 ? "of a fwmark" : to_upper_string(service.key.protocol)];
      }
      real_servers += server.real_servers.size();
      for (const RealServer& real : server.real_servers) {
        unchecked += real.checkers.empty() ? 1 : 0;
        for (const Checker& checker : real.checkers) ++checkers[keyword_of(checker)];
      }
    }
  }

  std::map<std::string_view, size_t> protocols;  // of services: a group has many
  std::map<std::string_view, size_t> checkers;
  size_t real_servers = 0;
  size_t unchecked = 0;
};

void print_counts(std::ostream& out, const Model& model, const Counts& counts) {
  if (!model.virtual_servers.empty()) out << "  services: " << tally(counts.protocols) << '\n';
  if (counts.real_servers > 0) {
    const std::string checkers = tally(counts.checkers);
    out << "  checkers: " << (checkers.empty() ? "none" : checkers);
    if (counts.unchecked > 0) {
      out << "; " << plural(counts.unchecked, "real server", "real servers") << " without one, always up";
    }
    out << '\n';
  }
}

void print_remarks(std::ostream& out, const LoadResult& result, Remark::Kind kind, std::string_view title) {
  const auto lines = remark_lines(result, kind);
  if (lines.empty()) return;
  out << "  " << title << '\n';
  for (const std::string& line : lines) out << "    " << line << '\n';
}

}  // namespace

void print_diagnostics(std::ostream& out, const LoadResult& result, const ReportOptions& options) {
  for (const Diagnostic& diagnostic : result.diagnostics) {
    if (diagnostic.severity == Severity::kNoEffect) continue;
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
  const Counts counts(model);
  out << path << ": ok: " << plural(model.virtual_servers.size(), "virtual server", "virtual servers") << ", "
      << plural(counts.real_servers, "real server", "real servers") << ", "
      << plural(model.vrrp_instances.size(), "VRRP instance", "VRRP instances") << "; " << warnings << ", "
      << plural(count_of(result, Severity::kNote), "note", "notes") << '\n';
  print_counts(out, model, counts);
  print_remarks(out, result, Remark::Kind::kNotYet, "not yet active, read and checked only:");
  print_remarks(out, result, Remark::Kind::kNoEffect, "accepted without effect:");
  if (options.verbose) print_remarks(out, result, Remark::Kind::kDefault, "defaults, where the keyword is missing:");
  return 0;
}

std::vector<std::string> remark_lines(const LoadResult& result, Remark::Kind kind) {
  std::vector<std::string> lines;
  for (const Remark& remark : result.remarks) {
    if (remark.kind != kind) continue;
    std::string line = remark.keyword;
    if (remark.count > 1) line += " (" + std::to_string(remark.count) + " times)";
    line += ": ";
    if (!remark.text.empty()) line += remark.text + (remark.text.ends_with('.') ? " " : ". ");
    for (size_t i = 0; i < remark.places.size(); ++i) line += (i == 0 ? "" : ", ") + remark.places[i].to_string();
    if (remark.count > remark.places.size()) {
      line += " and " + std::to_string(remark.count - remark.places.size()) + " more";
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace lbdp::config
