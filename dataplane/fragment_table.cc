// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/fragment_table.h"

#include <algorithm>
#include <atomic>

namespace lbdp::dataplane {
namespace {

// A bijection that spreads every bit: two multiplications with the high half folded down after each.
uint64_t scramble(uint64_t x) {
  x = (x ^ x >> 32) * 0xd6e8feb86659fd93U;
  x = (x ^ x >> 32) * 0xd6e8feb86659fd93U;
  return x ^ x >> 32;
}

}  // namespace

FragmentTable::FragmentTable(const FragmentTableParams& params)
    : lifetime_(params.lifetime),
      hold_time_(params.hold_time),
      seed_(scramble(params.seed + 0x9e3779b97f4a7c15U)),
      multiplier_(scramble(seed_) | 1),
      held_per_datagram_(params.held_per_datagram),
      entries_((size_t{std::max(params.datagrams, 1U)} + kLanes - 1) / kLanes * kLanes),
      pool_(std::min(params.held_frames, kNone - 1)) {
  for (size_t i = pool_.size(); i-- > 0;) {
    pool_[i].next = free_;
    free_ = static_cast<uint32_t>(i);
  }
}

// Word after word through a secret multiplier: who does not know the seed cannot construct two keys that meet.
size_t FragmentTable::bucket_of(const FragmentKey& key) const noexcept {
  uint64_t h = seed_;
  for (const uint64_t word : {key.source.first, key.source.second, key.destination.first, key.destination.second,
                              uint64_t{key.protocol} << 32 | key.identification})
    h = scramble((h ^ word) * multiplier_);
  const size_t buckets = entries_.size() / kLanes;
  return ((h >> 32) * buckets >> 32) * kLanes;
}

uint32_t FragmentTable::lookup(const FragmentKey& key) const noexcept {
  const size_t bucket = bucket_of(key);
  for (size_t at = bucket; at < bucket + kLanes; ++at) {
    if (entries_[at].in_use() && entries_[at].key == key) return static_cast<uint32_t>(at);
  }
  return kNone;
}

bool FragmentTable::expired(const Entry& entry, uint64_t now) const noexcept {
  return entry.first_seen && now - entry.since > lifetime_;
}

// A place of the key's bucket that nothing is lost with.
uint32_t FragmentTable::free_place(const FragmentKey& key, uint64_t now) const noexcept {
  const size_t bucket = bucket_of(key);
  for (size_t at = bucket; at < bucket + kLanes; ++at) {
    const Entry& entry = entries_[at];
    if (!entry.in_use() || (expired(entry, now) && entry.held == 0)) return static_cast<uint32_t>(at);
  }
  return kNone;
}

// Else the oldest one's place; those that frames wait at only if there is no other.
uint32_t FragmentTable::place_for_first(const FragmentKey& key, uint64_t now) const noexcept {
  if (const uint32_t place = free_place(key, now); place != kNone) return place;
  const auto bucket = entries_.begin() + static_cast<std::ptrdiff_t>(bucket_of(key));
  const auto goes_before = [](const Entry& a, const Entry& b) {
    const bool a_holds = a.held > 0, b_holds = b.held > 0;
    return a_holds != b_holds ? b_holds : a.since < b.since;
  };
  return static_cast<uint32_t>(std::min_element(bucket, bucket + kLanes, goes_before) - entries_.begin());
}

// What still waits at the place loses its datagram, and leaves by expire().
void FragmentTable::begin(uint32_t at, const FragmentKey& key, uint64_t now) noexcept {
  Entry& entry = entries_[at];
  for (uint32_t i = entry.first_held; i != kNone; i = pool_[i].next) pool_[i].entry = kNone;
  entry = Entry();
  entry.key = key;
  entry.since = now;
}

void FragmentTable::note_first(const FragmentKey& key, SlotId slot, uint16_t generation, uint64_t now) noexcept {
  uint32_t at = lookup(key);
  if (at == kNone) {
    at = place_for_first(key, now);
    begin(at, key, now);
  }
  Entry& entry = entries_[at];
  entry.since = now;
  entry.target = {slot, generation};
  entry.first_seen = true;
}

std::optional<FragmentTarget> FragmentTable::find(const FragmentKey& key, uint64_t now) const noexcept {
  const uint32_t at = lookup(key);
  if (at == kNone || !entries_[at].first_seen || expired(entries_[at], now)) return std::nullopt;
  return entries_[at].target;
}

bool FragmentTable::hold(const FragmentKey& key, rte_mbuf* frame, uint64_t now) noexcept {
  if (free_ == kNone || held_per_datagram_ == 0) return false;
  uint32_t at = lookup(key);
  if (at == kNone) {
    at = free_place(key, now);
    if (at == kNone) return false;
    begin(at, key, now);
  }
  if (entries_[at].held >= held_per_datagram_) return false;
  // The identification is used again: that first fragment was of another datagram.
  if (expired(entries_[at], now)) entries_[at].first_seen = false;
  append(at, frame, now);
  return true;
}

void FragmentTable::append(uint32_t at, rte_mbuf* frame, uint64_t now) noexcept {
  const uint32_t index = free_;
  free_ = pool_[index].next;
  pool_[index] = {.frame = frame, .since = now, .entry = at, .older = newest_};
  (newest_ == kNone ? oldest_ : pool_[newest_].newer) = index;
  newest_ = index;
  Entry& entry = entries_[at];
  (entry.held == 0 ? entry.first_held : pool_[entry.last_held].next) = index;
  entry.last_held = index;
  ++entry.held;
  set_held(held_ + 1);
}

rte_mbuf* FragmentTable::remove_oldest(Entry& entry) noexcept {
  const uint32_t index = entry.first_held;
  entry.first_held = pool_[index].next;
  if (--entry.held == 0) entry.last_held = kNone;
  return release(index);
}

// Out of the list of all, and back to the free ones.
rte_mbuf* FragmentTable::release(uint32_t index) noexcept {
  Held& held = pool_[index];
  (held.older == kNone ? oldest_ : pool_[held.older].newer) = held.newer;
  (held.newer == kNone ? newest_ : pool_[held.newer].older) = held.older;
  rte_mbuf* const frame = held.frame;
  held = {.next = free_};
  free_ = index;
  set_held(held_ - 1);
  return frame;
}

size_t FragmentTable::take_held(const FragmentKey& key, std::span<rte_mbuf*> out) noexcept {
  const uint32_t at = lookup(key);
  if (at == kNone) return 0;
  size_t taken = 0;
  while (taken < out.size() && entries_[at].held > 0) out[taken++] = remove_oldest(entries_[at]);
  return taken;
}

size_t FragmentTable::expire(uint64_t now, std::span<rte_mbuf*> out) noexcept {
  size_t taken = 0;
  while (taken < out.size() && oldest_ != kNone && now - pool_[oldest_].since > hold_time_) {
    const uint32_t at = pool_[oldest_].entry;
    out[taken++] = at == kNone ? release(oldest_) : remove_oldest(entries_[at]);
  }
  return taken;
}

size_t FragmentTable::drain(std::span<rte_mbuf*> out) noexcept {
  size_t taken = 0;
  while (taken < out.size() && oldest_ != kNone) {
    const uint32_t at = pool_[oldest_].entry;
    out[taken++] = at == kNone ? release(oldest_) : remove_oldest(entries_[at]);
  }
  return taken;
}

uint32_t FragmentTable::held() const noexcept {
  return std::atomic_ref(const_cast<uint32_t&>(held_)).load(std::memory_order_relaxed);
}

void FragmentTable::set_held(uint32_t count) noexcept {
  std::atomic_ref(held_).store(count, std::memory_order_relaxed);
}

}  // namespace lbdp::dataplane
