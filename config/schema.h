// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The language as data: every block is a table of keywords, every keyword a row with what it does and the function that
// takes its value. The tables are all that reading, "did you mean" and the documentation know of the language.

#include <array>
#include <span>
#include <string_view>

#include "config/diagnostics.h"
#include "config/spec.h"
#include "config/tree.h"

namespace lbdp::config {

struct Block;

/// What becomes of a keyword here.
enum class Effect : uint8_t {
  kWorks,
  kNotYet,  // read, checked and kept in the model; what it drives is not built yet, and the file is told so
  kNone,    // read, and without meaning for a director in user space; the file is told so, with the row's `note`
  kRefused  // an error, with the row's `note`; its block is skipped
};

/// What a setter may use beside its scope.
struct Context {
  Diagnostics& diagnostics;
  bool lenient = false;            // unknown keywords are warnings
  Effect around = Effect::kWorks;  // of the innermost block around that does not simply work
};

/// One row.
struct Keyword {
  std::string_view name;
  std::string_view syntax;    // the arguments, in the notation of the manual page: "SECONDS"
  std::string_view fallback;  // what holds without it; empty: nothing, or the text says so
  std::string_view text;      // what it does, in whole sentences
  /// Takes the statement's arguments into `scope`, the enclosing block's spec. For a keyword with a block it returns
  /// the spec that the block fills; otherwise null.
  void* (*take)(void* scope, const Statement& statement, Context& context);
  const Block* block = nullptr;
  Effect effect = Effect::kWorks;
  std::string_view note{};  // unless it works: one line that says what it does here, or why nothing
};

/// A kind of block: `{` keywords `}`, or `{` a list `}` when `entry` is set.
struct Block {
  std::string_view name;
  std::array<std::span<const Keyword>, 10> keywords{};
  void (*entry)(void* scope, const Statement& entry, Context& context) = nullptr;
  bool unknown_to_keepalived = false;
};

/// The top level of a file; its scope is a FileSpec.
extern const Block kFileBlock;

/// Takes a block's statements into `scope`, which must be the spec that the block's setters expect. Everything that
/// does not fit is reported, and left out with all that is in it.
void apply(const Block& block, Statement::Range statements, void* scope, Context& context);

}  // namespace lbdp::config
