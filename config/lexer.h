// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>

#include "config/diagnostics.h"
#include "config/source.h"

namespace lbdp::config {

enum class TokenKind : uint8_t { kWord, kOpen, kClose, kEndOfLine, kEndOfFile };

/// `text` points into the source or into the lexer, `raw` into the source.
struct Token {
  TokenKind kind = TokenKind::kEndOfFile;
  bool conditional = false;  // on a line behind "@id"
  Place place;
  std::string_view text;
  std::string_view raw;  // of a word: as it is written, with its quotes and escapes
};

/// Splits a source into words, braces and line ends as keepalived does: comments from # or ! on, "..." groups words,
/// braces stand for themselves wherever they are, and a line behind "@id" ("@^id") is there only if id is (is not)
/// ours.
class Lexer {
 public:
  /// `config_id` is matched beside "lbdp", which is always ours.
  Lexer(const Source& source, std::string config_id, Diagnostics& diagnostics);

  Token next();

 private:
  bool next_line();
  /// True if the line's "@id" keeps it.
  bool keep_conditional();
  Token quoted_word();
  Token plain_word();
  /// A comment that begins right behind a word, as in "pass!word", takes the rest of the word away: said, as keepalived
  /// does not.
  void warn_about_comment();
  [[nodiscard]] Place here() const { return {number_, static_cast<uint32_t>(position_ + 1)}; }

  const Source& source_;
  std::string config_id_;
  Diagnostics& diagnostics_;
  std::string_view line_;
  size_t position_ = 0;
  uint32_t number_ = 0;
  bool in_line_ = false;
  bool conditional_ = false;
  std::deque<std::string> unescaped_;            // words that are not in the source as they mean; addresses stay
  std::set<std::string, std::less<>> left_out_;  // ids of lines that were dropped, each reported once
};

}  // namespace lbdp::config
