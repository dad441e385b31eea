// SPDX-License-Identifier: BSD-2-Clause
#include "config/line.h"

namespace lbdp::config {

Comment find_comment(std::string_view text) {
  Comment comment;
  bool quoted = false;
  for (size_t i = text.find_first_of("#!\"\\"); i < text.size(); i = text.find_first_of("#!\"\\", i)) {
    if (text[i] == '\\') {
      i += 2;
      continue;
    }
    if (text[i] == '"') {
      quoted = !quoted;
    } else if (!quoted) {
      comment.begin = i;
      comment.continued = (text.size() - 1 - text.find_last_not_of('\\')) % 2 == 1;
      break;
    }
    ++i;
  }
  comment.open_quote = quoted;
  return comment;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

Line trimmed(const Line& line) {
  const std::string_view inner = trimmed(line.text);
  if (inner.size() == line.text.size()) return line;
  return line.part(static_cast<size_t>(inner.data() - line.text.data()), inner.size());
}

}  // namespace lbdp::config
