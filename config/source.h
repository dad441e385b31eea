// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/result.h"

namespace lbdp::config {

/// A place in a configuration: line and column count from 1, columns in bytes. Line 0: the file as a whole.
struct Place {
  uint32_t line = 0;
  uint32_t column = 0;
  uint32_t file = 0;       // of Sources; 0 is the main file
  uint32_t expansion = 0;  // of Sources, if the line was written with parameters or as part of one; 0: as it is

  friend bool operator==(const Place&, const Place&) = default;
  friend auto operator<=>(const Place& a, const Place& b) {
    if (const auto files = a.file <=> b.file; files != 0) return files;
    if (const auto lines = a.line <=> b.line; lines != 0) return lines;
    if (const auto columns = a.column <=> b.column; columns != 0) return columns;
    return a.expansion <=> b.expansion;
  }
};

/// A file's text and the places of its lines. The text must not move while tokens point into it.
class Source {
 public:
  static constexpr size_t kMostBytes = size_t{16} << 20;

  Source(std::string name, std::string text);
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] size_t size() const { return text_.size(); }
  [[nodiscard]] uint32_t line_count() const { return static_cast<uint32_t>(starts_.size()); }
  /// The line's text without its end ("\n" or "\r\n"); `number` counts from 1.
  [[nodiscard]] std::string_view line(uint32_t number) const;

 private:
  std::string name_;
  std::string text_;
  std::vector<uint32_t> starts_;
};

/// All text that a configuration is read from: its files, in the order in which they were opened, and the lines that
/// parameters and sequences made. What is in it stays where it is.
class Sources {
 public:
  /// The first one is the main file. `included_at`: the place of the include, for all others.
  uint32_t add(std::string name, std::string text, Place included_at = {});
  /// Notes a line that reads otherwise than it is written, or is part of a parameter that was used at `used_at` (line
  /// 0: it is not). The result is for Place::expansion.
  uint32_t add_expansion(std::string_view text, Place used_at);
  /// Keeps a text for as long as this object lives.
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }

  [[nodiscard]] const Source& file(uint32_t index) const { return files_[index]; }
  [[nodiscard]] size_t file_count() const { return files_.size(); }
  [[nodiscard]] Place included_at(uint32_t file) const { return included_at_[file]; }
  /// The line as it was written.
  [[nodiscard]] std::string_view written(Place place) const { return files_[place.file].line(place.line); }
  /// The line as it reads; empty for a place that has no expansion.
  [[nodiscard]] std::string_view expanded(Place place) const;
  /// Where the parameter was used that the line is part of; line 0 if it is part of none.
  [[nodiscard]] Place used_at(Place place) const;

 private:
  struct Expansion {
    std::string_view text;
    Place used_at;
  };

  std::deque<Source> files_;
  std::vector<Place> included_at_;
  std::vector<Expansion> expansions_;
  std::deque<std::string> texts_;
};

/// Whether a file that anyone may execute counts.
enum class Executable : uint8_t { kRead, kRefuse };

/// The text of a regular file of at most Source::kMostBytes. The error says why not, without the name.
Result<std::string> read_file(const std::string& path, Executable executable = Executable::kRead);

}  // namespace lbdp::config
