// SPDX-License-Identifier: BSD-2-Clause
#include "config/preprocessor.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

namespace lbdp::config {
namespace {

constexpr std::string_view kOwnId = "lbdp";
constexpr size_t kMostIdsReported = 8;
constexpr size_t kKeepalivedsLine = 1023;  // its buffer, less the end of the string

/// The host's name up to the first dot: keepalived's default config-id.
std::string node_name() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  const std::string_view text(name);
  return std::string(text.substr(0, text.find('.')));
}

uint64_t process_seed() {
  static const uint64_t kSeed = std::random_device{}();
  return kSeed;
}

/// The '=' of "$NAME=VALUE"; npos if the line is no definition.
size_t definition_end(std::string_view text) {
  const size_t equals = text.find('=');
  if (!text.starts_with('$') || equals == std::string_view::npos) return std::string_view::npos;
  return is_parameter_name(text.substr(1, equals - 1)) ? equals : std::string_view::npos;
}

}  // namespace

Preprocessor::Preprocessor(Sources& sources, const LoadOptions& options, Diagnostics& diagnostics)
    : sources_(sources),
      options_(options),
      files_(options.files != nullptr ? *options.files : file_system()),
      diagnostics_(diagnostics),
      parameters_({options.config_id.empty() ? node_name() : options.config_id,
                   [this] { return files_.absolute(directory_of(sources_.file(current_file()).name())); },
                   [](const std::string& name) { return std::getenv(name.c_str()); }}),
      bytes_left_(options.limits.bytes),
      lines_left_(options.limits.expanded_lines),
      work_left_(options.limits.expanded_bytes) {
  parameters_.seed(options.random_seed.value_or(process_seed()));
  bytes_left_ -= std::min(bytes_left_, sources_.file(0).size());
  frames_.emplace_back(FileFrame{0, 0, checks_});
}

bool Preprocessor::concerns(std::string_view rest) {
  return !rest.empty() && (rest.front() == '@' || rest.front() == '$' || rest.front() == '~' || is_include(rest));
}

bool Preprocessor::next(Line& line) {
  while (!stopped_) {
    if (given_back_) {
      line = *std::exchange(given_back_, std::nullopt);
    } else if (!read(line)) {
      return false;
    }
    const Fate fate = process(line);
    if (fate == Fate::kInclude) include(line);
    if (fate == Fate::kWords && !stopped_) {
      look_at(line);
      return true;
    }
  }
  return false;
}

Preprocessor::Fate Preprocessor::process(Line& line) {
  for (;;) {
    if (line.text.empty()) return Fate::kNothing;
    if (line.text.front() == '@' && !keep_conditional(line)) return Fate::kNothing;
    report_glued_comment();
    if (line.text.empty()) return Fate::kNothing;
    if (take_definition(line)) return Fate::kNothing;
    if (starts_sequence(line.text)) {
      take_sequence(line);
      return Fate::kNothing;
    }
    if (line.text.starts_with('~') || line.text.find('$') == std::string_view::npos) break;
    if (use_body(line)) return Fate::kNothing;
    if (!substitute(line)) break;
    if (stopped_) return Fate::kNothing;
  }
  if (line.text.empty()) return Fate::kNothing;
  return is_include(line.text) ? Fate::kInclude : Fate::kWords;
}

bool Preprocessor::keep_conditional(Line& line) {
  const Place at = line.place;
  const std::string_view head = first_word(line.text);
  const bool negated = head.size() > 1 && head[1] == '^';
  const std::string_view id = head.substr(negated ? 2 : 1);
  if (id.empty()) {
    diagnostics_.warning(at, "'" + std::string(head) + "' without a config-id " +
                                 (negated ? "keeps its line always" : "drops its line always") +
                                 "; write '@ID LINE' or '@^ID LINE'");
  }
  const bool ours = !id.empty() && (id == kOwnId || id == options_.config_id);
  if (ours != negated) {
    line = trimmed(line.part(head.size()));
    line.conditional = true;
    return true;
  }
  // Said once an id, and only if nobody chose an id: a plain keepalived.conf must not lose lines in silence.
  if (!ours && !id.empty() && options_.config_id.empty() && left_out_.size() < kMostIdsReported &&
      left_out_.emplace(id).second) {
    diagnostics_.note(
        at, "lines behind " + in_quotes(head) + " are left out: the config-id is 'lbdp' (option -i sets another)");
  }
  return false;
}

bool Preprocessor::take_definition(const Line& line) {
  const size_t equals = definition_end(line.text);
  if (equals == std::string_view::npos) return false;
  const std::string_view name = line.text.substr(1, equals - 1);
  const Line value = trimmed(line.part(equals + 1));
  if (value.continues()) {
    take_body(name, value);
  } else {
    parameters_.set(name, Parameter{std::string(value.text)});
  }
  return true;
}

/// `first` is the first line's value, and ends in a backslash, as all lines of a definition but the last do.
void Preprocessor::take_body(std::string_view name, Line first) {
  auto body = std::make_shared<Body>();
  for (Line line = first;;) {
    const bool more = line.continues();
    const Line text = line.text.ends_with('\\') ? trimmed(line.part(0, line.text.size() - 1)) : line;
    if (!text.text.empty()) body->push_back(text);
    if (!more || !read_on(line)) break;
  }
  parameters_.set(name, Parameter{{}, std::move(body)});
}

bool Preprocessor::use_body(const Line& line) {
  const auto use = parameter_use(line.text, 0);
  if (!line.text.starts_with('$') || !use || !use->ends_line) return false;
  const Parameter* parameter = parameters_.find(use->name);
  if (parameter == nullptr || !parameter->body) return false;
  push(BodyFrame{parameter->body, 0, line.place, line.conditional}, line.place);
  return true;
}

bool Preprocessor::substitute(Line& line) {
  EditedLine edited(line);
  std::vector<std::shared_ptr<const Body>> bodies;
  const Place place = line.place;
  const auto changed = parameters_.substitute(edited, bodies, {.work_left = &work_left_});
  if (!changed) {
    if (work_left_ == 0) {
      stop(place, changed.error().message);
    } else {
      diagnostics_.error(place, changed.error().message);
    }
    line.text = {};
    return true;
  }
  if (!*changed) return false;
  for (auto& body : bodies) push(BodyFrame{std::move(body), 1, place, line.conditional}, place);
  const Place used_at = sources_.used_at(place);
  line.columns = std::make_shared<const std::vector<uint32_t>>(std::move(edited.columns));
  line.offset = 0;
  line.text = sources_.keep(std::move(edited.text));
  report_length(line.text.size(), place);
  line.place.expansion = sources_.add_expansion(line.text, used_at);
  line.place = line.at(0);
  line = trimmed(without_control_characters(without_comment(line)));
  return true;
}

Line Preprocessor::without_comment(const Line& line) {
  const Comment comment = find_comment(line.text);
  // The lexer reports a quote that is open; this one closes if a backslash does not count, but comments go by it.
  if (comment.open_quote && std::ranges::count(line.text, '"') % 2 == 0) {
    diagnostics_.error(line.place, "a quote on this line is not closed: '\\\"' does not count as one");
  }
  if (comment.begin == std::string_view::npos) return line;
  const size_t at = comment.begin;
  const std::string_view text = line.text;
  constexpr std::string_view kNoWord = " \t\r\v\f\"{}";
  if (at > 0 && kNoWord.find(text[at - 1]) == std::string_view::npos && at + 1 < text.size() &&
      !is_blank(text[at + 1])) {
    glued_comment_.emplace(line.at(at), text[at]);
  }
  Line before = line.part(0, at);
  before.continued = comment.continued;
  return before;
}

/// Said of lines that are used only.
void Preprocessor::report_glued_comment() {
  if (!glued_comment_) return;
  const std::string mark(1, glued_comment_->second);
  diagnostics_.warning(glued_comment_->first, "'" + mark +
                                                  "' starts a comment here, in the middle of a word; write '\\" + mark +
                                                  "' or put the word in quotes if it is meant");
  glued_comment_.reset();
}

Line Preprocessor::without_control_characters(const Line& line) {
  const auto strange =
      std::ranges::find_if(line.text, [](char c) { return static_cast<unsigned char>(c) < 0x20 && !is_blank(c); });
  if (strange == line.text.end()) return line;
  const auto at = static_cast<size_t>(strange - line.text.begin());
  diagnostics_.error(line.at(at), "control character " + in_quotes(line.text.substr(at, 1)) + " in the file");
  return line.part(0, at);
}

/// What concerns this class in lines that are statements.
void Preprocessor::look_at(const Line& line) {
  if (first_word(line.text) == "include_check") take_include_check(line);
  if (first_word(line.text) != "random_seed") return;
  const std::string_view number = trimmed(line.text.substr(first_word(line.text).size()));
  uint64_t seed = 0;
  const auto [end, ec] = std::from_chars(number.data(), number.data() + number.size(), seed);
  if (ec == std::errc{} && end == number.data() + number.size()) parameters_.seed(seed);
}

void Preprocessor::stop(Place place, const std::string& message) {
  if (!std::exchange(stopped_, true)) diagnostics_.error(place, message + "; the rest is not read");
}

void Preprocessor::report_length(size_t length, Place place) {
  if (length <= kKeepalivedsLine || std::exchange(long_line_reported_, true)) return;
  diagnostics_.warning(place, "this line has " + std::to_string(length) +
                                  " characters; keepalived reads lines of up to " + std::to_string(kKeepalivedsLine) +
                                  " and would cut or refuse it");
}

}  // namespace lbdp::config
