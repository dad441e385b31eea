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

}  // namespace

ServiceHit Snapshot::find_service(uint8_t protocol, const WideAddress& address, Be<uint16_t> port) const {
  if (address.is_v4()) return find_service(protocol, address.v4(), port);
  const ServiceHit exact = find_exactly(address, port_and_protocol(protocol, port));
  return exact.found() || !has_all_ports_ ? exact : find_exactly(address, port_and_protocol(protocol, {}));
}

ServiceHit Snapshot::find_exactly(const WideAddress& address, uint32_t wanted) const {
  for (size_t i = place(mixed(address, wanted), wide_shift_);; i = (i + 1) & (wide_entries_.size() - 1)) {
    const WideEntry& entry = wide_entries_[i];
    if (entry.port_and_protocol == wanted && entry.address == address) return entry.hit;
    if (entry.port_and_protocol == 0) return {};
  }
}

VipOwner Snapshot::owner_of(const WideAddress& address) const {
  for (size_t i = place(mixed(address, 0), vip_shift_);; i = (i + 1) & (vips_.size() - 1)) {
    if (vips_[i].owner == VipOwner::kNobody || vips_[i].address == address) return vips_[i].owner;
  }
}

SnapshotBuilder::SnapshotBuilder() {
  draft_.slots_.resize(1);
  draft_.details_.resize(1);
  draft_.links_.resize(2);
  draft_.links_[static_cast<size_t>(LinkId::kGone)].no_way = DropReason::kServerGone;
  draft_.links_[static_cast<size_t>(LinkId::kNoNeighbor)].no_way = DropReason::kNoNeighbor;
  set_destinations({});
}

void SnapshotBuilder::set_destinations(std::span<const Destination> destinations) {
  const auto is_v4 = [](const Destination& d) { return d.key.endpoint.address.is_v4(); };
  const auto v4 = static_cast<size_t>(std::count_if(destinations.begin(), destinations.end(), is_v4));
  const auto [places, shift] = hash_shape(v4);
  const auto [wide_places, wide_shift] = hash_shape(destinations.size() - v4);
  const auto [vip_places, vip_shift] = hash_shape(destinations.size());
  draft_.entries_.assign(places, {});
  draft_.wide_entries_.assign(wide_places, {});
  draft_.vips_.assign(vip_places, {});
  draft_.shift_ = shift;
  draft_.wide_shift_ = wide_shift;
  draft_.vip_shift_ = vip_shift;
  draft_.has_all_ports_ = false;
  for (const Destination& destination : destinations) add(destination);
}

void SnapshotBuilder::add(const Destination& destination) {
  const auto& [protocol, endpoint] = destination.key;
  const bool all_ports = endpoint.port == 0, v4 = endpoint.address.is_v4();
  const ServiceHit hit({.id = destination.id,
                        .owned = destination.owned,
                        .wide = !v4 || all_ports,
                        .one_packet = destination.one_packet});
  const auto number = static_cast<uint8_t>(protocol);
  const auto port = Be<uint16_t>::from_host(endpoint.port);
  draft_.has_all_ports_ = draft_.has_all_ports_ || all_ports;
  add_vip(WideAddress::of(endpoint.address), destination.owned);
  if (v4) {
    auto& entries = draft_.entries_;
    const uint64_t key = Snapshot::service_key(number, endpoint.address.v4(), port);
    size_t i = Snapshot::place(key, draft_.shift_);
    while (entries[i].key != 0) i = (i + 1) & (entries.size() - 1);
    entries[i] = {key, hit};
    return;
  }
  auto& entries = draft_.wide_entries_;
  const WideAddress address = WideAddress::of(endpoint.address);
  const uint32_t more = Snapshot::port_and_protocol(number, port);
  size_t i = Snapshot::place(Snapshot::mixed(address, more), draft_.wide_shift_);
  while (entries[i].port_and_protocol != 0) i = (i + 1) & (entries.size() - 1);
  entries[i] = {address, more, hit};
}

// An address is ours if any of its destinations is.
void SnapshotBuilder::add_vip(const WideAddress& address, bool owned) {
  auto& vips = draft_.vips_;
  size_t i = Snapshot::place(Snapshot::mixed(address, 0), draft_.vip_shift_);
  while (vips[i].owner != VipOwner::kNobody && vips[i].address != address) i = (i + 1) & (vips.size() - 1);
  const bool ours = owned || vips[i].owner == VipOwner::kUs;
  vips[i] = {address, ours ? VipOwner::kUs : VipOwner::kOther};
}

void SnapshotBuilder::set_service(ServiceId id, std::shared_ptr<const VirtualService> service) {
  const auto i = static_cast<size_t>(id);
  if (i >= draft_.services_.size()) draft_.services_.resize(i + 1);
  draft_.services_[i] = std::move(service);
}

void SnapshotBuilder::set_slot(SlotId id, const RealSlot& slot, const SlotDetail& detail) {
  const auto i = static_cast<size_t>(id);
  if (i >= draft_.slots_.size()) {
    draft_.slots_.resize(i + 1);
    draft_.details_.resize(i + 1);
  }
  draft_.slots_[i] = slot;
  draft_.details_[i] = detail;
}

LinkId SnapshotBuilder::link(const Link& link) {
  auto& links = draft_.links_;
  auto known = std::find(links.begin() + 2, links.end(), link);
  if (known == links.end()) {
    known = links.insert(links.end(), link);
    draft_.common_mtu_ = std::min(draft_.common_mtu_, link.mtu);
  }
  return LinkId{static_cast<uint16_t>(known - links.begin())};
}

}  // namespace lbdp::dataplane
