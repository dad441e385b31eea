// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/template_table.h"

#include <immintrin.h>

#include <algorithm>
#include <cassert>

namespace lbdp::dataplane {
namespace {

// Some microseconds: many times what a running holder needs, and nothing against a preempted one's time slice.
constexpr unsigned kSpins = 256;
// How often somebody starts over whom writers disturbed while they did not even let him wait.
constexpr unsigned kTries = 8;

// Both halves of the 128-bit product: unlike CRC32 or a 64-bit product alone, no difference of two keys cancels out
// under all seeds.
__extension__ using Product = unsigned __int128;
uint64_t fold(uint64_t a, uint64_t b) noexcept {
  const Product product = Product{a} * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// The next number of SplitMix64 (Steele, Lea, Flood 2014).
uint64_t next_seed(uint64_t& state) noexcept {
  uint64_t z = state += 0x9e3779b97f4a7c15U;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
  z = (z ^ z >> 27) * 0x94d049bb133111ebU;
  return z ^ z >> 31;
}

}  // namespace

std::optional<uint32_t> quiet_sequence(const TemplateBucket& bucket) noexcept {
  for (unsigned spin = 0; spin < kSpins; ++spin) {
    const uint32_t sequence = load(bucket.sequence);
    if (sequence % 2 == 0) return sequence;
    _mm_pause();
  }
  return std::nullopt;
}

bool BucketHold::take(TemplateBucket& bucket, uint32_t sequence) noexcept {
  return std::atomic_ref(bucket.sequence)
      .compare_exchange_strong(sequence, sequence + 1, std::memory_order_acq_rel, std::memory_order_relaxed);
}

BucketHold::BucketHold(TemplateBucket& bucket) noexcept {
  for (unsigned spin = 0; spin < kSpins; ++spin) {
    const uint32_t sequence = load(bucket.sequence);
    if (sequence % 2 == 0 && take(bucket, sequence)) {
      bucket_ = &bucket;
      return;
    }
    _mm_pause();
  }
}

BucketHold BucketHold::at_once(TemplateBucket& bucket) noexcept {
  BucketHold hold;
  const uint32_t sequence = load(bucket.sequence);
  if (sequence % 2 == 0 && take(bucket, sequence)) hold.bucket_ = &bucket;
  return hold;
}

TemplateTable::TemplateTable(std::span<TemplateBucket> memory, uint64_t seed) noexcept : buckets_(memory) {
  assert(!memory.empty());
  for (uint64_t& s : seeds_) s = next_seed(seed) | 1;  // not 0, which would swallow all that it is multiplied with
}

// The two halves of the hash choose one bucket each, by their upper bits; the tag is of the lowest ones.
TemplateKey TemplateTable::key_for(const WideAddress& client, uint16_t service) const noexcept {
  const uint64_t of_client = fold(client.first ^ seeds_[0], client.second ^ seeds_[1]);
  const uint64_t hash = fold(of_client ^ service, seeds_[2]);
  const auto place = [this](uint64_t half) { return static_cast<uint32_t>(half * buckets_.size() >> 32); };
  return {client, service, static_cast<uint8_t>(hash), place(hash >> 32), place(hash & 0xffffffffU)};
}

TemplateTable::Sighting TemplateTable::look_for(ServiceId service, const WideAddress& client, Tick now) const noexcept {
  const TemplateKey key = key_for(client, service);
  const std::array<const TemplateBucket*, 2> candidates{&buckets_[key.first], &buckets_[key.second]};
  for (unsigned attempt = 0; attempt < kTries; ++attempt) {
    std::array<uint32_t, 2> sequences{};
    bool disturbed = false;
    for (size_t i = 0; i < 2 && !disturbed; ++i) {
      const TemplateBucket& bucket = *candidates[i];
      const auto sequence = quiet_sequence(bucket);
      if (!sequence) return {};
      sequences[i] = *sequence;
      const auto lane = lane_of(bucket, key);
      const bool ended = lane && has_ended(bucket, *lane, now);
      const BoundServer server = lane ? server_of(bucket, *lane) : BoundServer();
      disturbed = !still(bucket, *sequence);
      if (lane && !disturbed) return {ended ? Sight::kNotHere : Sight::kHere, server};
    }
    // It may have moved from the second bucket to the first since the look at the first.
    if (!disturbed && still(*candidates[0], sequences[0])) return {Sight::kNotHere, {}};
  }
  return {};
}

// While the first bucket is held, the client can neither be added nor move, so if it is in the second one, a look finds
// it there without a hold. What the look takes for it by mistake, in the middle of a change, or finds just before the
// sweep removes it, the second hold shows.
TemplateTable::Claim TemplateTable::locate(const TemplateKey& key) noexcept {
  TemplateBucket &first = buckets_[key.first], &second = buckets_[key.second];
  for (unsigned attempt = 0; attempt < kTries; ++attempt) {
    BucketHold hold(first);
    if (!hold) break;
    const auto lane = lane_of(first, key);
    if (lane || &first == &second || !lane_of(second, key)) {
      return {&first, lane, lane.has_value(), Outcome::kFull, {std::move(hold), BucketHold()}};
    }
    hold.release();
    BucketHold second_hold(second);
    if (!second_hold) break;
    if (const auto at = lane_of(second, key)) {
      return {&second, at, true, Outcome::kFull, {std::move(second_hold), BucketHold()}};
    }
  }
  return {};
}

TemplateTable::Claim TemplateTable::claim(const TemplateKey& key, Tick now) noexcept {
  {
    Claim claim = locate(key);
    if (claim.lane || claim.failure == Outcome::kBusy) return claim;
    claim.lane = vacant_lane(*claim.bucket, now);
    if (claim.lane) return claim;
  }
  return claim_from_both(key, now);
}

// All who hold one bucket while they wait for another wait for one further on in memory: never for each other.
TemplateTable::Claim TemplateTable::claim_from_both(const TemplateKey& key, Tick now) noexcept {
  const auto [lower, upper] = std::minmax(key.first, key.second);
  Claim claim;
  claim.holds[0] = BucketHold(buckets_[lower]);
  if (!claim.holds[0]) return claim;
  if (lower != upper) {
    claim.holds[1] = BucketHold(buckets_[upper]);
    if (!claim.holds[1]) return claim;
  }
  const std::array<TemplateBucket*, 2> candidates{&buckets_[key.first], &buckets_[key.second]};
  const auto take = [&](auto&& lane_in) {
    for (TemplateBucket* bucket : candidates) {
      claim.bucket = bucket;
      claim.lane = lane_in(*bucket);
      if (claim.lane) return true;
    }
    return false;
  };
  claim.known = take([&](const TemplateBucket& bucket) { return lane_of(bucket, key); });
  if (claim.known || take([&](const TemplateBucket& bucket) { return vacant_lane(bucket, now); })) return claim;
  if (size() < capacity() / kDisplaceDenominator * kDisplaceNumerator &&
      take([&](TemplateBucket& bucket) { return displaced_lane(bucket, now); })) {
    return claim;
  }
  claim.failure = Outcome::kFull;
  return claim;
}

std::optional<size_t> TemplateTable::vacant_lane(const TemplateBucket& bucket, Tick now) noexcept {
  std::optional<size_t> over;
  for (size_t lane = 0; lane < TemplateBucket::kLanes; ++lane) {
    if (load(bucket.services[lane]) == 0) return lane;
    if (!over && has_ended(bucket, lane, now)) over = lane;
  }
  return over;
}

// A held bucket's other holders are not waited for: this thread holds two already. So nor are its own.
std::optional<size_t> TemplateTable::displaced_lane(TemplateBucket& bucket, Tick now) noexcept {
  std::array<TemplateKey, TemplateBucket::kLanes> keys;
  std::array<TemplateBucket*, TemplateBucket::kLanes> others{};
  for (size_t lane = 0; lane < TemplateBucket::kLanes; ++lane) {
    const WideAddress client{load(bucket.clients[lane].first), load(bucket.clients[lane].second)};
    keys[lane] = key_for(client, load(bucket.services[lane]));
    others[lane] = &buckets_[&buckets_[keys[lane].first] == &bucket ? keys[lane].second : keys[lane].first];
    __builtin_prefetch(others[lane], 1);
  }
  for (size_t lane = 0; lane < TemplateBucket::kLanes; ++lane) {
    const BucketHold hold = BucketHold::at_once(*others[lane]);
    if (!hold) continue;
    const auto to = vacant_lane(*others[lane], now);
    if (!to) continue;
    move(bucket, lane, *others[lane], *to, keys[lane].tag);
    return lane;
  }
  return std::nullopt;
}

void TemplateTable::put(TemplateBucket& bucket, size_t lane, const TemplateKey& key, BoundServer server,
                        Tick expires) noexcept {
  if (load(bucket.services[lane]) == 0) size_.fetch_add(1, std::memory_order_relaxed);
  store(bucket.services[lane], key.service);
  store(bucket.tags[lane], key.tag);
  store(bucket.slots[lane], static_cast<uint16_t>(server.slot));
  store(bucket.generations[lane], server.generation);
  store(bucket.expires[lane], expires);
  store(bucket.connections[lane], 1);
  store(bucket.clients[lane].first, key.client.first);
  store(bucket.clients[lane].second, key.client.second);
}

// `to` is released before `from`: who finds it gone from there finds it here.
void TemplateTable::move(TemplateBucket& from, size_t from_lane, TemplateBucket& to, size_t to_lane,
                         uint8_t tag) noexcept {
  const TemplateKey key{{load(from.clients[from_lane].first), load(from.clients[from_lane].second)},
                        load(from.services[from_lane]),
                        tag,
                        0,
                        0};
  put(to, to_lane, key, server_of(from, from_lane), load(from.expires[from_lane]));
  store(to.connections[to_lane], load(from.connections[from_lane]));
  erase(from, from_lane);
}

void TemplateTable::erase(TemplateBucket& bucket, size_t lane) noexcept {
  store(bucket.services[lane], 0);
  size_.fetch_sub(1, std::memory_order_relaxed);
}

bool TemplateTable::release(ServiceId service, const WideAddress& client, BoundServer server, Tick now) noexcept {
  const Claim claim = locate(key_for(client, service));
  if (!claim.lane) return claim.failure != Outcome::kBusy;
  TemplateBucket& bucket = *claim.bucket;
  const size_t lane = *claim.lane;
  const uint32_t connections = load(bucket.connections[lane]);
  if (server_of(bucket, lane) != server || connections == 0) return true;
  // The sweep may not have come by since the template expired: until now the connection kept it.
  store(bucket.expires[lane], rearmed(load(bucket.expires[lane]), now));
  store(bucket.connections[lane], connections - 1);
  return true;
}

// A lifetime that was shortened since holds for the templates that are there, too.
TemplateTable::Verdict TemplateTable::judge_expiry(Tick expires, uint32_t connections, Tick now,
                                                   Tick lifetime) noexcept {
  if (is_past(expires, now)) {
    if (connections == 0) return {.remove = true, .expires = {}};
    return {.remove = false, .expires = rearmed(expires, now)};
  }
  const Tick longest = std::max(lifetime, kRearm) + kTicksPerSecond;  // workers' clocks may be ahead a little
  if (ticks_between(now, expires) <= longest) return {};
  return {.remove = false, .expires = (now + longest) & kTickMask};
}

void TemplateTable::execute(const Verdict& verdict, TemplateBucket& bucket, size_t lane) noexcept {
  if (verdict.remove) {
    erase(bucket, lane);
  } else if (verdict.expires) {
    store(bucket.expires[lane], *verdict.expires);
  }
}

std::optional<TemplateEntry> TemplateTable::read(size_t index) const noexcept {
  const TemplateBucket& bucket = buckets_[index / TemplateBucket::kLanes];
  const size_t lane = index % TemplateBucket::kLanes;
  for (unsigned attempt = 0; attempt < kTries; ++attempt) {
    const auto sequence = quiet_sequence(bucket);
    if (!sequence) break;
    const uint16_t service = load(bucket.services[lane]);
    const TemplateEntry entry{ServiceId{static_cast<uint16_t>(service - 1)},
                              {load(bucket.clients[lane].first), load(bucket.clients[lane].second)},
                              server_of(bucket, lane),
                              load(bucket.expires[lane]),
                              load(bucket.connections[lane])};
    if (!still(bucket, *sequence)) continue;
    return service == 0 ? std::nullopt : std::optional(entry);
  }
  return std::nullopt;
}

}  // namespace lbdp::dataplane
