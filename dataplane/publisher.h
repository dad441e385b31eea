// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <rte_rcu_qsbr.h>

#include <atomic>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "config/types/mac_address.h"
#include "config/types/result.h"
#include "dataplane/parameters.h"
#include "dataplane/shared_tables.h"
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

/// Makes snapshots and hands them to the workers, and holds what the workers share beside them. Control thread only,
/// but for the readers and the shared tables. Workers end before it does.
class Publisher {
 public:
  /// `port_macs`: by port id. `templates`: room for so many clients of persistent virtual servers.
  static Result<std::unique_ptr<Publisher>> create(unsigned workers, std::vector<MacAddress> port_macs,
                                                   uint32_t templates = 1024);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  /// Builds the next snapshot and swaps it in; on error nothing changes. Never waits for a worker.
  Result<void> publish(const Tables& tables);
  /// The same for virtual servers of the last publication that have changed, at the cost of these. Their destinations
  /// are the same. On error nothing changes.
  Result<void> publish_changes(std::span<const VirtualServerParams> changed);
  /// Frees the snapshots that no worker can see any more.
  void collect();

  [[nodiscard]] SnapshotReader reader(WorkerId worker);
  [[nodiscard]] const SlotRegistry& registry() const { return registry_; }
  /// What the workers see now. Control thread.
  [[nodiscard]] const Snapshot& current() const { return *owned_; }
  [[nodiscard]] SharedTables& shared() { return *shared_; }
  [[nodiscard]] const SharedTables& shared() const { return *shared_; }
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

  struct LoadState {
    bool counts = false;
    uint16_t generation = 0;
    uint16_t tenancy = 0;
    uint16_t epoch = 0;
  };

  Publisher(std::unique_ptr<rte_rcu_qsbr, Free> qsbr, std::vector<MacAddress> port_macs,
            std::unique_ptr<SharedTables> shared);
  void set_destinations();
  void set_idle(SlotId id);
  void apply(const VirtualServerParams& params);
  [[nodiscard]] bool is_resolved(const RealServerParams& server) const;
  [[nodiscard]] LinkId link_to(const RealServerParams& server);
  void set_slot(const RealServerParams& server, const SlotRegistry::SlotRef& ref, bool wants_load);
  const LoadState& prepare_load(const SlotRegistry::SlotRef& ref, const RealServerParams& server, bool wanted);
  [[nodiscard]] std::shared_ptr<const VirtualService> build(ServiceId id, const VirtualServerParams& params) const;
  void swap_in();

  SlotRegistry registry_;
  std::unique_ptr<rte_rcu_qsbr, Free> qsbr_;
  std::vector<MacAddress> port_macs_;
  std::unique_ptr<SharedTables> shared_;
  SnapshotBuilder builder_;
  /// What has been published last, by the id of the virtual server's first destination.
  std::vector<std::optional<VirtualServerParams>> published_;
  std::vector<LoadState> loads_;  // by SlotId
  bool expire_nodest_conn_ = true;
  std::unique_ptr<const Snapshot> owned_;
  std::atomic<const Snapshot*> current_;
  std::deque<Retired> retired_;
};

}  // namespace lbdp::dataplane
