// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>

#include "config/diagnostics.h"
#include "config/line.h"
#include "config/preprocessor.h"

namespace lbdp::config {

enum class TokenKind : uint8_t { kWord, kOpen, kClose, kEndOfLine, kEndOfFile, kStopped };

/// `text` points into the sources or into the lexer, `raw` into the sources.
struct Token {
  TokenKind kind = TokenKind::kEndOfFile;  // kStopped: the file was not read to its end, which is reported
  bool conditional = false;                // on a line behind "@id"
  Place place;
  std::string_view text;
  std::string_view raw;  // of a word: as it is written, with its quotes and escapes
};

/// Splits lines into words, braces and line ends as keepalived does: "..." groups words, and braces stand for
/// themselves wherever they are, but in quotes.
class Lexer {
 public:
  Lexer(Preprocessor& lines, Diagnostics& diagnostics) : lines_(lines), diagnostics_(diagnostics) {}

  Token next();

 private:
  Token brace();
  Token quoted_word();
  Token plain_word();
  /// A parameter that was not replaced: text as it is, in keepalived without a word. Returns the length of what must
  /// not be split.
  size_t report_parameter(size_t dollar, bool quoted);
  void report_parameters(size_t begin, size_t end);
  [[nodiscard]] Token end_of_line();

  Preprocessor& lines_;
  Diagnostics& diagnostics_;
  Line line_;
  size_t position_ = 0;
  bool in_line_ = false;
  bool behind_brace_ = false;
  std::deque<std::string> unescaped_;            // words that are not in the sources as they mean; addresses stay
  std::set<std::string, std::less<>> reported_;  // parameters that are not defined
};

}  // namespace lbdp::config
