// SPDX-License-Identifier: BSD-2-Clause
// The documents that are made of the tables: those in the tree are up to date, and what the makers do with rows of
// every kind.
#include "config/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace lbdp::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string contents_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The first line in which two texts differ, so that a failure is readable.
std::string first_difference(const std::string& a, const std::string& b) {
  size_t at = 0;
  while (at < a.size() && at < b.size() && a[at] == b[at]) ++at;
  const auto line_at = [&](const std::string& text) {
    const size_t begin = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
    return text.substr(begin, text.find('\n', at) - begin);
  };
  return "in the tree: " + line_at(a) + "\nthe tables:  " + line_at(b);
}

TEST(Document, TheTreesAreUpToDate) {
  const std::string page = contents_of(LBDP_DOCUMENTS "/configuration.md");
  const auto wanted = with_keywords(page, keywords_markdown(kFileBlock));
  ASSERT_TRUE(wanted) << wanted.error().message;
  EXPECT_TRUE(page == *wanted) << "docs/configuration.md: run scripts/documents\n" << first_difference(page, *wanted);
  const std::string manual = contents_of(LBDP_DOCUMENTS "/lb.conf.5");
  EXPECT_TRUE(manual == manual_page(kFileBlock)) << "docs/lb.conf.5: run scripts/documents\n"
                                                 << first_difference(manual, manual_page(kFileBlock));
}

/// The language of the following tests; nothing is taken by it.
constexpr Keyword kShared[] = {
    {"a", "", "1", "Does A.", nullptr},
    {"c", "N", "", "Does C.", nullptr},
};
constexpr Keyword kInnerRows[] = {{"deep", "", "", "Deep.", nullptr, nullptr, Effect::kNotYet}};
constexpr Block kInner{"inner", {kInnerRows}};
constexpr Keyword kOtherInnerRows[] = {{"flat", "", "", "Flat.", nullptr}};
constexpr Block kOtherInner{"inner", {kOtherInnerRows}};
constexpr Keyword kFirstRows[] = {
    {"inner", "{ ... }", "", "In the first.", nullptr, &kInner},
    {"snmp", "ON|OFF", "ON|OFF", "SNMP <x> *y*.", nullptr, nullptr, Effect::kNone, "there is no agent"},
};
constexpr Keyword kFirstOnly[] = {{"b", "N", "", "Does B.", nullptr}};
constexpr Block kFirst{"first", {kFirstRows, kShared, kFirstOnly}};
constexpr Keyword kSecondRows[] = {
    {"inner", "{ ... }", "", "In the second.", nullptr, &kOtherInner},
    {"snmp", "ON|OFF", "ON|OFF", "SNMP <x> *y*.", nullptr, nullptr, Effect::kNone, "there is no agent"},
    {"b", "M", "", "Does another B.", nullptr},
};
constexpr Block kSecond{"second", {kShared, kSecondRows}};
void take_line(void*, const Statement&, Context&) {}
constexpr Block kList{"list", {}, take_line};
constexpr Keyword kForbiddenRows[] = {{"evil", "", "", "Evil.", nullptr, nullptr, Effect::kNotYet}};
constexpr Block kForbidden{"forbidden", {kForbiddenRows}};
constexpr Keyword kRows[] = {
    {"first", "{ ... }", "", "One.", nullptr, &kFirst},
    {"second", "NAME { ... }", "", "Two.", nullptr, &kSecond},
    {"list", "{ WORD ... }", "", "Three.", nullptr, &kList},
    {"forbidden", "{ ... }", "", "Four.", nullptr, &kForbidden, Effect::kRefused, "it bites"},
};
constexpr Block kLanguage{"file", {kRows}};

TEST(Document, ChaptersAreInTheOrderOfTheTablesAndHaveNamesOfTheirOwn) {
  std::vector<std::string> titles;
  for (const Section& section : sections(kLanguage)) titles.push_back(section.title);
  EXPECT_THAT(titles,
              ElementsAre("At the top level", "first", "inner in first", "second", "inner in second", "forbidden"));
}

TEST(Document, RowsOfAnEarlierChapterAreNamedNotRepeated) {
  const std::string text = keywords_markdown(kLanguage);
  EXPECT_THAT(text, HasSubstr("\n### second\n\n| keyword | default | what it does |\n|---|---|---|\n"
                              "| `inner { ... }` |  | In the second. |\n"
                              "| `b M` |  | Does another B. |\n"
                              "\nAs in [first](#first): `a`, `c`, `snmp`.\n"));
  EXPECT_THAT(text,
              HasSubstr("| `snmp ON\\|OFF` | ON\\|OFF | SNMP &lt;x> \\*y\\*. **No effect**: there is no agent. |\n"));
}

TEST(Document, WhatDoesNotSimplyWorkIsListed) {
  const std::string text = keywords_markdown(kLanguage);
  EXPECT_THAT(text, HasSubstr("| `deep` |  | Deep. **Not yet active**. |\n"));
  EXPECT_THAT(text, HasSubstr("| `deep` | [inner in first](#inner-in-first) | Deep. |\n"));
  EXPECT_THAT(text, HasSubstr("| `snmp` | [first](#first), [second](#second) | there is no agent. |\n"));
  EXPECT_THAT(text, HasSubstr("| `forbidden` | [At the top level](#at-the-top-level) | it bites. |\n"));
  EXPECT_THAT(text, Not(HasSubstr("| `evil` | [forbidden]"))) << "what stands in a refused block is not read at all";
  EXPECT_THAT(text, HasSubstr("\n### forbidden\n**Refused**, the block as a whole.\n"));
}

TEST(Document, ABlockThatIsNotYetActiveIsListedAsAWhole) {
  static constexpr Keyword kWithin[] = {
      {"later", "", "", "Later.", nullptr, nullptr, Effect::kNotYet},
      {"idle", "", "", "Idle.", nullptr, nullptr, Effect::kNone, "nothing to do"},
  };
  static constexpr Block kBlock{"block", {kWithin}};
  static constexpr Keyword kTwo[] = {
      {"block", "{ ... }", "", "Waits.", nullptr, &kBlock, Effect::kNotYet},
      {"other", "{ ... }", "", "Waits, too.", nullptr, &kBlock, Effect::kNotYet},
  };
  static constexpr Keyword kOneWorks[] = {
      {"block", "{ ... }", "", "Waits.", nullptr, &kBlock, Effect::kNotYet},
      {"other", "{ ... }", "", "Works.", nullptr, &kBlock},
  };
  const auto names = [](const Block& file, Effect effect) {
    std::vector<std::string> result;
    for (const Exception& one : exceptions(sections(file), effect)) result.emplace_back(one.keyword->name);
    return result;
  };
  const Block all_wait{"file", {kTwo}};
  EXPECT_THAT(names(all_wait, Effect::kNotYet), ElementsAre("block", "other"));
  EXPECT_THAT(names(all_wait, Effect::kNone), ElementsAre("idle"));
  EXPECT_THAT(keywords_markdown(all_wait), HasSubstr("\n### block\n**Not yet active**, the block as a whole.\n"));
  const Block one_works{"file", {kOneWorks}};
  EXPECT_THAT(names(one_works, Effect::kNotYet), ElementsAre("block", "later"));
}

TEST(Document, ManualPageProtectsWhatRoffWouldTake) {
  constexpr Keyword kHard[] = {{"-x", "A|B", "'q", ".dot \\ ^ ~ `end.", nullptr}};
  const Block language{"file", {kHard}};
  EXPECT_THAT(manual_page(language), HasSubstr(".TP\n\\fB\\-x\\fR A|\\:B\n"
                                               "\\&.dot \\e \\(ha \\(ti \\(gaend.\n"
                                               "Default: \\&'q.\n"));
}

TEST(Document, APageNeedsBothMarkers) {
  const std::string page = "x\n" + std::string(kBegin) + "old\n" + std::string(kEnd) + "y\n";
  EXPECT_EQ(*with_keywords(page, "new\n"), "x\n" + std::string(kBegin) + "new\n" + std::string(kEnd) + "y\n");
  EXPECT_FALSE(with_keywords(std::string(kEnd) + std::string(kBegin), "new\n"));
  EXPECT_FALSE(with_keywords("x\n" + std::string(kBegin), "new\n"));
  EXPECT_FALSE(with_keywords("", "new\n"));
}

}  // namespace
}  // namespace lbdp::config
