// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/flow_table.h"

#include <cassert>

namespace lbdp::dataplane {

FlowTable::FlowTable(std::span<FlowBucket> memory, uint64_t seed)
    : buckets_(memory), multiplier_(seed | 1), start_(static_cast<uint32_t>(seed >> 32)) {
  assert(!memory.empty());
}

FlowTable::Place FlowTable::displace(FlowBucket* bucket) noexcept {
  std::array<FlowBucket*, FlowBucket::kLanes> other{};
  for (uint32_t lane = 0; lane < FlowBucket::kLanes; ++lane) {
    const uint32_t h = hash(key({bucket, lane}));
    other[lane] = first(h) == bucket ? second(h) : first(h);
    __builtin_prefetch(other[lane], 1);
  }
  for (uint32_t lane = 0; lane < FlowBucket::kLanes; ++lane) {
    const Place from{bucket, lane}, to = empty_lane(other[lane]);
    if (!to) continue;
    put(to, key(from), value(from));
    erase(from);
    return from;
  }
  return {};
}

// The key goes last, and releases: a reader that sees it sees its value, too.
void FlowTable::put(Place p, FlowKey key, FlowValue value) noexcept {
  set_value(p, value);
  std::atomic_ref(p.bucket->keys[p.lane]).store(key.word(), std::memory_order_release);
  relaxed(size_, size_ + 1);
}

bool FlowTable::read(size_t index, FlowKey& key, FlowValue& value) const {
  FlowBucket& bucket = buckets_[index / FlowBucket::kLanes];
  const size_t lane = index % FlowBucket::kLanes;
  const std::atomic_ref<uint64_t> key_word(bucket.keys[lane]);
  const uint64_t before = key_word.load(std::memory_order_acquire);
  if (before == 0) return false;
  value = FlowValue::from_word(std::atomic_ref(bucket.values[lane]).load(std::memory_order_acquire));
  key = FlowKey::from_word(before);
  return key_word.load(std::memory_order_relaxed) == before;  // else another connection took the place meanwhile
}

}  // namespace lbdp::dataplane
