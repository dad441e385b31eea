// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/result.h"

namespace lbdp::config {

/// A place in a source: line and column count from 1, columns in bytes. Line 0: the source as a whole.
struct Place {
  uint32_t line = 0;
  uint32_t column = 0;

  friend auto operator<=>(const Place&, const Place&) = default;
};

/// A file's text and the places of its lines. The text must not move while tokens point into it.
class Source {
 public:
  static constexpr size_t kMostBytes = size_t{16} << 20;

  Source(std::string name, std::string text);
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] uint32_t line_count() const { return static_cast<uint32_t>(starts_.size()); }
  /// The line's text without its end ("\n" or "\r\n"); `number` counts from 1.
  [[nodiscard]] std::string_view line(uint32_t number) const;

 private:
  std::string name_;
  std::string text_;
  std::vector<uint32_t> starts_;
};

/// The text of a regular file of at most Source::kMostBytes. The error says why not, without the name.
Result<std::string> read_file(const std::string& path);

}  // namespace lbdp::config
