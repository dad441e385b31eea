// SPDX-License-Identifier: BSD-2-Clause
// The connection table at 60 % load, with working sets that lie in one cache after the other. Times are a look-up's, an
// insert's, a bucket's of the sweep.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "dataplane/flow_table.h"

namespace lbdp::dataplane {
namespace {

using Table = FlowTable<FlowKey>;

constexpr size_t kBurst = 32;
constexpr double kLoad = 0.6;
constexpr int64_t kKiB = 1024, kMiB = 1024 * 1024;

FlowKey key_of(uint32_t client) {
  return {Be<uint32_t>::from_host(0x0a000000 + client), Be<uint16_t>::from_host(1024), ServiceId{0}};
}

FlowValue some_value() {
  return {SlotId{1}, 1, FlowState::kUdp, 1};
}

bool none_is_dead(const FlowKey&, FlowValue) {
  return false;
}

/// A table of so many bytes, and the keys in it in random order.
class Fixture {
 public:
  explicit Fixture(int64_t bytes)
      : memory_(static_cast<size_t>(bytes) / sizeof(Table::Bucket)),
        table_({memory_.data(), memory_.size()}, 0x5eed1234) {
    const auto wanted = static_cast<uint32_t>(static_cast<double>(table_.capacity()) * kLoad);
    for (uint32_t i = 0; i < wanted; ++i) {
      if (insert(key_of(i))) keys_.push_back(key_of(i));
    }
    std::shuffle(keys_.begin(), keys_.end(), std::minstd_rand(1));
    next_client_ = wanted;
  }
  bool insert(FlowKey key) {
    return static_cast<bool>(table_.insert(table_.hash(key), key, some_value(), none_is_dead));
  }
  Table& table() { return table_; }
  [[nodiscard]] const std::vector<FlowKey>& keys() const { return keys_; }
  /// Keys that are not in the table.
  [[nodiscard]] std::vector<FlowKey> strangers(size_t count) const {
    std::vector<FlowKey> list;
    for (uint32_t i = 0; i < count; ++i) list.push_back(key_of(next_client_ + i));
    std::shuffle(list.begin(), list.end(), std::minstd_rand(2));
    return list;
  }

 private:
  std::vector<Table::Bucket> memory_;
  Table table_;
  std::vector<FlowKey> keys_;
  uint32_t next_client_ = 0;
};

/// Each size is made once: ten million inserts take seconds, and a benchmark's function is called several times.
Fixture& fixture_of(int64_t bytes) {
  static std::map<int64_t, Fixture> fixtures;
  return fixtures.try_emplace(bytes, bytes).first->second;
}

/// Looks keys up as the worker does: a burst's lines are asked for before any is used.
template <class Found>
void look_up_staged(benchmark::State& state, Table& table, const std::vector<FlowKey>& keys, Found&& found) {
  std::array<uint32_t, kBurst> hashes;
  size_t at = 0, hits = 0;
  for (auto _ : state) {
    if (at + kBurst > keys.size()) at = 0;
    for (size_t i = 0; i < kBurst; ++i) {
      hashes[i] = table.hash(keys[at + i]);
      table.prefetch_first(hashes[i]);
    }
    for (size_t i = 0; i < kBurst; ++i) hits += found(hashes[i], keys[at + i]);
    at += kBurst;
  }
  state.SetItemsProcessed(static_cast<int64_t>(kBurst) * state.iterations());
  state.counters["found"] = static_cast<double>(hits) / static_cast<double>(state.items_processed());
}

void look_up_hit(benchmark::State& state) {
  Fixture& f = fixture_of(state.range(0));
  look_up_staged(state, f.table(), f.keys(),
                 [&](uint32_t hash, FlowKey key) { return f.table().find(hash, key) ? size_t{1} : size_t{0}; });
}

void look_up_miss(benchmark::State& state) {
  Fixture& f = fixture_of(state.range(0));
  look_up_staged(state, f.table(), f.strangers(f.keys().size()),
                 [&](uint32_t hash, FlowKey key) { return f.table().find(hash, key) ? size_t{1} : size_t{0}; });
}

/// One key after the other, each look-up waiting for the one before: what a miss in the cache costs without staging.
void look_up_alone(benchmark::State& state) {
  Fixture& f = fixture_of(state.range(0));
  const auto& keys = f.keys();
  size_t at = 0;
  for (auto _ : state) {
    const FlowKey key = keys[at];
    const auto place = f.table().find(f.table().hash(key), key);
    at += 1 + (Table::value(place).word() >> 62);  // free bits, 0: but the next address hangs on them
    if (at >= keys.size()) at = 0;
  }
  state.SetItemsProcessed(state.iterations());
}

/// New keys at 60 % load, 1,024 at a time; taken out again while the clock stands.
void insert_new(benchmark::State& state) {
  constexpr size_t kBatch = 1024;
  Fixture& f = fixture_of(state.range(0));
  Table& table = f.table();
  const auto strangers = f.strangers(std::min<size_t>(f.keys().size() / kBatch + 1, 256) * kBatch);
  size_t at = 0;
  for (auto _ : state) {
    for (size_t i = 0; i < kBatch; ++i) benchmark::DoNotOptimize(f.insert(strangers[at + i]));
    state.PauseTiming();
    for (size_t i = 0; i < kBatch; ++i) {
      const FlowKey key = strangers[at + i];
      if (const auto place = table.find(table.hash(key), key)) table.erase(place);
    }
    at = (at + kBatch) % strangers.size();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(static_cast<int64_t>(kBatch) * state.iterations());
}

/// Sixteen buckets, all of their connections alive.
void sweep(benchmark::State& state) {
  constexpr size_t kChunk = 16;
  Fixture& f = fixture_of(state.range(0));
  uint64_t seen = 0;
  for (auto _ : state) {
    f.table().sweep(kChunk, [&](const FlowKey&, FlowValue value) {
      seen += value.word();
      return false;
    });
  }
  benchmark::DoNotOptimize(seen);
  state.SetItemsProcessed(static_cast<int64_t>(kChunk) * state.iterations());
}

// L1, L2, L3, DRAM
#define LBDP_WORKING_SETS ->Arg(16 * kKiB)->Arg(256 * kKiB)->Arg(4 * kMiB)->Arg(256 * kMiB)
BENCHMARK(look_up_hit) LBDP_WORKING_SETS;
BENCHMARK(look_up_miss) LBDP_WORKING_SETS;
BENCHMARK(look_up_alone) LBDP_WORKING_SETS;
BENCHMARK(insert_new)->Arg(4 * kMiB)->Arg(256 * kMiB);
BENCHMARK(sweep) LBDP_WORKING_SETS;

}  // namespace
}  // namespace lbdp::dataplane
