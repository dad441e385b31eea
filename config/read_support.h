// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// For tests of the language below the keywords: what a configuration comes to, line by line.

#include <string>
#include <string_view>
#include <vector>

#include "config/lexer.h"
#include "config/preprocessor.h"
#include "config/tree.h"

namespace lbdp::config {

struct Read {
  std::vector<std::string> lines;     // words joined with "|", a block's lines behind "> " for each level
  std::vector<std::string> findings;  // Diagnostic::to_string()
  std::vector<std::string> excerpts;  // of the findings
  std::vector<std::string> files;
};

inline void add_lines(Statement::Range statements, const std::string& indent, std::vector<std::string>& lines) {
  for (const Statement statement : statements) {
    std::string line = indent;
    for (const Word& word : statement.words()) line += (line == indent ? "" : "|") + std::string(word.text);
    lines.push_back(line + (statement.has_block() ? " {" : ""));
    add_lines(statement.children(), indent + "> ", lines);
  }
}

/// Reads `text` as the file "lb.conf".
inline Read read_text(std::string_view text, const LoadOptions& options = {}) {
  Sources sources;
  sources.add("lb.conf", std::string(text));
  Diagnostics diagnostics(sources);
  Preprocessor preprocessor(sources, options, diagnostics);
  Lexer lexer(preprocessor, diagnostics);
  const Tree tree = Tree::parse(lexer, diagnostics);
  Read read;
  add_lines(tree.statements(), "", read.lines);
  for (const Diagnostic& diagnostic : diagnostics.take()) {
    read.findings.push_back(diagnostic.to_string());
    read.excerpts.push_back(diagnostic.excerpt);
  }
  for (uint32_t file = 0; file < sources.file_count(); ++file) read.files.push_back(sources.file(file).name());
  return read;
}

}  // namespace lbdp::config
