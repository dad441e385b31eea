// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// Parameters of a configuration: $NAME=VALUE, and what $NAME and ${NAME} then stand for.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "config/line.h"
#include "config/types/result.h"

namespace lbdp::config {

using Body = std::vector<Line>;

/// The value of a parameter: a text, or the lines of a multi-line definition.
struct Parameter {
  std::string text;
  std::shared_ptr<const Body> body{};  // null for a text
};

/// [A-Za-z_][A-Za-z0-9_]*
[[nodiscard]] bool is_parameter_name(std::string_view text);

/// "$NAME" or "${NAME ARGUMENTS}" in a text.
struct ParameterUse {
  std::string_view name;
  std::string_view arguments;
  size_t length = 0;       // with the $ and the braces
  bool complete = true;    // false: "$NAME" with something behind it that keepalived does not let stand there
  bool ends_line = false;  // nothing comes behind it
};
/// What the '$' at `dollar` begins; nothing if that is no use of a parameter.
[[nodiscard]] std::optional<ParameterUse> parameter_use(std::string_view text, size_t dollar);

/// What predefined parameters need to know.
struct Surroundings {
  std::string instance;                                          // ${_INSTANCE}
  std::function<std::string()> directory;                        // ${_PWD}
  std::function<const char*(const std::string&)> environment{};  // ${_ENV NAME}; null: not set
};

/// A line while its parameters are replaced: the text, and the column from which each byte and the end come.
struct EditedLine {
  std::string text;
  std::vector<uint32_t> columns;

  explicit EditedLine(const Line& line);
  void replace(size_t position, size_t length, std::string_view by);
};

/// Bounds what replacing may cost.
struct SubstitutionLimits {
  size_t replacements = 1000;  // in a line
  size_t line_bytes = size_t{64} << 10;
  size_t* work_left = nullptr;  // bytes; shared by all lines
};

/// All parameters that are defined at a point of the file.
class Parameters {
 public:
  explicit Parameters(Surroundings surroundings) : surroundings_(std::move(surroundings)) {}

  /// Sets a parameter, or with nothing removes it. Returns what it was.
  std::optional<Parameter> set(std::string_view name, std::optional<Parameter> value);
  /// Null if it is not there, or predefined.
  [[nodiscard]] const Parameter* find(std::string_view name) const;
  /// Predefined ones too.
  [[nodiscard]] bool defined(std::string_view name) const;
  void seed(uint64_t seed) { random_.seed(seed); }

  /// Replaces the uses of parameters from left to right, those in what was put in too, and stops at a "~" that begins a
  /// value. Parameters that are not defined stay as they are; one of several lines is replaced at the end of the line
  /// only, by its first line, and its others are added to `rest`. Returns whether anything was replaced.
  Result<bool> substitute(EditedLine& line, std::vector<std::shared_ptr<const Body>>& rest,
                          const SubstitutionLimits& limits);

 private:
  /// The text for a use; nothing if it stays as it is.
  std::optional<std::string> text_for(const ParameterUse& use, bool quoted,
                                      std::vector<std::shared_ptr<const Body>>& rest);
  std::optional<std::string> predefined(const ParameterUse& use, bool quoted);
  std::string random_number(std::string_view range);

  Surroundings surroundings_;
  std::map<std::string, Parameter, std::less<>> defined_;
  std::mt19937_64 random_;
};

}  // namespace lbdp::config
