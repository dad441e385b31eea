// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config/diagnostics.h"
#include "config/files.h"
#include "config/line.h"
#include "config/load.h"
#include "config/parameters.h"
#include "config/sequence.h"

namespace lbdp::config {

/// A file that is being read.
struct FileFrame {
  uint32_t file = 0;
  uint32_t lines_read = 0;
  IncludeChecks checks_before;
};

/// Files that an include found and that are still to be read.
struct IncludeFrame {
  std::vector<std::string> paths;
  size_t next = 0;
  IncludeChecks checks;
  Place place;
};

/// A multi-line parameter that is in use.
struct BodyFrame {
  std::shared_ptr<const Body> body;
  size_t next = 0;
  Place used_at;
  bool conditional = false;
};

/// A ~SEQ or ~LST in work.
struct SequenceFrame {
  Sequence sequence;
  Line text;                                     // what is repeated
  std::vector<std::optional<Parameter>> before;  // what its variables were; empty: it has not begun
};

using Frame = std::variant<FileFrame, IncludeFrame, BodyFrame, SequenceFrame>;

/// "include" or a variant of it, and a blank.
[[nodiscard]] bool is_include(std::string_view text);

/// Gives the lines of a configuration one by one: those of included files in the place of the include, those behind
/// "@id" only if id is ours, parameters replaced, ~SEQ and ~LST repeated, definitions and comments taken out. All in
/// keepalived's order: first "@id", then "$NAME=VALUE", then "~SEQ" and "~LST", then parameters, then all again as long
/// as parameters bring something new, and last "include".
class Preprocessor {
 public:
  /// `sources` has the main file.
  Preprocessor(Sources& sources, const LoadOptions& options, Diagnostics& diagnostics);
  Preprocessor(const Preprocessor&) = delete;
  Preprocessor& operator=(const Preprocessor&) = delete;

  /// The next line that has a word. False at the end, or when a limit was hit.
  bool next(Line& line);
  /// Gives back what is left of a line behind a brace, to be the next line.
  void give_back(const Line& rest) { given_back_ = rest; }
  /// True if such a rest has to be given back: it begins with what this class understands.
  [[nodiscard]] static bool concerns(std::string_view rest);
  /// True after a limit was hit: the rest of the configuration was not read.
  [[nodiscard]] bool stopped() const { return stopped_; }
  [[nodiscard]] bool defined(std::string_view parameter) const { return parameters_.defined(parameter); }
  /// The place of the end of the main file.
  [[nodiscard]] Place end() const { return {sources_.file(0).line_count(), 1}; }

 private:
  // Where lines come from: the innermost file, body of a parameter or sequence first. preprocessor_read.cc
  enum class Got : uint8_t { kLine, kNothing, kEnd };
  bool read(Line& line);
  /// The same, of the innermost frame only.
  bool read_on(Line& line);
  Got read_from(FileFrame& frame, Line& line);
  Got read_from(IncludeFrame& frame, Line& line);
  Got read_from(BodyFrame& frame, Line& line);
  Got read_from(SequenceFrame& frame, Line& line);
  void leave(FileFrame& frame);
  void leave(IncludeFrame&) {}
  void leave(BodyFrame&) {}
  void leave(SequenceFrame& frame);
  void push(Frame frame, Place place);
  bool count_line(Place place);
  void open_file(const std::string& path, const IncludeChecks& checks, Place place);
  [[nodiscard]] bool is_open(const std::string& path) const;
  [[nodiscard]] uint32_t current_file() const;
  void include(const Line& line);
  void report_missing(const IncludeMatches& matches, std::string_view pattern, const IncludeChecks& checks,
                      Place place);
  void take_include_check(const Line& line);

  // What a line is.
  enum class Fate : uint8_t { kWords, kNothing, kInclude };
  Fate process(Line& line);
  bool keep_conditional(Line& line);
  bool take_definition(const Line& line);
  void take_body(std::string_view name, Line first);
  void take_sequence(const Line& line);
  Result<SequenceFrame> read_numbers(const Line& line);
  Result<SequenceFrame> read_list(const Line& line);
  bool use_body(const Line& line);
  /// True if something was replaced.
  bool substitute(Line& line);
  Line without_comment(const Line& line);
  void report_glued_comment();
  Line without_control_characters(const Line& line);
  void look_at(const Line& line);
  void stop(Place place, const std::string& message);
  void report_length(size_t length, Place place);

  Sources& sources_;
  const LoadOptions& options_;
  const Files& files_;
  Diagnostics& diagnostics_;
  Parameters parameters_;
  std::vector<Frame> frames_;
  std::optional<Line> given_back_;
  std::optional<std::pair<Place, char>> glued_comment_;  // of the line in work: it begins in the middle of a word
  IncludeChecks checks_;
  size_t files_open_ = 1;
  size_t bytes_left_;
  size_t lines_left_;
  size_t work_left_;
  bool stopped_ = false;
  bool long_line_reported_ = false;
  std::set<std::string, std::less<>> left_out_;  // ids of lines that were dropped, each reported once
};

}  // namespace lbdp::config
