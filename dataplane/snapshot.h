// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <atomic>
#include <cassert>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "config/types/be.h"
#include "dataplane/flow_table.h"
#include "dataplane/parameters.h"

namespace lbdp::dataplane {

/// A real server as the forwarding path needs it: 16 bytes, four a line.
struct alignas(16) RealSlot {
  // Values of `egress` that are no port.
  static constexpr uint16_t kNoNeighbor = 0xffff;  // MAC not resolved
  static constexpr uint16_t kGone = 0xfffe;        // not in the table

  std::array<uint8_t, 12> macs{};  // destination, source: the first twelve bytes of each frame to it
  uint16_t egress = kGone;         // a port id
  /// Connections made under another generation are dead.
  uint16_t generation = 0;
};
static_assert(sizeof(RealSlot) == 16);

/// The rest of what is known of a slot: for new connections, not for each packet.
struct SlotDetail {
  uint16_t position = 0;  // in its virtual server's order
  uint16_t tenancy = 0;   // another real server before had another tenancy
  ServiceId service{};
  bool listed = false;    // in this snapshot's tables, under `service`
  bool draining = false;  // weight 0
};

/// A virtual server's mutable state, outside of snapshots and stable over them. Written by workers for new connections.
struct alignas(64) ServiceState {
  static constexpr uint32_t kNone = UINT32_MAX;
  std::atomic<uint32_t> last_pick{kNone};  // round robin: the SlotId of the last pick
};

/// A virtual server's scheduler tables.
struct ServiceTable {
  std::vector<SlotId> order;          // all its real servers, in the file's order
  std::vector<SlotId> usable;         // those which may take new connections now
  std::vector<uint16_t> next_usable;  // by position: the position of the next usable one after it, cyclic
  uint16_t first_usable = 0;          // a position
  std::shared_ptr<ServiceState> state;
};

/// What a service look-up says.
struct ServiceHit {
  ServiceId id{};
  bool found = false;
  bool owned = false;
};

/// Who holds an address.
enum class VipOwner : uint8_t { kNobody, kUs, kOther };

/// All that the workers need to know, immutable; control makes the next one off to the side. Read by any worker between
/// two of its quiescent points.
class Snapshot {
 public:
  /// A virtual server by its protocol and destination. Any protocol number, any address.
  [[nodiscard]] ServiceHit find_service(uint8_t protocol, Be<uint32_t> address, Be<uint16_t> port) const {
    const uint64_t key = service_key(protocol, address, port);
    for (size_t i = place(key, service_shift_);; i = (i + 1) & (services_.size() - 1)) {
      const ServiceEntry& entry = services_[i];
      if (entry.key == key) return {entry.id, true, entry.owned};
      if (entry.key == 0) return {};
    }
  }
  [[nodiscard]] VipOwner owner_of(Be<uint32_t> address) const;

  /// slots_ never shrinks from one snapshot to the next, so a slot id out of a flow entry is always good.
  [[nodiscard]] const RealSlot& slot(SlotId id) const {
    assert(static_cast<size_t>(id) < slots_.size());
    return slots_[static_cast<size_t>(id)];
  }
  [[nodiscard]] const SlotDetail& detail(SlotId id) const { return details_[static_cast<size_t>(id)]; }
  [[nodiscard]] size_t slot_count() const { return slots_.size(); }
  [[nodiscard]] const ServiceTable& service(ServiceId id) const { return tables_[static_cast<size_t>(id)]; }
  [[nodiscard]] size_t service_limit() const { return tables_.size(); }
  [[nodiscard]] bool expire_nodest_conn() const { return expire_nodest_conn_; }

 private:
  friend class SnapshotBuilder;
  struct ServiceEntry {
    uint64_t key = 0;  // 0: empty
    ServiceId id{};
    bool owned = false;
  };
  struct VipEntry {
    Be<uint32_t> address;
    VipOwner owner = VipOwner::kNobody;  // kNobody: empty
  };

  static uint64_t service_key(uint8_t protocol, Be<uint32_t> address, Be<uint16_t> port) {
    return uint64_t{address.raw()} << 32 | uint64_t{port.raw()} << 16 | uint64_t{protocol} << 8 | 1U;
  }
  static size_t place(uint64_t key, unsigned shift) { return static_cast<size_t>(key * 0x9e3779b97f4a7c15U >> shift); }

  // Open addressing, a power of two and at most a quarter full, so every probe ends.
  std::vector<ServiceEntry> services_;
  unsigned service_shift_ = 0;
  std::vector<VipEntry> vips_;
  unsigned vip_shift_ = 0;
  std::vector<RealSlot> slots_;       // by SlotId
  std::vector<SlotDetail> details_;   // by SlotId
  std::vector<ServiceTable> tables_;  // by ServiceId
  bool expire_nodest_conn_ = true;
};

/// Fills a snapshot. Give it the slots first, then the virtual servers, then take the result.
class SnapshotBuilder {
 public:
  SnapshotBuilder(size_t virtual_servers, size_t service_ids, size_t slots, bool expire_nodest_conn);
  /// A slot that no table lists: connections to it are dead, or wait for it to come back.
  void set_idle_slot(SlotId id, uint16_t generation, uint16_t tenancy);
  /// What `macs` and `egress` are for a server that cannot be reached does not matter.
  struct Server {
    SlotId id{};
    uint16_t generation = 0;
    uint16_t tenancy = 0;
    int weight = 0;
    bool in_table = false;
    bool resolved = false;
    std::array<uint8_t, 12> macs{};
    uint16_t egress = 0;
  };
  void add_service(ServiceId id, const ServiceKey& key, bool owned, std::span<const Server> servers,
                   std::shared_ptr<ServiceState> state);
  [[nodiscard]] std::unique_ptr<const Snapshot> finish() { return std::move(snapshot_); }

 private:
  void add_vip(Be<uint32_t> address, bool owned);
  void set_slot(const Server& server, ServiceId service, uint16_t position);

  std::unique_ptr<Snapshot> snapshot_;
};

}  // namespace lbdp::dataplane
