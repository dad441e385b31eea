// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "dataplane/pick.h"
#include "dataplane/stable_hash.h"

namespace lbdp::dataplane::testing {

/// A virtual server of the tests: real servers in slots from `first_slot` on, their loads and the scheduler's state.
/// Picks are given as positions in the order, from 0; -1: refused.
class Pool {
 public:
  explicit Pool(Scheduler kind, std::vector<uint32_t> weights, SchedulerFlags flags = {})
      : kind_(kind), flags_(flags), loads_(std::make_unique<SlotLoad[]>(kSlots)) {
    for (const uint32_t weight : weights) {
      const auto slot = static_cast<uint16_t>(kFirstSlot + servers.size());
      servers.push_back({SlotId{slot}, 1, true, weight, mix64(slot), 0});
    }
    rebuild();
  }

  /// After a change of `servers`: what a publication does.
  void publish() {
    const SchedulerTable old = table_;
    rebuild();
    carry(old, table_, state);
  }
  void set_threshold(size_t server, uint32_t upper, uint32_t lower = 0) {
    servers[server].upper_threshold = upper;
    load(server).set_thresholds(upper, lower);
    rebuild();
  }
  SlotLoad& load(size_t server) { return loads_[static_cast<size_t>(servers[server].slot)]; }
  void open(size_t server, int active, int inactive = 0) {
    for (int i = 0; i < active; ++i) load(server).open(true);
    for (int i = 0; i < inactive; ++i) load(server).open(false);
  }
  void close(size_t server, int active) {
    for (int i = 0; i < active; ++i) load(server).close(true);
  }

  int pick(const PickInput& input = {}) { return number(dataplane::pick(table_, state, loads(), input)); }
  int preview(const PickInput& input = {}) const { return number(dataplane::preview(table_, state, loads(), input)); }
  int pick_unstored(const PickInput& input) const { return number(dataplane::pick_unstored(table_, input)); }
  /// A pick, and the connection that it is for.
  int connect(const PickInput& input = {}) {
    const int server = pick(input);
    if (server >= 0) open(static_cast<size_t>(server), 1);
    return server;
  }
  std::vector<int> picks(int count) {
    std::vector<int> out;
    for (int i = 0; i < count; ++i) out.push_back(pick());
    return out;
  }
  std::vector<int> connects(int count) {
    std::vector<int> out;
    for (int i = 0; i < count; ++i) out.push_back(connect());
    return out;
  }
  /// The position in the first order, which stays a server's name when the order changes.
  static int number(std::optional<SlotId> slot) { return slot ? static_cast<int>(*slot) - kFirstSlot : -1; }
  [[nodiscard]] const SchedulerTable& table() const { return table_; }
  [[nodiscard]] std::span<const SlotLoad> loads() const { return {loads_.get(), kSlots}; }

  std::vector<SchedulerServer> servers;
  SchedulerState state;

 private:
  static constexpr int kFirstSlot = 7;
  static constexpr size_t kSlots = 4096;

  void rebuild() { table_ = SchedulerTable(kind_, flags_, servers); }

  Scheduler kind_;
  SchedulerFlags flags_;
  SchedulerTable table_;
  std::unique_ptr<SlotLoad[]> loads_;
};

/// The n-th client, with an address and a port of its own.
inline PickInput client(uint32_t n) {
  return {WideAddress::from_v4(Be<uint32_t>::from_host(0x0a000000U + n)),
          WideAddress::from_v4(Be<uint32_t>::from_host(0xac120001U)),
          Be<uint16_t>::from_host(static_cast<uint16_t>(1024 + n % 60000)), static_cast<uint32_t>(mix64(n))};
}

}  // namespace lbdp::dataplane::testing
