// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The functions that a keyword's row names in `take`, made from a member of the scope and a reader of values.h.

#include <limits>
#include <string>

#include "config/schema.h"
#include "config/values.h"

namespace lbdp::config {

/// Reports a wrong number of arguments at the keyword (too few) or at the first superfluous one. `most` may be
/// SIZE_MAX.
bool expect_arguments(const Statement& statement, size_t least, size_t most, Context& context);

/// "KEYWORD: found 'WORD', wanted ..." at the word.
void report_value(const Statement& statement, const Word& word, const Error& error, Context& context);

/// Warns about a keyword that was set before in the same scope.
void report_repeated(const Statement& statement, Place before, Context& context,
                     std::string_view which = "; this one, the last, counts");

template <class T>
void assign(Setting<T>& setting, std::optional<T> value, const Statement& statement, Context& context) {
  if (setting.seen) report_repeated(statement, setting.place, context);
  setting = {std::move(value), statement.place(), true};
}

/// The same for what keepalived keeps the first value of: commands.
template <class T>
void assign_first(Setting<T>& setting, std::optional<T> value, const Statement& statement, Context& context) {
  if (setting.seen) {
    report_repeated(statement, setting.place, context, "; the first one counts");
  } else {
    setting = {std::move(value), statement.place(), true};
  }
}

/// Exactly one argument, read by kRead into Scope's kMember.
template <class Scope, auto kMember, auto kRead>
void* one(void* scope, const Statement& statement, Context& context) {
  auto& setting = static_cast<Scope*>(scope)->*kMember;
  using T = std::remove_reference_t<decltype(*setting.value)>;
  std::optional<T> value;
  if (expect_arguments(statement, 1, 1, context)) {
    auto read = kRead(statement.arguments()[0].text);
    if (read) {
      value = std::move(*read);
    } else {
      report_value(statement, statement.arguments()[0], read.error(), context);
    }
  }
  assign(setting, std::move(value), statement, context);
  return nullptr;
}

/// No argument: true; otherwise a BOOL.
template <class Scope, auto kMember>
void* flag(void* scope, const Statement& statement, Context& context) {
  if (!statement.arguments().empty()) return one<Scope, kMember, boolean>(scope, statement, context);
  assign(static_cast<Scope*>(scope)->*kMember, std::optional(true), statement, context);
  return nullptr;
}

/// No argument: the keyword itself is the value.
template <class Scope, auto kMember, auto kValue>
void* constant(void* scope, const Statement& statement, Context& context) {
  expect_arguments(statement, 0, 0, context);
  assign(static_cast<Scope*>(scope)->*kMember, std::optional(kValue), statement, context);
  return nullptr;
}

/// A keyword without meaning here (Effect::kNone, kRefused): the number of its arguments is checked, nothing is kept.
template <size_t kLeast, size_t kMost>
void* ignored(void*, const Statement& statement, Context& context) {
  expect_arguments(statement, kLeast, kMost, context);
  return nullptr;
}

/// A block without arguments that fills the same scope as the one around it.
void* same_scope(void* scope, const Statement& statement, Context& context);

/// A block without arguments that fills a member.
template <class Scope, auto kMember>
void* member_scope(void* scope, const Statement& statement, Context& context) {
  expect_arguments(statement, 0, 0, context);
  return &(static_cast<Scope*>(scope)->*kMember);
}

}  // namespace lbdp::config
