// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <atomic>
#include <cstdint>

namespace lbdp::dataplane {

/// How many connections a real server has, over all workers, and whether that is too many. Outside of snapshots, one a
/// slot, on a cache line of its own. Workers write it when a connection begins, ends, or turns active or inactive; the
/// schedulers read it for new connections. Counts, overload and the rules for it are IPVS's (ipvs.md).
///
/// Every open() needs its close(), with the state that the last change() told. One word holds everything that changes,
/// so that the sum of both counts is exact and the overload mark can never be left behind by a race. It counts
/// connections of one generation of the slot only: what a worker tells of another, because it still sees the snapshot
/// before or the connection is dead already, is not counted. Between a scheduler's pick and open() other workers may
/// pick the same server: with w workers a threshold can be passed by w - 1 connections at most.
class alignas(64) SlotLoad {
 public:
  struct Counts {
    uint32_t active = 0;    // ESTABLISHED, SYN_SENT and SYN_RECV; below 2^24
    uint32_t inactive = 0;  // all others, and UDP's; below 2^24
    bool overloaded = false;
  };

  // ---- workers ----

  void open(bool active, uint16_t generation = 0) noexcept { open(active ? 1 : 0, active ? 0 : 1, generation); }
  /// Several connections at once.
  void open(uint32_t active, uint32_t inactive, uint16_t generation) noexcept {
    add(active * kActive + inactive * kInactive, Event::kOpen, generation);
  }
  void close(bool active, uint16_t generation = 0) noexcept {
    add(0 - (active ? kActive : kInactive), Event::kClose, generation);
  }
  /// A connection that turned active, or inactive. Call it for true changes only.
  void change(bool to_active, uint16_t generation = 0) noexcept {
    add(to_active ? kActive - kInactive : kInactive - kActive, Event::kChange, generation);
  }

  /// At one moment.
  [[nodiscard]] Counts counts() const noexcept {
    const uint64_t word = word_.load(std::memory_order_relaxed);
    return {active_of(word), inactive_of(word), is_overloaded(word)};
  }
  [[nodiscard]] uint32_t active() const noexcept { return active_of(word_.load(std::memory_order_relaxed)); }
  [[nodiscard]] bool overloaded() const noexcept { return is_overloaded(word_.load(std::memory_order_relaxed)); }

  // ---- control ----

  /// From now on connections of this generation are counted, beginning with none.
  void begin(uint16_t generation) noexcept { word_.store(tag_of(generation), std::memory_order_relaxed); }
  [[nodiscard]] bool counts_generation(uint16_t generation) const noexcept {
    return (word_.load(std::memory_order_relaxed) & kTag) == tag_of(generation);
  }
  /// Overloaded from `upper` connections on (0: never), until there are fewer than `lower` (0: than 3/4 of `upper`).
  /// As in the kernel, an upper threshold that is taken away or raised ends an overload at once; one that is lowered
  /// counts from the next connection on.
  void set_thresholds(uint32_t upper, uint32_t lower) noexcept {
    const uint32_t before = upper_.exchange(upper, std::memory_order_relaxed);
    lower_.store(lower, std::memory_order_relaxed);
    if (upper > before) word_.fetch_and(~kOverloaded, std::memory_order_relaxed);
  }

 private:
  enum class Event : uint8_t { kOpen, kClose, kChange };
  // overloaded : 1 | generation's lower bits : 15 | active : 24 | inactive : 24
  static constexpr unsigned kCountBits = 24, kTagShift = 48;
  static constexpr uint64_t kInactive = 1;
  static constexpr uint64_t kActive = uint64_t{1} << kCountBits;
  static constexpr uint64_t kOverloaded = uint64_t{1} << 63;
  static constexpr uint64_t kTag = uint64_t{0x7fff} << kTagShift;
  static constexpr uint32_t kCountMask = (1U << kCountBits) - 1;

  static uint64_t tag_of(uint16_t generation) noexcept { return uint64_t{generation} << kTagShift & kTag; }
  static uint32_t active_of(uint64_t word) noexcept { return static_cast<uint32_t>(word >> kCountBits) & kCountMask; }
  static uint32_t inactive_of(uint64_t word) noexcept { return static_cast<uint32_t>(word) & kCountMask; }
  static uint64_t total(uint64_t word) noexcept { return uint64_t{active_of(word)} + inactive_of(word); }
  // Without a threshold the mark does not count: a worker that still saw the old one may set it.
  bool is_overloaded(uint64_t word) const noexcept {
    return (word & kOverloaded) != 0 && upper_.load(std::memory_order_relaxed) != 0;
  }

  void add(uint64_t what, Event event, uint16_t generation) noexcept {
    const uint32_t upper = upper_.load(std::memory_order_relaxed);
    uint64_t word = word_.load(std::memory_order_relaxed);
    do {
      if ((word & kTag) != tag_of(generation)) return;
    } while (!word_.compare_exchange_weak(word, marked(word + what, event, upper), std::memory_order_relaxed));
  }
  // The word with the mark as it must be after `event`.
  [[nodiscard]] uint64_t marked(uint64_t word, Event event, uint32_t upper) const noexcept {
    if (upper == 0 || event == Event::kChange) return word;
    if (event == Event::kOpen) return total(word) >= upper ? word | kOverloaded : word;
    const uint32_t lower = lower_.load(std::memory_order_relaxed);
    const bool ends = lower != 0 ? total(word) < lower : total(word) * 4 < uint64_t{upper} * 3;
    return ends ? word & ~kOverloaded : word;
  }

  std::atomic<uint64_t> word_{0};
  std::atomic<uint32_t> upper_{0};  // written by control only
  std::atomic<uint32_t> lower_{0};
};
static_assert(sizeof(SlotLoad) == 64);

}  // namespace lbdp::dataplane
