// SPDX-License-Identifier: BSD-2-Clause
// The dump as JSON.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "config/dump.h"

namespace lbdp::config {
namespace {

using nlohmann::ordered_json;

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

/// Seconds; a whole number where they are whole.
ordered_json seconds_of(Duration duration) {
  constexpr Duration kSecond = std::chrono::seconds(1);
  if (duration % kSecond == Duration(0)) return duration / kSecond;
  return static_cast<double>(duration.count()) / static_cast<double>(kSecond.count());
}

/// JSON is UTF-8: what is not, in a file of some other encoding, becomes the replacement character.
ordered_json text_of(const std::string& text) {
  constexpr auto kReplace = ordered_json::error_handler_t::replace;
  const bool ascii = std::ranges::all_of(text, [](char c) { return static_cast<signed char>(c) >= 0; });
  return ascii ? ordered_json(text) : ordered_json::parse(ordered_json(text).dump(-1, ' ', false, kReplace));
}

ordered_json value_of(const DumpValue& value) {
  return std::visit(
      Overloaded{
          [](std::monostate) { return ordered_json(nullptr); }, [](bool on) { return ordered_json(on); },
          [](int64_t number) { return ordered_json(number); }, [](Duration duration) { return seconds_of(duration); },
          [](const std::string& text) { return text_of(text); }, [](const DumpSecret&) { return ordered_json(true); },
          [](const DumpRaw& raw) { return text_of(raw.value); }},
      value.held);
}

/// The only argument's value if it has no name; otherwise an object of the arguments by their names.
ordered_json arguments_of(const std::vector<DumpArgument>& arguments) {
  if (arguments.size() == 1 && arguments.front().name.empty()) return value_of(arguments.front().value);
  ordered_json object = ordered_json::object();
  for (const DumpArgument& argument : arguments) object[argument.name] = value_of(argument.value);
  return object;
}

void fill(ordered_json& object, const DumpBlock& block);

ordered_json object_of(const DumpStatement& statement) {
  ordered_json object = ordered_json::object();
  for (const DumpArgument& argument : statement.arguments()) object[argument.name] = value_of(argument.value);
  fill(object, statement.block());
  return object;
}

ordered_json array_of(const DumpStatement& statement) {
  ordered_json array = ordered_json::array();
  for (const DumpArgument& word : statement.arguments()) array.push_back(value_of(word.value));
  for (const auto& entry : statement.entries()) array.push_back(arguments_of(entry));
  return array;
}

/// A list in a block with a name: {"name": ..., "entries": [...]}.
ordered_json named_list_of(const DumpStatement& statement) {
  ordered_json object = ordered_json::object();
  for (const DumpArgument& argument : statement.arguments()) object[argument.name] = value_of(argument.value);
  ordered_json& entries = object["entries"] = ordered_json::array();
  for (const auto& entry : statement.entries()) entries.push_back(arguments_of(entry));
  return object;
}

void fill(ordered_json& object, const DumpBlock& block) {
  using Shape = DumpStatement::Shape;
  for (const DumpStatement& statement : block.statements()) {
    ordered_json& member = object[statement.keyword()];
    switch (statement.shape()) {
      case Shape::kLine: member = statement.present() ? arguments_of(statement.arguments()) : nullptr; break;
      case Shape::kFlag: member = statement.present(); break;
      case Shape::kWords: member = array_of(statement); break;
      case Shape::kList:
        if (statement.arguments().empty()) {
          member = array_of(statement);
        } else {
          if (member.is_null()) member = ordered_json::array();
          member.push_back(named_list_of(statement));
        }
        break;
      case Shape::kOne: member = object_of(statement); break;
      case Shape::kMany:
        if (member.is_null()) member = ordered_json::array();
        if (statement.present()) member.push_back(object_of(statement));
        break;
    }
  }
}

}  // namespace

nlohmann::ordered_json dump_json(const Model& model) {
  ordered_json document = ordered_json::object();
  fill(document, describe(model));
  return document;
}

}  // namespace lbdp::config
