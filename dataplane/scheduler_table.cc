// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/scheduler_table.h"

#include <algorithm>
#include <numeric>

#include "dataplane/maglev.h"

namespace lbdp::dataplane {
namespace {

constexpr uint32_t kSmallMaglev = 251;  // the least number of places for picks without memory
constexpr uint32_t kIpvsMaglev = 4093;  // CONFIG_IP_VS_MH_TAB_INDEX's default

bool reads_loads(Scheduler kind) {
  switch (kind) {
    case Scheduler::kLeastConnection:
    case Scheduler::kWeightedLeastConnection:
    case Scheduler::kShortestExpectedDelay:
    case Scheduler::kNeverQueue:
    case Scheduler::kOverflow:
    case Scheduler::kTwoChoices: return true;
    default: return false;
  }
}

}  // namespace

SchedulerTable::SchedulerTable(Scheduler kind, SchedulerFlags flags, std::span<const SchedulerServer> servers)
    : kind_(kind), flags_(flags) {
  uint32_t max_weight = 0;
  uint32_t divisor = 0;
  servers_.reserve(servers.size());
  for (const SchedulerServer& server : servers) {
    const uint32_t weight = server.usable ? server.weight : 0;
    servers_.push_back({server.slot, server.tenancy, weight});
    if (weight == 0) continue;
    ++usable_count_;
    total_weight_ += weight;
    if (weight > max_weight) {
      max_weight = weight;
      heaviest_ = static_cast<uint16_t>(servers_.size() - 1);
    }
    divisor = std::gcd(divisor, weight);
    has_thresholds_ = has_thresholds_ || server.upper_threshold != 0;
  }
  needs_loads_ = has_thresholds_ || reads_loads(kind);
  if (usable_count_ == 0) return;
  round_step_ = divisor;
  max_round_ = max_weight - (divisor - 1);
  link_usable();
  switch (kind) {
    case Scheduler::kSourceHash: fill_source_buckets(); break;
    case Scheduler::kDestinationHash: fill_destination_buckets(); break;
    case Scheduler::kFailover: break;
    default: fill_maglev(servers);
  }
}

std::optional<uint16_t> SchedulerTable::search(SlotId slot) const noexcept {
  const auto found = std::find_if(servers_.begin(), servers_.end(), [&](const Server& s) { return s.slot == slot; });
  if (found == servers_.end()) return std::nullopt;
  return static_cast<uint16_t>(found - servers_.begin());
}

void SchedulerTable::link_usable() {
  next_usable_.resize(servers_.size());
  const auto first = std::find_if(servers_.begin(), servers_.end(), [](const Server& s) { return s.weight != 0; });
  first_usable_ = static_cast<uint16_t>(first - servers_.begin());
  uint16_t next = first_usable_;
  for (size_t position = servers_.size(); position-- > 0;) {
    next_usable_[position] = next;
    if (servers_[position].weight != 0) next = static_cast<uint16_t>(position);
  }
}

// Each server `weight` buckets in a row, in order, again and again, as in the kernel. Where one turn of them all needs
// more than the 256 buckets, the kernel leaves the last ones without; here each has its share of the 256, rounded up
// and down so that the buckets are filled.
void SchedulerTable::fill_source_buckets() {
  buckets_.reserve(kBuckets);
  if (total_weight_ <= kBuckets) {
    for (uint16_t position = first_usable_; buckets_.size() < kBuckets; position = next_usable_[position]) {
      const size_t count = std::min<size_t>(servers_[position].weight, kBuckets - buckets_.size());
      buckets_.insert(buckets_.end(), count, position);
    }
    return;
  }
  uint64_t sum = 0;
  for (size_t position = 0; position < servers_.size(); ++position) {
    sum += servers_[position].weight;
    // Below 2^16 servers of weights below 2^32: the product stays below 2^56.
    buckets_.resize(sum * kBuckets / total_weight_, static_cast<uint16_t>(position));
  }
}

// One bucket each, in order, again and again; weights do not count.
void SchedulerTable::fill_destination_buckets() {
  buckets_.reserve(kBuckets);
  for (uint16_t position = first_usable_; buckets_.size() < kBuckets; position = next_usable_[position])
    buckets_.push_back(position);
}

void SchedulerTable::fill_maglev(std::span<const SchedulerServer> servers) {
  std::vector<MaglevServer> usable;
  usable.reserve(usable_count_);
  for (size_t i = 0; i < servers.size(); ++i) {
    if (servers_[i].weight != 0) usable.push_back({servers[i].slot, servers[i].identity, servers[i].weight});
  }
  const uint32_t least = kind_ == Scheduler::kMaglev ? kIpvsMaglev : kSmallMaglev;
  maglev_ = build_maglev(usable, maglev_size(usable.size(), least));
}

}  // namespace lbdp::dataplane
