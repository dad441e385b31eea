// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <rte_rcu_qsbr.h>

#include <atomic>
#include <cstdlib>
#include <deque>
#include <memory>
#include <vector>

#include "config/types/mac_address.h"
#include "config/types/result.h"
#include "dataplane/parameters.h"
#include "dataplane/slot_registry.h"
#include "dataplane/snapshot.h"

namespace lbdp::dataplane {

/// A worker's access to the current snapshot. The worker calls online(), then in every pass current() and, when it
/// holds no pointer into the snapshot any more, quiescent(); offline() before it sleeps.
class SnapshotReader {
 public:
  SnapshotReader(rte_rcu_qsbr* qsbr, unsigned thread, const std::atomic<const Snapshot*>* current)
      : qsbr_(qsbr), thread_(thread), current_(current) {}
  void online() noexcept { rte_rcu_qsbr_thread_online(qsbr_, thread_); }
  void quiescent() noexcept { rte_rcu_qsbr_quiescent(qsbr_, thread_); }
  void offline() noexcept { rte_rcu_qsbr_thread_offline(qsbr_, thread_); }
  [[nodiscard]] const Snapshot& current() const noexcept { return *current_->load(std::memory_order_acquire); }

 private:
  rte_rcu_qsbr* qsbr_;
  unsigned thread_;
  const std::atomic<const Snapshot*>* current_;
};

/// Makes snapshots and hands them to the workers. Control thread only, but for the readers. Workers end before it does.
class Publisher {
 public:
  /// `port_macs`: by port id.
  static Result<std::unique_ptr<Publisher>> create(unsigned workers, std::vector<MacAddress> port_macs);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  /// Builds the next snapshot and swaps it in; on error nothing changes. Never waits for a worker.
  Result<void> publish(const Tables& tables);
  /// The same for virtual servers that have changed, their keys have not.
  Result<void> publish_changes(std::span<const VirtualServerParams> changed);
  /// Frees the snapshots that no worker can see any more.
  void collect();

  [[nodiscard]] SnapshotReader reader(WorkerId worker);
  [[nodiscard]] const SlotRegistry& registry() const { return registry_; }
  /// Superseded, and not freed yet.
  [[nodiscard]] size_t pending() const { return retired_.size(); }

 private:
  struct Retired {
    uint64_t token;
    std::unique_ptr<const Snapshot> snapshot;
  };
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };

  Publisher(std::unique_ptr<rte_rcu_qsbr, Free> qsbr, std::vector<MacAddress> port_macs);
  std::unique_ptr<const Snapshot> build(const Tables& tables) const;
  [[nodiscard]] SnapshotBuilder::Server describe(const ServiceKey& service, const RealServerParams& server) const;
  void carry_cursors(const Snapshot& next) const;

  std::unique_ptr<rte_rcu_qsbr, Free> qsbr_;
  std::vector<MacAddress> port_macs_;
  SlotRegistry registry_;
  std::unique_ptr<const Snapshot> owned_;  // == current_
  std::atomic<const Snapshot*> current_;
  std::deque<Retired> retired_;
};

}  // namespace lbdp::dataplane
