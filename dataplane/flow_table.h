// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nmmintrin.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "config/types/be.h"
#include "dataplane/parameters.h"
#include "dataplane/tcp_state.h"

namespace lbdp::dataplane {

/// An index of a virtual server, stable over publications while the virtual server stays. Below 65535.
enum class ServiceId : uint16_t {};

/// Client address, client port and virtual server: what names a connection. Never 0, so 0 marks an empty place.
class FlowKey {
 public:
  FlowKey() = default;
  FlowKey(Be<uint32_t> client, Be<uint16_t> client_port, ServiceId service)
      : word_(uint64_t{client.raw()} << 32 | uint64_t{client_port.raw()} << 16 | (static_cast<uint64_t>(service) + 1)) {
  }
  static FlowKey from_word(uint64_t word) {
    FlowKey key;
    key.word_ = word;
    return key;
  }
  [[nodiscard]] uint64_t word() const { return word_; }
  [[nodiscard]] Be<uint32_t> client() const { return Be<uint32_t>::from_raw(static_cast<uint32_t>(word_ >> 32)); }
  [[nodiscard]] Be<uint16_t> client_port() const { return Be<uint16_t>::from_raw(static_cast<uint16_t>(word_ >> 16)); }
  [[nodiscard]] ServiceId service() const { return ServiceId{static_cast<uint16_t>((word_ & 0xffff) - 1)}; }

 private:
  uint64_t word_ = 0;
};

/// What is known of a connection, in one word: slot (16 bits), the slot's generation (16), state (4), last-seen tick
/// (26); two bits are free. All above the slot compares in one step with what a steady packet expects.
class FlowValue {
 public:
  FlowValue() = default;
  FlowValue(SlotId slot, uint16_t generation, FlowState state, Tick last_seen)
      : word_(static_cast<uint64_t>(slot) | uint64_t{generation} << 16 | steady_word(state, last_seen) << 16) {}
  static FlowValue from_word(uint64_t word) {
    FlowValue value;
    value.word_ = word;
    return value;
  }
  /// What a value holds above its slot when its generation is 0; or the generation in, then compare with above_slot().
  static constexpr uint64_t steady_word(FlowState state, Tick last_seen) {
    return static_cast<uint64_t>(state) << 16 | uint64_t{last_seen} << 20;
  }
  /// Are two words above a slot the same but for the tick, given their exclusive or?
  static constexpr bool only_tick(uint64_t difference) { return (difference & 0xfffff) == 0; }
  [[nodiscard]] uint64_t word() const { return word_; }
  [[nodiscard]] uint64_t above_slot() const { return word_ >> 16; }
  [[nodiscard]] SlotId slot() const { return SlotId{static_cast<uint16_t>(word_)}; }
  [[nodiscard]] uint16_t generation() const { return static_cast<uint16_t>(word_ >> 16); }
  [[nodiscard]] FlowState state() const { return static_cast<FlowState>(word_ >> 32 & 0xf); }
  [[nodiscard]] Tick last_seen() const { return static_cast<Tick>(word_ >> 36) & kTickMask; }

 private:
  uint64_t word_ = 0;
};

/// One cache line: four connections.
struct alignas(64) FlowBucket {
  static constexpr size_t kLanes = 4;
  std::array<uint64_t, kLanes> keys{};
  std::array<uint64_t, kLanes> values{};
};
static_assert(sizeof(FlowBucket) == 64);

/// A worker's connections: exact keys, two candidate buckets a key, one-step displacement. It has one writer, the
/// worker; any thread may read() it. It knows nothing of what a value means: who is dead is the caller's word.
class FlowTable {
 public:
  /// A place in the table; good until the next insert().
  struct Place {
    FlowBucket* bucket = nullptr;
    uint32_t lane = 0;
    explicit operator bool() const { return bucket != nullptr; }
  };

  /// Buckets for `connections` at two thirds load: there one-step displacement still places practically every key.
  static size_t buckets_for(uint32_t connections) { return (size_t{connections} * 3 / 2 + 3) / 4 + 1; }

  /// Over memory that is zeroed, outlives the table, and holds fewer than 2^32 buckets. Seeded, so that nobody outside
  /// can aim at one bucket.
  FlowTable(std::span<FlowBucket> memory, uint64_t seed);

  /// CRC32 is linear: keys that collide under one start value collide under all. The secret multiplier comes first.
  [[nodiscard]] uint32_t hash(FlowKey key) const {
    const uint64_t mixed = key.word() * multiplier_;
    return static_cast<uint32_t>(_mm_crc32_u64(start_, mixed ^ mixed >> 32));
  }
  void prefetch_first(uint32_t hash) const { __builtin_prefetch(first(hash), 1); }
  void prefetch_second(uint32_t hash) const { __builtin_prefetch(second(hash), 1); }

  [[nodiscard]] Place find_first(uint32_t hash, FlowKey key) const { return match(first(hash), key); }
  [[nodiscard]] Place find(uint32_t hash, FlowKey key) const {
    const Place place = match(first(hash), key);
    return place ? place : match(second(hash), key);
  }
  static FlowKey key(Place p) { return FlowKey::from_word(p.bucket->keys[p.lane]); }
  static FlowValue value(Place p) { return FlowValue::from_word(p.bucket->values[p.lane]); }
  static void set_value(Place p, FlowValue value) { relaxed(p.bucket->values[p.lane], value.word()); }

  /// Adds a key that find() did not find. `release_if_dead(FlowValue) -> bool` says whether a connection may go, and
  /// does the caller's book-keeping for it. None: no room in either bucket, nor by displacing one entry.
  template <class ReleaseIfDead>
  Place insert(uint32_t hash, FlowKey key, FlowValue value, ReleaseIfDead&& release_if_dead) noexcept;
  void erase(Place p) noexcept {
    relaxed(p.bucket->keys[p.lane], 0);
    relaxed(size_, size_ - 1);
  }
  /// Visits the next `count` buckets, round and round, and erases what release_if_dead() gives up.
  template <class ReleaseIfDead>
  void sweep(size_t count, ReleaseIfDead&& release_if_dead) noexcept;

  [[nodiscard]] size_t bucket_count() const { return buckets_.size(); }
  [[nodiscard]] size_t capacity() const { return buckets_.size() * FlowBucket::kLanes; }
  /// Any thread.
  [[nodiscard]] size_t size() const {
    return std::atomic_ref(const_cast<size_t&>(size_)).load(std::memory_order_relaxed);
  }
  /// Any thread: entry `index` of capacity(), if there is one and it held still meanwhile.
  bool read(size_t index, FlowKey& key, FlowValue& value) const;

 private:
  // Displacement looks at up to eight other lines. In a nearly full table that seldom helps, and under a flood of new
  // connections it would cost more than everything else: above this load there is none.
  static constexpr size_t kDisplaceNumerator = 7, kDisplaceDenominator = 8;

  template <class T>
  static void relaxed(T& word, std::type_identity_t<T> value) {
    std::atomic_ref(word).store(value, std::memory_order_relaxed);
  }
  [[nodiscard]] FlowBucket* at(uint32_t hash) const { return &buckets_[uint64_t{hash} * buckets_.size() >> 32]; }
  [[nodiscard]] FlowBucket* first(uint32_t hash) const { return at(hash); }
  [[nodiscard]] FlowBucket* second(uint32_t hash) const { return at(hash * 0x9e3779b1U + 0x7f4a7c15U); }
  static Place match(FlowBucket* bucket, FlowKey key) {
    for (uint32_t lane = 0; lane < FlowBucket::kLanes; ++lane) {
      if (bucket->keys[lane] == key.word()) return {bucket, lane};
    }
    return {};
  }
  /// A lane that is empty, or was dead until now.
  template <class ReleaseIfDead>
  Place vacant(FlowBucket* bucket, ReleaseIfDead&& release_if_dead) noexcept;
  static Place empty_lane(FlowBucket* bucket) { return match(bucket, FlowKey()); }
  /// Moves one entry of `bucket` to its other bucket.
  Place displace(FlowBucket* bucket) noexcept;
  void put(Place p, FlowKey key, FlowValue value) noexcept;

  std::span<FlowBucket> buckets_;
  uint64_t multiplier_;
  uint32_t start_;
  size_t size_ = 0;
  size_t sweep_at_ = 0;
};

template <class ReleaseIfDead>
FlowTable::Place FlowTable::vacant(FlowBucket* bucket, ReleaseIfDead&& release_if_dead) noexcept {
  if (const Place empty = empty_lane(bucket)) return empty;
  for (uint32_t lane = 0; lane < FlowBucket::kLanes; ++lane) {
    const Place p{bucket, lane};
    if (release_if_dead(value(p))) {
      erase(p);
      return p;
    }
  }
  return {};
}

template <class ReleaseIfDead>
FlowTable::Place FlowTable::insert(uint32_t hash, FlowKey key, FlowValue value,
                                   ReleaseIfDead&& release_if_dead) noexcept {
  Place p = vacant(first(hash), release_if_dead);
  if (!p) p = vacant(second(hash), release_if_dead);
  if (!p && size_ < capacity() / kDisplaceDenominator * kDisplaceNumerator) {
    p = displace(first(hash));
    if (!p) p = displace(second(hash));
  }
  if (p) put(p, key, value);
  return p;
}

template <class ReleaseIfDead>
void FlowTable::sweep(size_t count, ReleaseIfDead&& release_if_dead) noexcept {
  constexpr size_t kAhead = 4;
  for (size_t i = 0; i < count; ++i) {
    FlowBucket& bucket = buckets_[sweep_at_];
    __builtin_prefetch(&bucket + kAhead);  // past the end is harmless
    for (uint32_t lane = 0; lane < FlowBucket::kLanes; ++lane) {
      const Place p{&bucket, lane};
      if (bucket.keys[lane] != 0 && release_if_dead(value(p))) erase(p);
    }
    sweep_at_ = sweep_at_ + 1 == buckets_.size() ? 0 : sweep_at_ + 1;
  }
}

}  // namespace lbdp::dataplane
