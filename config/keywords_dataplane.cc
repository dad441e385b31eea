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

/// fwmark MARK
void* take_fwmark(void* scope, const Statement& statement, Context& context) {
  FwmarkSpec& spec = static_cast<DataplaneSpec*>(scope)->fwmarks.emplace_back();
  spec.place = statement.place();
  if (!expect_arguments(statement, 1, 1, context)) return &spec;
  const auto mark = fwmark(statement.arguments()[0].text);
  if (mark) {
    spec.mark = *mark;
  } else {
    report_value(statement, statement.arguments()[0], mark.error(), context);
  }
  return &spec;
}

/// PROTOCOL ADDRESSES [PORT]
void take_destination(void* scope, const Statement& entry, Context& context) {
  auto& spec = *static_cast<FwmarkSpec*>(scope);
  const auto words = entry.words();
  const auto report = [&](const Word& word, const std::string& message) {
    context.diagnostics.error(word.place, "fwmark: found " + in_quotes(word.text) + ", " + message);
    spec.broken = true;
  };
  if (words.size() < 2 || words.size() > 3) {
    return report(words.size() < 2 ? words[0] : words[3], "wanted PROTOCOL ADDRESS [PORT], such as 'tcp 192.0.2.1 80'");
  }
  const auto protocol = config::protocol(words[0].text);
  const auto range = address_range(words[1].text);
  const auto port = words.size() > 2 ? number<uint16_t, 0>(words[2].text) : Result<uint16_t>(uint16_t{0});
  if (!protocol) report(words[0], protocol.error().message);
  if (!range) report(words[1], range.error().message);
  if (!port) report(words[2], port.error().message);
  if (protocol && range && port) spec.destinations.push_back({*protocol, *range, *port, entry.place()});
}

/// interfaces NAME ...
void* take_interfaces(void* scope, const Statement& statement, Context& context) {
  constexpr size_t kMostNames = 256;
  if (!expect_arguments(statement, 1, kMostNames, context)) return nullptr;
  for (const Word& word : statement.arguments()) {
    auto read = interface_name(word.text);
    if (read) {
      static_cast<DataplaneSpec*>(scope)->interfaces.push_back({std::move(*read), word.place});
    } else {
      report_value(statement, word, read.error(), context);
    }
  }
  return nullptr;
}

constexpr Block kFwmarkBlock{"fwmark", {}, take_destination};

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
    {"fwmark", "MARK { PROTOCOL ADDRESS[-ADDRESS] [PORT] ... }", "",
     "What has this firewall mark, for 'virtual_server fwmark MARK': lbdp sees packets before any iptables rule could "
     "mark them. One line a destination, such as 'tcp 192.0.2.10 80'; without a port all ports.",
     take_fwmark, &kFwmarkBlock},
    {"interfaces", "NAME ...", "in the order in which the file first names them",
     "The names of the ports' kernel interfaces, for ports 0, 1, ... as far as their blocks name none.",
     take_interfaces},
    {"connections", "64..268435456", "1048576", "Room for connections, in each worker; 16 bytes each.",
     one<D, &D::connections, number<uint32_t, 64, 268435456>>},
    {"wide_connections", "64..268435456", "131072",
     "The same for connections that need a longer key: those over IPv6, and those to virtual servers that serve all "
     "ports.",
     one<D, &D::wide_connections, number<uint32_t, 64, 268435456>>},
    {"templates", "64..268435456", "131072",
     "Room for clients of persistent virtual servers, over all workers: where their next connection goes.",
     one<D, &D::templates, number<uint32_t, 64, 268435456>>},
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
    {"expire_quiescent_template", "[BOOL]", "on",
     "A client of a persistent virtual server whose real server has weight 0 goes to another one with its next "
     "connection. off: it stays, as IPVS has it by default.",
     flag<D, &D::expire_quiescent_template>},
    {"conn_reuse", "[BOOL]", "on",
     "A SYN on a connection that is over (TIME_WAIT, CLOSE) opens a new one, which may go elsewhere. off: it goes to "
     "the same real server.",
     flag<D, &D::conn_reuse>},
    {"sloppy_tcp", "[BOOL]", "off", "Any TCP segment but a RST opens a connection, not a SYN alone.",
     flag<D, &D::sloppy_tcp>},
};

}  // namespace

constinit const Block kDataplaneBlock{"dataplane", {kKeywords}, nullptr, true};

}  // namespace lbdp::config
