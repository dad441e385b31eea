// SPDX-License-Identifier: BSD-2-Clause
#include "config/setters.h"

namespace lbdp::config {

bool expect_arguments(const Statement& statement, size_t least, size_t most, Context& context) {
  const auto arguments = statement.arguments();
  if (arguments.size() < least) {
    context.diagnostics.error(statement.place(), in_quotes(statement.keyword()) + " needs " +
                                                     (least == 1 ? "a value" : std::to_string(least) + " values"));
    return false;
  }
  if (arguments.size() > most) {
    context.diagnostics.error(arguments[most].place, in_quotes(statement.keyword()) + ": " +
                                                         in_quotes(arguments[most].text) + " is too much; it takes " +
                                                         (most == 0   ? "no value"
                                                          : most == 1 ? "one value"
                                                                      : "at most " + std::to_string(most) + " values"));
    return false;
  }
  return true;
}

void report_value(const Statement& statement, const Word& word, const Error& error, Context& context) {
  context.diagnostics.error(
      word.place, std::string(statement.keyword()) + ": found " + in_quotes(word.text) + ", " + error.message);
}

void report_repeated(const Statement& statement, Place before, Context& context, std::string_view which) {
  context.diagnostics.warning(statement.place(), in_quotes(statement.keyword()) + " is set again, after " +
                                                     context.diagnostics.line_name(before, statement.place()) +
                                                     std::string(which));
}

void* same_scope(void* scope, const Statement& statement, Context& context) {
  expect_arguments(statement, 0, 0, context);
  return scope;
}

}  // namespace lbdp::config
