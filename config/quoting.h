// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The second syntax of keepalived.conf: what stands behind script and regex keywords is split anew, with " and ' and
// backslashes that mean what they mean to a shell. Input is Statement::raw_arguments().

#include <string>
#include <string_view>
#include <vector>

#include "config/types/result.h"

namespace lbdp::config {

/// A program and its arguments.
struct Command {
  std::string text;                    // as one parameter of the line, its outer quotes and escapes resolved
  std::vector<std::string> arguments;  // the text split once more: argv, [0] is the program; never empty

  friend bool operator==(const Command&, const Command&) = default;
};

/// A command and the account that it is to run under, as far as the line names one.
struct CommandLine {
  Command command;
  std::string user;   // empty: not named
  std::string group;  // empty: not named

  friend bool operator==(const CommandLine&, const CommandLine&) = default;
};

/// Splits at blanks. "..." and '...' keep blanks together, also in the middle of a word, and vanish; `\` takes the next
/// character as it is, but for \a \b \E \f \n \r \t \v, \nnn (octal), \xXX (all hexadecimal digits that follow; the
/// last two count) and \cC (control character), in quotes too. Errors: a quote that is not closed, a backslash at the
/// end, a NUL.
Result<std::vector<std::string>> quoted_words(std::string_view raw);

/// Exactly one such word: the value of `regex`.
Result<std::string> quoted_word(std::string_view raw);

/// `"PROGRAM ARGUMENT..."`, which must be one parameter: misc_path and its like.
Result<Command> command(std::string_view raw);

/// `"PROGRAM ARGUMENT..." [USER [GROUP]]`: the notify keywords and their like.
Result<CommandLine> command_line(std::string_view raw);

}  // namespace lbdp::config
