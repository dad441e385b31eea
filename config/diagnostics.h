// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/load.h"
#include "config/source.h"

namespace lbdp::config {

/// Gathers findings about a configuration. Bounded: what is over kMost of a severity is only counted, so that a hostile
/// file costs neither memory nor the reader's patience.
class Diagnostics {
 public:
  static constexpr size_t kMost = 100;
  static constexpr size_t kMostRemarks = 1000;  // there are fewer keywords

  explicit Diagnostics(const Sources& sources) : sources_(sources) {}

  void error(Place place, std::string message) { add(Severity::kError, place, std::move(message)); }
  void warning(Place place, std::string message) { add(Severity::kWarning, place, std::move(message)); }
  void note(Place place, std::string message) { add(Severity::kNote, place, std::move(message)); }
  void add(Severity severity, Place place, std::string message);
  /// Notes a place of what is told once, with all its places. True: it is the first one.
  bool remark(Remark::Kind kind, std::string_view keyword, std::string_view text, Place place);
  /// The block at `block` lacks `keyword`, and what holds in its place, "wlc: the least loaded server", may surprise.
  void fallback(Place block, std::string_view keyword, std::string_view text) {
    remark(Remark::Kind::kDefault, keyword, text, block);
  }

  [[nodiscard]] bool has_errors() const { return counts_[static_cast<size_t>(Severity::kError)] > 0; }
  /// Further findings of this severity are only counted.
  [[nodiscard]] bool full(Severity severity) const { return counts_[static_cast<size_t>(severity)] >= kMost; }
  [[nodiscard]] Location location(Place place) const;
  /// "line 3", or "lb.conf:3" if `beside`, where the reader is, is in another file.
  [[nodiscard]] std::string line_name(Place place, Place beside) const;
  /// All findings in the order of their places (the main file first), and last what was left out. Empties this object.
  [[nodiscard]] std::vector<Diagnostic> take();
  [[nodiscard]] std::vector<Remark> take_remarks() { return std::move(remarks_); }

 private:
  struct Finding {
    Severity severity;
    Place place;
    std::string message;
  };

  [[nodiscard]] std::string excerpt(Place place) const;
  [[nodiscard]] bool is_known(const Finding& finding) const;

  const Sources& sources_;
  std::vector<Finding> findings_;
  std::vector<Remark> remarks_;
  size_t counts_[4] = {};
};

/// `text` in single quotes, fit for a terminal and a log: control characters as \xNN, long texts cut with "...".
[[nodiscard]] std::string in_quotes(std::string_view text);

/// The candidate that someone who typed `word` probably meant, ignoring case; empty if none is near.
[[nodiscard]] std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace lbdp::config
