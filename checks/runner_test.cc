// SPDX-License-Identifier: BSD-2-Clause
#include "checks/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <set>
#include <sstream>

#include "checks/hostile_server.h"

namespace lbdp::checks {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Steady = std::chrono::steady_clock;

const std::string kOk = "HTTP/1.0 200 OK\r\n\r\n";
const std::string kUnavailable = "HTTP/1.0 503 Unavailable\r\n\r\n";

class RunnerTest : public testing::Test {
 protected:
  template <class Condition>
  void run_until(Condition condition) {
    const auto deadline = Steady::now() + 15s;
    while (!condition()) {
      ASSERT_LT(Steady::now(), deadline) << log_text.str();
      io.restart();
      io.run_one_for(20ms);
    }
  }

  void run_for(Steady::duration duration) {
    const auto end = Steady::now() + duration;
    run_until([&] { return Steady::now() >= end; });
  }

  static RealServerKey key(const Endpoint& real) {
    return {.service = *ServiceKey::parse("tcp/172.18.250.99:80"), .real = real};
  }

  static Timing timing() {
    return {.delay_loop = 30ms, .connect_timeout = 500ms, .retry = 1, .delay_before_retry = 10ms, .warmup = 0ms};
  }

  static HttpGetParams http(const Endpoint& connect) {
    return {.timing = timing(),
            .connect = connect,
            .urls = {{.path = "/index.html", .status_code = {{200, 200}}, .host = "x"}}};
  }

  static TargetParams target(const Endpoint& real) { return {.key = key(real), .checkers = {http(real)}}; }

  asio::io_context io;
  std::ostringstream log_text;
  spdlog::logger log{"test", std::make_shared<spdlog::sinks::ostream_sink_st>(log_text)};
  std::vector<Verdict> verdicts;
  Runner runner{io, [this](const Verdict& verdict) { verdicts.push_back(verdict); }, log};
};

TEST_F(RunnerTest, FirstFailureTakesItOutAndOneSuccessBringsItBack) {
  HostileServer server(io, {.answer = kUnavailable, .close = true});
  runner.apply({target(server.endpoint())});
  EXPECT_TRUE(runner.is_up(key(server.endpoint())));
  run_until([&] { return verdicts.size() == 1; });
  EXPECT_EQ(server.connections, 1U);
  EXPECT_FALSE(runner.is_up(key(server.endpoint())));
  EXPECT_FALSE(verdicts[0].up);
  EXPECT_EQ(verdicts[0].key, key(server.endpoint()));
  EXPECT_EQ(verdicts[0].reason, "HTTP 503, wanted 200");
  EXPECT_EQ(verdicts[0].type, "HTTP_GET");
  server.set_script({.answer = kOk, .close = true});
  run_until([&] { return verdicts.size() == 2; });
  EXPECT_TRUE(verdicts[1].up);
  EXPECT_EQ(verdicts[1].reason, "HTTP 200");
  EXPECT_TRUE(runner.is_up(key(server.endpoint())));
}

TEST_F(RunnerTest, SteadyFailureTakesRetries) {
  HostileServer server(io, {.answer = kOk, .close = true});
  runner.apply({target(server.endpoint())});
  run_until([&] { return runner.status().at(0).probes == 2; });
  server.set_script({.answer = kUnavailable, .close = true});
  run_until([&] { return verdicts.size() == 1; });
  const auto status = runner.status().at(0);
  EXPECT_EQ(status.failures, 2U);  // retry + 1
  EXPECT_EQ(status.probes_failed, 2U);
  EXPECT_FALSE(status.up);
  EXPECT_TRUE(status.checked);
  EXPECT_EQ(status.last_result, "HTTP 503, wanted 200");
  EXPECT_TRUE(status.last_time.has_value());
  const auto name = "[127.0.0.1]:tcp:" + std::to_string(server.endpoint().port);
  EXPECT_THAT(log_text.str(),
              HasSubstr("Activating healthchecker for service " + name + " for VS [172.18.250.99]:tcp:80"));
  EXPECT_THAT(log_text.str(), HasSubstr("Remote Web server " + name + " succeed on service."));
  EXPECT_THAT(log_text.str(), HasSubstr("HTTP_CHECK on service " + name + " failed after 1 retries."));
}

TEST_F(RunnerTest, AlphaWaitsForTheFirstSuccess) {
  HostileServer server(io, {.answer = kOk, .close = true});
  auto params = target(server.endpoint());
  params.alpha = true;
  runner.apply({params});
  EXPECT_FALSE(runner.is_up(params.key));
  run_until([&] { return verdicts.size() == 1; });
  EXPECT_TRUE(verdicts[0].up);
}

TEST_F(RunnerTest, UpWhileNoneOfItsCheckersHasFailed) {
  HostileServer one(io, {.answer = kUnavailable, .close = true});
  HostileServer two(io, {.answer = kUnavailable, .close = true});
  auto params = target(one.endpoint());
  params.checkers.emplace_back(http(two.endpoint()));
  runner.apply({params});
  run_until([&] { return !runner.status().at(0).up && !runner.status().at(1).up; });
  EXPECT_EQ(verdicts.size(), 1U);  // the second failure changes nothing
  one.set_script({.answer = kOk, .close = true});
  run_until([&] { return runner.status().at(0).up; });
  EXPECT_EQ(verdicts.size(), 1U);
  EXPECT_FALSE(runner.is_up(params.key));
  two.set_script({.answer = kOk, .close = true});
  run_until([&] { return verdicts.size() == 2; });
  EXPECT_TRUE(verdicts[1].up);
}

TEST_F(RunnerTest, UnknownAndUncheckedServersAreUp) {
  const auto real = *Endpoint::parse("192.0.2.1:80");
  EXPECT_TRUE(runner.is_up(key(real)));
  runner.apply({{.key = key(real), .alpha = true}});
  EXPECT_TRUE(runner.is_up(key(real)));
  EXPECT_TRUE(runner.status().empty());
}

TEST_F(RunnerTest, ReloadKeepsStateTimerAndTheCheckInFlight) {
  HostileServer dead(io, {.answer = kUnavailable, .close = true});
  HostileServer silent(io, {});
  HostileServer fresh(io, {.answer = kOk, .close = true});
  runner.apply({target(dead.endpoint()), target(silent.endpoint())});
  run_until([&] { return verdicts.size() == 1 && silent.connections == 1; });
  const auto probes = runner.status().at(0).probes;
  // Another order and a new server: what is known goes on where it was.
  runner.apply({target(fresh.endpoint()), target(silent.endpoint()), target(dead.endpoint())});
  EXPECT_FALSE(runner.is_up(key(dead.endpoint())));
  EXPECT_EQ(runner.status().at(2).probes, probes);
  run_until([&] { return verdicts.size() == 2; });  // the check in flight ran into its deadline
  EXPECT_EQ(silent.connections, 1U);
  EXPECT_EQ(verdicts[1].key, key(silent.endpoint()));
  EXPECT_EQ(verdicts[1].reason, "no answer within 0.5 s");
  run_until([&] { return fresh.connections > 0; });
}

TEST_F(RunnerTest, ReloadWithAnotherDefinitionStartsThatCheckerOver) {
  HostileServer server(io, {.answer = kUnavailable, .close = true});
  runner.apply({target(server.endpoint())});
  run_until([&] { return verdicts.size() == 1; });
  auto changed = target(server.endpoint());
  std::get<HttpGetParams>(changed.checkers[0]).urls[0].path = "/other.html";
  runner.apply({changed});
  EXPECT_FALSE(runner.is_up(changed.key)) << "an edit must not bring a dead server back";
  EXPECT_EQ(runner.status().at(0).probes, 0U);
  server.set_script({.answer = kOk, .close = true});
  run_until([&] { return verdicts.size() == 2; });
  EXPECT_TRUE(verdicts[1].up);
  EXPECT_THAT(server.last_request, HasSubstr("GET /other.html "));
}

TEST_F(RunnerTest, ReloadWithAnotherTimingChangesTheCheckerInPlace) {
  HostileServer server(io, {.answer = kUnavailable, .close = true});
  runner.apply({target(server.endpoint())});
  run_until([&] { return verdicts.size() == 1; });
  const auto before = runner.status().at(0);
  auto changed = target(server.endpoint());
  auto& timing = std::get<HttpGetParams>(changed.checkers[0]).timing;
  timing.retry = 5;
  timing.delay_loop = 10ms;
  timing.delay_before_retry = 10ms;
  runner.apply({changed});
  const auto after = runner.status().at(0);
  EXPECT_FALSE(after.up);
  EXPECT_EQ(after.probes, before.probes);
  EXPECT_EQ(after.failures, before.failures);
  EXPECT_EQ(after.last_result, before.last_result);
  EXPECT_EQ(after.retry, 5U);
  server.set_script({.answer = kOk, .close = true});
  const auto began = Steady::now();
  run_until([&] { return verdicts.size() == 2; });
  EXPECT_LT(Steady::now() - began, 1s) << "a checker that starts over waits for a second";
}

TEST_F(RunnerTest, ReloadWithAnotherTimingKeepsTheCheckInFlight) {
  HostileServer silent(io, {});
  runner.apply({target(silent.endpoint())});
  run_until([&] { return silent.connections == 1; });
  auto changed = target(silent.endpoint());
  std::get<HttpGetParams>(changed.checkers[0]).timing.delay_loop = 5s;
  std::get<HttpGetParams>(changed.checkers[0]).timing.connect_timeout = 60s;
  runner.apply({changed});
  run_until([&] { return verdicts.size() == 1; });
  EXPECT_EQ(silent.connections, 1U);
  EXPECT_EQ(verdicts[0].reason, "no answer within 0.5 s") << "its deadline is the one that it began with";
}

TEST_F(RunnerTest, ReloadWithALongerDelayPutsTheCheckOff) {
  HostileServer server(io, {.answer = kOk, .close = true});
  auto params = target(server.endpoint());
  auto& timing = std::get<HttpGetParams>(params.checkers[0]).timing;
  timing.delay_loop = 300ms;
  runner.apply({params});
  run_until([&] { return runner.status().at(0).probes == 1; });
  timing.delay_loop = 1h;
  runner.apply({params});
  run_for(600ms);
  EXPECT_EQ(runner.status().at(0).probes, 1U);
  timing.delay_loop = 20ms;
  runner.apply({params});
  run_until([&] { return runner.status().at(0).probes == 3; });
}

TEST_F(RunnerTest, OfTwoCheckersThatDifferInTimingTheEqualOneStays) {
  HostileServer server(io, {.answer = kUnavailable, .close = true});
  auto params = target(server.endpoint());
  params.checkers.push_back(params.checkers[0]);
  std::get<HttpGetParams>(params.checkers[0]).timing.retry = 7;
  std::get<HttpGetParams>(params.checkers[0]).timing.warmup = 1h;  // never runs here
  runner.apply({params});
  run_until([&] { return runner.status().at(1).probes == 1; });
  std::swap(params.checkers[0], params.checkers[1]);
  runner.apply({params});
  EXPECT_EQ(runner.status().at(0).retry, 1U);
  EXPECT_EQ(runner.status().at(0).probes, 1U);
  EXPECT_EQ(runner.status().at(1).retry, 7U);
  EXPECT_EQ(runner.status().at(1).probes, 0U);
}

TEST_F(RunnerTest, WhatAReloadWillSayIsKnownBeforeIt) {
  HostileServer dead(io, {.answer = kUnavailable, .close = true});
  HostileServer good(io, {.answer = kOk, .close = true});
  auto both = target(dead.endpoint());
  both.checkers.emplace_back(http(good.endpoint()));
  runner.apply({both});
  run_until([&] { return verdicts.size() == 1; });
  auto only_good = both, only_dead = both, other_dead = both, slower = both, fresh = both, fresh_alpha = both,
       none = both;
  only_good.checkers.erase(only_good.checkers.begin());
  only_dead.checkers.pop_back();
  std::get<HttpGetParams>(other_dead.checkers[0]).urls[0].path = "/other";
  std::get<HttpGetParams>(slower.checkers[0]).timing.delay_loop = 1h;
  fresh.key.real.port = fresh_alpha.key.real.port = 9;
  fresh_alpha.alpha = true;
  none.checkers.clear();
  for (const auto& params : {slower, only_dead, other_dead, fresh, fresh_alpha, only_good, none, both}) {
    const bool foretold = runner.is_up_with(params);
    runner.apply({params});
    EXPECT_EQ(foretold, runner.is_up(params.key));
    EXPECT_EQ(foretold, params == fresh || params == none || params == only_good);
    runner.apply({both});
    run_until([&] { return !runner.is_up(both.key); });
  }
}

TEST_F(RunnerTest, SomeTargetsAreChangedAndTheOthersGoOn) {
  HostileServer one(io, {.answer = kOk, .close = true});
  HostileServer two(io, {.answer = kOk, .close = true});
  runner.apply({target(one.endpoint()), target(two.endpoint())});
  run_until([&] { return runner.status().at(0).probes > 0 && runner.status().at(1).probes > 0; });
  auto changed = target(two.endpoint());
  changed.checkers.emplace_back(TcpCheckParams{.timing = timing(), .connect = one.endpoint()});
  const auto unknown = target(*Endpoint::parse("127.0.0.1:9"));
  const std::vector<const TargetParams*> some{&changed, &unknown};
  runner.apply_to(some);
  ASSERT_EQ(runner.status().size(), 3U);
  EXPECT_GT(runner.status().at(0).probes, 0U);
  EXPECT_GT(runner.status().at(1).probes, 0U);
  run_until([&] { return runner.status().at(2).probes > 0; });
}

TEST_F(RunnerTest, ACheckerWithoutUrlsIsTheSameAfterAReload) {
  HostileServer server(io, {.answer = kOk, .close = true});
  auto params = target(server.endpoint());
  std::get<HttpGetParams>(params.checkers[0]).urls.clear();
  runner.apply({params});
  run_until([&] { return runner.status().at(0).probes == 1; });
  runner.apply({params});
  EXPECT_GE(runner.status().at(0).probes, 1U);
}

TEST_F(RunnerTest, TakingTheFailedCheckerAwayBringsTheServerUp) {
  HostileServer server(io, {.answer = kUnavailable, .close = true});
  runner.apply({target(server.endpoint())});
  run_until([&] { return verdicts.size() == 1; });
  runner.apply({{.key = key(server.endpoint())}});
  EXPECT_TRUE(runner.is_up(key(server.endpoint())));
}

TEST_F(RunnerTest, WhatIsRemovedIsNotProbedAnyMore) {
  HostileServer server(io, {.answer = kOk, .close = true});
  HostileServer silent(io, {});
  runner.apply({target(server.endpoint()), target(silent.endpoint())});
  run_until([&] { return server.connections > 0 && silent.connections > 0; });
  runner.stop();
  const auto connections = server.connections;
  run_for(600ms);                                  // longer than delay_loop and connect_timeout
  EXPECT_LE(server.connections, connections + 1);  // one may have been in flight
  EXPECT_TRUE(verdicts.empty());
  EXPECT_TRUE(runner.status().empty());
}

TEST_F(RunnerTest, TheCallbackMayReload) {
  HostileServer server(io, {.answer = kUnavailable, .close = true});
  size_t calls = 0;
  Runner reloading(
      io,
      [&](const Verdict&) {
        ++calls;
        reloading.apply({});
      },
      log);
  reloading.apply({target(server.endpoint())});
  run_until([&] { return calls == 1; });
  EXPECT_TRUE(reloading.status().empty());
}

TEST_F(RunnerTest, EqualKeysCountOnce) {
  HostileServer server(io, {.answer = kOk, .close = true});
  runner.apply({target(server.endpoint()), target(server.endpoint())});
  EXPECT_EQ(runner.status().size(), 1U);
}

TEST_F(RunnerTest, DestroyedWithChecksInFlight) {
  HostileServer silent(io, {});
  {
    Runner short_lived(
        io, [](const Verdict&) { FAIL(); }, log);
    short_lived.apply({target(silent.endpoint())});
    run_until([&] { return silent.connections == 1; });
    short_lived.apply({target(silent.endpoint()), target(*Endpoint::parse("127.0.0.1:9"))});  // a start is queued
  }
  run_for(600ms);
}

TEST_F(RunnerTest, FirstChecksAreSpreadOverTheWarmup) {
  HostileServer server(io, {.answer = kOk, .close = true});
  std::vector<TargetParams> targets;
  for (uint16_t i = 1; i <= 100; ++i) {
    auto params = target(server.endpoint());
    params.key.real.port = i;
    auto& checker = std::get<HttpGetParams>(params.checkers[0]);
    checker.timing.warmup = 1s;
    checker.timing.delay_loop = 60s;
    targets.push_back(params);
  }
  runner.apply(targets);
  std::set<int64_t> tenths;
  size_t seen = 0;
  const auto began = Steady::now();
  run_until([&] {
    if (server.connections > seen) {
      seen = server.connections;
      tenths.insert(std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - began).count() / 100);
    }
    return seen == 100;
  });
  EXPECT_GE(*tenths.begin(), 10);  // nothing within the first second
  EXPECT_GE(tenths.size(), 8U);    // and no storm after it
}

}  // namespace
}  // namespace lbdp::checks
