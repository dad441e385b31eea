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
    const Flushed own = send_all(id, {p.frames.data(), p.count});
    total.sent += own.sent;
    total.refused += own.refused;
    p.count = 0;
  }
  return total;
}

TxPorts::Flushed TxPorts::send_all(uint16_t port, std::span<rte_mbuf*> frames) noexcept {
  const auto count = static_cast<unsigned>(frames.size());
  const unsigned sent = send(port, frames.data(), count);
  if (sent < count) [[unlikely]]
    rte_pktmbuf_free_bulk(frames.data() + sent, count - sent);
  return {sent, count - sent};
}

unsigned TxPorts::send(uint16_t port, rte_mbuf** frames, unsigned count) noexcept {
  const Port& p = ports_[port];
  if (p.queue) return rte_eth_tx_burst(port, *p.queue, frames, static_cast<uint16_t>(count));
  if (p.handover == nullptr) return 0;
  return rte_ring_enqueue_burst(p.handover, reinterpret_cast<void* const*>(frames), count, nullptr);
}

}  // namespace lbdp::dataplane
