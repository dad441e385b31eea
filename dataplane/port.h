// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <rte_mempool.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/types/mac_address.h"
#include "config/types/result.h"
#include "dataplane/dataplane.h"
#include "dataplane/parameters.h"

namespace lbdp::dataplane {

/// What a port will be configured with: its parameters, and what its driver can do.
struct PortPlan {
  uint16_t id = 0;
  PortParams params;  // interface filled in
  std::string device;
  std::string driver;
  uint16_t queues = 1;  // queue pairs: one a worker, or as many as the driver has
  uint16_t rx_descriptors = 0;
  uint16_t tx_descriptors = 0;
  int socket = 0;  // NUMA node
  uint16_t mtu = 1500;
  uint64_t rss_types = 0;  // 0: the driver spreads nothing
};

/// Matches parameters with EAL's ports: an entry that names a device takes it, the others take the remaining ports in
/// the order of their ids, and ports without an entry get the defaults. In the order of the port ids. Errors: a device
/// that EAL does not have, one named twice, more entries than ports.
[[nodiscard]] Result<std::vector<PortPlan>> plan_ports(std::span<const PortParams> params, uint16_t workers);

/// A configured Ethernet port. Stopped and closed on destruction, when no worker polls it any more.
class Port {
 public:
  /// Configures the device and its queues; frames are received into `pool`. What the driver cannot do goes to `notes`.
  static Result<Port> open(const PortPlan& plan, rte_mempool* pool, std::vector<std::string>& notes);
  Port(Port&& other) noexcept;
  Port& operator=(Port&&) = delete;
  ~Port();

  /// Frames flow from here on.
  Result<void> start(std::vector<std::string>& notes);
  void stop();

  [[nodiscard]] uint16_t id() const { return plan_.id; }
  [[nodiscard]] const PortPlan& plan() const { return plan_; }
  [[nodiscard]] const MacAddress& mac() const { return mac_; }
  [[nodiscard]] bool link_up() const;
  /// Device, MAC, link and the driver's statistics.
  void describe(PortStatus& status) const;

 private:
  explicit Port(const PortPlan& plan) : plan_(plan) {}
  Result<void> configure();
  Result<void> set_up_queues(rte_mempool* pool);

  PortPlan plan_;
  MacAddress mac_;
  bool open_ = true;
  bool started_ = false;
};

/// Which worker polls which queue of which port.
struct QueueAssignment {
  struct Queue {
    uint16_t port = 0;
    uint16_t queue = 0;
  };
  /// By worker. Ports in the order of their ids; at most one queue of a port a worker.
  std::vector<std::vector<Queue>> workers;

  /// The worker's queue of a port, if it has one.
  [[nodiscard]] std::optional<uint16_t> queue_of(size_t worker, uint16_t port) const;
};

/// Queue i of a port goes to worker (i + port id) mod n if there are fewer queues than workers, else to worker i: with
/// single-queue drivers the ports spread over the workers.
[[nodiscard]] QueueAssignment assign_queues(std::span<const PortPlan> ports, uint16_t workers);

}  // namespace lbdp::dataplane
