// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include "dataplane/flow_table.h"
#include "dataplane/parameters.h"
#include "dataplane/tcp_state.h"
#include "dataplane/wide_address.h"

namespace lbdp::dataplane {

/// Where a template sends its client: a slot, and the generation that it had when the client was bound to it.
struct BoundServer {
  SlotId slot{};
  uint16_t generation = 0;

  friend bool operator==(const BoundServer&, const BoundServer&) = default;
};

/// Four persistence templates in two cache lines; zeroed memory is an empty bucket. Any thread reads it, between two
/// looks at the sequence number; who holds it (BucketHold) writes. Every access goes through load() and store().
struct alignas(64) TemplateBucket {
  static constexpr size_t kLanes = 4;

  uint32_t sequence = 0;                       // odd: held
  std::array<uint8_t, kLanes> tags{};          // of the hash: who looks for another client stays in the first line
  std::array<uint16_t, kLanes> services{};     // ServiceId + 1; 0: the lane is empty
  std::array<uint16_t, kLanes> slots{};        //
  std::array<uint16_t, kLanes> generations{};  // of the slots
  std::array<Tick, kLanes> expires{};          // the last tick of its life
  std::array<uint32_t, kLanes> connections{};  // that were made under it and live
  std::array<WideAddress, kLanes> clients{};
};
static_assert(sizeof(TemplateBucket) == 128 && offsetof(TemplateBucket, clients) == 64);

// A value that a holder stored with release, and a reader loaded with acquire, carries the odd sequence number with it:
// so the reader's second look at the sequence number betrays the holder, and no fence is needed (TSan knows none). On
// x86 both are plain moves.
template <class T>
[[nodiscard]] T load(const T& word) noexcept {
  return std::atomic_ref(const_cast<T&>(word)).load(std::memory_order_acquire);
}
template <class T>
void store(T& word, std::type_identity_t<T> value) noexcept {
  std::atomic_ref(word).store(value, std::memory_order_release);
}

/// The sequence number once nobody holds the bucket; none: it is held for longer than a running holder would.
[[nodiscard]] std::optional<uint32_t> quiet_sequence(const TemplateBucket& bucket) noexcept;
/// Is all that was loaded since quiet_sequence() of one moment?
[[nodiscard]] inline bool still(const TemplateBucket& bucket, uint32_t sequence) noexcept {
  return load(bucket.sequence) == sequence;
}

/// The right to write to a bucket, while it lives; false if it could not be had within the bound: workers that share a
/// CPU may preempt a holder, and must not wait for it then.
class BucketHold {
 public:
  BucketHold() = default;
  /// Spins for a while if somebody else holds it.
  explicit BucketHold(TemplateBucket& bucket) noexcept;
  /// Does not spin.
  static BucketHold at_once(TemplateBucket& bucket) noexcept;
  BucketHold(BucketHold&& other) noexcept : bucket_(std::exchange(other.bucket_, nullptr)) {}
  BucketHold& operator=(BucketHold&& other) noexcept {
    std::swap(bucket_, other.bucket_);
    return *this;
  }
  ~BucketHold() { release(); }

  void release() noexcept {
    if (bucket_ != nullptr) store(bucket_->sequence, load(bucket_->sequence) + 1);
    bucket_ = nullptr;
  }
  explicit operator bool() const noexcept { return bucket_ != nullptr; }

 private:
  [[nodiscard]] static bool take(TemplateBucket& bucket, uint32_t sequence) noexcept;

  TemplateBucket* bucket_ = nullptr;
};

/// What names a template, and what its hash says of its place.
struct TemplateKey {
  WideAddress client;
  uint16_t service = 0;  // as in the bucket: ServiceId + 1
  uint8_t tag = 0;
  uint32_t first = 0, second = 0;  // indices of its two buckets
};

/// The lane of a template, if it is in this bucket.
[[nodiscard]] inline std::optional<size_t> lane_of(const TemplateBucket& bucket, const TemplateKey& key) noexcept {
  for (size_t lane = 0; lane < TemplateBucket::kLanes; ++lane) {
    if (load(bucket.tags[lane]) != key.tag || load(bucket.services[lane]) != key.service) continue;
    const WideAddress& client = bucket.clients[lane];
    if (load(client.first) == key.client.first && load(client.second) == key.client.second) return lane;
  }
  return std::nullopt;
}

[[nodiscard]] inline BoundServer server_of(const TemplateBucket& bucket, size_t lane) noexcept {
  return {SlotId{load(bucket.slots[lane])}, load(bucket.generations[lane])};
}

/// Is `tick` over? Holds for ticks less than half the clock's circle (97 days) from `now`.
[[nodiscard]] constexpr bool is_past(Tick tick, Tick now) noexcept {
  return ticks_between(now, tick) > kTickMask / 2;
}
static_assert(kTickMask / 2 / kTicksPerSecond > 31U * 24 * 3600, "the longest timeout");

/// IPVS's way with a template whose time is over while connections made under it live.
inline constexpr Tick kRearm = 60 * kTicksPerSecond;
/// A template's expiry after it was put off from `expires`, 60 s at a time, until it is not over any more.
[[nodiscard]] constexpr Tick rearmed(Tick expires, Tick now) noexcept {
  if (!is_past(expires, now)) return expires;
  return (expires + (ticks_between(expires, now) + kRearm - 1) / kRearm * kRearm) & kTickMask;
}

/// Has the template ended: expired, with no connection to keep it?
[[nodiscard]] inline bool has_ended(const TemplateBucket& bucket, size_t lane, Tick now) noexcept {
  return load(bucket.connections[lane]) == 0 && is_past(load(bucket.expires[lane]), now);
}

}  // namespace lbdp::dataplane
