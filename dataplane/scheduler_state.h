// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>

#include "dataplane/parameters.h"

namespace lbdp::dataplane {

/// Where a round robin is.
struct SchedulerCursor {
  static constexpr SlotId kNone{0xffff};  // no slot has this id

  SlotId last{kNone};     // the last pick; kNone: before the first server
  uint16_t position = 0;  // where it was in the order: a hint, good if that server is still there
  uint32_t round = 0;     // wrr: IPVS's cw, the weight that servers of the present round have at least; 0: not begun

  friend bool operator==(const SchedulerCursor&, const SchedulerCursor&) = default;
};
static_assert(sizeof(SchedulerCursor) == 8);

/// A virtual server's mutable scheduler state, outside of snapshots and stable over them, on a cache line of its own.
/// Workers write it for new connections of rr and wrr only, control at a publication (carry()).
class alignas(64) SchedulerState {
 public:
  [[nodiscard]] SchedulerCursor cursor() const noexcept {
    return std::bit_cast<SchedulerCursor>(word_.load(std::memory_order_relaxed));
  }
  /// False, and `expected` is what is there now, if somebody else was faster; or, rarely, for no reason.
  bool replace(SchedulerCursor& expected, SchedulerCursor next) noexcept {
    auto word = std::bit_cast<uint64_t>(expected);
    const bool done = word_.compare_exchange_weak(word, std::bit_cast<uint64_t>(next), std::memory_order_relaxed);
    if (!done) expected = std::bit_cast<SchedulerCursor>(word);
    return done;
  }

 private:
  std::atomic<uint64_t> word_{std::bit_cast<uint64_t>(SchedulerCursor{})};
};

class SchedulerTable;

/// What becomes of a round robin's place when `next` takes the place of `old`, control thread only: it goes on behind
/// the server that it was at. If that one has left (its tenancy counts, too), its place is the nearest server before it
/// that is still there; if there is none, the beginning. wrr's round goes on as in the kernel: the same weight, fitted
/// to the new weights. Workers may pick meanwhile.
void carry(const SchedulerTable& old, const SchedulerTable& next, SchedulerState& state);

}  // namespace lbdp::dataplane
