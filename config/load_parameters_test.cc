// SPDX-License-Identifier: BSD-2-Clause
// $NAME=VALUE, $NAME, ${NAME}. What Debian's keepalived 2.2.7 made of each row, seen in its dump (keepalived -D -d -P),
// is what is expected here, unless the row says otherwise.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "config/read_support.h"

namespace lbdp::config {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;

struct Case {
  const char* name;
  const char* text;
  std::vector<std::string> lines;
  std::vector<std::string> findings = {};
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}
std::string name_of(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

class ParameterText : public testing::TestWithParam<Case> {};

TEST_P(ParameterText, IsReplaced) {
  const Read read = read_text(GetParam().text);
  EXPECT_THAT(read.lines, ElementsAreArray(GetParam().lines));
  EXPECT_THAT(read.findings, ElementsAreArray(GetParam().findings));
}

const Case kValues[] = {
    {"Plain", "$A=10.0.0.1\nx $A\nx ${A}5\n", {"x|10.0.0.1", "x|10.0.0.15"}},
    {"SeveralWords", "$A=a b\nx $A c\n", {"x|a|b|c"}},
    {"Empty", "$A=\nx $A\ny${A}z\n$A\n", {"x", "yz"}},
    {"BlanksAround", "   $A=   a   \nx $A\n", {"x|a"}},
    {"Comment", "$A=a # b\nx $A\n", {"x|a"}},
    {"Quotes", "$A=\"x # y\" z  # c\nrouter_id $A\n", {"router_id|x # y|z"}},
    {"InQuotes",
     "$A=1\nx \"a ${A} $A b\" \"$A\"\n",
     {"x|a 1 1 b|$A"},
     {"lb.conf:2:18: warning: '$A' is not replaced here: behind it may be a blank, ',' or ')' only; write '${NAME}'"}},
    {"AsTheKeyword", "$A=x y\n$A z\n", {"x|y|z"}},
    {"CommaAndParenthesis", "$A=1\nx $A, $A)\n", {"x|1,|1)"}},
    {"SetAgain", "$A=1\nx $A\n$A=2\nx $A\n", {"x|1", "x|2"}},
    {"Recursive", "$A=10.2.${B}\n$B=0\n${A}.100\n$B=10\n${A}.100\n", {"10.2.0.100", "10.2.10.100"}},
    {"Names", "$_a9=1\n$AB=2\n$A=3\nx ${_a9}${AB}${A}\n", {"x|123"}},
    {"Brace", "$A=v {\n$A\na }\n", {"v {", "> a"}},
    {"DefinedBehindABrace", "v { $A=b\nx $A\n}\n", {"v {", "> x|b"}},
    {"ClosingBraceInTheValue", "v { $A=b }\nx $A\n", {"v {", "> x|b"}},
    // Not in keepalived 2.2.7, where the sign starts a comment in what was put in.
    {"EscapedComment", "$A=a\\#b\nx $A c\n", {"x|a#b|c"}},
};
INSTANTIATE_TEST_SUITE_P(Values, ParameterText, testing::ValuesIn(kValues), name_of);

const Case kConditions[] = {
    {"Definition",
     "@lbdp $P=1\n@other $P=2\nx $P\n",
     {"x|1"},
     {"lb.conf:2:1: note: lines behind '@other' are left out: the config-id is 'lbdp' (option -i sets another)"}},
    {"ConditionAsValue", "$IF=@lbdp\n$UNLESS=@^lbdp\n$IF x\n$UNLESS y\n", {"x"}},
    {"TwoConditions", "@lbdp @lbdp x\n", {"@lbdp|x"}},  // keepalived: an unknown keyword "@main"
    {"BehindABrace", "v { @lbdp a\n@^lbdp b }\n}\n", {"v {", "> a"}},
    {"Alone", "@lbdp\nx\n", {"x"}},
    {"WithoutId",
     "@ x\n@^ y\n",
     {"y"},
     {"lb.conf:1:1: warning: '@' without a config-id drops its line always; write '@ID LINE' or '@^ID LINE'",
      "lb.conf:2:1: warning: '@^' without a config-id keeps its line always; write '@ID LINE' or '@^ID LINE'"}},
};
INSTANTIATE_TEST_SUITE_P(Conditions, ParameterText, testing::ValuesIn(kConditions), name_of);

const Case kBodies[] = {
    {"Lines", "$M= \\\n a ${N} { \\\n  b \\\n }\n$N=1\n$M\n$N=2\n${M}\n", {"a|1 {", "> b", "a|2 {", "> b"}},
    {"FirstLineOnTheDefinition", "$M=a \\\nb\n$M\n", {"a", "b"}},
    {"BehindOtherWords", "$M=a \\\nb\nx $M\n", {"x|a", "b"}},
    {"Comments", "$M=a \\\nb # c \\\n c \\ # d\nd\n$M\n", {"a", "b", "c", "d"}},
    {"BlankBehindTheBackslash", "$M= \\\na \\   \nb\n$M\nc\n", {"a", "b", "c"}},
    {"BackslashAlone", "$M=a \\\n \\\nb\n$M\n", {"a", "b"}},
    {"EmptyLineEndsIt", "$M=a \\\n\nb\n$M\n", {"b", "a"}},
    {"CommentLineEndsIt", "$M=a \\\n# c\nb\n$M\n", {"b", "a"}},
    {"Conditions", "$M=a \\\n@lbdp b \\\n@^lbdp c\n$M\n", {"a", "b"}},
    {"Nested", "$M=b \\\nc\n$N=a \\\n$M\n$N\nd\n", {"a", "b", "c", "d"}},
    {"NestedInTheMiddle", "$M=b \\\nc\n$N=a \\\n$M \\\nd\n$N\n", {"a", "b", "c", "d"}},
    {"DefinitionsInside", "$M=$A=1 \\\nx $A \\\n$A=2 \\\nx $A\n$M\n", {"x|1", "x|2"}},
    {"NotAtTheEnd",
     "$M=a \\\nb\n$M x\n",
     {"$M|x"},
     {"lb.conf:3:1: warning: '$M' is not replaced here: a parameter of several lines must end its line"}},
    {"NothingInIt", "$M= \\\n\n$M\nx\n", {"x"}},
    {"BackslashElsewhere", "x a \\\ny\n", {"x|a|\\", "y"}},
};
INSTANTIATE_TEST_SUITE_P(Bodies, ParameterText, testing::ValuesIn(kBodies), name_of);

const Case kUndefined[] = {
    {"InScripts",
     "script \"/bin/x $HOME ${USER}\"\n",
     {"script|/bin/x $HOME ${USER}"},
     {"lb.conf:1:16: warning: '$HOME' is not defined, so the text stays as it is",
      "lb.conf:1:22: warning: '${USER}' is not defined, so the text stays as it is"}},
    {"SaidOnce",
     "x $A\ny $A\n",
     {"x|$A", "y|$A"},
     {"lb.conf:1:3: warning: '$A' is not defined, so the text stays as it is"}},
    // keepalived takes the brace for the beginning of a block, and refuses it.
    {"WithBraces",
     "router_id x${UNDEF}y\n",
     {"router_id|x${UNDEF}y"},
     {"lb.conf:1:12: error: '${UNDEF}' is not defined"}},
    {"NoName",
     "router_id x${9}y\n",
     {"router_id|x${9}y"},
     {"lb.conf:1:12: error: '${' begins no parameter: wanted ${NAME}"}},
    {"NoUse", "regex \"^a$\" b$ $1 $$\n", {"regex|^a$|b$|$1|$$"}},
    {"NotASecret",
     "auth_pass $SECRET\n",
     {"auth_pass|$SECRET"},
     {"lb.conf:1:11: warning: a parameter is not defined, so the text stays as it is"}},
    {"BlankBeforeEquals",
     "$A =1\n",
     {"$A|=1"},
     {"lb.conf:1:1: warning: '$A' is not defined, so the text stays as it is"}},
};
INSTANTIATE_TEST_SUITE_P(Undefined, ParameterText, testing::ValuesIn(kUndefined), name_of);

TEST(Predefined, SignsOfComments) {
  // keepalived 2.2.7 does so in quotes; elsewhere what it puts in starts a comment, against its manual.
  EXPECT_THAT(read_text("x a${_HASH}b ${_BANG} \"${_HASH}c ${_BANG}\" d\n").lines, ElementsAre("x|a#b|!|#c !|d"));
}

TEST(Predefined, Random) {
  const Read read = read_text("x ${_RANDOM} ${_RANDOM 5 6} ${_RANDOM 32767} ${_RANDOM 7 7}\n");
  ASSERT_EQ(read.lines.size(), 1u);
  unsigned a = 0, b = 0, c = 0, d = 0;
  ASSERT_EQ(std::sscanf(read.lines[0].c_str(), "x|%u|%u|%u|%u", &a, &b, &c, &d), 4) << read.lines[0];
  EXPECT_LE(a, 32767u);
  EXPECT_TRUE(b == 5 || b == 6) << b;
  EXPECT_EQ(c, 32767u);
  EXPECT_EQ(d, 7u);
}

TEST(Predefined, RandomIsTheSameForTheSameSeed) {
  const std::string text = "x ${_RANDOM} ${_RANDOM 0 4000000000}\n";
  EXPECT_EQ(read_text(text).lines, read_text(text).lines);  // a reload of the same file changes nothing
  EXPECT_EQ(read_text("random_seed 5\n" + text).lines, read_text("random_seed 5\n" + text).lines);
  EXPECT_NE(read_text("random_seed 5\n" + text).lines[1], read_text("random_seed 6\n" + text).lines[1]);
}

TEST(Predefined, Instance) {
  LoadOptions options;
  options.config_id = "node7";
  EXPECT_THAT(read_text("x ${_INSTANCE}\n", options).lines, ElementsAre("x|node7"));
}

TEST(Predefined, Environment) {
  ASSERT_EQ(setenv("LBDP_TEST_VALUE", "a b", 1), 0);
  EXPECT_THAT(read_text("x ${_ENV LBDP_TEST_VALUE} ${_ENV LBDP_TEST_NONE}y\n").lines, ElementsAre("x|a|b|y"));
  unsetenv("LBDP_TEST_VALUE");
}

TEST(Predefined, CanBeOverridden) {
  EXPECT_THAT(read_text("$_PWD=/etc\nx ${_PWD}\n").lines, ElementsAre("x|/etc"));
}

TEST(ParameterLimits, ThatContainThemselves) {  // keepalived never comes back
  for (const char* text : {"$A=$A\nx $A\ny\n", "$A=x${B}\n$B=y${A}\nx ${A}\ny\n", "$A=${A}${A}\nx ${A}\ny\n"}) {
    const Read read = read_text(text);
    EXPECT_THAT(read.lines, ElementsAre("y")) << text;
    ASSERT_EQ(read.findings.size(), 1u) << text;
    EXPECT_THAT(read.findings[0], HasSubstr("more than 1000 replacements in one line")) << text;
  }
}

TEST(ParameterLimits, LinesThatContainThemselves) {
  const Read read = read_text("$M=a \\\n$M\n$M\nb\n");
  ASSERT_EQ(read.findings.size(), 1u);
  EXPECT_THAT(read.findings[0], HasSubstr("nested more than 64 deep; the rest is not read"));
}

TEST(ParameterLimits, TextIsBounded) {
  std::string text = "$A=" + std::string(1000, 'a') + "\n$B=${A}${A}${A}${A}${A}${A}${A}${A}\n";
  text += "$C=${B}${B}${B}${B}${B}${B}${B}${B}${B}\nx ${C}\n";
  Read read = read_text(text);
  ASSERT_EQ(read.findings.size(), 1u);
  EXPECT_THAT(read.findings[0], HasSubstr("with its parameters the line is longer than 64 KiB"));

  LoadOptions options;
  options.limits.expanded_bytes = 10'000;
  read = read_text("$A=" + std::string(1000, 'a') + "\n~SEQ(i,1,100) $A\nb\n", options);
  EXPECT_LT(read.lines.size(), 10u);
  EXPECT_THAT(read.findings, testing::Contains(HasSubstr("replacing parameters makes too much text; the rest is not")));
}

TEST(Places, OfReplacedTextAreWhereItWasWritten) {
  const Read read = read_text("$A=a b\nx $A \"c\n");
  EXPECT_THAT(read.findings, ElementsAre("lb.conf:2:6: error: this quote has no closing quote on the line"));
  EXPECT_EQ(read.excerpts[0], "x $A \"c\n     ^\nwith its parameters: x a b \"c");
}

TEST(Places, OfSeveralLinesAreInTheDefinition) {
  const Read read = read_text("$M=a \\\nb ${N} \\\nc \"d\n$N=1\n\n$M\n");
  EXPECT_THAT(read.findings, ElementsAre("lb.conf:3:3: error: this quote has no closing quote on the line"));
  EXPECT_EQ(read.excerpts[0], "c \"d\n  ^\nused at lb.conf:6:1");
}

TEST(Places, SecretsAreNotShown) {
  const Read read = read_text("$A=geheim\nauth_pass $A \"x\n");
  ASSERT_EQ(read.excerpts.size(), 1u);
  EXPECT_EQ(read.excerpts[0], "");
}

TEST(LongLines, AreTakenAndReportedOnce) {
  const std::string word(1100, 'a');
  const Read read = read_text("x " + word + "\ny " + word + "\n");
  EXPECT_THAT(read.lines, ElementsAre("x|" + word, "y|" + word));
  EXPECT_THAT(read.findings, ElementsAre("lb.conf:1:1: warning: this line has 1103 characters; keepalived reads lines "
                                         "of up to 1023 and would cut or refuse it"));
}

}  // namespace
}  // namespace lbdp::config
