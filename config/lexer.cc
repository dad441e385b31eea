// SPDX-License-Identifier: BSD-2-Clause
#include "config/lexer.h"

#include <algorithm>
#include <utility>

namespace lbdp::config {
namespace {

constexpr std::string_view kOwnId = "lbdp";
constexpr size_t kMostIdsReported = 8;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}
bool starts_comment(char c) {
  return c == '#' || c == '!';
}
bool ends_word(char c) {
  return is_blank(c) || c == '"' || c == '{' || c == '}' || starts_comment(c);
}

}  // namespace

Lexer::Lexer(const Source& source, std::string config_id, Diagnostics& diagnostics)
    : source_(source), config_id_(std::move(config_id)), diagnostics_(diagnostics) {}

Token Lexer::next() {
  for (;;) {
    if (!in_line_ && !next_line()) return {TokenKind::kEndOfFile, false, {source_.line_count(), 1}, {}, {}};
    while (position_ < line_.size() && is_blank(line_[position_])) ++position_;
    if (position_ >= line_.size() || starts_comment(line_[position_])) {
      in_line_ = false;
      return {TokenKind::kEndOfLine, conditional_, here(), {}, {}};
    }
    const char c = line_[position_];
    if (c == '{' || c == '}') {
      const Token brace{
          c == '{' ? TokenKind::kOpen : TokenKind::kClose, conditional_, here(), line_.substr(position_, 1), {}};
      ++position_;
      return brace;
    }
    return c == '"' ? quoted_word() : plain_word();
  }
}

bool Lexer::next_line() {
  while (number_ < source_.line_count()) {
    line_ = source_.line(++number_);
    position_ = 0;
    conditional_ = false;
    const size_t strange = static_cast<size_t>(
        std::ranges::find_if(line_, [](char c) { return static_cast<unsigned char>(c) < 0x20 && !is_blank(c); }) -
        line_.begin());
    if (strange < line_.size()) {
      position_ = strange;
      diagnostics_.error(here(), "control character " + in_quotes(line_.substr(strange, 1)) + " in the file");
      position_ = 0;
      line_ = line_.substr(0, strange);
    }
    while (position_ < line_.size() && is_blank(line_[position_])) ++position_;
    if (position_ < line_.size() && line_[position_] == '@' && !keep_conditional()) continue;
    in_line_ = true;
    return true;
  }
  return false;
}

bool Lexer::keep_conditional() {
  const Place at = here();
  conditional_ = true;
  ++position_;
  const bool negated = position_ < line_.size() && line_[position_] == '^';
  if (negated) ++position_;
  const size_t start = position_;
  while (position_ < line_.size() && !ends_word(line_[position_])) ++position_;
  const std::string_view id = line_.substr(start, position_ - start);
  if (id.empty()) {
    diagnostics_.error(at, "'@' without a config-id; write '@ID LINE' or '@^ID LINE'");
    return false;
  }
  const bool ours = id == kOwnId || (!config_id_.empty() && id == config_id_);
  const bool keep = ours != negated;
  // Said once an id, and only if nobody chose an id: a plain keepalived.conf must not lose lines in silence.
  if (!keep && !ours && config_id_.empty() && left_out_.size() < kMostIdsReported && left_out_.emplace(id).second) {
    diagnostics_.note(at, "lines behind " + in_quotes(line_.substr(at.column - 1, position_ - (at.column - 1))) +
                              " are left out: the config-id is 'lbdp' (option -i sets another)");
  }
  return keep;
}

Token Lexer::quoted_word() {
  const Place at = here();
  const size_t start = position_ + 1;
  size_t end = line_.find('"', start);
  if (end == std::string_view::npos) {
    diagnostics_.error(at, "this quote has no closing quote on the line");
    end = line_.size();
    position_ = end;
  } else {
    position_ = end + 1;
  }
  return {TokenKind::kWord, conditional_, at, line_.substr(start, end - start),
          line_.substr(start - 1, position_ - (start - 1))};
}

Token Lexer::plain_word() {
  const Place at = here();
  const size_t start = position_;
  std::string text;
  bool escaped = false;
  while (position_ < line_.size()) {
    const char c = line_[position_];
    const char after = position_ + 1 < line_.size() ? line_[position_ + 1] : '\0';
    if (c == '\\' && starts_comment(after)) {
      if (!escaped) text = line_.substr(start, position_ - start);
      escaped = true;
      text += after;
      position_ += 2;
      continue;
    }
    if (c == '$' && after == '{') {
      const size_t close = line_.find('}', position_);
      const size_t past = close == std::string_view::npos ? line_.size() : close + 1;
      diagnostics_.error(here(), "variables such as " + in_quotes(line_.substr(position_, past - position_)) +
                                     " are not supported yet");
      if (escaped) text += line_.substr(position_, past - position_);
      position_ = past;
      continue;
    }
    if (ends_word(c)) break;
    if (escaped) text += c;
    ++position_;
  }
  warn_about_comment();
  const std::string_view raw = line_.substr(start, position_ - start);
  if (!escaped) return {TokenKind::kWord, conditional_, at, raw, raw};
  return {TokenKind::kWord, conditional_, at, unescaped_.emplace_back(std::move(text)), raw};
}

void Lexer::warn_about_comment() {
  if (position_ + 1 >= line_.size() || !starts_comment(line_[position_]) || is_blank(line_[position_ + 1])) return;
  const char c = line_[position_];
  diagnostics_.warning(here(), std::string("'") + c + "' starts a comment here, in the middle of a word; write '\\" +
                                   c + "' or put the word in quotes if it is meant");
}

}  // namespace lbdp::config
