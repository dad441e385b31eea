// SPDX-License-Identifier: BSD-2-Clause
// ~SEQ, ~SEQx and ~LST. What Debian's keepalived 2.2.7 made of each row, seen in its dump (keepalived -D -d -P), is
// what is expected here, unless the row says otherwise.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/read_support.h"

namespace lbdp::config {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;

struct Case {
  const char* name;
  const char* text;
  std::vector<std::string> lines;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}
std::string name_of(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

class SequenceLine : public testing::TestWithParam<Case> {};

TEST_P(SequenceLine, IsRepeated) {
  const Read read = read_text(GetParam().text);
  EXPECT_THAT(read.lines, ElementsAreArray(GetParam().lines));
  EXPECT_THAT(read.findings, IsEmpty());
}

const Case kNumbers[] = {
    {"EndOnly", "~SEQ(K,3) 10.2.0.${K}\n", {"10.2.0.1", "10.2.0.2", "10.2.0.3"}},
    {"StartAndEnd", "~SEQ(SUBNET, 0, 2) ip 10.0.${SUBNET}.1\n", {"ip|10.0.0.1", "ip|10.0.1.1", "ip|10.0.2.1"}},
    {"Step", "~SEQ(x,1,5,12) ${x}\n", {"1", "6", "11"}},
    {"Down", "~SEQ(x,2,0) ${x}\n", {"2", "1", "0"}},
    {"DownByHexadecimalSteps", "~SEQ(x,0x10,-2,0xc) ${x}\n", {"16", "14", "12"}},
    {"NegativeEnd", "~SEQ(x,-2) ${x}\n", {"-1", "-2"}},
    {"ZeroEnd", "~SEQ(x,0) ${x}\n", {"1", "0"}},
    {"Octal", "~SEQ(x,010) ${x}\n", {"1", "2", "3", "4", "5", "6", "7", "8"}},
    {"Blanks", "  ~SEQ \t( x , 1 , 2 )  a ${x}\n", {"a|1", "a|2"}},
    {"NoBlankBehind", "~SEQ(x,1,2)a.$x\n", {"a.1", "a.2"}},
    {"Hexadecimal", "~SEQx(S, 144, 16, 192) fe80::${S}:1\n", {"fe80::90:1", "fe80::a0:1", "fe80::b0:1", "fe80::c0:1"}},
    {"Nothing", "~SEQ(x,1,2) \n", {}},
    {"LimitFromParameter", "$N=3\n~SEQ(z,2,$N) ${z}\n", {"2", "3"}},
    {"InAParameter", "$A=~SEQ(I,1,2) a.${I}\n$A\n${A} b\n", {"a.1", "a.2", "a.1|b", "a.2|b"}},
    {"RestInTheLine", "$B=~SEQ(I,4,5)\n$B a.${I}\n", {"a.4", "a.5"}},
    {"BehindABrace", "v {\n~SEQ(i,1,2) a ${i} { b }\n}\n", {"v {", "> a|1 {", "> > b", "> a|2 {", "> > b"}},
    {"OnABlocksLine", "v { ~SEQ(i,5,6) a${i}\n}\n", {"v {", "> a5", "> a6"}},
};
INSTANTIATE_TEST_SUITE_P(Numbers, SequenceLine, testing::ValuesIn(kNumbers), name_of);

const Case kLists[] = {
    {"Words", "~LST(Z,7, 8 ,nine) a.${Z}\n", {"a.7", "a.8", "a.nine"}},
    {"Pairs", "~LST({IP, IP1}, {10,1},{20,4}) 192.168.${IP}.${IP1}\n", {"192.168.10.1", "192.168.20.4"}},
    {"MissingValuesAreEmpty", "~LST({X, Y},{1,2},{5}) ${X}.${Y}1\n", {"1.21", "5.1"}},
    {"PairsWithoutBraces", "~LST({a,b},1,2) ${a}.${b}\n", {"1.", "2."}},
    {"BracesAroundOne", "~LST(x,{1},{2}) a${x}\n", {"a1", "a2"}},
    {"EmptyValue", "~LST(x,1,,2) a${x}\n", {"a1", "a", "a2"}},
    {"ParametersAsValues", "$A=1\n~LST(x,$A,b) a${x}\n", {"a1", "ab"}},
};
INSTANTIATE_TEST_SUITE_P(Lists, SequenceLine, testing::ValuesIn(kLists), name_of);

const Case kNested[] = {
    {"TwoSequences", "~SEQ(a,1,2) ~SEQ(b,${a},2) ${a}.${b}\n", {"1.1", "1.2", "2.2"}},
    {"TwoLists", "~LST(a, 1, 2) ~LST(b, 5,6) ${a}.${b}\n", {"1.5", "1.6", "2.5", "2.6"}},
    {"ListAndSequence",
     "~LST({a,b},{10,1},{20,4}) ~SEQ(c,168,2,170) ${c}.${a}.${b}\n",
     {"168.10.1", "170.10.1", "168.20.4", "170.20.4"}},
    {"AroundSeveralLines",
     "$M=10.0.${i}.5 \\\n~SEQ(j,1,2) 10.${j}.${i}.6 \\\n10.0.${i}.7\n~SEQ(i,1,2) $M\n",
     {"10.0.1.5", "10.1.1.6", "10.2.1.6", "10.0.1.7", "10.0.2.5", "10.1.2.6", "10.2.2.6", "10.0.2.7"}},
    // Not in keepalived, whose manual asks for a variable of its own for each ~SEQ: the last value would stay.
    {"VariableIsGoneAfterwards",
     "$i=x\n~SEQ(i,1,2) a${i}\nb${i}\nv { ~SEQ(i,1,1) c${i}\n}\n",
     {"a1", "a2", "bx", "v {", "> cx"}},
};
INSTANTIATE_TEST_SUITE_P(Nested, SequenceLine, testing::ValuesIn(kNested), name_of);

TEST(SequenceErrors, AreReportedOnceAtTheLine) {
  const std::pair<const char*, const char*> cases[] = {
      {"~SEQ(x) a", "~SEQ: wanted (VARIABLE, [START, [STEP,]] END)"},
      {"~SEQ x", "~SEQ: wanted (VARIABLE, [START, [STEP,]] END)"},
      {"~SEQy(x,1) a", "~SEQ: wanted (VARIABLE, [START, [STEP,]] END)"},
      {"~SEQ(x,1,2,3,4) a", "~SEQ: wanted (VARIABLE, [START, [STEP,]] END)"},
      {"~SEQ(x,a) a", "~SEQ: found 'a', wanted a whole number such as 12, 0x1f or 017"},
      {"~SEQ(x,1,0,3) a", "~SEQ: steps of 0 do not lead from 1 to 3"},
      {"~SEQ(x,3,1,1) a", "~SEQ: steps of 1 do not lead from 3 to 1"},
      {"~SEQ(x,1", "~SEQ: ')' is missing"},
      {"~SEQx(x,-1,2) a", "~SEQ: ~SEQx counts from 0 up, not below"},
      {"~SEQ(x,99999999999999999999) a",
       "~SEQ: found '99999999999999999999', wanted a whole number such as 12, 0x1f or 017"},
      {"~SEQ(1,1,2) a", "~SEQ: '1' cannot be a parameter's name"},  // keepalived takes it, and the lines cannot use it
      {"~SEQ(x,) a", "~SEQ: found '', wanted a whole number such as 12, 0x1f or 017"},  // keepalived counts to 0
      {"~LST(x) a", "~LST: wanted (VARIABLE, VALUE, ...) or ({VARIABLE, ...}, {VALUE, ...}, ...)"},
      {"~LST x", "~LST: wanted '(' behind ~LST"},
      {"~LST(x,1,2 a", "~LST: wanted (VARIABLE, VALUE, ...) or ({VARIABLE, ...}, {VALUE, ...}, ...)"},
      {"~LST({a,b},{1,2,3}) a", "~LST: set 1 has 3 values, wanted 2"},
      {"~LST({a,b},{1,2", "~LST: wanted (VARIABLE, VALUE, ...) or ({VARIABLE, ...}, {VALUE, ...}, ...)"},
      {"~LST(,1) a", "~LST: '' cannot be a parameter's name"},
  };
  for (const auto& [text, message] : cases) {
    const Read read = read_text(std::string(text) + "\n");
    EXPECT_THAT(read.findings, ElementsAre("lb.conf:1:1: error: " + std::string(message))) << text;
    EXPECT_THAT(read.lines, IsEmpty()) << text;
  }
}

TEST(SequenceErrors, OtherTildesAreWords) {
  EXPECT_THAT(read_text("~FOO(1) x\n").lines, ElementsAre("~FOO(1)|x"));
}

TEST(SequenceErrors, ALineThatIsRepeatedIsReportedOnce) {
  const Read read = read_text("~SEQ(i,1,500) a \"b\n");
  EXPECT_THAT(read.findings, ElementsAre("lb.conf:1:17: error: this quote has no closing quote on the line"));
}

TEST(SequenceErrors, TheExcerptShowsWhatTheLineReads) {
  const Read read = read_text("~SEQ(i,1,2) a ${i} \"b\n");
  ASSERT_EQ(read.excerpts.size(), 1u);
  EXPECT_EQ(read.excerpts[0], "~SEQ(i,1,2) a ${i} \"b\n                   ^\nwith its parameters: a 1 \"b");
}

TEST(SequenceLimits, LinesAreBounded) {
  LoadOptions options;
  options.limits.expanded_lines = 100;
  const Read read = read_text("x\n~SEQ(i,1,1000000) a ${i}\ny\n", options);
  EXPECT_EQ(read.lines.size(), 101u);
  EXPECT_THAT(read.findings, ElementsAre("lb.conf:2:19: error: parameters and sequences make more than 100 lines; the "
                                         "rest is not read"));
}

TEST(SequenceLimits, NestingIsBounded) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "~SEQ(i" + std::to_string(i) + ",1,2) ";
  const Read read = read_text(text + "a\n");
  EXPECT_THAT(read.lines, IsEmpty());
  EXPECT_THAT(read.findings, testing::Contains(testing::HasSubstr("nested more than 64 deep; the rest is not read")));
}

}  // namespace
}  // namespace lbdp::config
