// SPDX-License-Identifier: BSD-2-Clause
#include "control/cli_ipvs.h"

#include <array>
#include <nlohmann/json.hpp>
#include <unordered_map>

namespace lbdp::control {
namespace {

using nlohmann::json;

Endpoint endpoint(const json& row, const char* name) {
  return Endpoint::parse(row.at(name).get<std::string>()).value_or(Endpoint{});
}

double number(const json& row, const char* name) {
  const auto found = row.find(name);
  return found != row.end() && found->is_number() ? found->get<double>() : 0.0;
}

IpvsService to_service(const ServiceKey& key, const json& row) {
  IpvsService service{.key = key, .scheduler = row.at("scheduler").get<std::string>()};
  service.fwmark = static_cast<uint32_t>(number(row, "fwmark"));
  service.scheduler_flags = row.value("scheduler_flags", std::vector<std::string>());
  service.one_packet = row.value("one_packet", false);
  if (const auto p = row.find("persistence"); p != row.end() && p->is_object()) {
    service.persistence_timeout = std::chrono::seconds(p->at("timeout_s").get<int64_t>());
    service.persistence_prefix_length = p->at("prefix_length").get<uint8_t>();
  }
  return service;
}

IpvsDestination to_destination(const Endpoint& at, const json& row) {
  return {.endpoint = at,
          .weight = row.at("weight").get<int>(),
          .upper_threshold = row.value("upper_threshold", 0U),
          .lower_threshold = row.value("lower_threshold", 0U),
          .active = row.at("active").get<uint64_t>(),
          .inactive = row.at("inactive").get<uint64_t>(),
          .connections = row.at("connections").get<uint64_t>(),
          .packets = row.at("packets").get<uint64_t>(),
          .bytes = row.at("bytes").get<uint64_t>(),
          .rates = {.connections = number(row, "connections_per_s"),
                    .packets = number(row, "packets_per_s"),
                    .bytes = number(row, "bytes_per_s")}};
}

/// The mark as the first four bytes of an address of the family: how the kernel's templates keep it.
IpAddress mark_as_address(uint32_t mark, Family family) {
  const auto bytes = Be<uint32_t>::from_host(mark);
  if (family == Family::kIpv4) return IpAddress::v4(bytes);
  const std::array<uint8_t, 16> v6{static_cast<uint8_t>(mark >> 24), static_cast<uint8_t>(mark >> 16),
                                   static_cast<uint8_t>(mark >> 8), static_cast<uint8_t>(mark)};
  return IpAddress::v6(v6);
}

}  // namespace

std::vector<IpvsService> to_ipvs_services(const json& services, const json& backends, const TemplateCounts& templates) {
  std::vector<IpvsService> out;
  std::unordered_map<std::string, size_t> places;
  for (const auto& row : services) {
    const auto name = row.at("service").get<std::string>();
    const auto key = ServiceKey::parse(name);
    if (!key) continue;
    places[name] = out.size();
    out.push_back(to_service(*key, row));
  }
  for (const auto& row : backends) {
    const auto name = row.at("service").get<std::string>(), real = row.at("real").get<std::string>();
    const auto place = places.find(name);
    const auto at = Endpoint::parse(real);
    if (place == places.end() || !at || !row.at("in_table").get<bool>()) continue;
    auto& destination = out[place->second].destinations.emplace_back(to_destination(*at, row));
    const auto persistent = templates.find({name, real});
    if (persistent != templates.end()) destination.persistent = persistent->second;
  }
  return out;
}

ServiceMarks marks_of(const json& services) {
  ServiceMarks marks;
  for (const auto& row : services) {
    const auto mark = static_cast<uint32_t>(number(row, "fwmark"));
    if (mark != 0) marks[row.at("service").get<std::string>()] = mark;
  }
  return marks;
}

IpvsConnection to_ipvs_connection(const json& row) {
  const std::string protocol = row.at("protocol");
  IpvsConnection out{.expires_in = std::chrono::seconds(row.at("expires_s").get<int64_t>()),
                     .state = row.at("state").get<std::string>(),
                     .client = endpoint(row, "client"),
                     .virtual_server = endpoint(row, "virtual"),
                     .real_server = endpoint(row, "real")};
  for (const Protocol one : {Protocol::kUdp, Protocol::kSctp}) {
    if (protocol == to_string(one)) out.protocol = one;
  }
  return out;
}

IpvsConnection to_ipvs_template(const json& row, const ServiceMarks& marks) {
  const auto name = row.at("service").get<std::string>();
  const auto service = ServiceKey::parse(name).value_or(ServiceKey{});
  const auto client = IpPrefix::parse(row.at("client").get<std::string>()).value_or(IpPrefix{});
  IpvsConnection out{.protocol = service.protocol,
                     .expires_in = std::chrono::seconds(row.at("expires_s").get<int64_t>()),
                     .state = row.at("connections").get<uint64_t>() > 0 ? "ASSURED" : "NONE",
                     .client = {client.address, 0},
                     .virtual_server = service.endpoint,
                     .real_server = endpoint(row, "real")};
  if (const auto mark = marks.find(name); mark != marks.end()) {
    out.any_protocol = true;
    out.virtual_server = {mark_as_address(mark->second, service.endpoint.address.family()), 0};
    out.real_server.port = 0;
  }
  return out;
}

json to_ipvs_json(const std::vector<IpvsService>& services) {
  json out = json::array();
  for (const auto& service : services) {
    json destinations = json::array();
    for (const auto& d : service.destinations) {
      destinations.push_back({{"address", d.endpoint.address.to_string()},
                              {"port", d.endpoint.port},
                              {"forward", "Route"},
                              {"weight", d.weight},
                              {"upper_threshold", d.upper_threshold},
                              {"lower_threshold", d.lower_threshold},
                              {"active", d.active},
                              {"inactive", d.inactive},
                              {"persistent", d.persistent},
                              {"connections", d.connections},
                              {"packets", d.packets},
                              {"bytes", d.bytes},
                              {"connections_per_s", d.rates.connections},
                              {"packets_per_s", d.rates.packets},
                              {"bytes_per_s", d.rates.bytes}});
    }
    json persistence = nullptr;
    if (service.persistence_timeout.count() > 0) {
      persistence = {{"timeout_s", service.persistence_timeout.count()},
                     {"prefix_length", service.persistence_prefix_length}};
    }
    out.push_back({{"protocol", to_string(service.key.protocol)},
                   {"address", service.key.endpoint.address.to_string()},
                   {"port", service.key.endpoint.port},
                   {"fwmark", service.fwmark != 0 ? json(service.fwmark) : json(nullptr)},
                   {"scheduler", service.scheduler},
                   {"scheduler_flags", service.scheduler_flags},
                   {"persistence", persistence},
                   {"one_packet", service.one_packet},
                   {"destinations", destinations}});
  }
  return out;
}

}  // namespace lbdp::control
