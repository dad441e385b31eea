// SPDX-License-Identifier: BSD-2-Clause
#include "config/dump.h"

namespace lbdp::config {

DumpRaw in_shell_quotes(const std::string& text) {
  std::string written = "\"";
  for (const char c : text) {
    // Octal for what the lexer would take before the line is split anew, and for what has no sign.
    const bool plain = static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\' && c != '$';
    if (plain) {
      written += c;
    } else {
      written += '\\';
      for (const int shift : {6, 3, 0})
        written += static_cast<char>('0' + ((static_cast<unsigned char>(c) >> shift) & 7));
    }
  }
  return {written + '"', text};
}

std::vector<DumpArgument> command_arguments(const CommandLine& line) {
  return {{"command", in_shell_quotes(line.command.text)},
          {"user", or_nothing(line.user)},
          {"group", or_nothing(line.group)}};
}

DumpStatement& DumpStatement::hidden() {
  place_ = Place::kHidden;
  return *this;
}

DumpStatement& DumpStatement::unsaid() {
  place_ = Place::kUnsaid;
  return *this;
}

DumpStatement& DumpStatement::entry(std::vector<DumpArgument> arguments) {
  entries_.push_back(std::move(arguments));
  return *this;
}

const DumpBlock& DumpStatement::block() const {
  return block_.front();
}

DumpStatement& DumpBlock::add(std::string keyword, DumpStatement::Shape shape, std::vector<DumpArgument> arguments) {
  DumpStatement& statement = statements_.emplace_back();
  statement.keyword_ = std::move(keyword);
  statement.shape_ = shape;
  statement.arguments_ = std::move(arguments);
  return statement;
}

DumpStatement& DumpBlock::set(std::string keyword, DumpValue value) {
  const bool present = !value.nothing();
  DumpStatement& statement = line(std::move(keyword), {DumpArgument(std::move(value))});
  statement.present_ = present;
  return statement;
}

DumpStatement& DumpBlock::secret(std::string keyword, const std::optional<std::string>& value) {
  return set(std::move(keyword), value ? DumpValue(DumpSecret{*value}) : DumpValue());
}

DumpStatement& DumpBlock::flag(std::string keyword, bool value) {
  DumpStatement& statement = add(std::move(keyword), DumpStatement::Shape::kFlag, {});
  statement.present_ = value;
  return statement;
}

DumpStatement& DumpBlock::words(std::string keyword, std::vector<DumpArgument> values) {
  const bool present = !values.empty();
  DumpStatement& statement = add(std::move(keyword), DumpStatement::Shape::kWords, std::move(values));
  statement.present_ = present;
  return statement;
}

DumpStatement& DumpBlock::line(std::string keyword, std::vector<DumpArgument> arguments) {
  return add(std::move(keyword), DumpStatement::Shape::kLine, std::move(arguments));
}

DumpStatement& DumpBlock::list(std::string keyword, std::vector<DumpArgument> arguments) {
  return add(std::move(keyword), DumpStatement::Shape::kList, std::move(arguments));
}

DumpBlock& DumpBlock::one(std::string keyword, std::vector<DumpArgument> arguments) {
  return add(std::move(keyword), DumpStatement::Shape::kOne, std::move(arguments)).block_.emplace_back();
}

DumpBlock& DumpBlock::many(std::string keyword, std::vector<DumpArgument> arguments) {
  return add(std::move(keyword), DumpStatement::Shape::kMany, std::move(arguments)).block_.emplace_back();
}

void DumpBlock::none_yet(std::string keyword) {
  add(std::move(keyword), DumpStatement::Shape::kMany, {}).present_ = false;
}

DumpBlock describe(const Model& model) {
  DumpBlock file;
  describe_global(model, file);
  describe_vrrp(model, file);
  describe_services(model, file);
  describe_ssl(model, file);
  describe_dataplane(model, file);
  return file;
}

}  // namespace lbdp::config
