// SPDX-License-Identifier: BSD-2-Clause
// The dump as lb.conf.
#include <algorithm>

#include "config/dump.h"
#include "config/values.h"

namespace lbdp::config {
namespace {

constexpr size_t kIndent = 4;
constexpr std::string_view kHiddenPrefix = "@lbdp ";

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

/// A word as the lexer has to find it.
std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && word.find_first_of(" \t#!{}\\@$~'") == std::string::npos;
  return plain ? word : '"' + word + '"';
}

std::string written(const DumpValue& value) {
  return std::visit(
      Overloaded{[](std::monostate) { return std::string(); }, [](bool on) { return std::string(on ? "on" : "off"); },
                 [](int64_t number) { return std::to_string(number); },
                 [](Duration duration) { return seconds_text(duration); },
                 [](const std::string& text) { return quoted(text); },
                 [](const DumpSecret& secret) { return quoted(secret.text); },
                 [](const DumpRaw& raw) { return raw.written; }},
      value.held);
}

/// " NAME VALUE", " VALUE", or nothing.
std::string written(const DumpArgument& argument) {
  if (argument.value.nothing()) return "";
  if (!argument.written) return " " + written(argument.value);
  const auto* on = std::get_if<bool>(&argument.value.held);
  if (on == nullptr) return " " + argument.name + " " + written(argument.value);
  return *on ? " " + argument.name : "";
}

class TextPrinter {
 public:
  void print(const DumpBlock& block, size_t depth, bool hidden) {
    for (const DumpStatement& statement : block.statements()) {
      if (!statement.present() || statement.place() == DumpStatement::Place::kUnsaid) continue;
      print(statement, depth, hidden || statement.place() == DumpStatement::Place::kHidden);
    }
  }

  std::string take() { return std::move(out_); }

 private:
  using Shape = DumpStatement::Shape;

  void line(const std::string& text, size_t depth, bool hidden) {
    if (hidden) out_ += kHiddenPrefix;
    out_.append(depth * kIndent, ' ');
    out_ += text;
    out_ += '\n';
  }

  void print(const DumpStatement& statement, size_t depth, bool hidden) {
    std::string head = statement.keyword();
    for (const DumpArgument& argument : statement.arguments()) head += written(argument);
    switch (statement.shape()) {
      case Shape::kLine:
      case Shape::kFlag:
      case Shape::kWords: return line(head, depth, hidden);
      case Shape::kList:
        if (statement.entries().empty()) return;
        line(head + " {", depth, hidden);
        for (const auto& entry : statement.entries()) line(text_of(entry), depth + 1, hidden);
        break;
      case Shape::kOne:
      case Shape::kMany:
        line(head + " {", depth, hidden);
        print(statement.block(), depth + 1, hidden);
        break;
    }
    line("}", depth, hidden);
  }

  static std::string text_of(const std::vector<DumpArgument>& entry) {
    std::string text;
    for (const DumpArgument& argument : entry) text += written(argument);
    return text.empty() ? text : text.substr(1);
  }

  std::string out_;
};

}  // namespace

std::string dump_text(const Model& model) {
  TextPrinter printer;
  printer.print(describe(model), 0, false);
  return printer.take();
}

}  // namespace lbdp::config
