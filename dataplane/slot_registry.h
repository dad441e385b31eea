// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "config/types/result.h"
#include "dataplane/flow_table.h"
#include "dataplane/parameters.h"
#include "dataplane/scheduler_state.h"
#include "dataplane/scheduler_table.h"

namespace lbdp::dataplane {

/// Gives the destinations of virtual servers and the real servers their ids, stable over publications while their keys
/// stay, and decides which connections a publication ends: those whose slot's generation it raises. Control thread
/// only.
///
/// expire_nodest_conn on: a server that leaves the table loses its connections at once. Off: they are dropped silently
/// and go on when the server is back, even if the configuration forgot it meanwhile; its slot is kept until ids run
/// out.
class SlotRegistry {
 public:
  static constexpr size_t kMaxServices = 65534;
  static constexpr size_t kMaxSlots = 65535;

  /// What a slot is now.
  struct SlotRef {
    SlotId id{};
    uint16_t generation = 0;
    uint16_t tenancy = 0;
  };

  /// Takes over what `tables` names. On error (a key named twice, a kind that is not supported, more than there are
  /// ids) nothing has changed.
  Result<void> update(const Tables& tables);
  /// The same for some of the virtual servers that the last update() had, with the same destinations; all others stay
  /// as they are. On error nothing has changed.
  Result<void> update(std::span<const VirtualServerParams> changed, bool expire_nodest_conn);
  /// Would update() take these?
  static Result<void> validate(const Tables& tables);

  /// The id of a destination.
  [[nodiscard]] std::optional<ServiceId> find(const ServiceKey& key) const;
  /// A real server, by any destination of its virtual server.
  [[nodiscard]] std::optional<SlotRef> find(const RealServerKey& key) const;
  /// By the id of any destination.
  [[nodiscard]] const std::shared_ptr<SchedulerState>& state(ServiceId id) const;
  /// The real servers that the last update named, and those whose connections wait for them.
  [[nodiscard]] const std::map<Endpoint, SlotId>& slots(ServiceId id) const;

  /// The other way round, for listings: empty if nothing has that id now.
  [[nodiscard]] const ServiceKey* service_key(ServiceId id) const;
  /// The key of the virtual server that has this destination.
  [[nodiscard]] const ServiceKey* virtual_server_key(ServiceId id) const;
  /// The real server of a connection made under `generation`.
  [[nodiscard]] const Endpoint* real_server(SlotId id, uint16_t generation) const;

  /// One more than the highest id ever given; never shrinks.
  [[nodiscard]] size_t slot_count() const { return slots_.size(); }
  [[nodiscard]] size_t service_count() const { return services_.size(); }
  [[nodiscard]] SlotRef slot(SlotId id) const;
  /// Does the last update name a real server in this slot?
  [[nodiscard]] bool listed(SlotId id) const { return slots_[static_cast<size_t>(id)].listed; }

 private:
  enum class Life : uint8_t {
    kFree,
    kLive,     // in the table
    kSilent,   // not in the table; its connections wait for it
    kExpired,  // not in the table; its connections are dead
  };
  struct Slot {
    Life life = Life::kFree;
    bool listed = false;  // named by the last update
    uint16_t generation = 0;
    uint16_t tenancy = 0;
    ServiceId service{};
    Endpoint endpoint;
  };
  /// A destination. State and slots are those of its virtual server, and stand with its first destination.
  struct Service {
    bool used = false;
    ServiceKey key;
    ServiceId head{};  // the first destination of the same virtual server
    std::shared_ptr<SchedulerState> state;
    std::map<Endpoint, SlotId> slots;
  };

  [[nodiscard]] Result<void> validate_changes(std::span<const VirtualServerParams> changed) const;
  void retire_services(const Tables& tables);
  void retire(ServiceId id);
  void acquire(const VirtualServerParams& params);
  ServiceId acquire(const ServiceKey& key);
  void list_only(Service& service, const VirtualServerParams& params);
  void update_service(const VirtualServerParams& params, bool expire);
  void update_slot(Service& service, ServiceId id, const RealServerParams& server, bool expire);
  void retire_unlisted(Service& service, bool expire);
  SlotId acquire(ServiceId service, const Endpoint& endpoint);
  void release(Slot& slot, SlotId id);
  void reclaim_one_silent();
  Slot& at(SlotId id) { return slots_[static_cast<size_t>(id)]; }
  Service& at(ServiceId id) { return services_[static_cast<size_t>(id)]; }
  [[nodiscard]] const Service& head_of(ServiceId id) const {
    return services_[static_cast<size_t>(services_[static_cast<size_t>(id)].head)];
  }

  std::map<ServiceKey, ServiceId> ids_;
  std::vector<Service> services_;  // by ServiceId
  std::vector<Slot> slots_;        // by SlotId
  std::deque<ServiceId> free_services_;
  /// Ids of destinations whose virtual server went on without them: connections to it live under these ids until their
  /// time is over, and must not come alive for another. Reused when there are no others, oldest first.
  std::deque<ServiceId> resting_services_;
  std::deque<SlotId> free_slots_;  // reused oldest first
};

}  // namespace lbdp::dataplane
