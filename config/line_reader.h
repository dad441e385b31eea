// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/schema.h"
#include "config/types/result.h"

namespace lbdp::config {

/// Walks over the words of a line with options ("192.0.2.1/24 dev eth1 no_track") and reports what does not fit, each
/// finding beginning with the keyword that the line belongs to. Anything reported as an error makes the line bad.
class LineReader {
 public:
  LineReader(std::string_view keyword, std::span<const Word> words, Context& context)
      : keyword_(keyword), words_(words), context_(context) {}

  [[nodiscard]] bool done() const { return next_ >= words_.size(); }
  /// The next word; only if not done().
  const Word& take() { return words_[next_++]; }
  /// Takes the next word if it is `text`.
  bool skip(std::string_view text);
  /// False after an error.
  [[nodiscard]] bool good() const { return good_; }

  /// "KEYWORD: found 'WORD', MESSAGE" at the word.
  void report(const Word& word, const std::string& message);
  void warn(const Word& word, const std::string& message);

  /// Reads the value that must follow the option `name`.
  template <class T>
  std::optional<T> value(const Word& name, Result<T> (*read)(std::string_view)) {
    const Word* word = value_word(name);
    return word == nullptr ? std::nullopt : read_as(*word, read);
  }
  /// Reads a word that has been taken.
  template <class T>
  std::optional<T> read_as(const Word& word, Result<T> (*read)(std::string_view)) {
    auto result = read(word.text);
    if (result) return std::move(*result);
    report(word, result.error().message);
    return std::nullopt;
  }
  /// The word after the option `name`; null, and reported, if there is none.
  const Word* value_word(const Word& name);

 private:
  std::string_view keyword_;
  std::span<const Word> words_;
  Context& context_;
  size_t next_ = 0;
  bool good_ = true;
};

}  // namespace lbdp::config
