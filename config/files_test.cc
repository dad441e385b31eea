// SPDX-License-Identifier: BSD-2-Clause
#include "config/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace lbdp::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(DirectoryOf, IsWhatStandsBeforeTheLastSlash) {
  EXPECT_EQ(directory_of("lb.conf"), "");
  EXPECT_EQ(directory_of("a/b/lb.conf"), "a/b");
  EXPECT_EQ(directory_of("/etc/lb.conf"), "/etc");
  EXPECT_EQ(directory_of("/lb.conf"), "/");
}

class Patterns : public testing::Test {
 protected:
  std::vector<std::string> paths(std::string_view pattern, const std::string& directory = "d") {
    const auto matches = resolve_include(pattern, directory, files_, 100);
    return matches ? matches->paths : std::vector<std::string>{matches.error().message};
  }
  MemoryFiles files_{{{"d/a.conf", ""},
                      {"d/b.conf", ""},
                      {"d/.c.conf", ""},
                      {"d/s/x.conf", ""},
                      {"d/s/[y].conf", ""},
                      {"top.conf", ""},
                      {"/etc/e.conf", ""},
                      {"d/sp ace", ""}}};
};

TEST_F(Patterns, NamesAndWildcards) {
  EXPECT_THAT(paths("a.conf"), ElementsAre("d/a.conf"));
  EXPECT_THAT(paths("*.conf"), ElementsAre("d/a.conf", "d/b.conf"));
  EXPECT_THAT(paths("[!a].conf"), ElementsAre("d/b.conf"));
  EXPECT_THAT(paths("?/x.conf"), ElementsAre("d/s/x.conf"));
  EXPECT_THAT(paths("sp ace"), ElementsAre("d/sp ace"));
  EXPECT_THAT(paths("/etc/*"), ElementsAre("/etc/e.conf"));
  EXPECT_THAT(paths("t*", ""), ElementsAre("top.conf"));
  EXPECT_THAT(paths("s/\\[y].conf"), ElementsAre("d/s/[y].conf"));
  EXPECT_THAT(paths("none*"), IsEmpty());
}

TEST_F(Patterns, Braces) {
  EXPECT_THAT(paths("{b,a}.conf"), ElementsAre("d/b.conf", "d/a.conf"));
  EXPECT_THAT(paths("{s/{x,z},a,}.conf"), ElementsAre("d/s/x.conf", "d/a.conf"));
  EXPECT_THAT(paths("{*,s/*}.conf"), ElementsAre("d/a.conf", "d/b.conf", "d/s/[y].conf", "d/s/x.conf"));
}

TEST_F(Patterns, BracesAreBounded) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "{a,b}";
  EXPECT_THAT(paths(pattern), ElementsAre("more than 100 alternatives in braces"));
  EXPECT_THAT(paths("{a"), ElementsAre("the braces do not match; an include takes the whole rest of its line"));
  EXPECT_THAT(paths("a }"), ElementsAre("the braces do not match; an include takes the whole rest of its line"));
}

TEST_F(Patterns, WhatIsMissing) {
  const auto names = resolve_include("{a,z}.conf", "d", files_, 100).value();
  EXPECT_THAT(names.paths, ElementsAre("d/a.conf"));
  EXPECT_THAT(names.missing, ElementsAre("d/z.conf"));
  EXPECT_TRUE(names.braces);
  const auto directory = resolve_include("none/*.conf", "d", files_, 100).value();
  EXPECT_THAT(directory.missing, ElementsAre("d/none/*.conf"));
  const auto wildcard = resolve_include("z*.conf", "d", files_, 100).value();
  EXPECT_THAT(wildcard.missing, IsEmpty());
  EXPECT_TRUE(wildcard.wildcards);
}

/// A directory with a wildcard in its own name, removed with what is in it.
class RealFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "lbdp-[files]-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  void write(const std::string& name, const std::string& text) { std::ofstream(directory_ + "/" + name) << text; }
  std::string directory_;
};

TEST_F(RealFiles, AreFoundAndRead) {
  write("b.conf", "b");
  write("a.conf", "a");
  std::filesystem::create_directory(directory_ + "/s.conf");
  const auto matches = resolve_include("*.conf", directory_, file_system(), 100).value();
  ASSERT_THAT(matches.paths, ElementsAre(directory_ + "/a.conf", directory_ + "/b.conf", directory_ + "/s.conf"));
  EXPECT_EQ(file_system().read(matches.paths[1]).value(), "b");
  EXPECT_EQ(file_system().kind(matches.paths[2]), Files::Kind::kDirectory);
  EXPECT_EQ(file_system().kind(directory_ + "/none"), Files::Kind::kMissing);
  EXPECT_EQ(file_system().absolute(directory_ + "/s.conf/.."), std::filesystem::canonical(directory_).string());
}

TEST_F(RealFiles, ExecutableOnesAreRefused) {
  write("x.conf", "x");
  ASSERT_EQ(chmod((directory_ + "/x.conf").c_str(), 0755), 0);
  EXPECT_EQ(file_system().read(directory_ + "/x.conf").error().message, "is not read: it is executable");
}

}  // namespace
}  // namespace lbdp::config
