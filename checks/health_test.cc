// SPDX-License-Identifier: BSD-2-Clause
#include "checks/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lbdp::checks {
namespace {

using namespace std::chrono_literals;
using Clock = Health::Clock;

/// One scenario: a script of probe results, and what comes of each: "seconds to the next probe, new verdict".
struct Row {
  std::string name;
  Timing timing;
  size_t urls;
  bool alpha;
  std::string results;              // S success, F failure, N not run
  std::vector<std::string> wanted;  // "6", "6 DOWN", "6 UP"
  std::string urls_probed;          // the step of each probe, as digits
};

Timing timing(Duration delay_loop, unsigned retry, Duration delay_before_retry) {
  return {.delay_loop = delay_loop, .retry = retry, .delay_before_retry = delay_before_retry, .warmup = delay_loop};
}

const Timing kReference = timing(6s, 3, 3s);  // the reference set-up's

const std::vector<Row> kRows = {
    {"SteadySuccess", kReference, 1, false, "SSS", {"6", "6", "6"}, "000"},
    {"FirstFailureRemovesWithoutRetries", kReference, 1, false, "FS", {"6 DOWN", "6 UP"}, "00"},
    {"DownAfterRetryPlusOneFailures", kReference, 1, false, "SFFFF", {"6", "3", "3", "3", "6 DOWN"}, "00000"},
    {"SuccessWithinRetriesResetsTheCount",
     kReference,
     1,
     false,
     "SFFFSFFFF",
     {"6", "3", "3", "3", "6", "3", "3", "3", "6 DOWN"},
     "000000000"},
    {"OneSuccessBringsItUp", kReference, 1, false, "FFFS", {"6 DOWN", "6", "6", "6 UP"}, "0000"},
    {"RetriesAgainAfterRecovery",
     kReference,
     1,
     false,
     "FSFFFF",
     {"6 DOWN", "6 UP", "3", "3", "3", "6 DOWN"},
     "000000"},
    {"NoRetries", timing(6s, 0, 3s), 1, false, "SFSF", {"6", "6 DOWN", "6 UP", "6 DOWN"}, "0000"},
    {"DownUsesTheLongerDelay", timing(2s, 1, 5s), 1, false, "SFFFS", {"2", "5", "5 DOWN", "5", "2 UP"}, "00000"},
    {"AlphaStartsDown", kReference, 1, true, "FFS", {"6", "6", "6 UP"}, "000"},
    {"AlphaUpByTheFirstSuccess", kReference, 1, true, "SF", {"6 UP", "3"}, "00"},
    {"NotRunChangesNothing", kReference, 1, false, "SFNNFFF", {"6", "3", "3", "3", "3", "3", "6 DOWN"}, "0000000"},
    {"NotRunIsNotTheFirstCheck", kReference, 1, false, "NF", {"3", "6 DOWN"}, "00"},
    {"UrlsInTurnOneADelayLoop", kReference, 3, false, "SSSS", {"6", "6", "6", "6"}, "0120"},
    {"FailedUrlIsRetried", timing(6s, 2, 3s), 3, false, "SFFSS", {"6", "3", "3", "6", "6"}, "01112"},
    {"AllUrlsMustPassFromTheFailedOne",
     timing(6s, 1, 3s),
     3,
     false,
     "SFFSSSS",
     {"6", "3", "6 DOWN", "6", "6", "6 UP", "6"},
     "0111201"},
    {"FailureWhileRecoveringStartsOver",
     timing(6s, 0, 3s),
     2,
     false,
     "SFSFSS",
     {"6", "6 DOWN", "6", "6", "6", "6 UP"},
     "011001"},
    {"AlphaNeedsAllUrls", kReference, 2, true, "SS", {"6", "6 UP"}, "01"},
};

class HealthTable : public testing::TestWithParam<Row> {};

std::string seconds(Clock::duration d) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(d).count());
}

TEST_P(HealthTable, GivesTheseVerdictsAndDelays) {
  const auto& row = GetParam();
  Health health(row.timing, row.urls, !row.alpha);
  EXPECT_EQ(health.up(), !row.alpha);
  Clock::time_point now{};
  std::vector<std::string> got;
  std::string probed;
  for (const char result : row.results) {
    probed += std::to_string(health.step());
    const auto actions = result == 'S'   ? health.succeeded(now)
                         : result == 'F' ? health.failed(now)
                                         : health.not_run(now);
    const std::string verdict = !actions.verdict_changed ? "" : health.up() ? " UP" : " DOWN";
    got.push_back(seconds(actions.next_probe - now) + verdict);
    now = actions.next_probe;
  }
  EXPECT_THAT(got, testing::ElementsAreArray(row.wanted));
  EXPECT_EQ(probed, row.urls_probed);
}

INSTANTIATE_TEST_SUITE_P(Keepalived, HealthTable, testing::ValuesIn(kRows),
                         [](const auto& param_info) { return param_info.param.name; });

TEST(Health, FirstCheckIsSpreadOverTheWarmup) {
  Health health(timing(6s, 3, 3s), 1, true);
  const Clock::time_point now{100s};
  EXPECT_EQ(health.start(now, 0.0), now + 1s);
  EXPECT_EQ(health.start(now, 0.5), now + 4s);
  EXPECT_LT(health.start(now, 0.999), now + 7s);
}

// --- a reload with another timing

TEST(HealthChange, WhatIsLeftOfADelayIsScaled) {
  Health health(timing(6s, 3, 3s), 1, true);
  const Clock::time_point now{100s};
  const auto due = health.succeeded(now).next_probe;
  ASSERT_EQ(due, now + 6s);
  EXPECT_EQ(health.change(timing(60s, 3, 3s), due, now + 2s), now + 2s + 40s);  // two thirds were left, and are
  EXPECT_EQ(health.succeeded(now + 42s).next_probe, now + 42s + 60s);
}

TEST(HealthChange, CheckersSpreadOverTheOldDelayAreSpreadOverTheNewOne) {
  const Clock::time_point now{100s};
  for (const auto left : {1s, 30s, 59s}) {
    Health health(timing(60s, 3, 3s), 1, true);
    const auto due = health.succeeded(now - 60s + left).next_probe;
    EXPECT_EQ(health.change(timing(6s, 3, 3s), due, now), now + left / 10.0) << left.count();
  }
}

TEST(HealthChange, OnlyTheDelayThatIsRunningCounts) {
  Health health(timing(6s, 3, 3s), 1, true);
  const Clock::time_point now{100s};
  const auto due = health.succeeded(now).next_probe;
  EXPECT_EQ(health.change(timing(6s, 1, 1s), due, now + 2s), due);  // another retry and delay_before_retry
  const auto retry_at = health.failed(due).next_probe;
  EXPECT_EQ(retry_at, due + 1s);
  EXPECT_EQ(health.change(timing(30s, 1, 1s), retry_at, due), retry_at);  // another delay_loop, within the retries
  EXPECT_EQ(health.change(timing(30s, 1, 4s), retry_at, due), due + 4s);
}

TEST(HealthChange, TheFirstCheckKeepsItsPlaceInTheWarmup) {
  Health health(timing(59s, 3, 3s), 1, true);
  const Clock::time_point now{100s};
  const auto due = health.start(now, 0.5);
  ASSERT_EQ(due, now + 30s + 500ms);
  auto shorter = timing(59s, 3, 3s);
  shorter.warmup = 5s;  // 6 s instead of 60
  EXPECT_EQ(health.change(shorter, due, now), now + 3s + 50ms);
}

TEST(HealthChange, VerdictAndFailuresStay) {
  Health health(timing(6s, 3, 3s), 1, true);
  Clock::time_point now{100s};
  now = health.succeeded(now).next_probe;
  for (int i = 0; i < 2; ++i) now = health.failed(now).next_probe;
  EXPECT_EQ(health.failures(), 2U);
  EXPECT_EQ(health.change(timing(6s, 2, 3s), now, now), now);
  EXPECT_EQ(health.failures(), 2U);
  EXPECT_TRUE(health.failed(now).verdict_changed) << "the third failure is one too many for retry 2";
  (void)health.change(timing(9s, 5, 3s), now + 6s, now);
  EXPECT_FALSE(health.up());
  EXPECT_EQ(health.failed(now + 9s).next_probe, now + 18s);
}

TEST(HealthChange, AsManyFailuresAsTheNewRetryTakesWaitForOneMore) {
  Health health(timing(6s, 5, 3s), 1, true);
  Clock::time_point now{100s};
  now = health.succeeded(now).next_probe;
  for (int i = 0; i < 4; ++i) now = health.failed(now).next_probe;
  (void)health.change(timing(6s, 1, 3s), now, now);
  EXPECT_TRUE(health.up()) << "a reload takes no server out";
  EXPECT_TRUE(health.failed(now).verdict_changed);
}

TEST(HealthChange, WhatIsDueStaysDue) {
  Health health(timing(6s, 3, 3s), 1, true);
  const Clock::time_point now{100s};
  const auto due = health.succeeded(now).next_probe;
  EXPECT_EQ(health.change(timing(60s, 3, 3s), due, due + 1s), due);
}

TEST(Health, ReportsFirstResultsAndChangesOnly) {
  using Report = Health::Report;
  Health health(kReference, 1, true);
  const Clock::time_point now{};
  EXPECT_EQ(health.succeeded(now).report, Report::kSucceeded);  // the first result, though nothing changes
  EXPECT_EQ(health.succeeded(now).report, Report::kNone);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(health.failed(now).report, Report::kNone);
  }
  EXPECT_EQ(health.failed(now).report, Report::kFailedAfterRetries);
  EXPECT_EQ(health.failures(), 4U);
  EXPECT_EQ(health.failed(now).report, Report::kNone);
  EXPECT_EQ(health.succeeded(now).report, Report::kSucceeded);
  EXPECT_EQ(health.failures(), 0U);
}

TEST(Health, ReportsAFirstFailureWithoutSpeakingOfRetries) {
  Health health(kReference, 1, true);
  EXPECT_EQ(health.failed({}).report, Health::Report::kFailed);
  Health alpha(kReference, 1, false);
  EXPECT_EQ(alpha.failed({}).report, Health::Report::kFailed);
  EXPECT_FALSE(alpha.up());
}

}  // namespace
}  // namespace lbdp::checks
