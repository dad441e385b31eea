// SPDX-License-Identifier: BSD-2-Clause
// Where the preprocessor's lines come from: files, bodies of parameters, sequences.
#include <algorithm>
#include <string>
#include <utility>

#include "config/preprocessor.h"

namespace lbdp::config {
namespace {

constexpr size_t kDeepest = 64;

/// What the letter behind "include" adds to include_check.
IncludeChecks checks_of(std::string_view keyword, IncludeChecks checks) {
  const char variant = keyword.size() > 7 ? keyword[7] : '\0';
  const bool all = variant == 'a';
  if (variant != '\0') checks.readable = true;
  if (all || variant == 'm' || variant == 'w') checks.match = true;
  if (all || variant == 'w') checks.wildcard_match = true;
  if (all || variant == 'b') checks.brace_match = true;
  return checks;
}

bool* check_named(std::string_view name, IncludeChecks& checks) {
  if (name == "readable" || name == "read") return &checks.readable;
  if (name == "match") return &checks.match;
  if (name == "wildcard_match") return &checks.wildcard_match;
  if (name == "brace_match") return &checks.brace_match;
  return nullptr;
}

}  // namespace

bool is_include(std::string_view text) {
  constexpr std::string_view kInclude = "include";
  if (!text.starts_with(kInclude)) return false;
  text.remove_prefix(kInclude.size());
  if (!text.empty() && std::string_view("rmwba").find(text.front()) != std::string_view::npos) text.remove_prefix(1);
  return !text.empty() && is_blank(text.front());
}

bool Preprocessor::read(Line& line) {
  while (!frames_.empty() && !stopped_) {
    const size_t depth = frames_.size();
    const Got got = std::visit([&](auto& frame) { return read_from(frame, line); }, frames_.back());
    if (got == Got::kLine) return !stopped_;
    if (got == Got::kEnd && depth == frames_.size()) {
      std::visit([&](auto& frame) { leave(frame); }, frames_.back());
      frames_.pop_back();
    }
  }
  return false;
}

bool Preprocessor::read_on(Line& line) {
  if (stopped_ || frames_.empty()) return false;
  const auto body_or_file = [&](auto& frame) {
    using T = std::remove_reference_t<decltype(frame)>;
    if constexpr (std::is_same_v<T, FileFrame> || std::is_same_v<T, BodyFrame>) {
      return read_from(frame, line) == Got::kLine;
    } else {
      return false;
    }
  };
  return std::visit(body_or_file, frames_.back());
}

Preprocessor::Got Preprocessor::read_from(FileFrame& frame, Line& line) {
  const Source& source = sources_.file(frame.file);
  if (frame.lines_read == source.line_count()) return Got::kEnd;
  const uint32_t number = ++frame.lines_read;
  line = {source.line(number), {number, 1, frame.file}};
  report_length(line.text.size() + 1, line.place);
  glued_comment_.reset();
  line = trimmed(without_control_characters(without_comment(line)));
  return Got::kLine;
}

Preprocessor::Got Preprocessor::read_from(IncludeFrame& frame, Line&) {
  if (frame.next == frame.paths.size()) return Got::kEnd;
  const std::string path = frame.paths[frame.next++];
  open_file(path, frame.checks, frame.place);  // may move the frame
  return Got::kNothing;
}

Preprocessor::Got Preprocessor::read_from(BodyFrame& frame, Line& line) {
  if (frame.next >= frame.body->size()) return Got::kEnd;
  if (!count_line(frame.used_at)) return Got::kNothing;
  line = (*frame.body)[frame.next++];
  line.conditional = frame.conditional;
  line.place.expansion = sources_.add_expansion(line.text, frame.used_at);
  return Got::kLine;
}

Preprocessor::Got Preprocessor::read_from(SequenceFrame& frame, Line& line) {
  std::vector<std::string> values;
  if (!frame.sequence.next(values)) return Got::kEnd;
  if (!count_line(frame.text.place)) return Got::kNothing;
  const std::vector<std::string>& variables = frame.sequence.variables();
  const bool first = frame.before.empty();
  for (size_t i = 0; i < variables.size(); ++i) {
    auto before = parameters_.set(variables[i], Parameter{std::move(values[i])});
    if (first) frame.before.push_back(std::move(before));
  }
  line = frame.text;
  return Got::kLine;
}

void Preprocessor::leave(FileFrame& frame) {
  checks_ = frame.checks_before;
  --files_open_;
}

void Preprocessor::leave(SequenceFrame& frame) {
  for (size_t i = frame.before.size(); i-- > 0;) {
    parameters_.set(frame.sequence.variables()[i], std::move(frame.before[i]));
  }
}

void Preprocessor::push(Frame frame, Place place) {
  if (frames_.size() >= kDeepest) {
    stop(place, "includes, parameters and sequences are nested more than " + std::to_string(kDeepest) + " deep");
    return;
  }
  frames_.push_back(std::move(frame));
}

bool Preprocessor::count_line(Place place) {
  if (lines_left_ == 0) {
    stop(place, "parameters and sequences make more than " + std::to_string(options_.limits.expanded_lines) + " lines");
    return false;
  }
  --lines_left_;
  return true;
}

void Preprocessor::include(const Line& line) {
  const std::string_view keyword = line.text.substr(0, line.text.find_first_of(" \t"));
  const Line pattern = trimmed(line.part(keyword.size()));
  const IncludeChecks checks = checks_of(keyword, checks_);
  const std::string directory = directory_of(sources_.file(current_file()).name());
  auto matches = resolve_include(pattern.text, directory, files_, options_.limits.files);
  if (!matches) {
    diagnostics_.error(pattern.place,
                       std::string(keyword) + ": " + in_quotes(pattern.text) + ": " + matches.error().message);
    return;
  }
  report_missing(*matches, pattern.text, checks, pattern.place);
  push(IncludeFrame{std::move(matches->paths), 0, checks, pattern.place}, pattern.place);
}

void Preprocessor::report_missing(const IncludeMatches& matches, std::string_view pattern, const IncludeChecks& checks,
                                  Place place) {
  for (const std::string& path : matches.missing) {
    const bool error = matches.braces ? checks.brace_match : checks.match;
    std::string message = in_quotes(path) + " is not there, so nothing is included";
    if (pattern.find('"') != std::string_view::npos) message += "; quotes are part of the name here: leave them out";
    diagnostics_.add(error ? Severity::kError : Severity::kWarning, place, std::move(message));
  }
  if (!matches.paths.empty() || !matches.missing.empty()) return;
  const Severity severity = checks.wildcard_match ? Severity::kError : Severity::kNote;
  diagnostics_.add(severity, place, "no file matches " + in_quotes(pattern) + ", so nothing is included");
}

void Preprocessor::open_file(const std::string& path, const IncludeChecks& checks, Place place) {
  const Severity unreadable = checks.readable ? Severity::kError : Severity::kWarning;
  if (files_.kind(path) == Files::Kind::kDirectory) {
    diagnostics_.add(unreadable, place, in_quotes(path) + " is not included: it is a directory");
    return;
  }
  if (is_open(path)) {
    diagnostics_.error(place, in_quotes(path) + " includes itself, which would never end");
    return;
  }
  if (files_open_ > options_.limits.include_depth) {
    stop(place, "files are included more than " + std::to_string(options_.limits.include_depth) + " deep");
    return;
  }
  if (sources_.file_count() > options_.limits.files) {
    stop(place, "more than " + std::to_string(options_.limits.files) + " files are included");
    return;
  }
  auto text = files_.read(path);
  if (!text) {
    diagnostics_.add(unreadable, place, in_quotes(path) + " " + text.error().message);
    return;
  }
  if (text->size() > bytes_left_) {
    stop(place, "all files together are larger than " + std::to_string(options_.limits.bytes) + " bytes");
    return;
  }
  bytes_left_ -= text->size();
  const uint32_t file = sources_.add(path, std::move(*text), place);
  push(FileFrame{file, 0, checks_}, place);
  ++files_open_;
}

bool Preprocessor::is_open(const std::string& path) const {
  return std::ranges::any_of(frames_, [&](const Frame& frame) {
    const auto* file = std::get_if<FileFrame>(&frame);
    return file != nullptr && sources_.file(file->file).name() == path;
  });
}

uint32_t Preprocessor::current_file() const {
  for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
    if (const auto* file = std::get_if<FileFrame>(&*frame)) return file->file;
  }
  return 0;
}

/// include_check [[+|-]CHECK ...]; wrong words are reported where the keyword is read.
void Preprocessor::take_include_check(const Line& line) {
  std::string_view rest = trimmed(line.text.substr(first_word(line.text).size()));
  if (rest.empty()) checks_ = {true, true, true, true};
  for (bool first = true; !rest.empty(); first = false) {
    std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
    rest = trimmed(rest.substr(word.size()));
    const char sign = word.front();
    if (sign == '+' || sign == '-') {
      word.remove_prefix(1);
    } else if (first) {
      checks_ = {true, false, false, false};
    }
    if (bool* check = check_named(word, checks_)) *check = sign != '-';
  }
}

}  // namespace lbdp::config
