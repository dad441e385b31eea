// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/snapshot.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace lbdp::dataplane {
namespace {

// At least four places an entry, and a shift that takes a 64-bit product to a place.
std::pair<size_t, unsigned> hash_shape(size_t entries) {
  const size_t places = std::bit_ceil(std::max<size_t>(entries * 4, 8));
  return {places, 64U - static_cast<unsigned>(std::bit_width(places) - 1)};
}

void link_usable(ServiceTable& table, std::span<const SnapshotBuilder::Server> servers) {
  const auto usable = [](const auto& s) { return s.in_table && s.resolved && s.weight > 0; };
  for (const auto& server : servers) {
    table.order.push_back(server.id);
    if (usable(server)) table.usable.push_back(server.id);
  }
  table.next_usable.resize(servers.size());
  if (table.usable.empty()) return;
  const auto first = std::find_if(servers.begin(), servers.end(), usable);
  table.first_usable = static_cast<uint16_t>(first - servers.begin());
  uint16_t next = table.first_usable;
  for (size_t position = servers.size(); position-- > 0;) {
    table.next_usable[position] = next;
    if (usable(servers[position])) next = static_cast<uint16_t>(position);
  }
}

}  // namespace

VipOwner Snapshot::owner_of(Be<uint32_t> address) const {
  for (size_t i = place(address.raw(), vip_shift_);; i = (i + 1) & (vips_.size() - 1)) {
    if (vips_[i].owner == VipOwner::kNobody || vips_[i].address == address) return vips_[i].owner;
  }
}

SnapshotBuilder::SnapshotBuilder(size_t virtual_servers, size_t service_ids, size_t slots, bool expire_nodest_conn)
    : snapshot_(std::make_unique<Snapshot>()) {
  const auto [places, shift] = hash_shape(virtual_servers);
  snapshot_->services_.resize(places);
  snapshot_->service_shift_ = shift;
  snapshot_->vips_.resize(places);
  snapshot_->vip_shift_ = shift;
  snapshot_->tables_.resize(service_ids);
  snapshot_->slots_.resize(slots);
  snapshot_->details_.resize(slots);
  snapshot_->expire_nodest_conn_ = expire_nodest_conn;
}

void SnapshotBuilder::set_idle_slot(SlotId id, uint16_t generation, uint16_t tenancy) {
  snapshot_->slots_[static_cast<size_t>(id)].generation = generation;
  snapshot_->details_[static_cast<size_t>(id)].tenancy = tenancy;
}

void SnapshotBuilder::add_service(ServiceId id, const ServiceKey& key, bool owned, std::span<const Server> servers,
                                  std::shared_ptr<ServiceState> state) {
  const Be<uint32_t> address = key.endpoint.address.v4();
  const uint64_t word =
      Snapshot::service_key(static_cast<uint8_t>(key.protocol), address, Be<uint16_t>::from_host(key.endpoint.port));
  auto& services = snapshot_->services_;
  size_t i = Snapshot::place(word, snapshot_->service_shift_);
  while (services[i].key != 0) i = (i + 1) & (services.size() - 1);
  services[i] = {word, id, owned};
  add_vip(address, owned);

  ServiceTable& table = snapshot_->tables_[static_cast<size_t>(id)];
  table.state = std::move(state);
  link_usable(table, servers);
  for (size_t position = 0; position < servers.size(); ++position) {
    set_slot(servers[position], id, static_cast<uint16_t>(position));
  }
}

// An address is ours if any of its virtual servers is.
void SnapshotBuilder::add_vip(Be<uint32_t> address, bool owned) {
  auto& vips = snapshot_->vips_;
  size_t i = Snapshot::place(address.raw(), snapshot_->vip_shift_);
  while (vips[i].owner != VipOwner::kNobody && vips[i].address != address) i = (i + 1) & (vips.size() - 1);
  const bool ours = owned || vips[i].owner == VipOwner::kUs;
  vips[i] = {address, ours ? VipOwner::kUs : VipOwner::kOther};
}

void SnapshotBuilder::set_slot(const Server& server, ServiceId service, uint16_t position) {
  RealSlot& slot = snapshot_->slots_[static_cast<size_t>(server.id)];
  slot.generation = server.generation;
  slot.macs = server.macs;
  slot.egress = !server.in_table ? RealSlot::kGone : server.resolved ? server.egress : RealSlot::kNoNeighbor;
  snapshot_->details_[static_cast<size_t>(server.id)] = {position, server.tenancy, service, true, server.weight <= 0};
}

}  // namespace lbdp::dataplane
