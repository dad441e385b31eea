// SPDX-License-Identifier: BSD-2-Clause
#include "control/ipvs_format.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <tuple>

namespace lbdp::control {
namespace {

// The version of the kernel's IPVS and the size of its connection hash as ipvsadm prints them: fixed, since scripts
// skip this line by its text.
constexpr const char* kTitle = "IP Virtual Server version 1.2.1 (size=4096)\n";

void sort_as_ipvsadm(std::vector<IpvsService>& services) {
  const auto order = [](const IpvsService& s) {
    return std::make_tuple(s.fwmark, s.key.endpoint.address.family(), s.key.protocol, s.key.endpoint);
  };
  std::sort(services.begin(), services.end(), [&](const auto& a, const auto& b) { return order(a) < order(b); });
  for (auto& service : services) {
    std::sort(service.destinations.begin(), service.destinations.end(),
              [](const auto& a, const auto& b) { return a.endpoint < b.endpoint; });
  }
}

bool is_v4(const IpvsService& service) {
  return service.key.endpoint.address.is_v4();
}

/// "TCP  192.0.2.1:80", "FWM  7", "FWM  7 IPv6"
std::string name_column(const IpvsService& service) {
  if (service.fwmark != 0) return fmt::format("FWM  {}{}", service.fwmark, is_v4(service) ? "" : " IPv6");
  return fmt::format("{:<4} {}", to_upper_string(service.key.protocol), service.key.endpoint.to_string());
}

/// The netmask of a persistent service, as ipvsadm prints and takes it: dotted for IPv4, a length for IPv6. Empty: the
/// whole address, which it leaves out.
std::string netmask(const IpvsService& service) {
  const unsigned length = service.persistence_prefix_length;
  if (!is_v4(service)) return length >= 128 ? "" : std::to_string(length);
  if (length >= 32) return "";
  return IpAddress::v4(Be<uint32_t>::from_host(length == 0 ? 0 : ~uint32_t{0} << (32 - length))).to_string();
}

/// " sh (sh-fallback,sh-port) persistent 360 mask 255.255.255.0 ops"
std::string scheduler_columns(const IpvsService& service) {
  std::string out = " " + service.scheduler;
  if (!service.scheduler_flags.empty()) out += fmt::format(" ({})", fmt::join(service.scheduler_flags, ","));
  if (service.persistence_timeout.count() > 0) {
    out += fmt::format(" persistent {}", service.persistence_timeout.count());
    if (const auto mask = netmask(service); !mask.empty()) out += " mask " + mask;
  }
  return out + (service.one_packet ? " ops" : "");
}

/// Connections, packets and bytes; what goes out is 0, since no reply passes a DR director.
std::string count_columns(uint64_t connections, uint64_t packets, uint64_t bytes, bool exact) {
  const std::string none = format_large(0, false);
  return format_large(connections, exact) + format_large(packets, exact) + none + format_large(bytes, exact) + none;
}

std::string destination_columns(const IpvsDestination& d, IpvsListing listing, bool exact) {
  const auto rounded = [](double rate) { return static_cast<uint64_t>(std::llround(rate)); };
  switch (listing) {
    case IpvsListing::kStats: return count_columns(d.connections, d.packets, d.bytes, exact);
    case IpvsListing::kRate:
      return count_columns(rounded(d.rates.connections), rounded(d.rates.packets), rounded(d.rates.bytes), exact);
    case IpvsListing::kThresholds:
      return fmt::format(" {:<10} {:<10} {:<10} {:<10}", d.upper_threshold, d.lower_threshold, d.active, d.inactive);
    case IpvsListing::kPersistentConnections:
      return fmt::format(" {:<9} {:<11} {:<10} {:<10}", d.weight, d.persistent, d.active, d.inactive);
    case IpvsListing::kPlain: break;
  }
  return fmt::format(" {:<7} {:<6} {:<10} {:<10}", "Route", d.weight, d.active, d.inactive);
}

std::string heading(IpvsListing listing) {
  constexpr const char* kFirst = "Prot LocalAddress:Port";
  constexpr const char* kSecond = "\n  -> RemoteAddress:Port\n";
  constexpr const char* kCounts = "{:<33} {:>8} {:>8} {:>8} {:>8} {:>8}";
  switch (listing) {
    case IpvsListing::kStats:
      return fmt::format(kCounts, kFirst, "Conns", "InPkts", "OutPkts", "InBytes", "OutBytes") + kSecond;
    case IpvsListing::kRate: return fmt::format(kCounts, kFirst, "CPS", "InPPS", "OutPPS", "InBPS", "OutBPS") + kSecond;
    case IpvsListing::kThresholds:
      return fmt::format("{:<33} {:<10} {:<10} {:<10} {:<10}", kFirst, "Uthreshold", "Lthreshold", "ActiveConn",
                         "InActConn") +
             kSecond;
    case IpvsListing::kPersistentConnections:
      return fmt::format("{:<33} {:<9} {:<11} {:<10} {:<10}", kFirst, "Weight", "PersistConn", "ActiveConn",
                         "InActConn") +
             kSecond;
    case IpvsListing::kPlain: break;
  }
  return "Prot LocalAddress:Port Scheduler Flags\n"
         "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n";
}

IpvsDestination sum_of(const std::vector<IpvsDestination>& destinations) {
  IpvsDestination sum;
  for (const auto& d : destinations) {
    sum.connections += d.connections;
    sum.packets += d.packets;
    sum.bytes += d.bytes;
    sum.rates.connections += d.rates.connections;
    sum.rates.packets += d.rates.packets;
    sum.rates.bytes += d.rates.bytes;
  }
  return sum;
}

/// How ipvsadm's command line names a service: "-t 192.0.2.1:80", "-f 7 -6".
std::string service_option(const IpvsService& service) {
  if (service.fwmark != 0) return fmt::format("-f {}{}", service.fwmark, is_v4(service) ? "" : " -6");
  const std::string endpoint = service.key.endpoint.to_string();
  switch (service.key.protocol) {
    case Protocol::kTcp: return "-t " + endpoint;
    case Protocol::kUdp: return "-u " + endpoint;
    case Protocol::kSctp: break;
  }
  return "--sctp-service " + endpoint;
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

std::string format_services(std::vector<IpvsService> services, IpvsListing listing, bool exact) {
  sort_as_ipvsadm(services);
  const bool counts = listing == IpvsListing::kStats || listing == IpvsListing::kRate;
  std::string out = kTitle + heading(listing);
  for (const auto& service : services) {
    if (counts) {
      const auto sum = sum_of(service.destinations);
      out += fmt::format("{:<33}", name_column(service)) + destination_columns(sum, listing, exact) + "\n";
    } else {
      out += name_column(service) + scheduler_columns(service) + "\n";
    }
    for (const auto& d : service.destinations) {
      out += fmt::format("  -> {:<28}", d.endpoint.to_string()) + destination_columns(d, listing, exact) + "\n";
    }
  }
  return out;
}

std::string format_rules(std::vector<IpvsService> services) {
  sort_as_ipvsadm(services);
  std::string out;
  for (const auto& service : services) {
    const std::string name = service_option(service);
    out += fmt::format("-A {} -s {}", name, service.scheduler);
    if (service.persistence_timeout.count() > 0) {
      out += fmt::format(" -p {}", service.persistence_timeout.count());
      if (const auto mask = netmask(service); !mask.empty()) out += " -M " + mask;
    }
    if (service.one_packet) out += " -o";
    if (!service.scheduler_flags.empty()) out += fmt::format(" -b {}", fmt::join(service.scheduler_flags, ","));
    out += "\n";
    for (const auto& d : service.destinations) {
      out += fmt::format("-a {} -r {} -g -w {}\n", name, d.endpoint.to_string(), d.weight);
    }
  }
  return out;
}

std::string connections_heading() {
  return "IPVS connection entries\n"
         "pro expire state       source             virtual            destination\n";
}

std::string format_connection(const IpvsConnection& c) {
  return fmt::format("{:<3} {:<6} {:<11} {:<18} {:<18} {}\n", c.any_protocol ? "IP" : to_upper_string(c.protocol),
                     expiry(c.expires_in), c.state, c.client.to_string(), c.virtual_server.to_string(),
                     c.real_server.to_string());
}

std::string format_timeouts(const IpvsTimeouts& timeouts) {
  return fmt::format("Timeout (tcp tcpfin udp): {} {} {}\n", timeouts.tcp, timeouts.tcpfin, timeouts.udp);
}

}  // namespace lbdp::control
