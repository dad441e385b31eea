// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/scheduler.h"

namespace lbdp::dataplane {
namespace {

// The position that follows the last pick; the first usable one if that pick is no server of this service any more.
uint16_t position_after(const Snapshot& snapshot, ServiceId id, const ServiceTable& service, uint32_t last_pick) {
  if (last_pick >= snapshot.slot_count()) return service.first_usable;
  const SlotDetail& last = snapshot.detail(SlotId{static_cast<uint16_t>(last_pick)});
  return last.listed && last.service == id ? service.next_usable[last.position] : service.first_usable;
}

}  // namespace

std::optional<SlotId> pick_round_robin(const Snapshot& snapshot, ServiceId id) noexcept {
  const ServiceTable& service = snapshot.service(id);
  if (service.usable.empty()) return std::nullopt;
  uint32_t last = service.state->last_pick.load(std::memory_order_relaxed);
  // Another worker's pick between load and swap makes this one start again from there: the order stays strict. The loop
  // ends because each failure is another worker's success.
  for (;;) {
    const SlotId pick = service.order[position_after(snapshot, id, service, last)];
    if (service.state->last_pick.compare_exchange_weak(last, static_cast<uint32_t>(pick), std::memory_order_relaxed)) {
      return pick;
    }
  }
}

std::optional<SlotId> pick_by_hash(const Snapshot& snapshot, ServiceId id, uint32_t hash) noexcept {
  const auto& usable = snapshot.service(id).usable;
  if (usable.empty()) return std::nullopt;
  return usable[uint64_t{hash * 0x85ebca6bU} * usable.size() >> 32];
}

}  // namespace lbdp::dataplane
