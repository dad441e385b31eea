// SPDX-License-Identifier: BSD-2-Clause
#include "control/ipvs_format.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <tuple>

namespace lbdp::control {
namespace {

// The version of the kernel's IPVS and the size of its connection hash as ipvsadm prints them: fixed, since scripts
// skip this line by its text.
constexpr const char* kTitle = "IP Virtual Server version 1.2.1 (size=4096)\n";

void sort_as_ipvsadm(std::vector<IpvsService>& services) {
  const auto order = [](const IpvsService& s) {
    return std::make_tuple(s.key.endpoint.address.family(), s.key.protocol, s.key.endpoint);
  };
  std::sort(services.begin(), services.end(), [&](const auto& a, const auto& b) { return order(a) < order(b); });
  for (auto& service : services) {
    std::sort(service.destinations.begin(), service.destinations.end(),
              [](const auto& a, const auto& b) { return a.endpoint < b.endpoint; });
  }
}

std::string protocol_column(const ServiceKey& key) {
  return fmt::format("{:<4} {}", to_upper_string(key.protocol), key.endpoint.to_string());
}

std::string stats_columns(const IpvsDestination& counts, bool exact) {
  const std::string none = format_large(0, false);  // no reply passes a DR director: nothing goes out
  return format_large(counts.connections, exact) + format_large(counts.packets, exact) + none +
         format_large(counts.bytes, exact) + none + "\n";
}

std::string expiry(std::chrono::seconds left) {
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(left);
  return fmt::format("{:02}:{:02}", minutes.count(), (left - minutes).count());
}

}  // namespace

std::string format_large(uint64_t number, bool exact) {
  constexpr uint64_t kThousand = 1000;
  if (exact || number < 100'000'000) return fmt::format("{:9}", number);
  if (number < 1'000'000'000) return fmt::format("{:8}K", number / kThousand);
  if (number < 100'000'000'000) return fmt::format("{:8}M", number / (kThousand * kThousand));
  if (number < 100'000'000'000'000) return fmt::format("{:8}G", number / (kThousand * kThousand * kThousand));
  return fmt::format("{:8}T", number / (kThousand * kThousand * kThousand * kThousand));
}

std::string format_services(std::vector<IpvsService> services) {
  sort_as_ipvsadm(services);
  std::string out = kTitle;
  out += "Prot LocalAddress:Port Scheduler Flags\n";
  out += "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n";
  for (const auto& service : services) {
    out += protocol_column(service.key) + " " + service.scheduler + "\n";
    for (const auto& d : service.destinations) {
      out += fmt::format("  -> {:<28} {:<7} {:<6} {:<10} {:<10}\n", d.endpoint.to_string(), "Route", d.weight, d.active,
                         d.inactive);
    }
  }
  return out;
}

std::string format_stats(std::vector<IpvsService> services, bool exact) {
  sort_as_ipvsadm(services);
  std::string out = kTitle;
  out += fmt::format("{:<33} {:>8} {:>8} {:>8} {:>8} {:>8}\n", "Prot LocalAddress:Port", "Conns", "InPkts", "OutPkts",
                     "InBytes", "OutBytes");
  out += "  -> RemoteAddress:Port\n";
  for (const auto& service : services) {
    IpvsDestination sum;
    std::string lines;
    for (const auto& d : service.destinations) {
      sum.connections += d.connections;
      sum.packets += d.packets;
      sum.bytes += d.bytes;
      lines += fmt::format("  -> {:<28}", d.endpoint.to_string()) + stats_columns(d, exact);
    }
    out += fmt::format("{:<33}", protocol_column(service.key)) + stats_columns(sum, exact) + lines;
  }
  return out;
}

std::string format_connections(const std::vector<IpvsConnection>& connections) {
  std::string out = "IPVS connection entries\n";
  out += "pro expire state       source             virtual            destination\n";
  for (const auto& c : connections) {
    out += fmt::format("{:<3} {:<6} {:<11} {:<18} {:<18} {}\n", to_upper_string(c.protocol), expiry(c.expires_in),
                       c.state, c.client.to_string(), c.virtual_server.to_string(), c.real_server.to_string());
  }
  return out;
}

std::string format_timeouts(const IpvsTimeouts& timeouts) {
  return fmt::format("Timeout (tcp tcpfin udp): {} {} {}\n", timeouts.tcp, timeouts.tcpfin, timeouts.udp);
}

}  // namespace lbdp::control
