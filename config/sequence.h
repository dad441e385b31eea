// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/types/result.h"

namespace lbdp::config {

/// What ~SEQ and ~LST do: give parameters one set of values after the other.
class Sequence {
 public:
  /// "~SEQ(VARIABLE, [START, [STEP,]] END)", with ~SEQx for hexadecimal values; `limits` is what stands between the
  /// variable and the ")", its own parameters replaced.
  static Result<Sequence> numbers(std::string variable, std::string_view limits, bool hexadecimal);
  /// "~LST(VARIABLE, VALUE, ...)" or "~LST({VARIABLE, ...}, {VALUE, ...}, ...)"; `list` is what stands behind the "(".
  /// `length` becomes the length of the list with its ")".
  static Result<Sequence> list(std::string_view list, size_t& length);

  [[nodiscard]] const std::vector<std::string>& variables() const { return variables_; }
  /// The next value of each variable; false when there is none.
  bool next(std::vector<std::string>& values);

 private:
  std::vector<std::string> variables_;
  std::vector<std::vector<std::string>> sets_;  // of a list
  size_t next_set_ = 0;
  bool numeric_ = false;
  bool hexadecimal_ = false;
  int64_t next_ = 0, step_ = 1, last_ = 0;
};

/// True for what ~SEQ and ~LST begin with.
[[nodiscard]] inline bool starts_sequence(std::string_view text) {
  return text.starts_with("~SEQ") || text.starts_with("~LST");
}

}  // namespace lbdp::config
