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
/// so that the sum of both counts is exact and the overload mark can never be left behind by a race. Between a
/// scheduler's pick and open() other workers may pick the same server: with w workers a threshold can be passed by w -
/// 1 connections at most.
class alignas(64) SlotLoad {
 public:
  struct Counts {
    uint32_t active = 0;    // ESTABLISHED, SYN_SENT and SYN_RECV
    uint32_t inactive = 0;  // all others, and UDP's
    bool overloaded = false;
  };

  // ---- workers ----

  void open(bool active) noexcept { add(active ? kActive : kInactive, Event::kOpen); }
  void close(bool active) noexcept { add(0 - (active ? kActive : kInactive), Event::kClose); }
  /// A connection that turned active, or inactive. Call it for true changes only.
  void change(bool to_active) noexcept {
    word_.fetch_add(to_active ? kActive - kInactive : kInactive - kActive, std::memory_order_relaxed);
  }

  /// At one moment.
  [[nodiscard]] Counts counts() const noexcept {
    const uint64_t word = word_.load(std::memory_order_relaxed);
    return {active_of(word), static_cast<uint32_t>(word), is_overloaded(word)};
  }
  [[nodiscard]] uint32_t active() const noexcept { return active_of(word_.load(std::memory_order_relaxed)); }
  [[nodiscard]] bool overloaded() const noexcept { return is_overloaded(word_.load(std::memory_order_relaxed)); }

  // ---- control ----

  /// Overloaded from `upper` connections on (0: never), until there are fewer than `lower` (0: than 3/4 of `upper`).
  /// As in the kernel, an upper threshold that is taken away or raised ends an overload at once; one that is lowered
  /// counts from the next connection on.
  void set_thresholds(uint32_t upper, uint32_t lower) noexcept {
    const uint32_t before = upper_.exchange(upper, std::memory_order_relaxed);
    lower_.store(lower, std::memory_order_relaxed);
    if (upper > before) word_.fetch_and(~kOverloaded, std::memory_order_relaxed);
  }

 private:
  enum class Event : uint8_t { kOpen, kClose };
  // overloaded : 1 | active : 31 | inactive : 32
  static constexpr uint64_t kInactive = 1;
  static constexpr uint64_t kActive = uint64_t{1} << 32;
  static constexpr uint64_t kOverloaded = uint64_t{1} << 63;

  static uint32_t active_of(uint64_t word) noexcept { return static_cast<uint32_t>((word & ~kOverloaded) >> 32); }
  static uint64_t total(uint64_t word) noexcept { return active_of(word) + uint64_t{static_cast<uint32_t>(word)}; }
  // Without a threshold the mark does not count: a worker that still sees the old one may set it.
  bool is_overloaded(uint64_t word) const noexcept {
    return (word & kOverloaded) != 0 && upper_.load(std::memory_order_relaxed) != 0;
  }

  void add(uint64_t what, Event event) noexcept {
    const uint32_t upper = upper_.load(std::memory_order_relaxed);
    if (upper == 0) {
      word_.fetch_add(what, std::memory_order_relaxed);
      return;
    }
    uint64_t word = word_.load(std::memory_order_relaxed);
    while (!word_.compare_exchange_weak(word, marked(word + what, event, upper), std::memory_order_relaxed)) {
    }
  }
  // The word with the mark as it must be after `event`.
  [[nodiscard]] uint64_t marked(uint64_t word, Event event, uint32_t upper) const noexcept {
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
