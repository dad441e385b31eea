// SPDX-License-Identifier: BSD-2-Clause
#include "config/sequence.h"

#include <algorithm>
#include <charconv>

#include "config/diagnostics.h"
#include "config/line.h"
#include "config/parameters.h"

namespace lbdp::config {
namespace {

constexpr int64_t kFarthest = int64_t{1} << 53;  // far from overflow, however large the step

/// A number as C writes it: "12", "0x1f", "017", with a sign.
Result<int64_t> c_number(std::string_view text) {
  std::string_view digits = trimmed(text);
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  int base = 10;
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    base = 16;
    digits.remove_prefix(2);
  } else if (digits.size() > 1 && digits.front() == '0') {
    base = 8;
  }
  uint64_t value = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (ec != std::errc{} || end != digits.data() + digits.size() || value > static_cast<uint64_t>(kFarthest)) {
    return fail("found " + in_quotes(text) + ", wanted a whole number such as 12, 0x1f or 017");
  }
  return negative ? -static_cast<int64_t>(value) : static_cast<int64_t>(value);
}

Result<std::vector<int64_t>> c_numbers(std::string_view text) {
  std::vector<int64_t> numbers;
  for (size_t start = 0; start <= text.size();) {
    const size_t comma = std::min(text.find(',', start), text.size());
    const auto number = c_number(text.substr(start, comma - start));
    if (!number) return tl::unexpected(number.error());
    if (numbers.size() == 3) return fail("wanted (VARIABLE, [START, [STEP,]] END)");
    numbers.push_back(*number);
    start = comma + 1;
  }
  return numbers;
}

/// Reads a ~LST, character by character.
class ListReader {
 public:
  explicit ListReader(std::string_view text) : text_(text) { skip_blanks(); }

  /// Takes `c` and the blanks behind it; false if something else is there.
  bool take(char c) {
    if (!at(c)) return false;
    ++position_;
    skip_blanks();
    return true;
  }
  [[nodiscard]] bool at(char c) const { return position_ < text_.size() && text_[position_] == c; }
  [[nodiscard]] size_t position() const { return position_; }

  /// A word and the blanks behind it.
  std::string word() {
    const size_t end = std::min(text_.find_first_of(" \t,{})", position_), text_.size());
    std::string result(text_.substr(position_, end - position_));
    position_ = end;
    skip_blanks();
    return result;
  }

  /// "{A, B}", or one word without braces. False: a closing brace is missing.
  bool group(std::vector<std::string>& words) {
    const bool braces = take('{');
    words.push_back(word());
    while (braces && take(',')) words.push_back(word());
    return !braces || take('}');
  }

 private:
  void skip_blanks() {
    while (position_ < text_.size() && is_blank(text_[position_])) ++position_;
  }
  std::string_view text_;
  size_t position_ = 0;
};

tl::unexpected<Error> not_a_list() {
  return fail("wanted (VARIABLE, VALUE, ...) or ({VARIABLE, ...}, {VALUE, ...}, ...)");
}

}  // namespace

Result<Sequence> Sequence::numbers(std::string variable, std::string_view limits, bool hexadecimal) {
  if (!is_parameter_name(variable)) return fail(in_quotes(variable) + " cannot be a parameter's name");
  const auto numbers = c_numbers(limits);
  if (!numbers) return tl::unexpected(numbers.error());
  Sequence result;
  result.variables_.push_back(std::move(variable));
  result.numeric_ = true;
  result.hexadecimal_ = hexadecimal;
  const int64_t end = numbers->back();
  const int64_t start = numbers->size() > 1 ? numbers->front() : end < 0 ? -1 : 1;
  const int64_t step = numbers->size() > 2 ? (*numbers)[1] : start <= end ? 1 : -1;
  if (step == 0 || (start < end && step < 0) || (start > end && step > 0)) {
    return fail("steps of " + std::to_string(step) + " do not lead from " + std::to_string(start) + " to " +
                std::to_string(end));
  }
  if (hexadecimal && (start < 0 || end < 0)) return fail("~SEQx counts from 0 up, not below");
  result.next_ = start;
  result.step_ = step;
  result.last_ = end;
  return result;
}

Result<Sequence> Sequence::list(std::string_view list, size_t& length) {
  Sequence result;
  ListReader reader(list);
  if (!reader.group(result.variables_) || !reader.at(',')) return not_a_list();
  for (const std::string& variable : result.variables_) {
    if (!is_parameter_name(variable)) return fail(in_quotes(variable) + " cannot be a parameter's name");
  }
  while (reader.take(',')) {
    std::vector<std::string>& set = result.sets_.emplace_back();
    if (!reader.group(set)) return not_a_list();
    if (set.size() > result.variables_.size()) {
      return fail("set " + std::to_string(result.sets_.size()) + " has " + std::to_string(set.size()) +
                  " values, wanted " + std::to_string(result.variables_.size()));
    }
    set.resize(result.variables_.size());  // what is missing is empty, as in keepalived
  }
  if (!reader.at(')')) return not_a_list();
  length = reader.position() + 1;
  return result;
}

bool Sequence::next(std::vector<std::string>& values) {
  if (!numeric_) {
    if (next_set_ == sets_.size()) return false;
    values = sets_[next_set_++];
    return true;
  }
  if (step_ > 0 ? next_ > last_ : next_ < last_) return false;
  char digits[24];
  const char* end = std::to_chars(digits, digits + sizeof digits, next_, hexadecimal_ ? 16 : 10).ptr;
  values.assign(1, {digits, static_cast<size_t>(end - digits)});
  next_ += step_;
  return true;
}

}  // namespace lbdp::config
