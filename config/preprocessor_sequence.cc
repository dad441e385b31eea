// SPDX-License-Identifier: BSD-2-Clause
// How the preprocessor reads ~SEQ and ~LST.
#include <algorithm>
#include <string>
#include <utility>

#include "config/preprocessor.h"

namespace lbdp::config {
namespace {

tl::unexpected<Error> not_a_sequence() {
  return fail("wanted (VARIABLE, [START, [STEP,]] END)");
}

/// Takes `c` and the blanks around it from the front of a text.
bool take(std::string_view& text, char c) {
  text = trimmed(text);
  if (!text.starts_with(c)) return false;
  text = trimmed(text.substr(1));
  return true;
}

}  // namespace

void Preprocessor::take_sequence(const Line& line) {
  const bool list = line.text.starts_with("~LST");
  auto frame = list ? read_list(line) : read_numbers(line);
  if (frame) {
    push(std::move(*frame), line.place);
  } else {
    diagnostics_.error(line.place, std::string(list ? "~LST: " : "~SEQ: ") + frame.error().message);
  }
}

Result<SequenceFrame> Preprocessor::read_numbers(const Line& line) {
  std::string_view text = line.text.substr(4);
  const bool hexadecimal = text.starts_with('x');
  if (hexadecimal) text.remove_prefix(1);
  if (!take(text, '(')) return not_a_sequence();
  const std::string_view variable = text.substr(0, text.find_first_of(" \t,)"));
  text.remove_prefix(variable.size());
  if (!take(text, ',')) return not_a_sequence();
  const size_t close = text.find(')');
  if (close == std::string_view::npos) return fail("')' is missing");

  // With the ")", behind which "$NAME" is a use, too.
  const auto position = static_cast<size_t>(text.data() - line.text.data());
  EditedLine limits(line.part(position, close + 1));
  std::vector<std::shared_ptr<const Body>> bodies;
  const auto replaced = parameters_.substitute(limits, bodies, {.work_left = &work_left_});
  if (!replaced) return tl::unexpected(replaced.error());
  if (!bodies.empty() || !limits.text.ends_with(')')) return not_a_sequence();
  limits.text.pop_back();
  auto sequence = Sequence::numbers(std::string(variable), limits.text, hexadecimal);
  if (!sequence) return tl::unexpected(sequence.error());
  return SequenceFrame{std::move(*sequence), trimmed(line.part(position + close + 1)), {}};
}

Result<SequenceFrame> Preprocessor::read_list(const Line& line) {
  std::string_view text = line.text.substr(4);
  if (!take(text, '(')) return fail("wanted '(' behind ~LST");
  size_t length = 0;
  auto sequence = Sequence::list(text, length);
  if (!sequence) return tl::unexpected(sequence.error());
  const auto position = static_cast<size_t>(text.data() - line.text.data());
  return SequenceFrame{std::move(*sequence), trimmed(line.part(position + length)), {}};
}

}  // namespace lbdp::config
