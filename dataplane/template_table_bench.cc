// SPDX-License-Identifier: BSD-2-Clause
// Persistence templates: what a new connection pays. The argument is the number of templates that the table was made
// for: 4096 (384 KiB of buckets), 131072 (the default), 1048576.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <random>
#include <vector>

#include "dataplane/template_table.h"

namespace lbdp::dataplane {
namespace {

constexpr ServiceId kService{7};
constexpr Tick kLifetime = 100 * kTicksPerSecond;
constexpr BoundServer kServer{SlotId{3}, 5};

const auto kAnyServer = [](BoundServer) { return true; };
const auto kPick = [] { return std::optional(kServer); };

WideAddress client(uint32_t i) {
  return WideAddress::from_v4(Be<uint32_t>::from_host(0x0a000000 + i));
}

struct Filled {
  explicit Filled(uint32_t count) : memory(TemplateTable::buckets_for(count)), table(memory, 1), clients(count) {
    for (uint32_t i = 0; i < count; ++i) {
      clients[i] = client(i);
      table.bind(kService, clients[i], 0, kLifetime, kAnyServer, kPick);
    }
    std::shuffle(clients.begin(), clients.end(), std::mt19937(1));
  }
  std::vector<TemplateBucket> memory;
  TemplateTable table;
  std::vector<WideAddress> clients;
};

void count_items(benchmark::State& state) {
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
}

void bind_known(benchmark::State& state) {
  Filled f(static_cast<uint32_t>(state.range(0)));
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(f.table.bind(kService, f.clients[i], 1, kLifetime, kAnyServer, kPick));
    i = i + 1 == f.clients.size() ? 0 : i + 1;
  }
  count_items(state);
}
BENCHMARK(bind_known)->Arg(4096)->Arg(131072)->Arg(1048576);

// One virtual server's clients behind one address, from several workers at once.
void bind_same_client(benchmark::State& state) {
  static Filled* shared = nullptr;
  if (state.thread_index() == 0) shared = new Filled(4096);
  uint64_t busy = 0;
  for (auto _ : state) {
    const auto bound = shared->table.bind(kService, client(1), 1, kLifetime, kAnyServer, kPick);
    busy += bound.outcome == TemplateTable::Outcome::kBusy ? 1U : 0U;
  }
  count_items(state);
  state.counters["busy"] = static_cast<double>(busy);
  if (state.thread_index() == 0) delete shared;
}
BENCHMARK(bind_same_client)->Threads(1)->Threads(2)->UseRealTime();

// A new client each time, in a table that is filled to its two thirds and emptied by the sweep in between.
void bind_new(benchmark::State& state) {
  const auto count = static_cast<uint32_t>(state.range(0));
  std::vector<TemplateBucket> memory(TemplateTable::buckets_for(count));
  TemplateTable table(memory, 1);
  const auto gone = [](ServiceId) -> std::optional<Tick> { return std::nullopt; };
  uint32_t i = 0, left = count;
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.bind(kService, client(i++), 0, kLifetime, kAnyServer, kPick));
    if (--left != 0) continue;
    state.PauseTiming();
    table.sweep(memory.size(), 1, gone, kAnyServer);
    left = count;
    state.ResumeTiming();
  }
  count_items(state);
}
BENCHMARK(bind_new)->Arg(4096)->Arg(131072)->Arg(1048576);

// A flood: every bucket is full, and each new client is refused.
void bind_new_full(benchmark::State& state) {
  const auto count = static_cast<uint32_t>(state.range(0));
  Filled f(count);
  uint32_t i = count;
  for (; f.table.size() < f.table.capacity() * 999 / 1000; ++i) {
    f.table.bind(kService, client(i), 0, kLifetime, kAnyServer, kPick);
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(f.table.bind(kService, client(i++), 1, kLifetime, kAnyServer, kPick));
  }
  count_items(state);
}
BENCHMARK(bind_new_full)->Arg(4096)->Arg(131072);

void release_known(benchmark::State& state) {
  Filled f(static_cast<uint32_t>(state.range(0)));
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(f.table.release(kService, f.clients[i], kServer, 1));
    i = i + 1 == f.clients.size() ? 0 : i + 1;
  }
  count_items(state);
}
BENCHMARK(release_known)->Arg(4096)->Arg(131072);

void find_known(benchmark::State& state) {
  Filled f(static_cast<uint32_t>(state.range(0)));
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(f.table.find(kService, f.clients[i], 1));
    i = i + 1 == f.clients.size() ? 0 : i + 1;
  }
  count_items(state);
}
BENCHMARK(find_known)->Arg(4096)->Arg(131072);

// A bucket in which nothing is to be done.
void sweep_bucket(benchmark::State& state) {
  Filled f(static_cast<uint32_t>(state.range(0)));
  const auto lifetime = [](ServiceId) { return std::optional(kLifetime); };
  for (auto _ : state) f.table.sweep(1, 1, lifetime, kAnyServer);
  count_items(state);
}
BENCHMARK(sweep_bucket)->Arg(4096)->Arg(131072);

}  // namespace
}  // namespace lbdp::dataplane

BENCHMARK_MAIN();
