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
#include "dataplane/drop_reason.h"
#include "dataplane/flow_table.h"
#include "dataplane/parameters.h"
#include "dataplane/scheduler_state.h"
#include "dataplane/scheduler_table.h"
#include "dataplane/wide_address.h"

namespace lbdp::dataplane {

/// An index of a Link in a snapshot.
enum class LinkId : uint16_t {
  kGone,        // no way: the server is not in the table
  kNoNeighbor,  // no way: its MAC is not resolved
};

/// The way out to a server's segment: few, so all of them stay in the nearest cache.
struct Link {
  static constexpr uint16_t kNoPort = 63;  // no worker knows it

  uint16_t port = kNoPort;
  uint16_t vlan = 0;                          // VLAN id; 0: untagged
  uint32_t mtu = 0;                           // bytes of IP
  DropReason no_way = DropReason::kNoEgress;  // why a frame cannot go this way

  friend bool operator==(const Link&, const Link&) = default;
};

/// A real server as the forwarding path needs it: 16 bytes, four a line.
struct alignas(16) RealSlot {
  std::array<uint8_t, 12> macs{};  // destination, source: the first twelve bytes of each frame to it
  /// The port of its link, if plain frames can go there as they are: it is untagged. Else Link::kNoPort.
  uint16_t plain_port = Link::kNoPort;
  /// Connections made under another generation are dead.
  uint16_t generation = 0;
};
static_assert(sizeof(RealSlot) == 16);

/// The rest of what is known of a slot: for new connections, not for each packet.
struct SlotDetail {
  LinkId link = LinkId::kGone;
  uint16_t tenancy = 0;   // another real server before had another tenancy
  bool draining = false;  // weight 0
  /// Its virtual server's scheduler, or a threshold, needs its SlotLoad, or did once since this real server is in
  /// the slot; when this begins, and with every generation, the count begins anew, in another epoch.
  bool counts_load = false;
  uint16_t load_epoch = 0;
};

/// A virtual server: what is needed to give a new connection to one of its real servers. Immutable, and shared by the
/// snapshots between which it does not change.
struct VirtualService {
  ServiceId id{};  // its first destination's: names its templates
  SchedulerTable scheduler;
  std::shared_ptr<SchedulerState> state;
  Tick persistence = 0;     // lifetime of a template; 0: none
  WideAddress client_mask;  // which bits of the client's address its template has
  bool one_packet = false;
};

/// What a look-up of a destination says. One word, which stays in a register.
class ServiceHit {
 public:
  struct Facts {
    ServiceId id{};
    bool owned = false;
    bool wide = false;        // its connections have wide keys
    bool one_packet = false;  // it has no connections
  };

  ServiceHit() = default;  // none
  explicit ServiceHit(const Facts& f)
      : word_(static_cast<uint32_t>(f.id) | kFound | (f.owned ? kOwned : 0) | (f.wide ? kWide : 0) |
              (f.one_packet ? kOnePacket : 0)) {}

  [[nodiscard]] ServiceId id() const { return ServiceId{static_cast<uint16_t>(word_)}; }
  [[nodiscard]] bool found() const { return (word_ & kFound) != 0; }
  [[nodiscard]] bool owned() const { return (word_ & kOwned) != 0; }
  [[nodiscard]] bool wide() const { return (word_ & kWide) != 0; }
  [[nodiscard]] bool one_packet() const { return (word_ & kOnePacket) != 0; }
  /// Owned, and its connections have narrow keys.
  [[nodiscard]] bool plain() const { return word_ >> 16 == (kFound | kOwned) >> 16; }

 private:
  static constexpr uint32_t kFound = 1U << 16, kOwned = 1U << 17, kWide = 1U << 18, kOnePacket = 1U << 19;

  uint32_t word_ = 0;
};

/// Who holds an address.
enum class VipOwner : uint8_t { kNobody, kUs, kOther };

/// All that the workers need to know, immutable; control makes the next one off to the side. Read by any worker between
/// two of its quiescent points.
class Snapshot {
 public:
  /// A virtual server by its protocol and IPv4 destination. Any protocol number, any address.
  [[nodiscard]] ServiceHit find_service(uint8_t protocol, Be<uint32_t> address, Be<uint16_t> port) const {
    return find_service(service_key(protocol, address, port));
  }
  /// By service_key().
  [[nodiscard]] ServiceHit find_service(uint64_t key) const {
    const ServiceHit exact = find_exactly(key);
    if (exact.found() || !has_all_ports_) [[likely]]
      return exact;
    return find_exactly(key & ~kPortOfKey);
  }
  static uint64_t service_key(uint8_t protocol, Be<uint32_t> address, Be<uint16_t> port) {
    return uint64_t{address.raw()} << 32 | uint64_t{port.raw()} << 16 | uint64_t{protocol} << 8 | 1U;
  }
  /// The same from words as they lie in a packet: source and destination address, source and destination port.
  static uint64_t service_key(uint32_t protocol, uint64_t addresses, uint32_t ports) {
    return (addresses & 0xffffffff00000000U) | (ports & kPortOfKey) | protocol << 8 | 1U;
  }
  /// The same for either family.
  [[nodiscard]] ServiceHit find_service(uint8_t protocol, const WideAddress& address, Be<uint16_t> port) const;
  [[nodiscard]] VipOwner owner_of(const WideAddress& address) const;

  /// slots_ never shrinks from one snapshot to the next and is never empty, so a slot id out of a flow entry is always
  /// good, and so is the 0 of a place that never held one.
  [[nodiscard]] const RealSlot& slot(SlotId id) const {
    assert(static_cast<size_t>(id) < slots_.size());
    return slots_[static_cast<size_t>(id)];
  }
  [[nodiscard]] const SlotDetail& detail(SlotId id) const { return details_[static_cast<size_t>(id)]; }
  [[nodiscard]] std::span<const RealSlot> slots() const { return slots_; }
  [[nodiscard]] size_t slot_count() const { return slots_.size(); }
  [[nodiscard]] const Link& link(LinkId id) const { return links_[static_cast<size_t>(id)]; }
  [[nodiscard]] const Link& link(SlotId id) const { return link(detail(id).link); }
  /// The longest IP packet that fits every link, in bytes.
  [[nodiscard]] uint32_t common_mtu() const { return common_mtu_; }
  /// The virtual server of a destination; null if no destination has this id now.
  [[nodiscard]] const VirtualService* service(ServiceId id) const {
    return static_cast<size_t>(id) < services_.size() ? services_[static_cast<size_t>(id)].get() : nullptr;
  }
  [[nodiscard]] std::shared_ptr<const VirtualService> shared_service(ServiceId id) const {
    return static_cast<size_t>(id) < services_.size() ? services_[static_cast<size_t>(id)] : nullptr;
  }
  [[nodiscard]] const Switches& switches() const { return switches_; }

 private:
  friend class SnapshotBuilder;
  struct Entry {
    uint64_t key = 0;  // 0: empty
    ServiceHit hit;
  };
  struct WideEntry {
    WideAddress address;
    uint32_t port_and_protocol = 0;  // 0: empty
    ServiceHit hit;
  };
  struct VipEntry {
    WideAddress address;
    VipOwner owner = VipOwner::kNobody;  // kNobody: empty
  };

  static constexpr uint64_t kPortOfKey = 0xffff0000;
  static uint32_t port_and_protocol(uint8_t protocol, Be<uint16_t> port) {
    return uint32_t{port.raw()} << 16 | uint32_t{protocol} << 8 | 1U;
  }
  static size_t place(uint64_t key, unsigned shift) { return static_cast<size_t>(key * 0x9e3779b97f4a7c15U >> shift); }
  static uint64_t mixed(const WideAddress& a, uint32_t more) {
    return (a.first * 0xc2b2ae3d27d4eb4fU) ^ (a.second * 0x165667b19e3779f9U) ^ more;
  }
  [[nodiscard]] ServiceHit find_exactly(uint64_t key) const {
    for (size_t i = place(key, shift_);; i = (i + 1) & (entries_.size() - 1)) {
      const Entry& entry = entries_[i];
      if (entry.key == key) return entry.hit;
      if (entry.key == 0) return {};
    }
  }
  [[nodiscard]] ServiceHit find_exactly(const WideAddress& address, uint32_t port_and_protocol) const;

  // Open addressing, powers of two and at most a quarter full, so every probe ends.
  std::vector<Entry> entries_;
  unsigned shift_ = 0;
  std::vector<WideEntry> wide_entries_;
  unsigned wide_shift_ = 0;
  std::vector<VipEntry> vips_;
  unsigned vip_shift_ = 0;
  bool has_all_ports_ = false;  // some destination has port 0
  std::vector<Link> links_;
  uint32_t common_mtu_ = UINT32_MAX;
  std::vector<RealSlot> slots_;                                  // by SlotId
  std::vector<SlotDetail> details_;                              // by SlotId
  std::vector<std::shared_ptr<const VirtualService>> services_;  // by ServiceId
  Switches switches_;
};

/// What the next snapshot will be, changed piece by piece; snapshots are copies of it. Control thread only.
class SnapshotBuilder {
 public:
  struct Destination {
    ServiceKey key;
    ServiceId id{};
    bool owned = false;
    bool one_packet = false;
  };

  SnapshotBuilder();
  /// These, and no others.
  void set_destinations(std::span<const Destination> destinations);
  void set_switches(const Switches& switches) { draft_.switches_ = switches; }
  /// Null: none.
  void set_service(ServiceId id, std::shared_ptr<const VirtualService> service);
  void set_slot(SlotId id, const RealSlot& slot, const SlotDetail& detail);
  /// The id of this link; the first time, a new one.
  LinkId link(const Link& link);

  [[nodiscard]] const Snapshot& draft() const { return draft_; }
  [[nodiscard]] std::unique_ptr<const Snapshot> copy() const { return std::make_unique<Snapshot>(draft_); }

 private:
  void add(const Destination& destination);
  void add_vip(const WideAddress& address, bool owned);

  Snapshot draft_;
};

}  // namespace lbdp::dataplane
