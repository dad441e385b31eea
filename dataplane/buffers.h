// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <rte_mempool.h>

#include <cstdint>
#include <map>
#include <memory>
#include <span>

#include "config/types/result.h"
#include "dataplane/port.h"

namespace lbdp::dataplane {

struct MempoolDeleter {
  void operator()(rte_mempool* pool) const { rte_mempool_free(pool); }
};
using Mempool = std::unique_ptr<rte_mempool, MempoolDeleter>;

/// The packet buffers: one pool for the receive queues of each NUMA node, and one for frames that come from the kernel,
/// so that no flood of received frames takes the kernel's buffers away.
struct BufferPools {
  std::map<int, Mempool> receive;  // by NUMA node
  Mempool from_kernel;
};

/// Sizes: every descriptor of every queue filled, the punt and hand-over rings full, and each worker's cache and bursts
/// on top; StartupParams::mbufs and mbuf_size override.
[[nodiscard]] Result<BufferPools> create_buffers(std::span<const PortPlan> ports, uint16_t workers,
                                                 const StartupParams& params);

}  // namespace lbdp::dataplane
