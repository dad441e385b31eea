// SPDX-License-Identifier: BSD-2-Clause
#include <map>

#include "config/dump.h"

namespace lbdp::config {
namespace {

/// Nothing for 0, where that means "as it fits".
DumpValue unless_zero(uint32_t value) {
  return value == 0 ? DumpValue() : DumpValue(value);
}

void describe_ports(const Dataplane& dataplane, DumpBlock& block) {
  block.none_yet("port");
  for (const Port& port : dataplane.ports) {
    DumpBlock& inner = block.many("port", {{"id", port.id}});
    inner.set("device", or_nothing(port.device));
    inner.set("interface", or_nothing(port.interface));
    inner.set("ipaddress", port.ipaddress);
    inner.set("rx_descriptors", port.rx_descriptors);
    inner.set("tx_descriptors", port.tx_descriptors);
  }
}

/// What has a firewall mark: the services have it, those of both families together.
void describe_marks(const Model& model, DumpBlock& block) {
  block.none_yet("fwmark");
  std::map<uint32_t, std::vector<ServiceKey>> marks;
  for (const VirtualServer& server : model.virtual_servers) {
    for (const Service& service : server.services) {
      if (service.fwmark == 0) continue;
      auto& keys = marks[service.fwmark];
      keys.push_back(service.key);
      keys.insert(keys.end(), service.more_keys.begin(), service.more_keys.end());
    }
  }
  for (const auto& [mark, keys] : marks) {
    DumpStatement& list = block.list("fwmark", {{"mark", mark}});
    for (const ServiceKey& key : keys) {
      const uint16_t port = key.endpoint.port;
      list.entry({{"protocol", to_string(key.protocol)},
                  {"address", key.endpoint.address},
                  {"port", port == 0 ? DumpValue() : DumpValue(port)}});
    }
  }
}

}  // namespace

void describe_dataplane(const Model& model, DumpBlock& file) {
  const Dataplane& dataplane = model.dataplane;
  DumpBlock& block = file.one("dataplane");
  file.hide_last();
  std::vector<DumpArgument> interfaces(model.interfaces.begin(), model.interfaces.end());
  block.words("interfaces", std::move(interfaces));
  describe_ports(dataplane, block);
  describe_marks(model, block);
  block.set("connections", dataplane.connections);
  block.set("wide_connections", dataplane.wide_connections);
  block.set("templates", dataplane.templates);
  block.set("idle_sleep", dataplane.idle_sleep);
  block.set("mbufs", unless_zero(dataplane.mbufs));
  block.set("mbuf_size", unless_zero(dataplane.mbuf_size));
  block.set("expire_nodest_conn", dataplane.expire_nodest_conn);
  block.set("expire_quiescent_template", dataplane.expire_quiescent_template);
  block.set("conn_reuse", dataplane.conn_reuse);
  block.set("sloppy_tcp", dataplane.sloppy_tcp);
}

}  // namespace lbdp::config
