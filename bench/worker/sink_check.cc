// SPDX-License-Identifier: BSD-2-Clause
#include "bench/worker/sink_check.h"

#include <cstring>

namespace lbdp::bench {
namespace {

uint32_t load32(const uint8_t* from) {
  uint32_t raw = 0;
  std::memcpy(&raw, from, sizeof raw);
  return Be<uint32_t>::from_raw(raw).host();
}

}  // namespace

uint16_t SinkCheck::on_send(uint16_t, uint16_t, rte_mbuf** frames, uint16_t count, void* check) {
  static_cast<SinkCheck*>(check)->inspect(frames, count);
  return count;
}

void SinkCheck::inspect(rte_mbuf* const* frames, uint16_t count) noexcept {
  const bool ipv4 = network_.family == Family::kIpv4;
  const unsigned servers = network_.servers;
  for (uint16_t i = 0; i < count; ++i) {
    const auto* const frame = rte_pktmbuf_mtod(frames[i], const uint8_t*);
    const uint32_t client = load32(frame + (ipv4 ? 14 + 12 : 14 + 20));
    const uint32_t vip = load32(frame + (ipv4 ? 14 + 16 : 14 + 36));
    const auto server = static_cast<uint16_t>(load32(frame + 2) & 0xffff);  // real_mac()
    const uint32_t service = (vip & 0xffff) - 1;                            // vip_of()
    ++frames_;
    if (load32(frame) != 0x02000000 || server / servers != service) ++misdirected_;
    const uint32_t flow = client - kEstablishedClients;
    if (flow >= server_of_.size()) continue;
    if (server_of_[flow] == kNone) server_of_[flow] = server;
    if (server_of_[flow] != server) ++moved_;
  }
}

}  // namespace lbdp::bench
