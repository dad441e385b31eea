// SPDX-License-Identifier: BSD-2-Clause
#include <map>
#include <string>

#include "config/resolve.h"

namespace lbdp::config {
namespace {

Port resolve_port(const PortSpec& spec, Diagnostics& diagnostics) {
  Port port;
  port.id = spec.id.value_or(0);
  port.where = diagnostics.location(spec.place);
  port.device = first_of(std::string(), spec.device);
  port.interface = first_of(std::string(), spec.interface);
  port.ipaddress = spec.ipaddress.value;
  port.rx_descriptors = first_of(port.rx_descriptors, spec.rx_descriptors);
  port.tx_descriptors = first_of(port.tx_descriptors, spec.tx_descriptors);
  if (spec.ipaddress && ((*spec.ipaddress).address.is_multicast() || (*spec.ipaddress).address.is_unspecified())) {
    diagnostics.error(spec.ipaddress.place,
                      "ipaddress: " + (*spec.ipaddress).to_string() + " cannot be an interface's address");
  }
  return port;
}

/// Reports a value that an earlier port has too.
template <class T>
void check_unique(std::map<T, Place>& known, const T& value, Place place, const std::string& what,
                  Diagnostics& diagnostics) {
  const auto [first, inserted] = known.emplace(value, place);
  if (inserted) return;
  diagnostics.error(place,
                    what + " belongs to two ports; the first is at " + diagnostics.location(first->second).to_string());
}

/// Zero leaves the default, as IPVS does it.
Duration timeout(const Setting<Duration>& setting, Duration fallback) {
  return setting && *setting > Duration(0) ? *setting : fallback;
}

Places places_of(const FileSpec& spec, const Diagnostics& diagnostics) {
  Places places;
  const auto note = [&](const char* keyword, const auto& setting) {
    if (setting) places.by_keyword.emplace(keyword, diagnostics.location(setting.place));
  };
  note("connections", spec.dataplane.connections);
  note("wide_connections", spec.dataplane.wide_connections);
  note("templates", spec.dataplane.templates);
  note("idle_sleep", spec.dataplane.idle_sleep);
  note("mbufs", spec.dataplane.mbufs);
  note("mbuf_size", spec.dataplane.mbuf_size);
  note("lvs_timeouts", spec.global.timeouts.tcp);
  note("lvs_timeouts", spec.global.timeouts.tcpfin);
  note("lvs_timeouts", spec.global.timeouts.udp);
  return places;
}

}  // namespace

Dataplane resolve_dataplane(const FileSpec& spec, Diagnostics& diagnostics) {
  Dataplane dataplane;
  std::map<uint16_t, Place> ids;
  std::map<std::string, Place> devices;
  std::map<std::string, Place> interfaces;
  for (const PortSpec& port : spec.dataplane.ports) {
    if (port.id) check_unique(ids, *port.id, port.place, "port " + std::to_string(*port.id), diagnostics);
    if (port.device) {
      check_unique(devices, *port.device, port.device.place, "device " + in_quotes(*port.device), diagnostics);
    }
    if (port.interface) {
      check_unique(interfaces, *port.interface, port.interface.place, "interface " + in_quotes(*port.interface),
                   diagnostics);
    }
    dataplane.ports.push_back(resolve_port(port, diagnostics));
  }
  std::map<uint32_t, Place> marks;
  for (const FwmarkSpec& mark : spec.dataplane.fwmarks) {
    if (!mark.mark) continue;
    const auto [first, inserted] = marks.emplace(*mark.mark, mark.place);
    if (inserted) continue;
    diagnostics.error(mark.place, "a second fwmark " + std::to_string(*mark.mark) + "; the first is at " +
                                      diagnostics.location(first->second).to_string());
  }
  dataplane.places = places_of(spec, diagnostics);
  dataplane.connections = first_of(dataplane.connections, spec.dataplane.connections);
  dataplane.wide_connections = first_of(dataplane.wide_connections, spec.dataplane.wide_connections);
  dataplane.templates = first_of(dataplane.templates, spec.dataplane.templates);
  dataplane.idle_sleep = first_of(dataplane.idle_sleep, spec.dataplane.idle_sleep);
  dataplane.mbufs = first_of(dataplane.mbufs, spec.dataplane.mbufs);
  dataplane.mbuf_size = first_of(dataplane.mbuf_size, spec.dataplane.mbuf_size);
  dataplane.expire_nodest_conn = first_of(dataplane.expire_nodest_conn, spec.dataplane.expire_nodest_conn);
  dataplane.expire_quiescent_template =
      first_of(dataplane.expire_quiescent_template, spec.dataplane.expire_quiescent_template);
  dataplane.conn_reuse = first_of(dataplane.conn_reuse, spec.dataplane.conn_reuse);
  dataplane.sloppy_tcp = first_of(dataplane.sloppy_tcp, spec.dataplane.sloppy_tcp);
  dataplane.timeout_tcp = timeout(spec.global.timeouts.tcp, dataplane.timeout_tcp);
  dataplane.timeout_tcpfin = timeout(spec.global.timeouts.tcpfin, dataplane.timeout_tcpfin);
  dataplane.timeout_udp = timeout(spec.global.timeouts.udp, dataplane.timeout_udp);
  return dataplane;
}

}  // namespace lbdp::config
