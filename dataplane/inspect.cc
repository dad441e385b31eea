// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/inspect.h"

#include <algorithm>

namespace lbdp::dataplane {
namespace {

constexpr size_t kMaxScan = 16384;  // 256 KiB of narrow entries: a fraction of a millisecond

// A cursor: the worker and which of its tables in the upper bits, the place there in the lower. Only the beginning is
// 0.
constexpr unsigned kIndexBits = 40;
struct Position {
  size_t table = 0;  // 2 * worker, + 1 for the wide one
  size_t index = 0;

  static Position of(uint64_t cursor) {
    return {static_cast<size_t>(cursor >> kIndexBits), static_cast<size_t>(cursor & ((uint64_t{1} << kIndexBits) - 1))};
  }
  [[nodiscard]] uint64_t cursor() const { return uint64_t{table} << kIndexBits | index; }
};

bool contains(const IpPrefix& prefix, const IpAddress& address) {
  if (prefix.address.family() != address.family()) return false;
  const auto a = prefix.address.bytes(), b = address.bytes();
  for (size_t bit = 0; bit < prefix.length; bit += 8) {
    const size_t kept = std::min<size_t>(8, prefix.length - bit);
    if (((a[bit / 8] ^ b[bit / 8]) & (0xff00U >> kept & 0xffU)) != 0) return false;
  }
  return true;
}

/// A filter, looked up as far as it can be before any entry is read.
class Matcher {
 public:
  Matcher(const ConnectionFilter& filter, const SlotRegistry& registry) : filter_(filter), registry_(registry) {
    if (!filter.service) return;
    const auto id = registry.find(*filter.service);
    // The virtual server's own key stands for all of its destinations.
    if (id && registry.virtual_server_key(*id) != nullptr && *registry.virtual_server_key(*id) == *filter.service)
      head_ = filter.service;
  }
  [[nodiscard]] bool wants(const WorkerId worker) const { return !filter_.worker || *filter_.worker == worker; }
  /// Without its strings and its names: cheap.
  template <class Key>
  [[nodiscard]] bool wants(const Key& key, FlowValue value) const {
    if (filter_.client_port && key.client_port().host() != *filter_.client_port) return false;
    if (!filter_.state.empty() && filter_.state != to_string(value.state())) return false;
    if (filter_.client && !contains(*filter_.client, key.client())) return false;
    return true;
  }
  [[nodiscard]] bool wants(const ConnectionRow& row, const ServiceKey& destination, const ServiceKey& head) const {
    if (filter_.real_server && row.real_server != *filter_.real_server) return false;
    return !filter_.service || destination == *filter_.service || (head_ && head == *head_);
  }

 private:
  const ConnectionFilter& filter_;
  const SlotRegistry& registry_;
  std::optional<ServiceKey> head_;
};

// Empty: it is dead, or of something that is no longer there.
template <class Key>
std::optional<ConnectionRow> describe(const Worker& worker, const Key& key, FlowValue value,
                                      const SlotRegistry& registry) {
  const ServiceKey* const destination = registry.service_key(key.service());
  const Endpoint* const real = registry.real_server(value.slot(), value.generation());
  if (destination == nullptr || real == nullptr) return std::nullopt;
  const auto left = worker.expires_in(value);
  if (left.count() < 0) return std::nullopt;
  ConnectionRow row{worker.params().id,
                    destination->protocol,
                    Endpoint{key.client(), key.client_port().host()},
                    destination->endpoint,
                    *real,
                    to_string(value.state()),
                    left};
  if (destination->endpoint.port == 0) {
    row.virtual_server.port = key.port().host();
    if (row.real_server.port == 0) row.real_server.port = key.port().host();
  }
  return row;
}

/// What remains to be read for a page.
struct Budget {
  size_t places = kMaxScan;
  size_t rows = 0;
};

// Reads a table from `index` on; true if it came to the end.
template <class Key>
bool scan(const Worker& worker, size_t& index, Budget& budget, const Matcher& matcher, const SlotRegistry& registry,
          std::vector<ConnectionRow>& rows) {
  const FlowTable<Key>& flows = worker.table<Key>();
  for (; index < flows.capacity(); ++index, --budget.places) {
    if (rows.size() >= budget.rows || budget.places == 0) return false;
    Key key;
    FlowValue value;
    if (!flows.read(index, key, value) || !matcher.wants(key, value)) continue;
    auto row = describe(worker, key, value, registry);
    if (row && matcher.wants(*row, *registry.service_key(key.service()), *registry.virtual_server_key(key.service())))
      rows.push_back(std::move(*row));
  }
  return true;
}

}  // namespace

RealServerCounters sum_counters(const RealServerKey& key, const Publisher& publisher, Workers workers) {
  const auto ref = publisher.registry().find(key);
  if (!ref) return {};
  RealServerCounters sum;
  sum.slot = ref->id;
  sum.overloaded = publisher.shared().loads()[static_cast<size_t>(ref->id)].overloaded();
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

ConnectionPage list_connections(uint64_t cursor, size_t limit, const ConnectionFilter& filter,
                                const SlotRegistry& registry, Workers workers) {
  ConnectionPage page;
  const Matcher matcher(filter, registry);
  Budget budget{.rows = limit};
  Position at = Position::of(cursor);
  for (; at.table < 2 * workers.size(); at = {at.table + 1, 0}) {
    const Worker& worker = *workers[at.table / 2];
    if (!matcher.wants(worker.params().id)) continue;
    const bool ended = at.table % 2 == 0 ? scan<FlowKey>(worker, at.index, budget, matcher, registry, page.rows)
                                         : scan<WideKey>(worker, at.index, budget, matcher, registry, page.rows);
    if (ended) continue;
    page.next_cursor = at.cursor();
    return page;
  }
  return page;
}

TemplatePage list_templates(uint64_t cursor, size_t limit, Tick now, const Publisher& publisher) {
  TemplatePage page;
  const TemplateTable& templates = publisher.shared().templates();
  const size_t end = std::min<size_t>(templates.capacity(), cursor + kMaxScan);
  size_t index = cursor;
  for (; index < end && page.rows.size() < limit; ++index) {
    const auto entry = templates.read(index);
    if (!entry) continue;
    const VirtualService* service = publisher.current().service(entry->service);
    const ServiceKey* key = publisher.registry().service_key(entry->service);
    const Endpoint* real = publisher.registry().real_server(entry->server.slot, entry->server.generation);
    if (service == nullptr || key == nullptr || real == nullptr || service->persistence == 0) continue;
    const bool past = is_past(entry->expires, now);
    if (past && entry->connections == 0) continue;
    const Tick left = past ? 0 : ticks_between(now, entry->expires);
    page.rows.push_back({*key, to_prefix(entry->client, service->client_mask), *real,
                         std::chrono::seconds(left / kTicksPerSecond), entry->connections});
  }
  page.next_cursor = index < templates.capacity() ? index : 0;
  return page;
}

}  // namespace lbdp::dataplane
