// SPDX-License-Identifier: BSD-2-Clause
#include "config/parameters.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <utility>

namespace lbdp::config {
namespace {

constexpr std::array<std::string_view, 6> kPredefined = {"_PWD", "_INSTANCE", "_RANDOM", "_ENV", "_HASH", "_BANG"};

bool begins_name(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}
bool continues_name(char c) {
  return begins_name(c) || (c >= '0' && c <= '9');
}

std::string_view name_at(std::string_view text, size_t position) {
  if (position >= text.size() || !begins_name(text[position])) return {};
  size_t end = position + 1;
  while (end < text.size() && continues_name(text[end])) ++end;
  return text.substr(position, end - position);
}

/// Inside of "...", as comments see it.
bool is_quoted(std::string_view before) {
  bool quoted = false;
  for (size_t i = 0; i < before.size(); ++i) {
    if (before[i] == '\\') {
      ++i;
    } else if (before[i] == '"') {
      quoted = !quoted;
    }
  }
  return quoted;
}

}  // namespace

bool is_parameter_name(std::string_view text) {
  return !text.empty() && name_at(text, 0).size() == text.size();
}

std::optional<ParameterUse> parameter_use(std::string_view text, size_t dollar) {
  const bool braces = dollar + 1 < text.size() && text[dollar + 1] == '{';
  ParameterUse use;
  use.name = name_at(text, dollar + (braces ? 2 : 1));
  if (use.name.empty()) return std::nullopt;
  size_t end = dollar + (braces ? 2 : 1) + use.name.size();
  if (braces) {
    const size_t arguments = end;
    while (end < text.size() && (text[end] == ' ' || continues_name(text[end]))) ++end;
    if (end == text.size() || text[end] != '}') return std::nullopt;
    use.arguments = trimmed(text.substr(arguments, end - arguments));
    ++end;
  } else {
    constexpr std::string_view kMayFollow = " \t,)";
    use.complete = end == text.size() || kMayFollow.find(text[end]) != std::string_view::npos;
  }
  use.length = end - dollar;
  use.ends_line = end == text.size();
  return use;
}

EditedLine::EditedLine(const Line& line) : text(line.text), columns(line.text.size() + 1) {
  for (size_t i = 0; i < columns.size(); ++i) columns[i] = line.at(i).column;
}

void EditedLine::replace(size_t position, size_t length, std::string_view by) {
  const uint32_t column = columns[position];
  text.replace(position, length, by);
  const auto at = columns.begin() + static_cast<std::ptrdiff_t>(position);
  columns.insert(columns.erase(at, at + static_cast<std::ptrdiff_t>(length)), by.size(), column);
}

std::optional<Parameter> Parameters::set(std::string_view name, std::optional<Parameter> value) {
  const auto found = defined_.find(name);
  if (found == defined_.end()) {
    if (value) defined_.emplace(name, std::move(*value));
    return std::nullopt;
  }
  std::optional<Parameter> before = std::move(found->second);
  if (value) {
    found->second = std::move(*value);
  } else {
    defined_.erase(found);
  }
  return before;
}

const Parameter* Parameters::find(std::string_view name) const {
  const auto found = defined_.find(name);
  return found == defined_.end() ? nullptr : &found->second;
}

bool Parameters::defined(std::string_view name) const {
  return defined_.contains(name) || std::ranges::find(kPredefined, name) != kPredefined.end();
}

Result<bool> Parameters::substitute(EditedLine& line, std::vector<std::shared_ptr<const Body>>& rest,
                                    const SubstitutionLimits& limits) {
  size_t replacements = 0;
  for (size_t at = line.text.find('$'); at != std::string::npos; at = line.text.find('$', at)) {
    const auto use = parameter_use(line.text, at);
    const auto text = use && use->complete ? text_for(*use, is_quoted(std::string_view(line.text).substr(0, at)), rest)
                                           : std::nullopt;
    if (!text) {
      ++at;
      continue;
    }
    if (++replacements > limits.replacements) {
      return fail("more than " + std::to_string(limits.replacements) +
                  " replacements in one line: do the parameters contain themselves?");
    }
    if (line.text.size() + text->size() > limits.line_bytes) {
      return fail("with its parameters the line is longer than " + std::to_string(limits.line_bytes >> 10) + " KiB");
    }
    const size_t work = line.text.size() + text->size();
    if (work > *limits.work_left) {
      *limits.work_left = 0;
      return fail("replacing parameters makes too much text");
    }
    *limits.work_left -= work;
    line.replace(at, use->length, *text);
    if (trimmed(*text).starts_with('~')) break;  // its variables are not known yet
  }
  return replacements > 0;
}

std::optional<std::string> Parameters::text_for(const ParameterUse& use, bool quoted,
                                                std::vector<std::shared_ptr<const Body>>& rest) {
  const auto found = defined_.find(use.name);
  if (found == defined_.end()) return predefined(use, quoted);
  if (!use.arguments.empty()) return std::nullopt;
  const Parameter& parameter = found->second;
  if (!parameter.body) return parameter.text;
  if (!use.ends_line) return std::nullopt;
  rest.push_back(parameter.body);
  return parameter.body->empty() ? std::string() : std::string(parameter.body->front().text);
}

std::optional<std::string> Parameters::predefined(const ParameterUse& use, bool quoted) {
  if (use.name == "_RANDOM") return random_number(use.arguments);
  if (use.name == "_ENV" && !use.arguments.empty()) {
    const char* value = surroundings_.environment ? surroundings_.environment(std::string(use.arguments)) : nullptr;
    return value == nullptr ? std::string() : std::string(value);
  }
  if (!use.arguments.empty()) return std::nullopt;
  // A backslash keeps it from starting the comment that it is there to avoid.
  if (use.name == "_HASH") return quoted ? "#" : "\\#";
  if (use.name == "_BANG") return quoted ? "!" : "\\!";
  if (use.name == "_INSTANCE") return surroundings_.instance;
  if (use.name == "_PWD") return surroundings_.directory();
  return std::nullopt;
}

std::string Parameters::random_number(std::string_view range) {
  uint32_t least = 0, most = 32767;
  const char* const end = range.data() + range.size();
  const char* next = std::from_chars(range.data(), end, least).ptr;
  while (next != end && *next == ' ') ++next;
  std::from_chars(next, end, most);
  if (most < least) most = least;
  return std::to_string(least + random_() % (uint64_t{most} - least + 1));
}

}  // namespace lbdp::config
