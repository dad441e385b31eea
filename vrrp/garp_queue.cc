// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/garp_queue.h"

#include <algorithm>
#include <utility>

namespace lbdp::vrrp {

void GarpQueue::add(uint32_t owner, const std::vector<IpAddress>& addresses, unsigned rounds,
                    std::chrono::microseconds interval) {
  if (addresses.empty() || rounds == 0) return;
  const auto same =
      std::ranges::find_if(jobs_, [&](const Job& job) { return job.owner == owner && job.addresses == addresses; });
  if (same != jobs_.end()) {
    same->rounds = std::max(same->rounds, rounds);
    same->interval = interval;
    return;
  }
  jobs_.push_back(Job{owner, addresses, rounds, interval, 0});
}

void GarpQueue::cancel(uint32_t owner) {
  std::erase_if(jobs_, [owner](const Job& job) { return job.owner == owner; });
}

std::vector<GarpQueue::Entry> GarpQueue::take(TimePoint now) {
  std::vector<Entry> batch;
  if (now < not_before_) return batch;
  std::chrono::microseconds pause = kInterval;
  while (batch.size() < kBatch && !jobs_.empty()) {
    Job& job = jobs_.front();
    const bool alone = job.interval.count() > 0;
    if (alone && !batch.empty()) break;
    if (alone) pause = job.interval;
    batch.push_back(Entry{job.owner, job.addresses[job.next]});
    if (++job.next == job.addresses.size()) end_round();
    if (alone) break;
  }
  if (!batch.empty()) not_before_ = now + pause;
  return batch;
}

/// The first job goes behind the others, or away after its last round.
void GarpQueue::end_round() {
  Job job = std::move(jobs_.front());
  jobs_.pop_front();
  job.next = 0;
  if (--job.rounds > 0) jobs_.push_back(std::move(job));
}

std::optional<GarpQueue::TimePoint> GarpQueue::deadline() const {
  if (jobs_.empty()) return {};
  return not_before_;
}

}  // namespace lbdp::vrrp
