// SPDX-License-Identifier: BSD-2-Clause
#include "config/diagnostics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lbdp::config {
namespace {

TEST(Quoted, IsFitForATerminal) {
  EXPECT_EQ(in_quotes("a b"), "'a b'");
  EXPECT_EQ(in_quotes("\x1b[31m"), "'\\x1b[31m'");
  EXPECT_EQ(in_quotes(std::string_view("\0\x7f", 2)), "'\\x00\\x7f'");
  EXPECT_EQ(in_quotes("\xc3\xa4"), "'\xc3\xa4'");
  EXPECT_EQ(in_quotes(std::string(100, 'x')), "'" + std::string(60, 'x') + "...'");
}

TEST(Nearest, FindsWhatWasMeant) {
  const std::vector<std::string_view> keywords = {"priority", "preempt", "nopreempt", "state", "interface", "url"};
  EXPECT_EQ(nearest("prioritty", keywords), "priority");   // one more
  EXPECT_EQ(nearest("priorty", keywords), "priority");     // one less
  EXPECT_EQ(nearest("stale", keywords), "state");          // another
  EXPECT_EQ(nearest("interfaec", keywords), "interface");  // swapped
  EXPECT_EQ(nearest("STATE", keywords), "state");
  EXPECT_EQ(nearest("preemt", keywords), "preempt");
  EXPECT_EQ(nearest("xyz", keywords), "");
  EXPECT_EQ(nearest("u", keywords), "");
  EXPECT_EQ(nearest(std::string(1000, 's'), keywords), "");
  EXPECT_EQ(nearest("state", {}), "");
}

TEST(Diagnostics, AreInTheOrderOfTheirPlaces) {
  Sources sources;
  sources.add("f", "one\r\ntwo\nthree");
  Diagnostics diagnostics(sources);
  diagnostics.warning({3, 2}, "c");
  diagnostics.error({1, 1}, "a");
  diagnostics.note({1, 1}, "b");
  EXPECT_TRUE(diagnostics.has_errors());
  const auto found = diagnostics.take();
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].to_string(), "f:1:1: error: a");
  EXPECT_EQ(found[0].excerpt, "one\n^");
  EXPECT_EQ(found[1].to_string(), "f:1:1: note: b");
  EXPECT_EQ(found[2].to_string(), "f:3:2: warning: c");
  EXPECT_EQ(found[2].excerpt, "three\n ^");
}

TEST(Diagnostics, ExcerptOfALongLineShowsThePlace) {
  Sources sources;
  sources.add("f", std::string(500, 'a') + "X" + std::string(500, 'b'));
  Diagnostics diagnostics(sources);
  diagnostics.error({1, 501}, "here");
  const std::string excerpt = diagnostics.take().at(0).excerpt;
  const size_t end = excerpt.find('\n');
  EXPECT_EQ(excerpt[excerpt.size() - 1], '^');
  EXPECT_EQ(excerpt.find('X'), excerpt.size() - end - 2);
}

TEST(Source, Lines) {
  const Source source("f", "a\n\r\nb\r");
  EXPECT_EQ(source.line_count(), 3u);
  EXPECT_EQ(source.line(1), "a");
  EXPECT_EQ(source.line(2), "");
  EXPECT_EQ(source.line(3), "b");
  EXPECT_EQ(source.line(0), "");
  EXPECT_EQ(source.line(4), "");
  EXPECT_EQ(Source("f", "").line_count(), 0u);
}

TEST(Location, ToString) {
  EXPECT_EQ((Location{"f", 3, 4}).to_string(), "f:3:4");
  EXPECT_EQ((Location{"f", 0, 0}).to_string(), "f");
}

}  // namespace
}  // namespace lbdp::config
