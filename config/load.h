// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"

namespace lbdp::config {

enum class Severity : uint8_t {
  kError,
  kWarning,
  kNoEffect,  // a keyword that is taken and means nothing here
  kNote
};

/// One finding about a file: "lb.conf:12:5: error: unknown keyword 'prioritty' (did you mean 'priority'?)".
struct Diagnostic {
  Severity severity = Severity::kError;
  Location where;
  std::string message;
  std::string excerpt;  // the file's line and, under it, a caret at the place; empty where there is no line

  /// One line, without the excerpt.
  [[nodiscard]] std::string to_string() const;
};

/// What is worth one line about a file, however many places it concerns.
struct Remark {
  enum class Kind : uint8_t {
    kNotYet,    // a keyword whose doing is not built yet
    kNoEffect,  // a keyword that means nothing here
    kDefault    // the places are of blocks without the keyword, and the text says what holds there
  };
  static constexpr size_t kMostPlaces = 8;

  Kind kind = Kind::kNotYet;
  std::string keyword;
  std::string text;              // the one line; may be empty for kNotYet
  std::vector<Location> places;  // the first kMostPlaces
  size_t count = 0;              // of all places
};

/// What reading a file gave: the model, if there was no error, and all findings in the order of their places.
struct LoadResult {
  std::optional<Model> model;
  std::vector<Diagnostic> diagnostics;
  std::vector<Remark> remarks;  // in the order in which they were made

  [[nodiscard]] bool ok() const { return model.has_value(); }
};

struct LoadOptions {
  bool lenient = false;   // unknown keywords are warnings
  std::string config_id;  // lines behind "@id" count if id is this or "lbdp"
};

/// Reads and validates a configuration file. A file that cannot be read is an error with its name and the reason.
LoadResult load_file(const std::string& path, const LoadOptions& options = {});
/// The same from memory; `name` stands in the places.
LoadResult load_text(std::string_view text, const std::string& name, const LoadOptions& options = {});

}  // namespace lbdp::config
