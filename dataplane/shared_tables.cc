// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/shared_tables.h"

#include <random>

#include "dataplane/slot_registry.h"

namespace lbdp::dataplane {

Result<std::unique_ptr<SharedTables>> SharedTables::create(uint32_t templates) {
  auto loads = MappedArray<SlotLoad>::create(SlotRegistry::kMaxSlots, "the servers' loads");
  if (!loads) return tl::unexpected(loads.error());
  auto buckets = MappedArray<TemplateBucket>::create(TemplateTable::buckets_for(templates), "persistence templates");
  if (!buckets) return tl::unexpected(buckets.error());
  std::random_device device;
  const uint64_t seed = uint64_t{device()} << 32 | device();
  return std::unique_ptr<SharedTables>(new SharedTables(std::move(*loads), std::move(*buckets), seed));
}

}  // namespace lbdp::dataplane
