// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/parameters.h"

namespace lbdp::dataplane {

/// A real server as its virtual server's scheduler is to see it.
struct SchedulerServer {
  SlotId slot{};
  uint16_t tenancy = 0;   // another real server in the same slot has another one
  bool usable = false;    // may take new connections: in the table, resolved
  uint32_t weight = 0;    // 0: not usable either
  uint64_t identity = 0;  // stable_hash() of its endpoint
  uint32_t upper_threshold = 0;
};

/// What one virtual server's scheduler needs to know of the configuration: immutable, made by control at a publication
/// (about a microsecond a server; a Maglev table of 4093 places for mh only). Read by pick() on any thread.
class SchedulerTable {
 public:
  struct Server {
    SlotId slot{};
    uint16_t tenancy = 0;
    uint32_t weight = 0;  // 0: not usable
  };

  SchedulerTable() = default;
  /// `servers` in the scheduler's order, each slot once.
  SchedulerTable(Scheduler kind, SchedulerFlags flags, std::span<const SchedulerServer> servers);

  [[nodiscard]] Scheduler kind() const noexcept { return kind_; }
  [[nodiscard]] SchedulerFlags flags() const noexcept { return flags_; }
  /// All of them, in order.
  [[nodiscard]] std::span<const Server> servers() const noexcept { return servers_; }
  [[nodiscard]] size_t usable_count() const noexcept { return usable_count_; }
  [[nodiscard]] bool any_usable() const noexcept { return usable_count_ != 0; }
  /// Do picks read the slots' loads? If not, nobody needs to count these servers' connections for the scheduler.
  [[nodiscard]] bool needs_loads() const noexcept { return needs_loads_; }

  // ---- for pick() and carry() ----

  /// A usable server has an upper threshold.
  [[nodiscard]] bool has_thresholds() const noexcept { return has_thresholds_; }
  /// By position: that of the next usable server behind it, cyclic. Only if any_usable().
  [[nodiscard]] uint16_t next_usable(uint16_t position) const noexcept { return next_usable_[position]; }
  [[nodiscard]] uint16_t first_usable() const noexcept { return first_usable_; }
  /// The position of the first one of the greatest weight.
  [[nodiscard]] uint16_t heaviest() const noexcept { return heaviest_; }
  /// Where a server stands; `hint` is tried first.
  [[nodiscard]] std::optional<uint16_t> position_of(SlotId slot, uint16_t hint) const noexcept {
    return hint < servers_.size() && servers_[hint].slot == slot ? hint : search(slot);
  }
  /// wrr: the greatest round (IPVS's mw) and from one to the next (di). 0: none is usable.
  [[nodiscard]] uint32_t max_round() const noexcept { return max_round_; }
  [[nodiscard]] uint32_t round_step() const noexcept { return round_step_; }
  [[nodiscard]] uint64_t total_weight() const noexcept { return total_weight_; }
  /// The 256 buckets of sh and dh, each a position in servers(); empty for others, and if none is usable.
  static constexpr size_t kBuckets = 256;
  [[nodiscard]] std::span<const uint16_t> buckets() const noexcept { return buckets_; }
  /// mh's table; for the others a small one for picks without memory. Empty for sh, dh and fo, and if none is usable.
  [[nodiscard]] std::span<const SlotId> maglev() const noexcept { return maglev_; }

 private:
  [[nodiscard]] std::optional<uint16_t> search(SlotId slot) const noexcept;
  void link_usable();
  void fill_source_buckets();
  void fill_destination_buckets();
  void fill_maglev(std::span<const SchedulerServer> servers);

  Scheduler kind_ = Scheduler::kRoundRobin;
  SchedulerFlags flags_;
  bool needs_loads_ = false;
  bool has_thresholds_ = false;
  uint16_t first_usable_ = 0;
  uint16_t heaviest_ = 0;
  size_t usable_count_ = 0;
  uint32_t max_round_ = 0;
  uint32_t round_step_ = 1;
  uint64_t total_weight_ = 0;
  std::vector<Server> servers_;
  std::vector<uint16_t> next_usable_;
  std::vector<uint16_t> buckets_;
  std::vector<SlotId> maglev_;
};

}  // namespace lbdp::dataplane
