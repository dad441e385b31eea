// SPDX-License-Identifier: BSD-2-Clause
#include "config/line_reader.h"

namespace lbdp::config {

bool LineReader::skip(std::string_view text) {
  if (done() || words_[next_].text != text) return false;
  ++next_;
  return true;
}

void LineReader::report(const Word& word, const std::string& message) {
  good_ = false;
  context_.diagnostics.error(word.place, std::string(keyword_) + ": found " + in_quotes(word.text) + ", " + message);
}

void LineReader::warn(const Word& word, const std::string& message) {
  context_.diagnostics.warning(word.place, std::string(keyword_) + ": " + in_quotes(word.text) + " " + message);
}

const Word* LineReader::value_word(const Word& name) {
  if (!done()) return &take();
  good_ = false;
  context_.diagnostics.error(name.place, std::string(keyword_) + ": " + in_quotes(name.text) + " needs a value");
  return nullptr;
}

}  // namespace lbdp::config
