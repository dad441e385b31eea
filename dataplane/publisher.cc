// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/publisher.h"

#include <algorithm>

namespace lbdp::dataplane {
namespace {

// A round robin goes on behind the server that it was at. If that one has left, its place is the nearest server before
// it that is still there; if there is none, the beginning.
uint32_t carried_cursor(const Snapshot& old, const Snapshot& next, ServiceId id, uint32_t last_pick) {
  const auto still_there = [&](SlotId slot) {
    const SlotDetail& detail = next.detail(slot);
    return detail.listed && detail.service == id && detail.tenancy == old.detail(slot).tenancy;
  };
  const auto& order = old.service(id).order;
  auto at = std::find(order.begin(), order.end(), SlotId{static_cast<uint16_t>(last_pick)});
  if (at == order.end()) return last_pick;
  while (!still_there(*at)) {
    if (at == order.begin()) return ServiceState::kNone;
    --at;
  }
  return static_cast<uint32_t>(*at);
}

}  // namespace

Result<std::unique_ptr<Publisher>> Publisher::create(unsigned workers, std::vector<MacAddress> port_macs) {
  const size_t size = rte_rcu_qsbr_get_memsize(workers);
  const size_t rounded = (size + RTE_CACHE_LINE_SIZE - 1) / RTE_CACHE_LINE_SIZE * RTE_CACHE_LINE_SIZE;
  std::unique_ptr<rte_rcu_qsbr, Free> qsbr(
      static_cast<rte_rcu_qsbr*>(std::aligned_alloc(RTE_CACHE_LINE_SIZE, rounded)));
  if (!qsbr || rte_rcu_qsbr_init(qsbr.get(), workers) != 0)
    return fail("cannot set up RCU for " + std::to_string(workers) + " workers");
  for (unsigned i = 0; i < workers; ++i) rte_rcu_qsbr_thread_register(qsbr.get(), i);
  return std::unique_ptr<Publisher>(new Publisher(std::move(qsbr), std::move(port_macs)));
}

Publisher::Publisher(std::unique_ptr<rte_rcu_qsbr, Free> qsbr, std::vector<MacAddress> port_macs)
    : qsbr_(std::move(qsbr)), port_macs_(std::move(port_macs)), owned_(build(Tables{})), current_(owned_.get()) {}

Publisher::~Publisher() = default;

SnapshotReader Publisher::reader(WorkerId worker) {
  return {qsbr_.get(), static_cast<unsigned>(worker), &current_};
}

Result<void> Publisher::publish(const Tables& tables) {
  if (auto updated = registry_.update(tables); !updated) return updated;
  auto next = build(tables);
  carry_cursors(*next);
  current_.store(next.get(), std::memory_order_release);
  std::swap(owned_, next);
  retired_.push_back({rte_rcu_qsbr_start(qsbr_.get()), std::move(next)});
  collect();
  return {};
}

Result<void> Publisher::publish_changes(std::span<const VirtualServerParams>) {
  return fail("not there yet");
}

void Publisher::collect() {
  while (!retired_.empty() && rte_rcu_qsbr_check(qsbr_.get(), retired_.front().token, false) == 1) retired_.pop_front();
}

std::unique_ptr<const Snapshot> Publisher::build(const Tables& tables) const {
  SnapshotBuilder builder(tables.virtual_servers.size(), registry_.service_count(), registry_.slot_count(),
                          tables.switches.expire_nodest_conn);
  for (size_t i = 0; i < registry_.slot_count(); ++i) {
    const auto ref = registry_.slot(SlotId{static_cast<uint16_t>(i)});
    builder.set_idle_slot(ref.id, ref.generation, ref.tenancy);
  }
  std::vector<SnapshotBuilder::Server> servers;
  for (const auto& service : tables.virtual_servers) {
    servers.clear();
    for (const auto& server : service.real_servers) servers.push_back(describe(service.key, server));
    const ServiceId id = *registry_.find(service.key);
    builder.add_service(id, service.key, service.owned, servers, registry_.state(id));
  }
  return builder.finish();
}

SnapshotBuilder::Server Publisher::describe(const ServiceKey& service, const RealServerParams& server) const {
  const auto ref = *registry_.find(RealServerKey{service, server.endpoint});
  const auto egress = static_cast<uint16_t>(server.egress);
  SnapshotBuilder::Server out{ref.id, ref.generation, ref.tenancy, server.weight, server.in_table, false, {}, egress};
  if (!server.mac || egress >= port_macs_.size()) return out;
  out.resolved = true;
  std::copy(server.mac->bytes.begin(), server.mac->bytes.end(), out.macs.begin());
  std::copy(port_macs_[egress].bytes.begin(), port_macs_[egress].bytes.end(), out.macs.begin() + 6);
  return out;
}

// Workers pick meanwhile; whoever loses the race tries again or finds a cursor that is good in his snapshot, too.
void Publisher::carry_cursors(const Snapshot& next) const {
  for (size_t i = 0; i < owned_->service_limit(); ++i) {
    const ServiceId id{static_cast<uint16_t>(i)};
    const ServiceTable& old_table = owned_->service(id);
    if (!old_table.state || next.service(id).state != old_table.state) continue;
    uint32_t last = old_table.state->last_pick.load(std::memory_order_relaxed);
    if (last == ServiceState::kNone) continue;
    const uint32_t carried = carried_cursor(*owned_, next, id, last);
    if (carried != last) old_table.state->last_pick.compare_exchange_strong(last, carried, std::memory_order_relaxed);
  }
}

}  // namespace lbdp::dataplane
