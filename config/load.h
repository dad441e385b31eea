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
  std::vector<Remark> remarks;     // in the order in which they were made
  std::vector<std::string> files;  // that were read, the main one first, in the order of their includes

  [[nodiscard]] bool ok() const { return model.has_value(); }
};

/// How much a configuration may come to. What is over it is an error, and the rest is not read.
struct LoadLimits {
  size_t files = 1000;                        // that are read; one that is included twice counts twice
  size_t include_depth = 16;                  // files in files
  size_t bytes = size_t{64} << 20;            // of all files
  size_t expanded_lines = 1'500'000;          // that multi-line parameters, ~SEQ and ~LST make
  size_t expanded_bytes = size_t{128} << 20;  // that replacing parameters makes
};

class Files;

struct LoadOptions {
  bool lenient = false;   // unknown keywords are warnings
  std::string config_id;  // lines behind "@id" count if id is this or "lbdp"
  /// Where included files come from; null: the file system. Must live as long as the call.
  const Files* files = nullptr;
  LoadLimits limits{};
  /// For ${_RANDOM}; none: chosen once for the life of the process, so that a file that did not change reads the same.
  std::optional<uint64_t> random_seed{};
};

/// Reads and validates a configuration file. A file that cannot be read is an error with its name and the reason.
LoadResult load_file(const std::string& path, const LoadOptions& options = {});
/// The same from memory; `name` stands in the places, and includes are relative to its directory.
LoadResult load_text(std::string_view text, const std::string& name, const LoadOptions& options = {});

}  // namespace lbdp::config
