// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/buffers.h"

#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <string>

#include "dataplane/exception_path.h"

namespace lbdp::dataplane {
namespace {

constexpr unsigned kCache = 256;           // mbufs a worker keeps to itself, twice at most
constexpr unsigned kBurst = 64;            // more than any burst of a worker
constexpr unsigned kFromKernelCache = 32;  // the exception thread has none, a worker frees small bursts

uint16_t data_room(uint16_t mtu) {
  const unsigned frame = mtu + RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN + RTE_ETHER_CRC_LEN;
  const unsigned room = std::max<unsigned>(RTE_MBUF_DEFAULT_DATAROOM, RTE_ALIGN_CEIL(frame, 128U));
  return static_cast<uint16_t>(std::min<unsigned>(room + RTE_PKTMBUF_HEADROOM, UINT16_MAX));
}

Result<Mempool> create_pool(const std::string& name, unsigned count, unsigned cache, uint16_t room, int socket) {
  rte_mempool* pool = rte_pktmbuf_pool_create(name.c_str(), count, cache, 0, room, socket);
  if (pool == nullptr && rte_errno == ENOMEM) {
    const uint64_t mib = uint64_t{count} * (room + sizeof(rte_mbuf) + 64) >> 20;
    return fail("no memory for " + std::to_string(count) + " packet buffers of " + std::to_string(room) +
                " bytes (about " + std::to_string(mib) + " MiB) on NUMA node " + std::to_string(socket) +
                ": reserve more hugepages, or lower rx_descriptors and tx_descriptors");
  }
  if (pool == nullptr) {
    return fail("cannot create the packet buffer pool " + name + ": " + rte_strerror(rte_errno));
  }
  return Mempool(pool);
}

unsigned needed_mbufs(std::span<const PortPlan> ports, int socket, uint16_t workers) {
  unsigned count = workers * (2 * kCache + 4 * kBurst) + kPuntClasses * ExceptionPath::kPuntRingSize;
  for (const PortPlan& port : ports) {
    if (port.socket == socket) {
      count += port.queues * (unsigned{port.rx_descriptors} + port.tx_descriptors);
    }
    count += ExceptionPath::kHandoverRingSize;
  }
  return count;
}

}  // namespace

Result<BufferPools> create_buffers(std::span<const PortPlan> ports, uint16_t workers, const StartupParams& params) {
  BufferPools pools;
  uint16_t mtu = RTE_ETHER_MTU;
  for (const PortPlan& port : ports) {
    mtu = std::max(mtu, port.mtu);
  }
  for (const PortPlan& port : ports) {
    if (pools.receive.contains(port.socket)) {
      continue;
    }
    const unsigned count = params.mbufs != 0 ? params.mbufs : needed_mbufs(ports, port.socket, workers);
    const uint16_t room = params.mbuf_size != 0 ? params.mbuf_size : data_room(mtu);
    Result<Mempool> pool = create_pool("lbdp_rx_" + std::to_string(port.socket), count, kCache, room, port.socket);
    if (!pool) {
      return tl::unexpected<Error>(pool.error());
    }
    pools.receive.emplace(port.socket, std::move(*pool));
  }
  const auto inject = static_cast<unsigned>(ports.size()) * ExceptionPath::kInjectRingSize * 2 + workers * 2 * kBurst;
  Result<Mempool> pool =
      create_pool("lbdp_from_kernel", inject, kFromKernelCache, data_room(mtu), ports.front().socket);
  if (!pool) {
    return tl::unexpected<Error>(pool.error());
  }
  pools.from_kernel = std::move(*pool);
  return pools;
}

}  // namespace lbdp::dataplane
