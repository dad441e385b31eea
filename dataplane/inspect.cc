// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/inspect.h"

#include <algorithm>

namespace lbdp::dataplane {
namespace {

constexpr size_t kMaxScan = 65536;  // 1 MiB of entries

// A cursor: the worker in the upper bits, the place in its table in the lower. Only the beginning is 0.
constexpr unsigned kIndexBits = 40;
struct Position {
  size_t worker = 0;
  size_t index = 0;

  static Position of(uint64_t cursor) {
    return {static_cast<size_t>(cursor >> kIndexBits), static_cast<size_t>(cursor & ((uint64_t{1} << kIndexBits) - 1))};
  }
  [[nodiscard]] uint64_t cursor() const { return uint64_t{worker} << kIndexBits | index; }
};

// False: there is nothing at this place, or it is dead.
bool describe(const Worker& worker, size_t index, const SlotRegistry& registry, ConnectionRow& row) {
  FlowKey key;
  FlowValue value;
  if (!worker.flows().read(index, key, value)) return false;
  const ServiceKey* const service = registry.service_key(key.service());
  const Endpoint* const real = registry.real_server(value.slot(), value.generation());
  if (service == nullptr || real == nullptr) return false;
  const auto left = worker.expires_in(value);
  if (left.count() < 0) return false;
  row = {worker.params().id,
         service->protocol,
         Endpoint{IpAddress::v4(key.client()), key.client_port().host()},
         service->endpoint,
         *real,
         to_string(value.state()),
         left};
  return true;
}

}  // namespace

RealServerCounters sum_counters(const RealServerKey& key, const SlotRegistry& registry,
                                std::span<const std::unique_ptr<Worker>> workers) {
  const auto ref = registry.find(key);
  if (!ref) return {};
  RealServerCounters sum;
  sum.slot = ref->id;
  for (const auto& worker : workers) {
    const SlotCounters& c = worker->slot_counters(ref->id);
    if (read(c.tenancy) != ref->tenancy) continue;  // of the slot's former holder
    sum.packets += read(c.packets);
    sum.bytes += read(c.bytes);
    sum.connections += read(c.connections);
    if (read(c.generation) != ref->generation) continue;  // of connections that a publication ended
    sum.active += read(c.active);
    sum.inactive += read(c.inactive);
  }
  return sum;
}

ConnectionPage list_connections(uint64_t cursor, size_t limit, const SlotRegistry& registry,
                                std::span<const std::unique_ptr<Worker>> workers) {
  ConnectionPage page;
  Position at = Position::of(cursor);
  for (size_t scanned = 0; at.worker < workers.size(); at = {at.worker + 1, 0}) {
    const Worker& worker = *workers[at.worker];
    for (; at.index < worker.flows().capacity(); ++at.index, ++scanned) {
      if (page.rows.size() >= limit || scanned >= kMaxScan) {
        page.next_cursor = at.cursor();
        return page;
      }
      ConnectionRow row;
      if (describe(worker, at.index, registry, row)) page.rows.push_back(std::move(row));
    }
  }
  return page;
}

}  // namespace lbdp::dataplane
