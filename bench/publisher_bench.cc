// SPDX-License-Identifier: BSD-2-Clause
// Publications without workers: what building and swapping in a snapshot costs control.
#include <benchmark/benchmark.h>

#include <string>

#include "bench/worker/network.h"
#include "dataplane/publisher.h"

namespace lbdp::dataplane {
namespace {

std::unique_ptr<Publisher> make_publisher(benchmark::State& state) {
  auto publisher = Publisher::create(1, {MacAddress{{0x02, 0, 0, 0, 0, 1}}});
  if (publisher) return std::move(*publisher);
  state.SkipWithError(publisher.error().message.c_str());
  return nullptr;
}

bench::Network network_of(const benchmark::State& state) {
  return {Family::kIpv4, static_cast<unsigned>(state.range(0)), 10};
}

void publish_all(benchmark::State& state) {
  const auto publisher = make_publisher(state);
  const Tables tables = bench::tables_of(network_of(state), 0);
  for (auto _ : state) {
    if (auto published = publisher->publish(tables); !published)
      return state.SkipWithError(published.error().message.c_str());
  }
}

/// One server of one virtual server goes out of the table and comes back.
void publish_one_change(benchmark::State& state) {
  const auto publisher = make_publisher(state);
  const Tables tables = bench::tables_of(network_of(state), 0);
  if (!publisher->publish(tables)) return state.SkipWithError("the first publication failed");
  VirtualServerParams changed = tables.virtual_servers.front();
  for (auto _ : state) {
    changed.real_servers.back().in_table = !changed.real_servers.back().in_table;
    if (auto published = publisher->publish_changes({&changed, 1}); !published)
      return state.SkipWithError(published.error().message.c_str());
  }
}

BENCHMARK(publish_all)->Arg(10)->Arg(1000)->Unit(benchmark::kMicrosecond);
BENCHMARK(publish_one_change)->Arg(10)->Arg(1000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace lbdp::dataplane
