// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/slot_registry.h"

#include <algorithm>
#include <string>

namespace lbdp::dataplane {
namespace {

Result<void> validate_service(const VirtualServerParams& service) {
  const auto complain = [&](const std::string& what) {
    return fail("virtual server " + service.key.to_string() + ": " + what);
  };
  const Family family = service.key.endpoint.address.family();
  for (const ServiceKey& key : service.more_keys) {
    if (key.endpoint.address.family() != family)
      return complain("its destination " + key.to_string() + " is of the other address family");
  }
  std::vector<Endpoint> seen;
  seen.reserve(service.real_servers.size());
  for (const auto& server : service.real_servers) {
    if (server.endpoint.address.family() != family)
      return complain("real server " + server.endpoint.to_string() + " is of the other address family");
    seen.push_back(server.endpoint);
  }
  std::sort(seen.begin(), seen.end());
  if (const auto twice = std::adjacent_find(seen.begin(), seen.end()); twice != seen.end())
    return complain("real server " + twice->to_string() + " is there twice");
  return {};
}

template <class F>
void for_each_key(const VirtualServerParams& params, F&& visit) {
  visit(params.key);
  for (const ServiceKey& key : params.more_keys) visit(key);
}

}  // namespace

Result<void> SlotRegistry::validate(const Tables& tables) {
  std::vector<ServiceKey> keys;
  size_t reals = 0;
  for (const auto& service : tables.virtual_servers) {
    if (auto sound = validate_service(service); !sound) return sound;
    for_each_key(service, [&](const ServiceKey& key) { keys.push_back(key); });
    reals += service.real_servers.size();
  }
  std::sort(keys.begin(), keys.end());
  if (const auto twice = std::adjacent_find(keys.begin(), keys.end()); twice != keys.end())
    return fail("virtual server " + twice->to_string() + " is there twice");
  if (keys.size() > kMaxServices)
    return fail(std::to_string(keys.size()) + " virtual servers; the dataplane holds " + std::to_string(kMaxServices));
  if (reals > kMaxSlots)
    return fail(std::to_string(reals) + " real servers; the dataplane holds " + std::to_string(kMaxSlots));
  return {};
}

Result<void> SlotRegistry::update(const Tables& tables) {
  if (auto sound = validate(tables); !sound) return sound;
  retire_services(tables);
  // Ids are freed everywhere before any is given: a full registry must still take an equally full update.
  for (const auto& params : tables.virtual_servers) {
    acquire(params);
    Service& service = at(ids_.at(params.key));
    list_only(service, params);
    retire_unlisted(service, tables.switches.expire_nodest_conn);
  }
  for (const auto& params : tables.virtual_servers) update_service(params, tables.switches.expire_nodest_conn);
  return {};
}

Result<void> SlotRegistry::validate_changes(std::span<const VirtualServerParams> changed) const {
  size_t fresh = 0;
  for (const auto& params : changed) {
    if (auto sound = validate_service(params); !sound) return sound;
    const auto complain = [&](const std::string& what) {
      return fail("virtual server " + params.key.to_string() + ": " + what);
    };
    const auto known = ids_.find(params.key);
    if (known == ids_.end() || head_of(known->second).key != params.key) return complain("it is not there");
    const auto& slots = this->slots(known->second);
    for (const auto& server : params.real_servers) fresh += slots.contains(server.endpoint) ? 0U : 1U;
    if (fresh > kMaxSlots - slots_.size() + free_slots_.size()) return complain("no room for its new real servers");
  }
  return {};
}

Result<void> SlotRegistry::update(std::span<const VirtualServerParams> changed, bool expire_nodest_conn) {
  if (auto sound = validate_changes(changed); !sound) return sound;
  for (const auto& params : changed) {
    Service& service = at(ids_.at(params.key));
    list_only(service, params);
    retire_unlisted(service, expire_nodest_conn);
    update_service(params, expire_nodest_conn);
  }
  return {};
}

void SlotRegistry::list_only(Service& service, const VirtualServerParams& params) {
  for (const auto& [endpoint, id] : service.slots) at(id).listed = false;
  for (const auto& server : params.real_servers) {
    if (const auto known = service.slots.find(server.endpoint); known != service.slots.end())
      at(known->second).listed = true;
  }
}

// Connections of a virtual server that is gone match nothing any more, whatever expire_nodest_conn says. Their slots
// die, so that nothing of them comes alive under the next virtual server with this id.
void SlotRegistry::retire_services(const Tables& tables) {
  std::vector<const ServiceKey*> wanted_head(services_.size(), nullptr);  // by id: of the virtual server that has it
  for (const auto& params : tables.virtual_servers) {
    for_each_key(params, [&](const ServiceKey& key) {
      if (const auto known = ids_.find(key); known != ids_.end())
        wanted_head[static_cast<size_t>(known->second)] = &params.key;
    });
  }
  for (size_t i = 0; i < services_.size(); ++i) {
    const Service& service = services_[i];
    const bool stays = service.used && wanted_head[i] != nullptr &&
                       *wanted_head[i] == head_of(ServiceId{static_cast<uint16_t>(i)}).key;
    if (service.used && !stays) retire(ServiceId{static_cast<uint16_t>(i)});
  }
}

void SlotRegistry::retire(ServiceId id) {
  Service& service = at(id);
  const bool is_head = service.head == id;
  for (const auto& [endpoint, slot] : service.slots) release(at(slot), slot);
  ids_.erase(service.key);
  // The key stays where it is: the other destinations of this virtual server still look for it, and go, too.
  service.used = false;
  service.state.reset();
  service.slots.clear();
  (is_head ? free_services_ : resting_services_).push_back(id);
}

void SlotRegistry::acquire(const VirtualServerParams& params) {
  const ServiceId head = acquire(params.key);
  at(head).head = head;
  if (!at(head).state) at(head).state = std::make_shared<SchedulerState>();
  for (const ServiceKey& key : params.more_keys) at(acquire(key)).head = head;
}

ServiceId SlotRegistry::acquire(const ServiceKey& key) {
  if (const auto known = ids_.find(key); known != ids_.end()) return known->second;
  const bool all_given = services_.size() == kMaxServices;
  auto& reused = !free_services_.empty() ? free_services_ : resting_services_;
  ServiceId id{static_cast<uint16_t>(services_.size())};
  if (free_services_.empty() && !all_given) {
    services_.emplace_back();
  } else {
    id = reused.front();
    reused.pop_front();
  }
  at(id) = Service{true, key, id, nullptr, {}};
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
  const auto& slots = head_of(*service).slots;
  const auto known = slots.find(key.real);
  return known == slots.end() ? std::nullopt : std::optional(slot(known->second));
}

const std::shared_ptr<SchedulerState>& SlotRegistry::state(ServiceId id) const {
  return head_of(id).state;
}

const std::map<Endpoint, SlotId>& SlotRegistry::slots(ServiceId id) const {
  return head_of(id).slots;
}

const ServiceKey* SlotRegistry::service_key(ServiceId id) const {
  const auto i = static_cast<size_t>(id);
  return i < services_.size() && services_[i].used ? &services_[i].key : nullptr;
}

const ServiceKey* SlotRegistry::virtual_server_key(ServiceId id) const {
  return service_key(id) == nullptr ? nullptr : &head_of(id).key;
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
