// SPDX-License-Identifier: BSD-2-Clause
// Cost of one pick by each scheduler, and of building its tables. Arguments: number of real servers.
#include <benchmark/benchmark.h>

#include "dataplane/maglev.h"
#include "dataplane/scheduler_test_support.h"

namespace lbdp::dataplane {
namespace {

using testing::client;
using testing::Pool;

std::vector<uint32_t> weights(int64_t servers) {
  std::vector<uint32_t> out;
  for (int64_t i = 0; i < servers; ++i) out.push_back(static_cast<uint32_t>(i % 5 + 1));
  return out;
}

void pick_with(benchmark::State& state, Scheduler kind, bool thresholds) {
  Pool pool(kind, weights(state.range(0)));
  for (size_t i = 0; i < pool.servers.size(); ++i) {
    pool.open(i, static_cast<int>(i % 7 + 1));
    if (thresholds) pool.set_threshold(i, 1'000'000);
  }
  PickInput input = client(1);
  for (auto _ : state) {
    input.client.second += uint64_t{1} << 32;
    input.hash += 0x9e3779b1U;
    benchmark::DoNotOptimize(pick(pool.table(), pool.state, pool.loads(), input));
  }
}

void unstored(benchmark::State& state) {
  Pool pool(Scheduler::kRoundRobin, weights(state.range(0)));
  PickInput input = client(1);
  for (auto _ : state) {
    input.hash += 0x9e3779b1U;
    benchmark::DoNotOptimize(pick_unstored(pool.table(), input));
  }
}

void build_table(benchmark::State& state, Scheduler kind) {
  Pool pool(kind, weights(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(SchedulerTable(kind, {}, pool.servers));
}

void maglev(benchmark::State& state) {
  std::vector<MaglevServer> servers;
  for (int64_t i = 0; i < state.range(0); ++i)
    servers.push_back({SlotId{static_cast<uint16_t>(i)}, mix64(static_cast<uint64_t>(i)), 1});
  const uint32_t size = maglev_size(servers.size(), static_cast<uint32_t>(state.range(1)));
  for (auto _ : state) benchmark::DoNotOptimize(build_maglev(servers, size));
}

constexpr std::pair<const char*, Scheduler> kSchedulers[] = {
    {"rr", Scheduler::kRoundRobin},
    {"wrr", Scheduler::kWeightedRoundRobin},
    {"lc", Scheduler::kLeastConnection},
    {"wlc", Scheduler::kWeightedLeastConnection},
    {"sed", Scheduler::kShortestExpectedDelay},
    {"nq", Scheduler::kNeverQueue},
    {"sh", Scheduler::kSourceHash},
    {"dh", Scheduler::kDestinationHash},
    {"mh", Scheduler::kMaglev},
    {"fo", Scheduler::kFailover},
    {"ovf", Scheduler::kOverflow},
    {"twos", Scheduler::kTwoChoices},
};

void register_all() {
  for (const auto& [name, kind] : kSchedulers) {
    const std::string text = name;
    benchmark::RegisterBenchmark(("pick/" + text).c_str(), pick_with, kind, false)->Arg(3)->Arg(10)->Arg(100);
    benchmark::RegisterBenchmark(("pick_thresholds/" + text).c_str(), pick_with, kind, true)->Arg(10);
  }
  benchmark::RegisterBenchmark("pick_unstored", unstored)->Arg(10)->Arg(1000);
  for (const auto& [name, kind] : kSchedulers)
    benchmark::RegisterBenchmark((std::string("build/") + name).c_str(), build_table, kind)->Arg(10)->Arg(1000);
  benchmark::RegisterBenchmark("maglev", maglev)->Args({10, 61})->Args({10, 4093})->Args({1000, 4093});
}

}  // namespace
}  // namespace lbdp::dataplane

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  lbdp::dataplane::register_all();
  benchmark::RunSpecifiedBenchmarks();
}
