// SPDX-License-Identifier: BSD-2-Clause
// Rows marked "keepalived" are what Debian's 2.2.7 made of the same line, seen in its dump (keepalived -D -d).
#include "config/quoting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lbdp::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> words(std::string_view raw) {
  return quoted_words(raw).value();
}
std::string error_of(const Result<std::vector<std::string>>& result) {
  return result ? "none" : result.error().message;
}

TEST(QuotedWords, BlanksSeparate) {
  EXPECT_THAT(words(""), IsEmpty());
  EXPECT_THAT(words(" \t "), IsEmpty());
  EXPECT_THAT(words(" a\tb  c "), ElementsAre("a", "b", "c"));
}

TEST(QuotedWords, QuotesGroupAndVanish) {
  EXPECT_THAT(words("abcd\" efg h jkl \"mnop"), ElementsAre("abcd efg h jkl mnop"));  // keepalived.conf(5)
  EXPECT_THAT(words("abcd \"efg h jkl\" mnop"), ElementsAre("abcd", "efg h jkl", "mnop"));
  EXPECT_THAT(words("'a \"b\" c'"), ElementsAre("a \"b\" c"));
  EXPECT_THAT(words("\"it's\""), ElementsAre("it's"));
  EXPECT_THAT(words("'' \"\" x"), ElementsAre("", "", "x"));
}

TEST(QuotedWords, Escapes) {
  EXPECT_THAT(words(R"(\a\b\E\f\n\r\t\v)"), ElementsAre("\a\b\x1b\f\n\r\t\v"));
  EXPECT_THAT(words(R"(\101\7x\1234)"), ElementsAre("A\ax"
                                                    "S4"));
  EXPECT_THAT(words(R"(\x41\x4a4b \xg)"), ElementsAre("AK", "xg"));  // all hexadecimal digits: 4a4b ends in 4b
  EXPECT_THAT(words(R"(\cA\c[ \c)"), ElementsAre("\x01\x1b", "c"));
  EXPECT_THAT(words(R"(a\ b \\ \" \' \#)"), ElementsAre("a b", "\\", "\"", "'", "#"));
  EXPECT_THAT(words(R"("a\"b" 'c\'d' "\n")"), ElementsAre("a\"b", "c'd", "\n"));
}

TEST(QuotedWords, Errors) {
  EXPECT_EQ(error_of(quoted_words("a \"b")), "wanted a closing \"");
  EXPECT_EQ(error_of(quoted_words("a 'b\"")), "wanted a closing '");
  EXPECT_EQ(error_of(quoted_words("a\\")), "wanted a character after the backslash at the end");
  EXPECT_EQ(error_of(quoted_words("a\\0")), "wanted a text without NUL");
  EXPECT_EQ(error_of(quoted_words("a\\x100")), "wanted a text without NUL");
}

TEST(QuotedWord, IsOne) {
  EXPECT_EQ(quoted_word(R"("^a\\.b\t$")").value(), "^a\\.b\t$");
  EXPECT_FALSE(quoted_word("a b"));
  EXPECT_FALSE(quoted_word(""));
}

TEST(Command, OneParameterIsSplitAgain) {
  const Command read = command(R"("/bin/check 'a b' c")").value();
  EXPECT_EQ(read.text, "/bin/check 'a b' c");
  EXPECT_THAT(read.arguments, ElementsAre("/bin/check", "a b", "c"));
  EXPECT_THAT(command("/bin/true").value().arguments, ElementsAre("/bin/true"));
  EXPECT_THAT(command(R"('/bin/sh -c "exit 3"')").value().arguments, ElementsAre("/bin/sh", "-c", "exit 3"));
  EXPECT_THAT(command(R"("/bin/echo \"a b\" \\\\")").value().arguments, ElementsAre("/bin/echo", "a b", "\\"));
}

TEST(Command, Errors) {
  EXPECT_EQ(command("/bin/check a").error().message, "wanted one parameter: put a command with arguments in quotes");
  EXPECT_EQ(command("").error().message, "wanted a command");
  EXPECT_EQ(command("\"\"").error().message, "wanted the path of a program");
  EXPECT_EQ(command("\" '' a\"").error().message, "wanted the path of a program");
  EXPECT_EQ(command("\"/bin/check 'a\"").error().message, "wanted a closing '");
}

TEST(CommandLine, TakesAUserAndGroup) {
  const CommandLine read = command_line(R"("/etc/notify.sh up" nobody nogroup)").value();
  EXPECT_THAT(read.command.arguments, ElementsAre("/etc/notify.sh", "up"));
  EXPECT_EQ(read.user, "nobody");
  EXPECT_EQ(read.group, "nogroup");
  EXPECT_EQ(command_line("/etc/notify.sh").value().user, "");
  EXPECT_EQ(command_line("/etc/notify.sh a b c").error().message,
            "wanted COMMAND [USER [GROUP]]: put a command with arguments in quotes");
}

}  // namespace
}  // namespace lbdp::config
