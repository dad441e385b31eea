// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/buffers.h"
#include "dataplane/dataplane.h"
#include "dataplane/exception_path.h"
#include "dataplane/port.h"
#include "dataplane/publisher.h"
#include "dataplane/tap.h"
#include "dataplane/worker.h"

namespace lbdp::dataplane {

/// The data path on real lcores: start() builds it member by member, the destructor takes it down in reverse.
class RunningDataplane final : public Dataplane {
 public:
  RunningDataplane() = default;
  ~RunningDataplane() override;
  RunningDataplane(const RunningDataplane&) = delete;
  RunningDataplane& operator=(const RunningDataplane&) = delete;

  /// Once, on a new object; after an error, destroy it.
  Result<void> start(const StartupParams& params);

  Result<void> publish(const Tables& tables) override { return publisher_->publish(tables); }
  Result<void> publish_changes(std::span<const VirtualServerParams> changed) override {
    return publisher_->publish_changes(changed);
  }
  void collect() override;
  [[nodiscard]] std::vector<std::string> startup_notes() const override { return notes_; }
  [[nodiscard]] std::vector<PortStatus> ports() const override;
  [[nodiscard]] std::vector<WorkerStatus> workers() const override;
  [[nodiscard]] RealServerCounters counters(const RealServerKey& key) const override;
  [[nodiscard]] ConnectionPage connections(uint64_t cursor, size_t limit,
                                           const ConnectionFilter& filter) const override;
  [[nodiscard]] TemplatePage templates(uint64_t cursor, size_t limit) const override;
  [[nodiscard]] Explanation explain(const Endpoint& client, const ServiceKey& destination) const override;

 private:
  Result<void> open_ports(std::span<const PortPlan> plans, const StartupParams& params);
  Result<void> create_taps();
  Result<void> create_exception_path();
  Result<void> create_publisher(uint32_t templates);
  Result<void> create_workers(std::span<const PortPlan> plans, const StartupParams& params);
  Result<void> start_ports();
  Result<void> launch_workers();
  void note_idle_workers();
  void follow_links();
  void stop_workers();

  std::vector<std::string> notes_;
  BufferPools buffers_;
  std::vector<Port> ports_;
  std::vector<Tap> taps_;      // like ports_
  std::vector<bool> carrier_;  // like ports_
  std::unique_ptr<ExceptionPath> exception_;
  std::unique_ptr<Publisher> publisher_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::atomic<bool> stop_{false};
  std::vector<unsigned> launched_;  // lcores
};

}  // namespace lbdp::dataplane
