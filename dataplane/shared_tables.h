// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <atomic>
#include <memory>
#include <span>

#include "config/types/result.h"
#include "dataplane/mapped_array.h"
#include "dataplane/slot_load.h"
#include "dataplane/template_table.h"

namespace lbdp::dataplane {

class Worker;

/// What the workers share beside the snapshots: touched for new connections only, never for each packet.
class SharedTables {
 public:
  static Result<std::unique_ptr<SharedTables>> create(uint32_t templates);

  /// By SlotId.
  [[nodiscard]] std::span<SlotLoad> loads() { return loads_.items(); }
  [[nodiscard]] std::span<const SlotLoad> loads() const { return loads_.items(); }
  [[nodiscard]] TemplateTable& templates() { return templates_; }
  [[nodiscard]] const TemplateTable& templates() const { return templates_; }

  /// A UDP flow has a first fragment. NICs spread fragments by addresses alone and whole packets by ports, too, so its
  /// whole packets may come to another worker, which is to look at the others' tables then: as long as fragments alone
  /// may keep the flow alive in one of them.
  void note_udp_fragment(Tick now) noexcept {
    if (fragmented_within(0, now)) return;  // the line stays shared
    last_fragmented_.store(now, std::memory_order_relaxed);
    any_fragmented_.store(true, std::memory_order_relaxed);
  }
  [[nodiscard]] bool fragmented_within(Tick time, Tick now) const noexcept {
    return any_fragmented_.load(std::memory_order_relaxed) &&
           ticks_between(last_fragmented_.load(std::memory_order_relaxed), now) <= time;
  }

 private:
  SharedTables(MappedArray<SlotLoad> loads, MappedArray<TemplateBucket> buckets, uint64_t seed)
      : loads_(std::move(loads)), buckets_(std::move(buckets)), templates_(buckets_.items(), seed) {}

  MappedArray<SlotLoad> loads_;
  MappedArray<TemplateBucket> buckets_;
  TemplateTable templates_;
  alignas(64) std::atomic<Tick> last_fragmented_{0};
  std::atomic<bool> any_fragmented_{false};
};

}  // namespace lbdp::dataplane
