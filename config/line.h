// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "config/source.h"

namespace lbdp::config {

[[nodiscard]] constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}
[[nodiscard]] constexpr bool starts_comment(char c) {
  return c == '#' || c == '!';
}

/// The text up to the first blank.
[[nodiscard]] constexpr std::string_view first_word(std::string_view text) {
  return text.substr(0, text.find_first_of(" \t"));
}

/// A line on its way from a file to the lexer, or a part of one: a text, and for each byte the place where it was
/// written.
struct Line {
  std::string_view text;
  Place place;               // of the first byte
  bool conditional = false;  // it stood behind "@id"
  // Of a line with parameters: the column that each byte comes from, of which the first one is columns[offset].
  std::shared_ptr<const std::vector<uint32_t>> columns{};
  size_t offset = 0;
  bool continued = false;  // a backslash stood at the end of its comment, which in definitions counts

  /// In a definition: another line follows.
  [[nodiscard]] bool continues() const { return continued || text.ends_with('\\'); }

  /// The place of a byte, or of the end.
  [[nodiscard]] Place at(size_t position) const {
    Place result = place;
    result.column = columns ? (*columns)[offset + position] : place.column + static_cast<uint32_t>(position);
    return result;
  }
  [[nodiscard]] Line part(size_t position, size_t length = std::string_view::npos) const {
    return {text.substr(position, length), at(position), conditional, columns, offset + position, continued};
  }
};

/// Where the comment of a line begins, if it has one: at # or ! that is neither in "..." nor behind a backslash.
struct Comment {
  size_t begin = std::string_view::npos;
  bool open_quote = false;  // a quote before it is not closed
  bool continued = false;   // it ends in a backslash
};
[[nodiscard]] Comment find_comment(std::string_view text);

/// Without blanks at its ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);
[[nodiscard]] Line trimmed(const Line& line);

}  // namespace lbdp::config
