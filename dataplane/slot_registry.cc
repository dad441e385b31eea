// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/slot_registry.h"

#include <algorithm>
#include <set>
#include <string>

namespace lbdp::dataplane {
namespace {

Result<void> validate_service(const VirtualServerParams& service) {
  const auto complain = [&](const std::string& what) {
    return fail("virtual server " + service.key.to_string() + ": " + what);
  };
  if (service.key.protocol != Protocol::kTcp && service.key.protocol != Protocol::kUdp)
    return complain("the dataplane forwards TCP and UDP, not this protocol");
  if (!service.key.endpoint.address.is_v4()) return complain("the dataplane forwards IPv4 only as yet");
  std::vector<Endpoint> seen;
  seen.reserve(service.real_servers.size());
  for (const auto& server : service.real_servers) {
    if (!server.endpoint.address.is_v4())
      return complain("real server " + server.endpoint.to_string() + " is not IPv4");
    seen.push_back(server.endpoint);
  }
  std::sort(seen.begin(), seen.end());
  if (const auto twice = std::adjacent_find(seen.begin(), seen.end()); twice != seen.end())
    return complain("real server " + twice->to_string() + " is there twice");
  return {};
}

}  // namespace

Result<void> SlotRegistry::validate(const Tables& tables) {
  std::set<ServiceKey> seen;
  size_t reals = 0;
  for (const auto& service : tables.virtual_servers) {
    if (auto sound = validate_service(service); !sound) return sound;
    if (!seen.insert(service.key).second) return fail("virtual server " + service.key.to_string() + " is there twice");
    reals += service.real_servers.size();
  }
  if (seen.size() > kMaxServices)
    return fail(std::to_string(seen.size()) + " virtual servers; the dataplane holds " + std::to_string(kMaxServices));
  if (reals > kMaxSlots)
    return fail(std::to_string(reals) + " real servers; the dataplane holds " + std::to_string(kMaxSlots));
  return {};
}

Result<void> SlotRegistry::update(const Tables& tables) {
  if (auto sound = validate(tables); !sound) return sound;
  retire_services(tables);
  // Ids are freed everywhere before any is given: a full registry must still take an equally full update.
  for (const auto& params : tables.virtual_servers) {
    Service& service = at(acquire(params.key));
    for (const auto& [endpoint, id] : service.slots) at(id).listed = false;
    for (const auto& server : params.real_servers) {
      if (const auto known = service.slots.find(server.endpoint); known != service.slots.end())
        at(known->second).listed = true;
    }
    retire_unlisted(service, tables.switches.expire_nodest_conn);
  }
  for (const auto& params : tables.virtual_servers) update_service(params, tables.switches.expire_nodest_conn);
  return {};
}

// Connections of a virtual server that is gone match nothing any more, whatever expire_nodest_conn says. Their slots
// die, so that nothing of them comes alive under the next virtual server with this id.
void SlotRegistry::retire_services(const Tables& tables) {
  for (Service& service : services_) service.listed = false;
  for (const auto& params : tables.virtual_servers) {
    if (const auto known = ids_.find(params.key); known != ids_.end()) at(known->second).listed = true;
  }
  for (size_t i = 0; i < services_.size(); ++i) {
    Service& service = services_[i];
    if (!service.used || service.listed) continue;
    for (const auto& [endpoint, id] : service.slots) release(at(id), id);
    ids_.erase(service.key);
    service = Service{};
    free_services_.push_back(ServiceId{static_cast<uint16_t>(i)});
  }
}

ServiceId SlotRegistry::acquire(const ServiceKey& key) {
  if (const auto known = ids_.find(key); known != ids_.end()) return known->second;
  ServiceId id{static_cast<uint16_t>(services_.size())};
  if (free_services_.empty()) {
    services_.emplace_back();
  } else {
    id = free_services_.front();
    free_services_.pop_front();
  }
  at(id) = Service{true, true, key, std::make_shared<ServiceState>(), {}};
  ids_.emplace(key, id);
  return id;
}

void SlotRegistry::retire_unlisted(Service& service, bool expire) {
  for (auto it = service.slots.begin(); it != service.slots.end();) {
    Slot& slot = at(it->second);
    if (slot.listed) {
      ++it;
    } else if (expire || slot.life == Life::kExpired) {
      release(slot, it->second);
      it = service.slots.erase(it);
    } else {
      slot.life = Life::kSilent;
      ++it;
    }
  }
}

void SlotRegistry::update_service(const VirtualServerParams& params, bool expire) {
  const ServiceId id = ids_.at(params.key);
  for (const auto& server : params.real_servers) update_slot(at(id), id, server, expire);
}

void SlotRegistry::update_slot(Service& service, ServiceId id, const RealServerParams& server, bool expire) {
  const auto known = service.slots.find(server.endpoint);
  SlotId slot_id{};
  if (known == service.slots.end()) {
    slot_id = acquire(id, server.endpoint);
    service.slots.emplace(server.endpoint, slot_id);
  } else {
    slot_id = known->second;
  }
  Slot& slot = at(slot_id);
  slot.listed = true;
  if (server.in_table) {
    slot.life = Life::kLive;
  } else if (expire && slot.life != Life::kExpired) {
    ++slot.generation;
    slot.life = Life::kExpired;
  } else if (!expire && slot.life == Life::kLive) {
    slot.life = Life::kSilent;
  }
}

SlotId SlotRegistry::acquire(ServiceId service, const Endpoint& endpoint) {
  if (free_slots_.empty() && slots_.size() == kMaxSlots) reclaim_one_silent();
  SlotId id{static_cast<uint16_t>(slots_.size())};
  if (free_slots_.empty()) {
    slots_.emplace_back();
  } else {
    id = free_slots_.front();
    free_slots_.pop_front();
  }
  Slot& slot = at(id);
  ++slot.tenancy;
  slot.life = Life::kExpired;  // a new server has no connections that could wait for it
  slot.service = service;
  slot.endpoint = endpoint;
  return id;
}

void SlotRegistry::release(Slot& slot, SlotId id) {
  ++slot.generation;
  slot.life = Life::kFree;
  slot.listed = false;
  free_slots_.push_back(id);
}

// validate() leaves room for all that is listed, so an unlisted slot exists whenever this is called.
void SlotRegistry::reclaim_one_silent() {
  for (size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    if (slot.listed || slot.life != Life::kSilent) continue;
    at(slot.service).slots.erase(slot.endpoint);
    release(slot, SlotId{static_cast<uint16_t>(i)});
    return;
  }
}

std::optional<ServiceId> SlotRegistry::find(const ServiceKey& key) const {
  const auto known = ids_.find(key);
  return known == ids_.end() ? std::nullopt : std::optional(known->second);
}

std::optional<SlotRegistry::SlotRef> SlotRegistry::find(const RealServerKey& key) const {
  const auto service = find(key.service);
  if (!service) return std::nullopt;
  const auto& slots = services_[static_cast<size_t>(*service)].slots;
  const auto known = slots.find(key.real);
  return known == slots.end() ? std::nullopt : std::optional(slot(known->second));
}

const std::shared_ptr<ServiceState>& SlotRegistry::state(ServiceId id) const {
  return services_[static_cast<size_t>(id)].state;
}

const ServiceKey* SlotRegistry::service_key(ServiceId id) const {
  const auto i = static_cast<size_t>(id);
  return i < services_.size() && services_[i].used ? &services_[i].key : nullptr;
}

const Endpoint* SlotRegistry::real_server(SlotId id, uint16_t generation) const {
  const auto i = static_cast<size_t>(id);
  if (i >= slots_.size() || slots_[i].life == Life::kFree || slots_[i].generation != generation) return nullptr;
  return &slots_[i].endpoint;
}

SlotRegistry::SlotRef SlotRegistry::slot(SlotId id) const {
  const Slot& slot = slots_[static_cast<size_t>(id)];
  return {id, slot.generation, slot.tenancy};
}

}  // namespace lbdp::dataplane
