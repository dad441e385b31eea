// SPDX-License-Identifier: BSD-2-Clause
// The tables themselves: whole rows, no name twice; and the documentation's examples.
#include "config/schema.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>

#include "config/load.h"

namespace lbdp::config {
namespace {

/// Calls `visit` for each row of a block and of the blocks in it, with the block.
void for_each_row(const Block& block, const std::function<void(const Block&, const Keyword&)>& visit) {
  for (const auto& part : block.keywords) {
    for (const Keyword& keyword : part) {
      visit(block, keyword);
      if (keyword.block != nullptr) for_each_row(*keyword.block, visit);
    }
  }
}

TEST(Schema, RowsAreWhole) {
  size_t rows = 0;
  for_each_row(kFileBlock, [&](const Block& block, const Keyword& keyword) {
    ++rows;
    const std::string where = std::string(block.name) + " / " + std::string(keyword.name);
    EXPECT_FALSE(keyword.name.empty()) << where;
    EXPECT_NE(keyword.take, nullptr) << where;
    EXPECT_TRUE(keyword.text.ends_with('.') || keyword.text.ends_with(')')) << where;
    EXPECT_EQ(keyword.block != nullptr, keyword.syntax.ends_with("... }")) << where;
  });
  EXPECT_GT(rows, 60u);
}

TEST(Schema, NamesAreUniqueInABlock) {
  std::map<std::pair<std::string, std::string_view>, const Keyword*> seen;
  for_each_row(kFileBlock, [&](const Block& block, const Keyword& keyword) {
    // Two blocks may hold one and the same inner block.
    const auto [first, inserted] = seen.emplace(std::pair(std::string(block.name), keyword.name), &keyword);
    EXPECT_EQ(first->second, &keyword) << block.name << " has " << keyword.name << " twice";
  });
}

/// A language with a keyword of each effect; `take` counts in its scope.
void* count(void* scope, const Statement&, Context&) {
  ++*static_cast<int*>(scope);
  return scope;
}
constexpr Keyword kInnerRows[] = {{"works", "", "", "Works.", count}};
constexpr Block kInner{"bad", {kInnerRows}};
constexpr Keyword kRows[] = {
    {"works", "", "", "Works.", count},
    {"later", "", "", "Later.", count, nullptr, Effect::kNotYet, "the agent will"},
    {"soon", "", "", "Soon.", count, nullptr, Effect::kNotYet},
    {"idle", "", "", "Idle.", count, nullptr, Effect::kNone, "nothing to flush"},
    {"bad", "{ ... }", "", "Bad.", count, &kInner, Effect::kRefused, "it would cut the service"},
};
constexpr Block kLanguage{"language", {kRows}};

TEST(Schema, EachEffectIsTold) {
  Sources sources;
  sources.add("f", "idle\nlater\nsoon\nlater\nworks\nidle\nidle\nbad {\nworks\n}\n");
  Diagnostics diagnostics(sources);
  const LoadOptions options;
  Preprocessor preprocessor(sources, options, diagnostics);
  Lexer lexer(preprocessor, diagnostics);
  const Tree tree = Tree::parse(lexer, diagnostics);
  Context context{diagnostics, false};
  int taken = 0;
  apply(kLanguage, tree.statements(), &taken, context);
  EXPECT_EQ(taken, 7) << "all but the refused block";
  std::string findings;
  for (const Diagnostic& finding : diagnostics.take()) findings += finding.to_string() + "\n";
  EXPECT_EQ(findings,
            "f:1:1: no effect: 'idle' has no effect here: nothing to flush\n"
            "f:2:1: warning: 'later' is checked, but does nothing yet: the agent will\n"
            "f:3:1: warning: 'soon' is checked, but does nothing yet\n"
            "f:8:1: error: 'bad' is not supported: it would cut the service; its block is skipped\n");
  std::string remarks;
  for (const Remark& remark : diagnostics.take_remarks()) {
    remarks += remark.keyword + " " + std::to_string(remark.count) + " " + remark.places.back().to_string() + "\n";
  }
  EXPECT_EQ(remarks, "idle 3 f:7:1\nlater 2 f:4:1\nsoon 1 f:3:1\n");
}

TEST(Schema, ABlockIsToldOfAsAWhole) {
  static constexpr Keyword kRowsWithin[] = {
      {"works", "", "", "Works.", count},
      {"later", "", "", "Later.", count, nullptr, Effect::kNotYet},
      {"idle", "", "", "Idle.", count, nullptr, Effect::kNone, "nothing to do"},
      {"wrong", "", "", "Wrong.", count, nullptr, Effect::kRefused, "it would hurt"},
  };
  static constexpr Block kWithin{"block", {kRowsWithin}};
  static constexpr Keyword kRowsAround[] = {
      {"later_block", "{ ... }", "", "Later.", count, &kWithin, Effect::kNotYet},
      {"idle_block", "{ ... }", "", "Idle.", count, &kWithin, Effect::kNone, "nothing at all"},
      {"later", "", "", "Later.", count, nullptr, Effect::kNotYet},
  };
  static constexpr Block kAround{"around", {kRowsAround}};
  Sources sources;
  sources.add("f",
              "later_block {\nlater\nidle\nworks\nwrong\n}\n"
              "idle_block {\nlater\nidle\nworks\nwrong\n}\nlater\n");
  Diagnostics diagnostics(sources);
  const LoadOptions options;
  Preprocessor preprocessor(sources, options, diagnostics);
  Lexer lexer(preprocessor, diagnostics);
  const Tree tree = Tree::parse(lexer, diagnostics);
  Context context{diagnostics, false};
  int taken = 0;
  apply(kAround, tree.statements(), &taken, context);
  EXPECT_EQ(taken, 9);
  std::string findings;
  for (const Diagnostic& finding : diagnostics.take()) findings += finding.to_string() + "\n";
  EXPECT_EQ(findings,
            "f:1:1: warning: 'later_block' is checked, but does nothing yet\n"
            "f:3:1: no effect: 'idle' has no effect here: nothing to do\n"
            "f:5:1: error: 'wrong' is not supported: it would hurt\n"
            "f:7:1: no effect: 'idle_block' has no effect here: nothing at all\n"
            "f:11:1: error: 'wrong' is not supported: it would hurt\n"
            "f:13:1: warning: 'later' is checked, but does nothing yet\n");
}

TEST(Schema, DocumentationsExamplesAreGood) {
  std::ifstream file(LBDP_DOCUMENTS "/configuration.md", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::string fence = "\n```\n";
  size_t examples = 0;
  for (size_t open = text.find(fence); open != std::string::npos;) {
    const size_t begin = open + fence.size();
    const size_t close = text.find(fence, begin - 1);
    ASSERT_NE(close, std::string::npos) << "a block of code does not end";
    const std::string example = text.substr(begin, close + 1 - begin);
    open = text.find(fence, close + fence.size() - 1);
    if (example.starts_with("lb.conf:")) continue;  // what lbdp -t says
    ++examples;
    const LoadResult result = load_text(example, "example");
    for (const Diagnostic& finding : result.diagnostics) {
      EXPECT_EQ(finding.severity, Severity::kNote) << finding.to_string() << "\n" << example;
    }
  }
  EXPECT_GT(examples, 6u);
}

}  // namespace
}  // namespace lbdp::config
