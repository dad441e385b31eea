// SPDX-License-Identifier: BSD-2-Clause
#include "config/schema.h"

#include <algorithm>
#include <string>
#include <vector>

namespace lbdp::config {
namespace {

const Keyword* find(const Block& block, std::string_view name) {
  for (const auto& part : block.keywords) {
    const auto found = std::ranges::find(part, name, &Keyword::name);
    if (found != part.end()) return &*found;
  }
  return nullptr;
}

std::vector<std::string_view> names_in(const Block& block) {
  std::vector<std::string_view> names;
  for (const auto& part : block.keywords) {
    for (const Keyword& keyword : part) names.push_back(keyword.name);
  }
  return names;
}

/// The block below `block` (itself included) that knows `name`; null if none does.
const Block* home_of(const Block& block, std::string_view name) {
  if (find(block, name) != nullptr) return &block;
  for (const auto& part : block.keywords) {
    for (const Keyword& keyword : part) {
      if (keyword.block == nullptr) continue;
      if (const Block* home = home_of(*keyword.block, name)) return home;
    }
  }
  return nullptr;
}

std::string place_of(const Block& block) {
  return &block == &kFileBlock ? "at the top level" : "in " + std::string(block.name);
}

/// " (did you mean ...?)", or where the keyword belongs; empty if neither is known.
std::string hint(const Block& block, std::string_view name) {
  if (const Block* home = home_of(kFileBlock, name)) {
    return " (it belongs " + place_of(*home) + (home == &kFileBlock ? ": is a '}' missing before it?)" : ")");
  }
  const std::string_view meant = nearest(name, names_in(block));
  return meant.empty() ? "" : " (did you mean " + in_quotes(meant) + "?)";
}

void report_unknown(const Block& block, const Statement& statement, Context& context) {
  const Severity severity = context.lenient ? Severity::kWarning : Severity::kError;
  std::string message;
  if (!context.diagnostics.full(severity)) {  // otherwise it is only counted, and a hint would be work for nothing
    message =
        "unknown keyword " + in_quotes(statement.keyword()) + " " + place_of(block) + hint(block, statement.keyword());
    if (statement.has_block()) message += "; its block is skipped";
  }
  context.diagnostics.add(severity, statement.place(), std::move(message));
}

/// The first line below `statement` that is not behind "@id"; nowhere if all are.
Place first_unconditional(const Statement& statement) {
  for (const Statement child : statement.children()) {
    if (!child.conditional()) return child.place();
    if (const Place place = first_unconditional(child); place != Place{}) return place;
  }
  return statement.has_block() && !statement.close_conditional() ? statement.close() : Place{};
}

/// A block of ours of which keepalived would lose only the first line: it drops lines, not blocks.
void check_hidden(const Statement& statement, Context& context) {
  if (!statement.conditional()) return;
  const Place place = first_unconditional(statement);
  if (place == Place{}) return;
  const std::string name = in_quotes(statement.keyword());
  context.diagnostics.warning(place,
                              "this line of the " + name + " block is not behind '@', so keepalived will refuse " +
                                  "it: '@ID' hides a line, not a block, and belongs before each line of " + name);
}

/// What a block around it says already: in one without effect nothing has any, and in one that is not yet active what
/// is not yet active either needs no word of its own.
bool is_told(const Keyword& keyword, const Context& context) {
  return keyword.effect != Effect::kRefused &&
         (context.around == Effect::kNone || (context.around == Effect::kNotYet && keyword.effect == Effect::kNotYet));
}

/// Says what becomes of a keyword that does not simply work; of one that is taken only the first time, since what
/// counts is the keyword, and LoadResult::remarks has the other places. False: it is not taken.
bool report_effect(const Keyword& keyword, const Statement& statement, Context& context) {
  Diagnostics& diagnostics = context.diagnostics;
  const std::string_view note = keyword.note;
  if (is_told(keyword, context)) return true;
  switch (keyword.effect) {
    case Effect::kWorks: return true;
    case Effect::kNotYet:
      if (diagnostics.remark(Remark::Kind::kNotYet, keyword.name, note, statement.place())) {
        diagnostics.warning(statement.place(), in_quotes(keyword.name) + " is checked, but does nothing yet" +
                                                   (note.empty() ? "" : ": " + std::string(note)));
      }
      return true;
    case Effect::kNone:
      if (diagnostics.remark(Remark::Kind::kNoEffect, keyword.name, note, statement.place())) {
        diagnostics.add(Severity::kNoEffect, statement.place(),
                        in_quotes(keyword.name) + " has no effect here: " + std::string(note));
      }
      return true;
    case Effect::kRefused:
      diagnostics.error(statement.place(), in_quotes(keyword.name) + " is not supported: " + std::string(note) +
                                               (statement.has_block() ? "; its block is skipped" : ""));
      return false;
  }
  return true;
}

void apply_keyword(const Block& block, const Statement& statement, void* scope, Context& context) {
  const Keyword* keyword = find(block, statement.keyword());
  if (keyword == nullptr) {
    report_unknown(block, statement, context);
    return;
  }
  if (!report_effect(*keyword, statement, context)) return;
  const std::string name = in_quotes(keyword->name);
  if (keyword->block == nullptr && statement.has_block()) {
    context.diagnostics.error(statement.place(), name + " takes no block");
    return;
  }
  if (keyword->block != nullptr && !statement.has_block()) {
    context.diagnostics.error(statement.place(), name + " needs a block: '{' is missing");
    return;
  }
  if (keyword->block != nullptr && keyword->block->unknown_to_keepalived) check_hidden(statement, context);
  void* inner = keyword->take(scope, statement, context);
  if (keyword->block == nullptr) return;
  const Effect around = context.around;
  if (keyword->effect != Effect::kWorks && around != Effect::kNone) context.around = keyword->effect;
  apply(*keyword->block, statement.children(), inner, context);
  context.around = around;
}

void apply_entry(const Block& block, const Statement& statement, void* scope, Context& context) {
  if (statement.has_block()) {
    context.diagnostics.error(statement.place(), "unexpected block " + place_of(block) + ", which is a list");
    return;
  }
  block.entry(scope, statement, context);
}

}  // namespace

void apply(const Block& block, Statement::Range statements, void* scope, Context& context) {
  for (const Statement statement : statements) {
    if (block.entry != nullptr) {
      apply_entry(block, statement, scope, context);
    } else {
      apply_keyword(block, statement, scope, context);
    }
  }
}

}  // namespace lbdp::config
