// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/script_tracker.h"

#include <gtest/gtest.h>

#include <string>

namespace lbdp::vrrp {
namespace {

struct Row {
  const char* name;
  ScriptTracker::Params params;
  const char* results;  // + success, - failure
  const char* health;   // after each: u up, d down, ? unknown
};

class Counting : public testing::TestWithParam<Row> {};

TEST_P(Counting, AsKeepalivedCounts) {
  ScriptTracker tracker(GetParam().params);
  std::string health;
  for (const char* result = GetParam().results; *result != 0; ++result) {
    const Health before = tracker.health();
    const bool changed = tracker.take(*result == '+');
    EXPECT_EQ(changed, tracker.health() != before);
    health += tracker.health() == Health::kUp ? 'u' : tracker.health() == Health::kDown ? 'd' : '?';
  }
  EXPECT_EQ(health, GetParam().health);
}

INSTANTIATE_TEST_SUITE_P(
    ScriptTracker, Counting,
    testing::Values(Row{"one_of_each", {1, 1, false}, "+-+-", "udud"},
                    Row{"the_first_decides", {3, 3, false}, "+--+---", "uuuuuud"},
                    Row{"the_first_failure_too", {3, 3, false}, "-++-+++", "ddddddu"},
                    Row{"init_fail", {2, 2, true}, "+-++--", "ddduud"},
                    Row{"a_success_starts_the_count_anew", {1, 3, false}, "+--+--+---", "uuuuuuuuud"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(ScriptTracker, NewNumbersKeepTheHealth) {
  ScriptTracker tracker({1, 1, false});
  tracker.take(true);
  tracker.set_params({1, 3, true});
  EXPECT_EQ(tracker.health(), Health::kUp);
  EXPECT_FALSE(tracker.take(false));
}

struct EffectRow {
  const char* name;
  Health health;
  int weight;
  bool reverse;
  int added;
  const char* fault;
};

class Effects : public testing::TestWithParam<EffectRow> {};

TEST_P(Effects, OfWeightAndReverse) {
  const EffectRow& row = GetParam();
  const TrackerEffect effect = effect_of(row.health, row.weight, row.reverse, "script x");
  EXPECT_EQ(effect.weight, row.added);
  EXPECT_EQ(effect.fault.value_or(""), row.fault);
}

INSTANTIATE_TEST_SUITE_P(
    ScriptTracker, Effects,
    testing::Values(EffectRow{"up_0", Health::kUp, 0, false, 0, ""},
                    EffectRow{"down_0", Health::kDown, 0, false, 0, "script x failed"},
                    EffectRow{"unknown_0", Health::kUnknown, 0, false, 0, "script x: no result yet"},
                    EffectRow{"up_plus", Health::kUp, 20, false, 20, ""},
                    EffectRow{"down_plus", Health::kDown, 20, false, 0, ""},
                    EffectRow{"up_minus", Health::kUp, -20, false, 0, ""},
                    EffectRow{"down_minus", Health::kDown, -20, false, -20, ""},
                    EffectRow{"unknown_minus", Health::kUnknown, -20, false, 0, ""},
                    EffectRow{"up_reverse", Health::kUp, 0, true, 0, "script x succeeded (reverse)"},
                    EffectRow{"down_reverse_plus", Health::kDown, 20, true, 20, ""},
                    EffectRow{"up_reverse_minus", Health::kUp, -20, true, -20, ""}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace lbdp::vrrp
