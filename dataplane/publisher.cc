// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/publisher.h"

#include <algorithm>

#include "dataplane/stable_hash.h"

namespace lbdp::dataplane {
namespace {

// As many upper bits of a client's address as the granularity says.
WideAddress client_mask(const VirtualServerParams& params) {
  const bool v4 = params.key.endpoint.address.is_v4();
  std::array<uint8_t, 16> mask{};
  const size_t bits = params.persistence.granularity, begin = v4 ? 96 : 0;
  for (size_t bit = 0; bit < 128; ++bit) {
    const bool kept = bit < begin || bit - begin < bits;
    if (kept) mask[bit / 8] = static_cast<uint8_t>(mask[bit / 8] | 0x80U >> bit % 8);
  }
  return WideAddress::from_bytes(mask.data());
}

Tick to_ticks(std::chrono::seconds time) {
  return static_cast<Tick>(time.count() * kTicksPerSecond);
}

}  // namespace

Result<std::unique_ptr<Publisher>> Publisher::create(unsigned workers, std::vector<MacAddress> port_macs,
                                                     uint32_t templates) {
  const size_t size = rte_rcu_qsbr_get_memsize(workers);
  const size_t rounded = (size + RTE_CACHE_LINE_SIZE - 1) / RTE_CACHE_LINE_SIZE * RTE_CACHE_LINE_SIZE;
  std::unique_ptr<rte_rcu_qsbr, Free> qsbr(
      static_cast<rte_rcu_qsbr*>(std::aligned_alloc(RTE_CACHE_LINE_SIZE, rounded)));
  if (!qsbr || rte_rcu_qsbr_init(qsbr.get(), workers) != 0)
    return fail("cannot set up RCU for " + std::to_string(workers) + " workers");
  for (unsigned i = 0; i < workers; ++i) rte_rcu_qsbr_thread_register(qsbr.get(), i);
  auto shared = SharedTables::create(templates);
  if (!shared) return tl::unexpected(shared.error());
  return std::unique_ptr<Publisher>(new Publisher(std::move(qsbr), std::move(port_macs), std::move(*shared)));
}

Publisher::Publisher(std::unique_ptr<rte_rcu_qsbr, Free> qsbr, std::vector<MacAddress> port_macs,
                     std::unique_ptr<SharedTables> shared)
    : qsbr_(std::move(qsbr)),
      port_macs_(std::move(port_macs)),
      shared_(std::move(shared)),
      owned_(builder_.copy()),
      current_(owned_.get()) {}

Publisher::~Publisher() = default;

SnapshotReader Publisher::reader(WorkerId worker) {
  return {qsbr_.get(), static_cast<unsigned>(worker), &current_};
}

Result<void> Publisher::publish(const Tables& tables) {
  if (auto updated = registry_.update(tables); !updated) return updated;
  expire_nodest_conn_ = tables.switches.expire_nodest_conn;
  builder_.set_switches(tables.switches);
  for (size_t i = 0; i < registry_.slot_count(); ++i) {
    const SlotId id{static_cast<uint16_t>(i)};
    if (!registry_.listed(id)) set_idle(id);
  }
  std::vector<bool> listed(registry_.service_count(), false), is_first(listed);
  for (const auto& params : tables.virtual_servers) {
    apply(params);
    is_first[static_cast<size_t>(*registry_.find(params.key))] = true;
    listed[static_cast<size_t>(*registry_.find(params.key))] = true;
    for (const auto& key : params.more_keys) listed[static_cast<size_t>(*registry_.find(key))] = true;
  }
  for (size_t i = 0; i < listed.size(); ++i) {
    if (!listed[i]) builder_.set_service(ServiceId{static_cast<uint16_t>(i)}, nullptr);
    // The id of a virtual server that is gone may be that of another one's second destination by now.
    if (!is_first[i] && i < published_.size()) published_[i].reset();
  }
  set_destinations();
  swap_in();
  return {};
}

Result<void> Publisher::publish_changes(std::span<const VirtualServerParams> changed) {
  bool owners_changed = false;
  for (const auto& params : changed) {
    const auto id = registry_.find(params.key);
    const auto* before = id && static_cast<size_t>(*id) < published_.size() && published_[static_cast<size_t>(*id)]
                             ? &*published_[static_cast<size_t>(*id)]
                             : nullptr;
    if (before == nullptr || before->more_keys != params.more_keys)
      return fail("virtual server " + params.key.to_string() + ": the last publication did not have it like this");
    owners_changed = owners_changed || before->owned != params.owned || before->one_packet != params.one_packet;
  }
  std::vector<SlotId> slots_before;
  for (const auto& params : changed) {
    for (const auto& [endpoint, slot] : registry_.slots(*registry_.find(params.key))) slots_before.push_back(slot);
  }
  if (auto updated = registry_.update(changed, expire_nodest_conn_); !updated) return updated;
  for (const SlotId slot : slots_before) {
    if (!registry_.listed(slot)) set_idle(slot);
  }
  for (const auto& params : changed) apply(params);
  if (owners_changed) set_destinations();
  swap_in();
  return {};
}

void Publisher::swap_in() {
  auto next = builder_.copy();
  current_.store(next.get(), std::memory_order_release);
  std::swap(owned_, next);
  retired_.push_back({rte_rcu_qsbr_start(qsbr_.get()), std::move(next)});
  collect();
}

void Publisher::collect() {
  while (!retired_.empty() && rte_rcu_qsbr_check(qsbr_.get(), retired_.front().token, false) == 1) retired_.pop_front();
}

// A slot that no table lists: connections to it are dead, or wait for it to come back.
void Publisher::set_idle(SlotId id) {
  const auto ref = registry_.slot(id);
  RealSlot slot;
  slot.generation = ref.generation;
  SlotDetail detail;
  detail.tenancy = ref.tenancy;
  // What waits for its server, and ends meanwhile, is still taken off the load.
  const auto i = static_cast<size_t>(id);
  if (i < loads_.size() && loads_[i].generation == ref.generation) {
    detail.counts_load = loads_[i].counts;
    detail.load_epoch = loads_[i].epoch;
  }
  builder_.set_slot(id, slot, detail);
}

void Publisher::set_destinations() {
  std::vector<SnapshotBuilder::Destination> destinations;
  for (const auto& params : published_) {
    if (!params) continue;
    const auto add = [&](const ServiceKey& key) {
      destinations.push_back({key, *registry_.find(key), params->owned, params->one_packet});
    };
    add(params->key);
    std::for_each(params->more_keys.begin(), params->more_keys.end(), add);
  }
  builder_.set_destinations(destinations);
}

void Publisher::apply(const VirtualServerParams& params) {
  const ServiceId id = *registry_.find(params.key);
  const auto i = static_cast<size_t>(id);
  if (i >= published_.size()) published_.resize(i + 1);
  auto service = builder_.draft().shared_service(id);
  const bool same = service && published_[i] == params;
  if (!same) {
    auto next = build(id, params);
    if (service && service->state == next->state) carry(service->scheduler, next->scheduler, *next->state);
    service = std::move(next);
    published_[i] = params;
    builder_.set_service(id, service);
    for (const auto& key : params.more_keys) builder_.set_service(*registry_.find(key), service);
  }
  const auto& slots = registry_.slots(id);
  for (const auto& server : params.real_servers) {
    set_slot(server, registry_.slot(slots.at(server.endpoint)), service->scheduler.needs_loads());
  }
}

// The count of a slot's connections begins anew, in another epoch, when its former connections are dead or had not been
// counted. The epoch is never 0, which is a worker's that has counted nothing yet.
//
// Once begun, it goes on while the server is there, even if no scheduler asks any more: a worker may still see the
// snapshot of a former publication when a later one begins a count of the same generation, and would count twice, or
// take off what was never put on.
const Publisher::LoadState& Publisher::prepare_load(const SlotRegistry::SlotRef& ref, const RealServerParams& server,
                                                    bool wanted) {
  const auto i = static_cast<size_t>(ref.id);
  if (i >= loads_.size()) loads_.resize(i + 1);
  LoadState& state = loads_[i];
  SlotLoad& load = shared_->loads()[i];
  load.set_thresholds(server.upper_threshold, server.lower_threshold);
  const bool same_server = state.tenancy == ref.tenancy, counted = state.counts;
  state.counts = wanted || (counted && same_server);
  if (!same_server || state.generation != ref.generation || (state.counts && !counted)) {
    load.begin(ref.generation);
    state.generation = ref.generation;
    state.tenancy = ref.tenancy;
    if (++state.epoch == 0) state.epoch = 1;
  }
  return state;
}

bool Publisher::is_resolved(const RealServerParams& server) const {
  return server.mac && static_cast<size_t>(server.egress) < port_macs_.size();
}

LinkId Publisher::link_to(const RealServerParams& server) {
  if (!server.in_table) return LinkId::kGone;
  if (!is_resolved(server)) return LinkId::kNoNeighbor;
  return builder_.link({.port = static_cast<uint16_t>(server.egress), .vlan = server.vlan, .mtu = server.mtu});
}

void Publisher::set_slot(const RealServerParams& server, const SlotRegistry::SlotRef& ref, bool wants_load) {
  const LoadState& load = prepare_load(ref, server, wants_load);
  SlotDetail detail{.link = link_to(server),
                    .tenancy = ref.tenancy,
                    .draining = server.weight <= 0,
                    .counts_load = load.counts,
                    .load_epoch = load.epoch};
  RealSlot slot;
  slot.generation = ref.generation;
  if (server.in_table && is_resolved(server)) {
    const auto egress = static_cast<uint16_t>(server.egress);
    if (server.vlan == 0) slot.plain_port = egress;
    std::copy(server.mac->bytes.begin(), server.mac->bytes.end(), slot.macs.begin());
    std::copy(port_macs_[egress].bytes.begin(), port_macs_[egress].bytes.end(), slot.macs.begin() + 6);
  }
  builder_.set_slot(ref.id, slot, detail);
}

std::shared_ptr<const VirtualService> Publisher::build(ServiceId id, const VirtualServerParams& params) const {
  const auto& slots = registry_.slots(id);
  std::vector<SchedulerServer> servers;
  servers.reserve(params.real_servers.size());
  for (const auto& server : params.real_servers) {
    const auto ref = registry_.slot(slots.at(server.endpoint));
    servers.push_back({.slot = ref.id,
                       .tenancy = ref.tenancy,
                       .usable = server.in_table && is_resolved(server) && server.weight > 0,
                       .weight = static_cast<uint32_t>(std::max(server.weight, 0)),
                       .identity = stable_hash(server.endpoint),
                       .upper_threshold = server.upper_threshold});
  }
  auto service = std::make_shared<VirtualService>();
  service->id = id;
  service->scheduler = SchedulerTable(params.scheduler, params.scheduler_flags, servers);
  service->state = registry_.state(id);
  service->persistence = params.one_packet ? 0 : to_ticks(params.persistence.timeout);
  service->client_mask = client_mask(params);
  service->one_packet = params.one_packet;
  return service;
}

}  // namespace lbdp::dataplane
