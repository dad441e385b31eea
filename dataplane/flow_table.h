// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nmmintrin.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>

#include "config/types/be.h"
#include "config/types/ip_address.h"
#include "dataplane/parameters.h"
#include "dataplane/tcp_state.h"
#include "dataplane/wide_address.h"

namespace lbdp::dataplane {

/// An index of a virtual server's destination, stable over publications while it stays. Below 65535.
enum class ServiceId : uint16_t {};

/// Client address, client port and destination of an IPv4 connection: what names it. A key's first word is never 0, so
/// 0 marks an empty place.
class FlowKey {
 public:
  static constexpr size_t kWords = 1;

  FlowKey() = default;
  FlowKey(Be<uint32_t> client, Be<uint16_t> client_port, ServiceId service)
      : word_(uint64_t{client.raw()} << 32 | uint64_t{client_port.raw()} << 16 | (static_cast<uint64_t>(service) + 1)) {
  }
  static FlowKey from_words(std::span<const uint64_t, kWords> words) {
    FlowKey key;
    key.word_ = words[0];
    return key;
  }
  [[nodiscard]] uint64_t word(size_t) const { return word_; }
  [[nodiscard]] IpAddress client() const {
    return IpAddress::v4(Be<uint32_t>::from_raw(static_cast<uint32_t>(word_ >> 32)));
  }
  [[nodiscard]] WideAddress wide_client() const {
    return WideAddress::from_v4(Be<uint32_t>::from_raw(static_cast<uint32_t>(word_ >> 32)));
  }
  [[nodiscard]] Be<uint16_t> client_port() const { return Be<uint16_t>::from_raw(static_cast<uint16_t>(word_ >> 16)); }
  /// Of the destination, where `service` does not say it.
  [[nodiscard]] Be<uint16_t> port() const { return {}; }
  [[nodiscard]] ServiceId service() const { return ServiceId{static_cast<uint16_t>((word_ & 0xffff) - 1)}; }

  friend bool operator==(const FlowKey&, const FlowKey&) = default;

 private:
  uint64_t word_ = 0;
};

/// The same for IPv6, and for destinations of all ports, whose connections differ by the destination's port, too.
class WideKey {
 public:
  static constexpr size_t kWords = 3;

  WideKey() = default;
  WideKey(const WideAddress& client, Be<uint16_t> client_port, Be<uint16_t> port, ServiceId service)
      : words_{uint64_t{client_port.raw()} << 48 | uint64_t{port.raw()} << 32 | (static_cast<uint64_t>(service) + 1),
               client.first, client.second} {}
  static WideKey from_words(std::span<const uint64_t, kWords> words) {
    WideKey key;
    std::copy(words.begin(), words.end(), key.words_.begin());
    return key;
  }
  [[nodiscard]] uint64_t word(size_t i) const { return words_[i]; }
  [[nodiscard]] IpAddress client() const { return wide_client().to_ip(); }
  [[nodiscard]] WideAddress wide_client() const { return {words_[1], words_[2]}; }
  [[nodiscard]] Be<uint16_t> client_port() const {
    return Be<uint16_t>::from_raw(static_cast<uint16_t>(words_[0] >> 48));
  }
  [[nodiscard]] Be<uint16_t> port() const { return Be<uint16_t>::from_raw(static_cast<uint16_t>(words_[0] >> 32)); }
  [[nodiscard]] ServiceId service() const { return ServiceId{static_cast<uint16_t>((words_[0] & 0xffff) - 1)}; }

  friend bool operator==(const WideKey&, const WideKey&) = default;

 private:
  std::array<uint64_t, kWords> words_{};
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
  /// For `expected` - `found`, both words above a slot: how many ticks older the found one is, if state and generation
  /// are the same; else a number that no age reaches.
  static constexpr uint64_t age(uint64_t difference) { return std::rotr(difference, 20); }
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

/// Four connections: one cache line of IPv4 ones, two of wide ones.
template <class Key>
struct alignas(64) FlowBucket {
  static constexpr size_t kLanes = 4;
  std::array<std::array<uint64_t, kLanes>, Key::kWords> keys{};  // by word
  std::array<uint64_t, kLanes> values{};
};
static_assert(sizeof(FlowBucket<FlowKey>) == 64);
static_assert(sizeof(FlowBucket<WideKey>) == 128);

/// A worker's connections: exact keys, two candidate buckets a key, one-step displacement. It has one writer, the
/// worker; any thread may read() and peek(). It knows nothing of what a value means: who is dead is the caller's word.
template <class Key>
class FlowTable {
 public:
  using Bucket = FlowBucket<Key>;

  /// A place in the table; good until the next make_room().
  struct Place {
    Bucket* bucket = nullptr;
    uint32_t lane = 0;
    explicit operator bool() const { return bucket != nullptr; }
  };

  /// Buckets for `connections` at 60 % load: there one-step displacement places every key.
  static size_t buckets_for(uint64_t connections) { return (connections * 5 / 3 + 3) / 4 + 1; }

  /// Over memory that is zeroed, outlives the table, and holds fewer than 2^32 buckets. Seeded, so that nobody outside
  /// can aim at one bucket.
  FlowTable(std::span<Bucket> memory, uint64_t seed)
      : buckets_(memory), multiplier_(seed | 1), start_(static_cast<uint32_t>(seed >> 32)) {
    assert(!memory.empty());
  }

  /// CRC32 is linear: keys that collide under one start value collide under all. The secret multiplier comes first.
  [[nodiscard]] uint32_t hash(const Key& key) const {
    uint64_t crc = start_;
    for (size_t i = 0; i < Key::kWords; ++i) {
      const uint64_t mixed = key.word(i) * multiplier_;
      crc = _mm_crc32_u64(crc, mixed ^ mixed >> 32);
    }
    return static_cast<uint32_t>(crc);
  }
  [[nodiscard]] Bucket* first(uint32_t hash) const { return at(hash); }
  void prefetch_first(uint32_t hash) const { prefetch(first(hash)); }
  void prefetch_second(uint32_t hash) const { prefetch(second(hash)); }
  static void prefetch(const Bucket* bucket) {
    __builtin_prefetch(bucket, 1);
    if constexpr (sizeof(Bucket) > 64) __builtin_prefetch(reinterpret_cast<const char*>(bucket) + 64, 1);
  }

  /// Where in a bucket the key is: a bit for its lane, or none. Without a branch: which lane it is, no processor
  /// guesses.
  [[nodiscard]] static uint32_t lanes_with(const Bucket* bucket, const Key& key);
  [[nodiscard]] Place find_first(uint32_t hash, const Key& key) const { return match(first(hash), key); }
  [[nodiscard]] Place find_second(uint32_t hash, const Key& key) const { return match(second(hash), key); }
  [[nodiscard]] Place find(uint32_t hash, const Key& key) const {
    const Place place = match(first(hash), key);
    return place ? place : match(second(hash), key);
  }
  static Key key(Place p) {
    std::array<uint64_t, Key::kWords> words;
    for (size_t i = 0; i < Key::kWords; ++i) words[i] = p.bucket->keys[i][p.lane];
    return Key::from_words(words);
  }
  static FlowValue value(Place p) { return value(p.bucket, p.lane); }
  static FlowValue value(const Bucket* bucket, uint32_t lane) { return FlowValue::from_word(bucket->values[lane]); }
  static void set_value(Place p, FlowValue value) { relaxed(p.bucket->values[p.lane], value.word()); }

  /// An empty place for a key that find() did not find; put() it there before anything else happens to the table.
  /// `release_if_dead(const Key&, FlowValue) -> bool` says whether a connection may go, and does the caller's
  /// book-keeping for it. None: no room in either bucket, nor by displacing one entry.
  template <class ReleaseIfDead>
  Place make_room(uint32_t hash, ReleaseIfDead&& release_if_dead) noexcept;
  /// make_room() and put().
  template <class ReleaseIfDead>
  Place insert(uint32_t hash, const Key& key, FlowValue value, ReleaseIfDead&& release_if_dead) noexcept {
    const Place p = make_room(hash, release_if_dead);
    if (p) put(p, key, value);
    return p;
  }
  /// The key's first word goes last, and releases: a reader that sees it sees the rest, too.
  void put(Place p, const Key& key, FlowValue value) noexcept {
    set_value(p, value);
    for (size_t i = 1; i < Key::kWords; ++i) relaxed(p.bucket->keys[i][p.lane], key.word(i));
    std::atomic_ref(p.bucket->keys[0][p.lane]).store(key.word(0), std::memory_order_release);
    relaxed(size_, size_ + 1);
  }
  void erase(Place p) noexcept {
    relaxed(p.bucket->keys[0][p.lane], 0);
    relaxed(size_, size_ - 1);
  }
  /// Visits the next `count` buckets, round and round, and erases what release_if_dead() gives up.
  template <class ReleaseIfDead>
  void sweep(size_t count, ReleaseIfDead&& release_if_dead) noexcept;

  [[nodiscard]] size_t bucket_count() const { return buckets_.size(); }
  [[nodiscard]] size_t capacity() const { return buckets_.size() * Bucket::kLanes; }
  /// Any thread.
  [[nodiscard]] size_t size() const {
    return std::atomic_ref(const_cast<size_t&>(size_)).load(std::memory_order_relaxed);
  }
  /// Any thread: entry `index` of capacity(), if there is one and it held still meanwhile.
  bool read(size_t index, Key& key, FlowValue& value) const {
    return read({&buckets_[index / Bucket::kLanes], static_cast<uint32_t>(index % Bucket::kLanes)}, key, value);
  }
  /// Any thread: what is known of this key. An entry that its worker moves at this moment is looked for again.
  [[nodiscard]] std::optional<FlowValue> peek(const Key& key) const noexcept;

 private:
  // Displacement looks at up to eight other lines. In a nearly full table that seldom helps, and under a flood of new
  // connections it would cost more than everything else: above this load there is none.
  static constexpr size_t kDisplaceNumerator = 7, kDisplaceDenominator = 8;

  template <class T>
  static void relaxed(T& word, std::type_identity_t<T> value) {
    std::atomic_ref(word).store(value, std::memory_order_relaxed);
  }
  static uint64_t acquired(uint64_t& word) { return std::atomic_ref(word).load(std::memory_order_acquire); }
  [[nodiscard]] Bucket* at(uint32_t hash) const { return &buckets_[uint64_t{hash} * buckets_.size() >> 32]; }
  [[nodiscard]] Bucket* second(uint32_t hash) const { return at(hash * 0x9e3779b1U + 0x7f4a7c15U); }
  static Place match(Bucket* bucket, const Key& key) {
    const uint32_t lanes = lanes_with(bucket, key);
    return lanes == 0 ? Place{} : Place{bucket, static_cast<uint32_t>(std::countr_zero(lanes))};
  }
  static Place empty_lane(Bucket* bucket) {
    for (uint32_t lane = 0; lane < Bucket::kLanes; ++lane) {
      if (bucket->keys[0][lane] == 0) return {bucket, lane};
    }
    return {};
  }
  static bool read(Place p, Key& key, FlowValue& value);
  /// A lane that is empty, or was dead until now.
  template <class ReleaseIfDead>
  Place vacant(Bucket* bucket, ReleaseIfDead&& release_if_dead) noexcept;
  /// Moves one entry of `bucket` to its other bucket.
  Place displace(Bucket* bucket) noexcept;

  std::span<Bucket> buckets_;
  uint64_t multiplier_;
  uint32_t start_;
  size_t size_ = 0;
  size_t sweep_at_ = 0;
};

template <class Key>
uint32_t FlowTable<Key>::lanes_with(const Bucket* bucket, const Key& key) {
  static_assert(Bucket::kLanes == 4);
  __m128i low = _mm_set1_epi64x(-1), high = low;
  for (size_t i = 0; i < Key::kWords; ++i) {
    const auto* const words = reinterpret_cast<const __m128i*>(bucket->keys[i].data());
    const __m128i wanted = _mm_set1_epi64x(static_cast<int64_t>(key.word(i)));
    low = _mm_and_si128(low, _mm_cmpeq_epi64(_mm_load_si128(words), wanted));
    high = _mm_and_si128(high, _mm_cmpeq_epi64(_mm_load_si128(words + 1), wanted));
  }
  return static_cast<uint32_t>(_mm_movemask_ps(_mm_castsi128_ps(_mm_packs_epi32(low, high))));
}

template <class Key>
template <class ReleaseIfDead>
typename FlowTable<Key>::Place FlowTable<Key>::vacant(Bucket* bucket, ReleaseIfDead&& release_if_dead) noexcept {
  if (const Place empty = empty_lane(bucket)) return empty;
  for (uint32_t lane = 0; lane < Bucket::kLanes; ++lane) {
    const Place p{bucket, lane};
    if (release_if_dead(key(p), value(p))) {
      erase(p);
      return p;
    }
  }
  return {};
}

template <class Key>
template <class ReleaseIfDead>
typename FlowTable<Key>::Place FlowTable<Key>::make_room(uint32_t hash, ReleaseIfDead&& release_if_dead) noexcept {
  Place p = vacant(first(hash), release_if_dead);
  if (!p) p = vacant(second(hash), release_if_dead);
  if (!p && size_ < capacity() / kDisplaceDenominator * kDisplaceNumerator) {
    p = displace(first(hash));
    if (!p) p = displace(second(hash));
  }
  return p;
}

template <class Key>
typename FlowTable<Key>::Place FlowTable<Key>::displace(Bucket* bucket) noexcept {
  std::array<Bucket*, Bucket::kLanes> other{};
  for (uint32_t lane = 0; lane < Bucket::kLanes; ++lane) {
    const uint32_t h = hash(key({bucket, lane}));
    other[lane] = first(h) == bucket ? second(h) : first(h);
    prefetch(other[lane]);
  }
  for (uint32_t lane = 0; lane < Bucket::kLanes; ++lane) {
    const Place from{bucket, lane}, to = empty_lane(other[lane]);
    if (!to) continue;
    put(to, key(from), value(from));
    erase(from);
    return from;
  }
  return {};
}

template <class Key>
template <class ReleaseIfDead>
void FlowTable<Key>::sweep(size_t count, ReleaseIfDead&& release_if_dead) noexcept {
  constexpr size_t kAhead = 4;
  for (size_t i = 0; i < count; ++i) {
    Bucket& bucket = buckets_[sweep_at_];
    prefetch(&bucket + kAhead);  // past the end is harmless
    for (uint32_t lane = 0; lane < Bucket::kLanes; ++lane) {
      const Place p{&bucket, lane};
      if (bucket.keys[0][lane] != 0 && release_if_dead(key(p), value(p))) erase(p);
    }
    sweep_at_ = sweep_at_ + 1 == buckets_.size() ? 0 : sweep_at_ + 1;
  }
}

template <class Key>
bool FlowTable<Key>::read(Place p, Key& key, FlowValue& value) {
  std::array<uint64_t, Key::kWords> words;
  words[0] = acquired(p.bucket->keys[0][p.lane]);
  if (words[0] == 0) return false;
  for (size_t i = 1; i < Key::kWords; ++i) words[i] = acquired(p.bucket->keys[i][p.lane]);
  value = FlowValue::from_word(acquired(p.bucket->values[p.lane]));
  key = Key::from_words(words);
  return acquired(p.bucket->keys[0][p.lane]) == words[0];  // else another connection took the place meanwhile
}

template <class Key>
std::optional<FlowValue> FlowTable<Key>::peek(const Key& wanted) const noexcept {
  const uint32_t h = hash(wanted);
  for (Bucket* bucket : {first(h), second(h), first(h)}) {
    for (uint32_t lane = 0; lane < Bucket::kLanes; ++lane) {
      Key found;
      FlowValue value;
      if (acquired(bucket->keys[0][lane]) != wanted.word(0) || !read({bucket, lane}, found, value)) continue;
      if (found == wanted) return value;
    }
  }
  return std::nullopt;
}

}  // namespace lbdp::dataplane
