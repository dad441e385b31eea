// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/garp_queue.h"

#include <algorithm>
#include <utility>

namespace lbdp::vrrp {

void GarpQueue::add(uint8_t owner, const std::vector<IpAddress>& addresses, unsigned rounds) {
  if (addresses.empty() || rounds == 0) return;
  const auto same =
      std::ranges::find_if(jobs_, [&](const Job& job) { return job.owner == owner && job.addresses == addresses; });
  if (same != jobs_.end()) {
    same->rounds = std::max(same->rounds, rounds);
    return;
  }
  jobs_.push_back(Job{owner, addresses, rounds, 0});
}

void GarpQueue::cancel(uint8_t owner) {
  std::erase_if(jobs_, [owner](const Job& job) { return job.owner == owner; });
}

std::vector<GarpQueue::Entry> GarpQueue::take(TimePoint now) {
  std::vector<Entry> batch;
  if (now < not_before_) return batch;
  while (batch.size() < kBatch && !jobs_.empty()) {
    Job& job = jobs_.front();
    batch.push_back(Entry{job.owner, job.addresses[job.next]});
    if (++job.next < job.addresses.size()) continue;
    Job finished_round = std::move(job);
    jobs_.pop_front();
    finished_round.next = 0;
    if (--finished_round.rounds > 0) jobs_.push_back(std::move(finished_round));
  }
  if (!batch.empty()) not_before_ = now + kInterval;
  return batch;
}

std::optional<GarpQueue::TimePoint> GarpQueue::deadline() const {
  if (jobs_.empty()) return {};
  return not_before_;
}

}  // namespace lbdp::vrrp
