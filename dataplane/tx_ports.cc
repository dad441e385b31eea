// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/tx_ports.h"

#include <rte_ethdev.h>

namespace lbdp::dataplane {

TxPorts::TxPorts(std::span<const WorkerPort> ports, const ExceptionRings& rings) {
  for (const WorkerPort& port : ports) {
    const auto id = static_cast<uint16_t>(port.id);
    if (id >= ports_.size()) ports_.resize(size_t{id} + 1);
    known_ |= uint64_t{1} << id;
    ports_[id].queue = port.tx_queue;
    ports_[id].handover = id < rings.handover.size() ? rings.handover[id] : nullptr;
    used_.push_back(id);
  }
}

TxPorts::Flushed TxPorts::flush() noexcept {
  Flushed total;
  for (const uint16_t id : used_) {
    Port& p = ports_[id];
    if (p.count == 0) continue;
    const unsigned sent = send(id, p.frames.data(), p.count);
    if (sent < p.count) [[unlikely]]
      rte_pktmbuf_free_bulk(p.frames.data() + sent, p.count - sent);
    total.sent += sent;
    total.refused += p.count - sent;
    p.count = 0;
  }
  return total;
}

unsigned TxPorts::send(uint16_t port, rte_mbuf** frames, unsigned count) noexcept {
  const Port& p = ports_[port];
  if (p.queue) return rte_eth_tx_burst(port, *p.queue, frames, static_cast<uint16_t>(count));
  if (p.handover == nullptr) return 0;
  return rte_ring_enqueue_burst(p.handover, reinterpret_cast<void* const*>(frames), count, nullptr);
}

}  // namespace lbdp::dataplane
