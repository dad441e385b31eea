// SPDX-License-Identifier: BSD-2-Clause
// include and its variants. The severities are those of Debian's keepalived 2.2.7 -t: what makes it exit with 6 is an
// error here, what it only logs a warning or a note.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "config/read_support.h"
#include "config/report.h"

namespace lbdp::config {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;

Read read_with(std::map<std::string, std::string> files, std::string_view text, LoadOptions options = {}) {
  const MemoryFiles memory(std::move(files));
  options.files = &memory;
  return read_text(text, options);
}

TEST(Include, StandsForTheFilesLines) {
  const Read read = read_with({{"a.conf", "a 1\na 2"}}, "x\ninclude a.conf # why\ny\n");
  EXPECT_THAT(read.lines, ElementsAre("x", "a|1", "a|2", "y"));
  EXPECT_THAT(read.findings, IsEmpty());
  EXPECT_THAT(read.files, ElementsAre("lb.conf", "a.conf"));
}

TEST(Include, IsRelativeToItsFile) {
  const Read read = read_with({{"d/a.conf", "a\ninclude s/b.conf\ninclude /etc/c.conf\n"},
                               {"d/s/b.conf", "b\ninclude d.conf\n"},
                               {"d/s/d.conf", "d"},
                               {"/etc/c.conf", "c"}},
                              "include d/a.conf\n");
  EXPECT_THAT(read.lines, ElementsAre("a", "b", "d", "c"));
  EXPECT_THAT(read.files, ElementsAre("lb.conf", "d/a.conf", "d/s/b.conf", "d/s/d.conf", "/etc/c.conf"));
}

TEST(Include, ManyFilesInTheirOrder) {
  const std::map<std::string, std::string> files = {
      {"d/a.conf", "a"}, {"d/b.conf", "b"}, {"d/c.conf", "c"}, {"d/sp ace", "s"}};
  EXPECT_THAT(read_with(files, "include d/*.conf\n").lines, ElementsAre("a", "b", "c"));
  EXPECT_THAT(read_with(files, "includea d/{c,a}.conf\n").lines, ElementsAre("c", "a"));
  EXPECT_THAT(read_with(files, "include d/sp ace\n").lines, ElementsAre("s"));
  EXPECT_THAT(read_with(files, "include d/a.conf\ninclude d/a.conf\n").lines, ElementsAre("a", "a"));
}

TEST(Include, PartsOfBlocks) {
  EXPECT_THAT(read_with({{"a", "x {\nb"}, {"c", "}\ny"}}, "include a\nm\ninclude c\n").lines,
              ElementsAre("x {", "> b", "> m", "y"));
  EXPECT_THAT(read_with({{"a", "b"}}, "x { include a\n}\n").lines, ElementsAre("x {", "> b"));
}

TEST(Include, ConditionsParametersAndSequences) {
  const std::map<std::string, std::string> files = {{"a1", "a $N"}, {"a2", "b $N\n$N=7\n"}};
  EXPECT_THAT(read_with(files, "$N=5\n@lbdp include a1\n@^lbdp include a2\n").lines, ElementsAre("a|5"));
  EXPECT_THAT(read_with(files, "$N=5\n$F=a2\ninclude $F\nx $N\n").lines, ElementsAre("b|5", "x|7"));
  EXPECT_THAT(read_with(files, "~SEQ(N,1,2) include a${N}\nx\n").lines, ElementsAre("a|1", "b|2", "x"));
  EXPECT_THAT(read_with(files, "$M=x \\\ninclude a1 \\\ny\n$N=1\n$M\n").lines, ElementsAre("x", "a|1", "y"));
}

TEST(Include, DirectoryOfTheFile) {
  EXPECT_THAT(read_with({{"d/a.conf", "x ${_PWD}"}}, "include d/a.conf\ny ${_PWD}\n").lines,
              ElementsAre("x|/d", "y|/"));
}

TEST(Include, WhatOnlyLooksLikeOne) {
  EXPECT_THAT(read_text("include\nincludez a\nincluded a\ninclude{\n}\n").lines,
              ElementsAre("include", "includez|a", "included|a", "include {"));
}

struct Missing {
  const char* name;
  const char* line;
  std::vector<std::string> findings;
};
void PrintTo(const Missing& c, std::ostream* out) {
  *out << c.name;
}

class MissingFile : public testing::TestWithParam<Missing> {};

TEST_P(MissingFile, IsReported) {
  const Read read = read_with({{"d/a.conf", "a"}}, std::string(GetParam().line) + "\nx\n");
  EXPECT_THAT(read.findings, ElementsAreArray(GetParam().findings));
  EXPECT_EQ(read.lines.back(), "x");
}

std::string not_there(const char* column, const char* severity, const char* path) {
  return std::string("lb.conf:1:") + column + ": " + severity + ": '" + path + "' is not there, so nothing is included";
}
std::string no_match(const char* column, const char* severity, const char* pattern) {
  return std::string("lb.conf:1:") + column + ": " + severity + ": no file matches '" + pattern +
         "', so nothing is included";
}

const Missing kMissing[] = {
    {"Include", "include d/none", {not_there("9", "warning", "d/none")}},
    {"Includer", "includer d/none", {not_there("10", "warning", "d/none")}},
    {"Includem", "includem d/none", {not_there("10", "error", "d/none")}},
    {"Includew", "includew d/none", {not_there("10", "error", "d/none")}},
    {"Includea", "includea d/none", {not_there("10", "error", "d/none")}},
    {"Wildcard", "include d/n*", {no_match("9", "note", "d/n*")}},
    {"IncludemWildcard", "includem d/n*", {no_match("10", "note", "d/n*")}},
    {"IncludewWildcard", "includew d/n*", {no_match("10", "error", "d/n*")}},
    {"IncludeaWildcard", "includea d/n*", {no_match("10", "error", "d/n*")}},
    {"WildcardInNoDirectory", "include none/*", {not_there("9", "warning", "none/*")}},
    {"IncludemInNoDirectory", "includem none/*", {not_there("10", "error", "none/*")}},
    {"Brace", "include d/{a,z}.conf", {not_there("9", "warning", "d/z.conf")}},
    {"IncludemBrace", "includem d/{a,z}.conf", {not_there("10", "warning", "d/z.conf")}},
    {"IncludebBrace", "includeb d/{a,z}.conf", {not_there("10", "error", "d/z.conf")}},
    {"Directory", "include d", {"lb.conf:1:9: warning: 'd' is not included: it is a directory"}},
    {"IncluderDirectory", "includer d", {"lb.conf:1:10: error: 'd' is not included: it is a directory"}},
    {"Quotes",
     "include \"d/a.conf\"",
     {"lb.conf:1:9: warning: '\"d/a.conf\"' is not there, so nothing is included; quotes are part of the name here: "
      "leave them out"}},
    {"BraceOfTheBlock",
     "include d/a.conf }",
     {"lb.conf:1:9: error: include: 'd/a.conf }': the braces do not match; an include takes the whole rest of its "
      "line"}},
};
INSTANTIATE_TEST_SUITE_P(Includes, MissingFile, testing::ValuesIn(kMissing),
                         [](const auto& row) { return row.param.name; });

TEST(IncludeCheck, AddsToEveryInclude) {
  EXPECT_THAT(read_with({}, "include_check\ninclude n\n").findings,
              ElementsAre("lb.conf:2:9: error: 'n' is not there, so nothing is included"));
  EXPECT_THAT(read_with({}, "include_check wildcard_match\ninclude n\ninclude n*\n").findings,
              ElementsAre("lb.conf:2:9: warning: 'n' is not there, so nothing is included",
                          "lb.conf:3:9: error: no file matches 'n*', so nothing is included"));
  EXPECT_THAT(read_with({}, "include_check\ninclude_check -match +brace_match\ninclude n\n").findings,
              ElementsAre("lb.conf:3:9: warning: 'n' is not there, so nothing is included"));
}

TEST(IncludeCheck, EndsWithItsFile) {
  EXPECT_THAT(
      read_with({{"a", "include_check\ninclude b"}, {"b", "include none"}}, "include a\ninclude none\n").findings,
      ElementsAre("lb.conf:2:9: warning: 'none' is not there, so nothing is included",
                  "b:1:9: error: 'none' is not there, so nothing is included"));
}

TEST(IncludeLimits, AFileThatIncludesItself) {
  const Read read = read_with({{"a", "x\ninclude b\n"}, {"b", "include a\ny\n"}}, "include a\n");
  EXPECT_THAT(read.lines, ElementsAre("x", "y"));
  EXPECT_THAT(read.findings, ElementsAre("b:1:9: error: 'a' includes itself, which would never end"));
  EXPECT_EQ(read.excerpts[0], "include a\n        ^\nincluded from a:2:9\nincluded from lb.conf:1:9");
}

TEST(IncludeLimits, Depth) {
  std::map<std::string, std::string> files;
  for (int i = 0; i < 30; ++i) files["f" + std::to_string(i)] = "include f" + std::to_string(i + 1) + "\n";
  const Read read = read_with(files, "include f0\nx\n");
  EXPECT_THAT(read.findings, ElementsAre("f15:1:9: error: files are included more than 16 deep; the rest is not read"));
  EXPECT_EQ(read.files.size(), 17u);
}

TEST(IncludeLimits, Files) {
  std::map<std::string, std::string> files;  // each includes the next one twice: 2^15 without a limit
  for (int i = 0; i < 15; ++i) {
    const std::string next = "include f" + std::to_string(i + 1) + "\n";
    files["f" + std::to_string(i)] = next + next;
  }
  files["f15"] = "x\n";
  const Read read = read_with(files, "include f0\n");
  ASSERT_EQ(read.findings.size(), 1u);
  EXPECT_THAT(read.findings[0], HasSubstr("more than 1000 files are included; the rest is not read"));
  EXPECT_EQ(read.files.size(), 1001u);
}

TEST(IncludeLimits, Bytes) {
  LoadOptions options;
  options.limits.bytes = 100;
  const Read read = read_with({{"a", std::string(50, '#')}}, "include a\ninclude a\ninclude a\nx\n", options);
  EXPECT_THAT(read.findings,
              ElementsAre("lb.conf:2:9: error: all files together are larger than 100 bytes; the rest is not read"));
}

/// Files on disk, removed afterwards.
class IncludedFromDisk : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "lbdp-include-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    std::filesystem::create_directory(directory_ + "/conf.d");
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  void write(const std::string& name, const std::string& text) { std::ofstream(directory_ + "/" + name) << text; }
  std::string directory_;
};

TEST_F(IncludedFromDisk, OneModelOfManyFiles) {
  write("lb.conf", "global_defs {\n  router_id a\n}\ninclude conf.d/*.conf\n");
  write("conf.d/1.conf", "global_defs {\n  router_id b\n}\n");
  write("conf.d/2.conf", "global_defs {\n  smtp_alert 1\n}\n");
  const LoadResult result = load_file(directory_ + "/lb.conf");
  EXPECT_FALSE(result.ok());
  EXPECT_THAT(result.files,
              ElementsAre(directory_ + "/lb.conf", directory_ + "/conf.d/1.conf", directory_ + "/conf.d/2.conf"));
  std::ostringstream printed;
  print_diagnostics(printed, result);
  EXPECT_EQ(printed.str(), directory_ + "/conf.d/1.conf:2:3: warning: 'router_id' is set again, after " + directory_ +
                               "/lb.conf:2; this one, the last, counts\n"
                               "      router_id b\n"
                               "      ^\n"
                               "    included from " +
                               directory_ + "/lb.conf:4:9\n" + directory_ +
                               "/conf.d/2.conf:2:14: error: smtp_alert: found '1', wanted on, off, true, "
                               "false, yes or no\n"
                               "      smtp_alert 1\n"
                               "                 ^\n"
                               "    included from " +
                               directory_ + "/lb.conf:4:9\n");
}

}  // namespace
}  // namespace lbdp::config
