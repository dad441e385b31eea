// SPDX-License-Identifier: BSD-2-Clause
#include "control/reloader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

namespace lbdp::control {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

/// Loads wait for the test: each ends when it is given a candidate.
class ReloaderTest : public testing::Test {
 protected:
  ~ReloaderTest() override {
    // A load that waits for ever would hang the Reloader's end.
    for (auto& load : loads) {
      if (!load->given) give(*load, {});
    }
  }

  struct Load {
    std::promise<Candidate> promise;
    bool given = false;
  };

  static void give(Load& load, Candidate candidate) {
    load.given = true;
    load.promise.set_value(std::move(candidate));
  }

  static Candidate good() {
    Candidate candidate;
    candidate.model = std::make_shared<const config::Model>();
    candidate.changes = {{.kind = config::Change::Kind::kAdded, .what = "vrrp_instance VI_1"}};
    return candidate;
  }

  static Candidate bad(const std::string& refusal) {
    Candidate candidate;
    candidate.refusal = refusal;
    return candidate;
  }

  Reloader::Reply note(const std::string& who) {
    return [this, who](const ReloadReport& report) {
      answered.push_back(who);
      reports.push_back(report);
    };
  }

  void run_until_answered(size_t count) {
    run_until([&] { return answered.size() >= count; });
  }

  template <class Condition>
  void run_until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      io.restart();
      io.run_one_for(20ms);
    }
  }

  asio::io_context io;
  std::vector<std::shared_ptr<Load>> loads;
  std::vector<std::string> answered;
  std::vector<ReloadReport> reports;
  unsigned taken = 0;
  Result<void> outcome;
  Reloader reloader{io, "lb.conf",
                    [this]() -> Reloader::Job {
                      const auto load = loads.emplace_back(std::make_shared<Load>());
                      return [load] { return load->promise.get_future().get(); };
                    },
                    [this](Candidate&) {
                      ++taken;
                      return outcome;
                    }};
};

TEST_F(ReloaderTest, AReloadTakesWhatItLoadsAndTellsTheChanges) {
  reloader.request(false, note("one"));
  give(*loads.at(0), good());
  run_until_answered(1);
  EXPECT_EQ(taken, 1U);
  EXPECT_TRUE(reports[0].ok);
  EXPECT_FALSE(reports[0].dry_run);
  EXPECT_EQ(reports[0].message, "lb.conf reloaded: 0 virtual servers, 0 VRRP instances; 1 change");
  EXPECT_EQ(reports[0].changes, good().changes);
}

TEST_F(ReloaderTest, ADryRunTakesNothing) {
  reloader.request(true, note("one"));
  give(*loads.at(0), good());
  run_until_answered(1);
  EXPECT_EQ(taken, 0U);
  EXPECT_TRUE(reports[0].ok);
  EXPECT_TRUE(reports[0].dry_run);
  EXPECT_EQ(reports[0].message, "lb.conf would be taken: 0 virtual servers, 0 VRRP instances; 1 change");
  EXPECT_EQ(reports[0].changes, good().changes);
}

TEST_F(ReloaderTest, WhatIsRefusedIsNotTaken) {
  reloader.request(false, note("one"));
  give(*loads.at(0), bad("\nlb.conf:3:1: error: unknown keyword"));
  run_until_answered(1);
  EXPECT_EQ(taken, 0U);
  EXPECT_FALSE(reports[0].ok);
  EXPECT_EQ(reports[0].message, "lb.conf not taken, nothing has changed: \nlb.conf:3:1: error: unknown keyword");
}

TEST_F(ReloaderTest, AnErrorOnTheWayIsTold) {
  outcome = fail("eth0: cannot add address 10.0.0.9/32: no buffer space");
  reloader.request(false, note("one"));
  give(*loads.at(0), good());
  run_until_answered(1);
  EXPECT_EQ(taken, 1U);
  EXPECT_FALSE(reports[0].ok);
  EXPECT_THAT(reports[0].message, HasSubstr("nothing has changed: eth0: cannot add address"));
  outcome = {};
  reloader.request(false, note("two"));
  give(*loads.at(1), good());
  run_until_answered(2);
  EXPECT_TRUE(reports[1].ok);
}

// The file may have been written after the load under way had read it.
TEST_F(ReloaderTest, WhoComesDuringALoadIsAnsweredByTheNextTogetherWithAllOthers) {
  reloader.request(false, note("first"));
  for (int i = 0; i < 1000; ++i) reloader.request(false, note("storm"));
  EXPECT_EQ(loads.size(), 1U);
  give(*loads.at(0), bad("too old"));
  run_until_answered(1);
  EXPECT_THAT(answered, ElementsAre("first"));
  ASSERT_EQ(loads.size(), 2U);
  give(*loads.at(1), good());
  run_until_answered(1001);
  EXPECT_EQ(loads.size(), 2U);
  EXPECT_EQ(taken, 1U);
  EXPECT_TRUE(reports.back().ok);
}

TEST_F(ReloaderTest, DryRunsAndReloadsShareALoad) {
  reloader.request(false, note("first"));
  reloader.request(true, note("dry"));
  reloader.request(false, note("wet"));
  give(*loads.at(0), bad("too old"));
  run_until_answered(1);
  give(*loads.at(1), good());
  run_until_answered(3);
  EXPECT_THAT(answered, ElementsAre("first", "dry", "wet"));
  EXPECT_THAT(reports[1].message, StartsWith("lb.conf would be taken"));
  EXPECT_THAT(reports[2].message, StartsWith("lb.conf reloaded"));
  EXPECT_EQ(taken, 1U);
}

TEST_F(ReloaderTest, AnAnswerMayAskAgain) {
  reloader.request(false, [this](const ReloadReport&) { reloader.request(false, note("again")); });
  give(*loads.at(0), good());
  run_until([&] { return loads.size() == 2; });
  give(*loads.at(1), good());
  run_until_answered(1);
  EXPECT_EQ(loads.size(), 2U);
}

TEST_F(ReloaderTest, StoppingAnswersAllAndTakesNothing) {
  reloader.request(false, note("under way"));
  reloader.request(false, note("waiting"));
  reloader.stop();
  EXPECT_THAT(answered, ElementsAre("under way", "waiting"));
  reloader.request(true, note("late"));
  EXPECT_EQ(answered.size(), 3U);
  for (const auto& report : reports) {
    EXPECT_FALSE(report.ok);
    EXPECT_EQ(report.message, "lbdp is stopping");
  }
  const auto guard = asio::make_work_guard(io);  // the load's thread posts back when it comes to it
  io.restart();
  give(*loads.at(0), good());
  EXPECT_EQ(io.run_one_for(10s), 1U);
  EXPECT_EQ(taken, 0U);
  EXPECT_EQ(answered.size(), 3U);
}

TEST(ReloaderEnd, WaitsForTheLoadUnderWay) {
  asio::io_context io;
  bool loaded = false;
  {
    Reloader reloader(
        io, "lb.conf",
        [&]() -> Reloader::Job {
          return [&] {
            loaded = true;
            return Candidate{};
          };
        },
        [](Candidate&) -> Result<void> {
          ADD_FAILURE();
          return {};
        });
    reloader.request(false, [](const ReloadReport&) {});
  }
  EXPECT_TRUE(loaded);
  io.run_for(1s);
}

TEST(ReloadReportLines, TheLogIsBounded) {
  ReloadReport report{
      .ok = true, .message = "lb.conf reloaded", .changes = {}, .warnings = {"lb.conf:1:1: warning: x"}};
  for (int i = 0; i < 1234; ++i) {
    report.changes.push_back(
        {.kind = config::Change::Kind::kRemoved, .what = "real server " + std::to_string(i), .detail = ""});
  }
  const auto lines = to_lines(report);
  ASSERT_EQ(lines.size(), 53U);
  EXPECT_EQ(lines[0], "lb.conf reloaded");
  EXPECT_EQ(lines[1], "  removed: real server 0");
  EXPECT_EQ(lines[51], "  and 1184 more changes");
  EXPECT_EQ(lines[52], "lb.conf:1:1: warning: x");
}

}  // namespace
}  // namespace lbdp::control
