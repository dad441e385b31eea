// SPDX-License-Identifier: BSD-2-Clause
#include "config/keywords.h"
#include "config/setters.h"

namespace lbdp::config {
namespace {

constexpr uint16_t kMostPortId = 31;  // RTE_MAX_ETHPORTS - 1 of Debian's DPDK

void* take_port(void* scope, const Statement& statement, Context& context) {
  PortSpec& port = static_cast<DataplaneSpec*>(scope)->ports.emplace_back();
  port.place = statement.place();
  if (!expect_arguments(statement, 1, 1, context)) return &port;
  const auto id = number<uint16_t, 0, kMostPortId>(statement.arguments()[0].text);
  if (id) {
    port.id = *id;
  } else {
    report_value(statement, statement.arguments()[0], id.error(), context);
  }
  return &port;
}

using P = PortSpec;
constexpr Keyword kPortKeywords[] = {
    {"device", "DEVICE", "ports in the order of their ids",
     "The DPDK device: a PCI address such as 0000:03:00.0, or the name of a vdev.", one<P, &P::device, name>},
    {"interface", "NAME", "the next interface that the file names, or lbdpN",
     "The name of the port's kernel interface, a tap with the port's MAC.", one<P, &P::interface, interface_name>},
    {"ipaddress", "ADDRESS/LENGTH", "none: the host configures the interface",
     "An address for the port's kernel interface.", one<P, &P::ipaddress, prefix>},
    {"rx_descriptors", "32..32768", "1024", "The length of each receive queue; the driver may round it.",
     one<P, &P::rx_descriptors, number<uint16_t, 32, 32768>>},
    {"tx_descriptors", "32..32768", "1024", "The length of each transmit queue; the driver may round it.",
     one<P, &P::tx_descriptors, number<uint16_t, 32, 32768>>},
};
constexpr Block kPortBlock{"port", {kPortKeywords}};

using D = DataplaneSpec;
constexpr Keyword kKeywords[] = {
    {"port", "ID { ... }", "",
     "A DPDK port, by its id from 0 on. A port needs no block: everything in it has a default.", take_port,
     &kPortBlock},
    {"connections", "64..268435456", "1048576", "Room for connections, in each worker; 16 bytes each.",
     one<D, &D::connections, number<uint32_t, 64, 268435456>>},
    {"idle_sleep", "TIME", "0",
     "How long a worker that finds nothing to do may sleep: 50us, 1ms, 0.1s, at most 1s; a bare number is seconds. 0: "
     "never, the worker polls.",
     one<D, &D::idle_sleep, short_interval>},
    {"mbufs", "1024..134217728", "as many as the queues need",
     "The number of receive buffers on each NUMA node. A driver that keeps many (net_pcap with infinite_rx) needs "
     "more.",
     one<D, &D::mbufs, number<uint32_t, 1024, 134217728>>},
    {"mbuf_size", "256..65535", "room for a whole frame",
     "Bytes of a receive buffer, DPDK's 128 bytes of headroom included. Longer frames need a driver that can spread "
     "them "
     "over several buffers.",
     one<D, &D::mbuf_size, number<uint16_t, 256, 65535>>},
    {"expire_nodest_conn", "[BOOL]", "on",
     "Forget a connection, on its next packet, whose real server is gone, as IPVS's switch of this name does.",
     flag<D, &D::expire_nodest_conn>},
};

}  // namespace

constinit const Block kDataplaneBlock{"dataplane", {kKeywords}, nullptr, true};

}  // namespace lbdp::config
