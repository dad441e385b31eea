// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// Where included files come from, and which files the pattern of an include means.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/result.h"

namespace lbdp::config {

/// What includes may see of the world. Paths are relative to the process's directory, or absolute.
class Files {
 public:
  enum class Kind : uint8_t { kMissing, kFile, kDirectory };

  virtual ~Files() = default;
  [[nodiscard]] virtual Kind kind(const std::string& path) const = 0;
  /// The paths that a pattern with wildcards (* ? [...], but no braces) matches, sorted.
  [[nodiscard]] virtual std::vector<std::string> match(const std::string& pattern) const = 0;
  /// The text of a file that may be included, or why not.
  [[nodiscard]] virtual Result<std::string> read(const std::string& path) const = 0;
  /// The absolute name of a directory.
  [[nodiscard]] virtual std::string absolute(const std::string& directory) const = 0;
};

/// The file system. As keepalived does, it refuses files that somebody may execute.
[[nodiscard]] const Files& file_system();

/// Files in memory, by their paths; directories are what stands before a '/' in these.
class MemoryFiles : public Files {
 public:
  explicit MemoryFiles(std::map<std::string, std::string> files) : files_(std::move(files)) {}
  [[nodiscard]] Kind kind(const std::string& path) const override;
  [[nodiscard]] std::vector<std::string> match(const std::string& pattern) const override;
  [[nodiscard]] Result<std::string> read(const std::string& path) const override;
  [[nodiscard]] std::string absolute(const std::string& directory) const override;

 private:
  std::map<std::string, std::string> files_;
};

/// The part of a path before its last '/', "" if there is none: what relative includes of that file are relative to.
[[nodiscard]] std::string directory_of(std::string_view path);

/// What must be there when a file is included, as keepalived's include_check names it.
struct IncludeChecks {
  bool readable = false;        // what matches can be read
  bool match = false;           // a name without wildcards is there
  bool wildcard_match = false;  // a pattern with wildcards matches something
  bool brace_match = false;     // each alternative in braces is there
};

/// What an include's pattern came to.
struct IncludeMatches {
  std::vector<std::string> paths;    // that are there, alternatives in their order, each sorted
  std::vector<std::string> missing;  // alternatives without wildcards, or in directories, that are not there
  bool braces = false;
  bool wildcards = false;
};

/// Resolves a pattern, csh's braces included, relative to `directory`. Error: braces that do not close, or more than
/// `most` alternatives or matches.
Result<IncludeMatches> resolve_include(std::string_view pattern, const std::string& directory, const Files& files,
                                       size_t most);

}  // namespace lbdp::config
