// SPDX-License-Identifier: BSD-2-Clause
#include "config/tree.h"

#include <gtest/gtest.h>

namespace lbdp::config {
namespace {

/// The first statement's raw arguments, as "COLUMN:TEXT".
std::string raw_of(const std::string& text) {
  Sources sources;
  sources.add("f", text);
  Diagnostics diagnostics(sources);
  const LoadOptions options;
  Preprocessor preprocessor(sources, options, diagnostics);
  Lexer lexer(preprocessor, diagnostics);
  const Tree tree = Tree::parse(lexer, diagnostics);
  const Word raw = (*tree.statements().begin()).raw_arguments();
  return std::to_string(raw.place.column) + ":" + std::string(raw.text);
}

TEST(RawArguments, AreAsWrittenUpToACommentOrABrace) {
  EXPECT_EQ(raw_of("script\n"), "1:");
  EXPECT_EQ(raw_of("script /bin/true  # why\n"), "8:/bin/true");
  EXPECT_EQ(raw_of("script \"/bin/a 'b c'\"  root\t!x\n"), "8:\"/bin/a 'b c'\"  root");
  EXPECT_EQ(raw_of("script '/bin/a \\# b' {\n}\n"), "8:'/bin/a \\# b'");
  EXPECT_EQ(raw_of("script \"a {b} # c\" }\n"), "8:\"a {b} # c\"");
  EXPECT_EQ(raw_of("  regex   \"^a\\\\.b$\"\n"), "11:\"^a\\\\.b$\"");
}

}  // namespace
}  // namespace lbdp::config
