// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/drop_reason.h"
#include "dataplane/punt_class.h"

namespace lbdp::dataplane {

/// One writer, any reader: a relaxed load and store, which cost what plain ones do.
template <class T>
void add(T& counter, T by) noexcept {
  std::atomic_ref<T>(counter).store(counter + by, std::memory_order_relaxed);
}
template <class T>
void set(T& counter, T to) noexcept {
  std::atomic_ref<T>(counter).store(to, std::memory_order_relaxed);
}
/// From another thread than the writer's.
template <class T>
[[nodiscard]] T read(const T& counter) noexcept {
  return std::atomic_ref<T>(const_cast<T&>(counter)).load(std::memory_order_relaxed);
}

/// What a worker counts. Written by it alone. received = transmitted + punted + dropped + held, always.
struct alignas(64) WorkerCounters {
  uint64_t received = 0;
  uint64_t transmitted = 0;  // received frames that went to a real server: to a queue, or to the worker that has it
  std::array<uint64_t, kPuntClasses> punted{};
  std::array<uint64_t, kDropReasons> dropped{};
  uint64_t held = 0;  // early fragments that wait for their first one, now
  // Beside that sum: frames that this worker did not receive, or made itself.
  uint64_t injected = 0;          // from the kernel, sent
  uint64_t injected_dropped = 0;  // the transmit queue was full
  uint64_t relayed = 0;           // sent for workers without a transmit queue, who counted them as transmitted
  uint64_t relayed_dropped = 0;   // of these, those that the transmit queue had no room for
  uint64_t replies = 0;           // ICMP errors sent
  uint64_t replies_policed = 0;   // ICMP errors due, and not sent: over the rate, or no buffer
  uint64_t cut = 0;             // of the transmitted: packets that went in pieces, since they were too long for a link
  uint64_t pieces = 0;          // their pieces
  uint64_t unstored = 0;        // packets forwarded by the deterministic pick because the flow table is full
  uint64_t templates_full = 0;  // new connections of persistent virtual servers for which no template found a place
  uint64_t loops = 0;
  uint64_t idle_loops = 0;
  uint64_t busy_cycles = 0;
  uint64_t total_cycles = 0;
  uint64_t last_loop_tsc = 0;
};

/// What a worker counts of a slot; by SlotId. Active and inactive hold for one generation, the rest for one tenancy.
struct alignas(64) SlotCounters {
  uint64_t packets = 0;
  uint64_t bytes = 0;  // IP length
  uint64_t connections = 0;
  uint32_t active = 0;
  uint32_t inactive = 0;
  uint16_t generation = 0;
  uint16_t tenancy = 0;
  uint16_t load_epoch = 0;  // active and inactive are in the slot's SlotLoad if this is the snapshot's
};
static_assert(sizeof(SlotCounters) == 64);

}  // namespace lbdp::dataplane
