// SPDX-License-Identifier: BSD-2-Clause
#include "config/lexer.h"

#include <utility>

namespace lbdp::config {
namespace {

constexpr size_t kMostParametersReported = 100;

bool ends_word(char c) {
  return is_blank(c) || c == '"' || c == '{' || c == '}';
}

/// A message about such a line must not repeat what is on it.
bool is_secret(std::string_view line) {
  return line.find("pass") != std::string_view::npos;
}

}  // namespace

Token Lexer::next() {
  if (!in_line_) {
    if (!lines_.next(line_)) {
      return {lines_.stopped() ? TokenKind::kStopped : TokenKind::kEndOfFile, false, lines_.end(), {}, {}};
    }
    position_ = 0;
    in_line_ = true;
    behind_brace_ = false;
  }
  while (position_ < line_.text.size() && is_blank(line_.text[position_])) ++position_;
  if (position_ == line_.text.size()) return end_of_line();
  if (behind_brace_ && Preprocessor::concerns(line_.text.substr(position_))) {
    lines_.give_back(line_.part(position_));
    return end_of_line();
  }
  const char c = line_.text[position_];
  if (c == '{' || c == '}') return brace();
  behind_brace_ = false;
  return c == '"' ? quoted_word() : plain_word();
}

Token Lexer::end_of_line() {
  in_line_ = false;
  return {TokenKind::kEndOfLine, line_.conditional, line_.at(position_), {}, {}};
}

Token Lexer::brace() {
  behind_brace_ = true;
  const size_t at = position_++;
  const TokenKind kind = line_.text[at] == '{' ? TokenKind::kOpen : TokenKind::kClose;
  return {kind, line_.conditional, line_.at(at), line_.text.substr(at, 1), {}};
}

Token Lexer::quoted_word() {
  const size_t quote = position_;
  size_t end = line_.text.find('"', quote + 1);
  if (end == std::string_view::npos) {
    diagnostics_.error(line_.at(quote), "this quote has no closing quote on the line");
    end = line_.text.size();
    position_ = end;
  } else {
    position_ = end + 1;
  }
  report_parameters(quote + 1, end);
  return {TokenKind::kWord, line_.conditional, line_.at(quote), line_.text.substr(quote + 1, end - quote - 1),
          line_.text.substr(quote, position_ - quote)};
}

Token Lexer::plain_word() {
  const size_t start = position_;
  std::string text;
  bool escaped = false;
  while (position_ < line_.text.size() && !ends_word(line_.text[position_])) {
    const char c = line_.text[position_];
    size_t length = 1;
    if (c == '\\' && position_ + 1 < line_.text.size() && !ends_word(line_.text[position_ + 1])) {
      if (starts_comment(line_.text[position_ + 1])) {
        if (!escaped) text = line_.text.substr(start, position_ - start);
        escaped = true;
        ++position_;
      } else {
        length = 2;  // of "\\#", the second backslash escapes nothing
      }
    } else if (c == '$') {
      length = report_parameter(position_, false);
    }
    if (escaped) text += line_.text.substr(position_, length);
    position_ += length;
  }
  const std::string_view raw = line_.text.substr(start, position_ - start);
  if (!escaped) return {TokenKind::kWord, line_.conditional, line_.at(start), raw, raw};
  return {TokenKind::kWord, line_.conditional, line_.at(start), unescaped_.emplace_back(std::move(text)), raw};
}

void Lexer::report_parameters(size_t begin, size_t end) {
  for (size_t at = line_.text.find('$', begin); at < end; at = line_.text.find('$', at + 1)) {
    report_parameter(at, true);
  }
}

size_t Lexer::report_parameter(size_t dollar, bool quoted) {
  const auto use = parameter_use(line_.text, dollar);
  const bool braces = line_.text.substr(dollar).starts_with("${");
  const Place place = line_.at(dollar);
  const std::string text =
      is_secret(line_.text) || !use ? "a parameter" : in_quotes(line_.text.substr(dollar, use->length));
  if (braces && !quoted) {
    // keepalived would take the '{' for the beginning of a block.
    const size_t close = line_.text.find('}', dollar);
    const size_t length = (close == std::string_view::npos ? line_.text.size() : close + 1) - dollar;
    diagnostics_.error(place, use ? text + " is not defined" : "'${' begins no parameter: wanted ${NAME}");
    return length;
  }
  if (!use) return 1;
  if (lines_.defined(use->name)) {
    diagnostics_.warning(place, text + " is not replaced here: " +
                                    (use->complete ? "a parameter of several lines must end its line"
                                                   : "behind it may be a blank, ',' or ')' only; write '${NAME}'"));
  } else if (use->complete && reported_.size() < kMostParametersReported && reported_.emplace(use->name).second) {
    diagnostics_.warning(place, text + " is not defined, so the text stays as it is");
  }
  return 1;
}

}  // namespace lbdp::config
