// SPDX-License-Identifier: BSD-2-Clause
#include "config/quoting.h"

#include <utility>

namespace lbdp::config {
namespace {

constexpr std::string_view kBlanks = " \t\f\n\r\v";

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

/// The digit's value; -1 for another character.
int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// What \C means for a C without further digits; most characters mean themselves.
char simple_escape(char c) {
  switch (c) {
    case 'a': return '\a';
    case 'b': return '\b';
    case 'E': return '\x1b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    default: return c;
  }
}

/// Reads words out of a text, one after the other.
class WordReader {
 public:
  explicit WordReader(std::string_view text) : text_(text) {}

  /// Skips blanks; false at the end.
  bool at_word() {
    position_ = std::min(text_.find_first_not_of(kBlanks, position_), text_.size());
    return position_ < text_.size();
  }

  Result<std::string> word() {
    std::string word;
    char quote = 0;
    while (position_ < text_.size()) {
      const char c = text_[position_];
      if (quote == 0 && kBlanks.find(c) != std::string_view::npos) break;
      ++position_;
      if (c == '\\') {
        if (position_ == text_.size()) return fail("wanted a character after the backslash at the end");
        word += escaped();
        if (word.back() == '\0') return fail("wanted a text without NUL");
      } else if (quote == 0 && (c == '"' || c == '\'')) {
        quote = c;
      } else if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    }
    if (quote != 0) return fail(std::string("wanted a closing ") + quote);
    return word;
  }

 private:
  /// The character that an escape means; the backslash is read, and at least one character follows.
  char escaped() {
    const char c = text_[position_++];
    const bool more = position_ < text_.size();
    if (c == 'x' && more && hex_digit(text_[position_]) >= 0) return hexadecimal();
    if (c == 'c' && more) return static_cast<char>(text_[position_++] & 0x1f);
    if (is_octal(c)) return octal(c - '0');
    return simple_escape(c);
  }

  char hexadecimal() {
    unsigned value = 0;
    for (; position_ < text_.size() && hex_digit(text_[position_]) >= 0; ++position_) {
      value = (value << 4 | static_cast<unsigned>(hex_digit(text_[position_]))) & 0xff;
    }
    return static_cast<char>(value);
  }

  char octal(int value) {
    for (int digits = 1; digits < 3 && position_ < text_.size() && is_octal(text_[position_]); ++digits) {
      value = value * 8 + (text_[position_++] - '0');
    }
    return static_cast<char>(value);
  }

  std::string_view text_;
  size_t position_ = 0;
};

Result<Command> command_of(std::string text) {
  auto arguments = quoted_words(text);
  if (!arguments) return tl::unexpected(arguments.error());
  if (arguments->empty() || arguments->front().empty()) return fail("wanted the path of a program");
  return Command{std::move(text), std::move(*arguments)};
}

/// The line's words, of which there must be one to `most`.
Result<std::vector<std::string>> words_up_to(size_t most, std::string_view raw) {
  auto words = quoted_words(raw);
  if (!words) return words;
  if (words->empty()) return fail("wanted a command");
  if (words->size() > most) {
    return fail(most == 1 ? "wanted one parameter: put a command with arguments in quotes"
                          : "wanted COMMAND [USER [GROUP]]: put a command with arguments in quotes");
  }
  return words;
}

}  // namespace

Result<std::vector<std::string>> quoted_words(std::string_view raw) {
  std::vector<std::string> words;
  WordReader reader(raw);
  while (reader.at_word()) {
    auto word = reader.word();
    if (!word) return tl::unexpected(word.error());
    words.push_back(std::move(*word));
  }
  return words;
}

Result<std::string> quoted_word(std::string_view raw) {
  auto words = quoted_words(raw);
  if (!words) return tl::unexpected(words.error());
  if (words->size() != 1) return fail("wanted one text; put it in quotes if it has blanks");
  return std::move(words->front());
}

Result<Command> command(std::string_view raw) {
  auto words = words_up_to(1, raw);
  if (!words) return tl::unexpected(words.error());
  return command_of(std::move(words->front()));
}

Result<CommandLine> command_line(std::string_view raw) {
  auto words = words_up_to(3, raw);
  if (!words) return tl::unexpected(words.error());
  auto read = command_of(std::move(words->front()));
  if (!read) return tl::unexpected(read.error());
  words->resize(3);
  return CommandLine{std::move(*read), std::move((*words)[1]), std::move((*words)[2])};
}

}  // namespace lbdp::config
