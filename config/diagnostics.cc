// SPDX-License-Identifier: BSD-2-Clause
#include "config/diagnostics.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>
#include <utility>

namespace lbdp::config {
namespace {

constexpr size_t kLongestQuote = 60;
constexpr size_t kLongestExcerpt = 160;
constexpr size_t kMostOrigins = 20;  // of an excerpt: includes and uses of parameters

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::kError: return "error";
    case Severity::kWarning: return "warning";
    case Severity::kNoEffect: return "no effect";
    case Severity::kNote: return "note";
  }
  return "error";
}

/// Optimal string alignment distance (insert, delete, replace, swap of neighbours), ignoring case.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

/// Findings go to logs: lines with a password do not.
bool is_secret(std::string_view line) {
  return line.find("pass") != std::string_view::npos;
}

std::string printable(std::string_view text) {
  std::string result(text);
  std::ranges::replace_if(result, is_control, ' ');
  return result;
}

/// The source's line, tabs as one blank so that the caret's column is right, cut around the place if it is long.
std::string excerpt_of(std::string_view line, uint32_t column) {
  const size_t caret = std::min<size_t>(column > 0 ? column - 1 : 0, line.size());
  const size_t start = caret > kLongestExcerpt - 20 ? caret - 40 : 0;
  size_t blanks = 0;
  for (size_t i = start; i < caret; ++i) {
    blanks += (static_cast<unsigned char>(line[i]) & 0xc0) != 0x80 ? 1 : 0;  // UTF-8 continuation bytes take no room
  }
  return printable(line.substr(start, kLongestExcerpt)) + "\n" + std::string(blanks, ' ') + "^";
}

}  // namespace

std::string Location::to_string() const {
  if (line == 0) return file;
  return file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::string Diagnostic::to_string() const {
  return where.to_string() + ": " + std::string(name_of(severity)) + ": " + message;
}

void Diagnostics::add(Severity severity, Place place, std::string message) {
  Finding finding{severity, place, std::move(message)};
  if (is_known(finding)) return;
  if (++counts_[static_cast<size_t>(severity)] > kMost) return;
  findings_.push_back(std::move(finding));
}

/// What a ~SEQ repeats is said once.
bool Diagnostics::is_known(const Finding& finding) const {
  return std::ranges::any_of(findings_, [&](const Finding& other) {
    return other.severity == finding.severity && other.place.line == finding.place.line &&
           other.place.column == finding.place.column && other.place.file == finding.place.file &&
           other.message == finding.message;
  });
}

bool Diagnostics::remark(Remark::Kind kind, std::string_view keyword, std::string_view text, Place place) {
  auto known = std::ranges::find_if(remarks_, [&](const Remark& remark) {
    return remark.kind == kind && remark.keyword == keyword && remark.text == text;
  });
  if (known == remarks_.end()) {
    if (remarks_.size() >= kMostRemarks) return false;
    remarks_.push_back({.kind = kind, .keyword = std::string(keyword), .text = std::string(text), .places = {}});
    known = std::prev(remarks_.end());
  }
  if (known->places.size() < Remark::kMostPlaces) known->places.push_back(location(place));
  return ++known->count == 1;
}

Location Diagnostics::location(Place place) const {
  return {sources_.file(place.file).name(), static_cast<int>(place.line), static_cast<int>(place.column)};
}

std::string Diagnostics::line_name(Place place, Place beside) const {
  if (place.file == beside.file) return "line " + std::to_string(place.line);
  return sources_.file(place.file).name() + ":" + std::to_string(place.line);
}

/// The line and a caret, what the line reads with its parameters, and how the reading came there.
std::string Diagnostics::excerpt(Place place) const {
  if (place.line == 0) return {};
  std::string text;
  const std::string_view written = sources_.written(place);
  const std::string_view expanded = sources_.expanded(place);
  if (!is_secret(written) && !is_secret(expanded)) {
    text = excerpt_of(written, place.column);
    if (!expanded.empty() && written.find(expanded) == std::string_view::npos) {
      text += "\nwith its parameters: " + printable(expanded.substr(0, kLongestExcerpt));
    }
  }
  Place from = place;
  for (size_t i = 0; i < kMostOrigins && from.line > 0; ++i) {
    const Place used_at = sources_.used_at(from);
    from = used_at.line > 0 ? used_at : sources_.included_at(from.file);
    if (from.line == 0) break;
    if (!text.empty()) text += '\n';
    text += (used_at.line > 0 ? "used at " : "included from ") + location(from).to_string();
  }
  return text;
}

std::vector<Diagnostic> Diagnostics::take() {
  std::ranges::stable_sort(findings_, {}, [](const Finding& f) { return f.place; });
  std::vector<Diagnostic> result;
  result.reserve(findings_.size() + 1);
  for (Finding& finding : findings_) {
    const Place place = finding.place;
    result.push_back({finding.severity, location(place), std::move(finding.message), excerpt(place)});
  }
  for (const Severity severity : {Severity::kError, Severity::kWarning, Severity::kNoEffect, Severity::kNote}) {
    const size_t count = std::exchange(counts_[static_cast<size_t>(severity)], 0);
    if (count <= kMost) continue;
    result.push_back({severity,
                      location({}),
                      "and " + std::to_string(count - kMost) + " more findings of this severity are not shown",
                      {}});
  }
  findings_.clear();
  return result;
}

std::string in_quotes(std::string_view text) {
  static constexpr std::array<char, 17> kHex = {"0123456789abcdef"};
  std::string result = "'";
  for (const char c : text.substr(0, kLongestQuote)) {
    if (is_control(c)) {
      const auto byte = static_cast<unsigned char>(c);
      result += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      result += c;
    }
  }
  if (text.size() > kLongestQuote) result += "...";
  return result + "'";
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  if (word.size() > kLongestQuote) return {};
  std::string_view best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const size_t distance = edit_distance(word, candidate);
    if (distance < best_distance && distance < candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace lbdp::config
