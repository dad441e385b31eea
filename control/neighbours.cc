// SPDX-License-Identifier: BSD-2-Clause
#include "control/neighbours.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

namespace lbdp::control {
namespace {

using Clock = NeighbourTable::Clock;

// All three bound what one turn of the reactor may take: well under a millisecond.
constexpr size_t kLookUpsPerTurn = 32;
constexpr size_t kProbesPerTurn = 25;
constexpr int kFramesPerTurn = 64;
constexpr auto kProbeTick = std::chrono::milliseconds(10);    // x kProbesPerTurn: at most 2,500 probes a second
constexpr auto kLookUpDelay = std::chrono::milliseconds(10);  // gathers the events of one change
constexpr auto kLookUpPause = std::chrono::milliseconds(1);

std::string errno_text(const char* what) {
  return std::string(what) + ": " + std::strerror(errno);
}

/// The kernel by default ignores a MAC that changes within a second of the last change.
void allow_quick_changes(const std::string& interface, spdlog::logger& log) {
  std::ofstream file("/proc/sys/net/ipv4/neigh/" + interface + "/locktime");
  if (!(file << "0" << std::flush)) {
    log.warn("cannot set net.ipv4.neigh.{}.locktime to 0: a MAC that changes twice is followed a second late",
             interface);
  }
}

void check_table_size(size_t addresses, spdlog::logger& log) {
  std::ifstream file("/proc/sys/net/ipv4/neigh/default/gc_thresh3");
  size_t limit = 0;
  if (!(file >> limit) || addresses < limit) return;
  log.warn(
      "{} real servers, but the kernel's neighbour table holds {}: raise net.ipv4.neigh.default.gc_thresh3, or some "
      "stay unresolved",
      addresses, limit);
}

Result<int> open_arp_socket(const NeighbourLink& link) {
  const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ARP));
  if (fd < 0) return fail(errno_text("ARP socket"));
  const int on = 1;
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ARP);
  address.sll_ifindex = static_cast<int>(link.interface);
  if (::setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0 ||
      ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    const std::string what = errno_text(("ARP socket on " + link.name).c_str());
    ::close(fd);
    return fail(what);
  }
  return fd;
}

}  // namespace

struct Neighbours::Link {
  NeighbourLink link;
  asio::posix::stream_descriptor socket;
};

Neighbours::Neighbours(asio::io_context& io, Netlink& netlink, OnChange on_change, spdlog::logger& log)
    : io_(io), netlink_(netlink), on_change_(std::move(on_change)), log_(log), look_up_timer_(io), probe_timer_(io) {}

Neighbours::~Neighbours() {
  *self_ = nullptr;
}

Result<std::unique_ptr<Neighbours>> Neighbours::open(asio::io_context& io, Netlink& netlink,
                                                     const std::vector<NeighbourLink>& links, OnChange on_change,
                                                     spdlog::logger& log) {
  std::unique_ptr<Neighbours> out(new Neighbours(io, netlink, std::move(on_change), log));
  std::set<MacAddress> own;
  for (const auto& link : links) {
    if (auto added = out->add_link(link); !added) return tl::unexpected(added.error());
    own.insert(link.mac);
  }
  out->table_.set_own_macs(std::move(own));
  return out;
}

Result<void> Neighbours::add_link(const NeighbourLink& link) {
  const auto fd = open_arp_socket(link);
  if (!fd) return tl::unexpected(fd.error());
  auto& added = links_[link.interface];
  added = std::make_unique<Link>(Link{link, asio::posix::stream_descriptor(io_, *fd)});
  allow_quick_changes(link.name, log_);
  wait_for_arp(*added);
  return {};
}

void Neighbours::set_addresses(const std::vector<IpAddress>& addresses) {
  addresses_ = addresses;
  const std::set<IpAddress> wanted(addresses.begin(), addresses.end());
  std::erase_if(sources_, [&](const auto& item) { return !wanted.contains(item.first); });
  table_.set_addresses(addresses, Clock::now());
  check_table_size(addresses.size(), log_);
  routes_changed();
  report_changes();
}

void Neighbours::on_kernel(const NeighbourEvent& event) {
  // An ARP packet reaches our socket before the kernel's table: what it says about this event is to be read first.
  const auto link = links_.find(event.interface);
  if (link != links_.end()) read_arp(*link->second);
  table_.on_kernel(event, Clock::now());
  report_changes();
  arm_probes();
}

void Neighbours::routes_changed() {
  // A round under way goes on to its end first: routes that flap must not keep the last addresses waiting for ever.
  look_up_again_ = true;
  if (!look_up_armed_) arm_look_up(kLookUpDelay);
}

void Neighbours::arm_look_up(std::chrono::milliseconds delay) {
  look_up_armed_ = true;
  look_up_timer_.expires_after(delay);
  look_up_timer_.async_wait([self = self_](const boost::system::error_code& failed) {
    if (!failed && *self != nullptr) (*self)->look_up_some();
  });
}

void Neighbours::look_up_some() {
  if (to_look_up_.empty() && std::exchange(look_up_again_, false)) {
    to_look_up_.assign(addresses_.begin(), addresses_.end());
  }
  for (size_t i = 0; i < kLookUpsPerTurn && !to_look_up_.empty(); ++i) {
    look_up(to_look_up_.front());
    to_look_up_.pop_front();
  }
  report_changes();
  arm_probes();
  look_up_armed_ = false;
  if (!to_look_up_.empty()) {
    arm_look_up(kLookUpPause);
  } else if (look_up_again_) {
    arm_look_up(kLookUpDelay);
  }
}

void Neighbours::look_up(const IpAddress& address) {
  if (table_.find(address) == nullptr) return;  // not wanted any more
  const auto route = netlink_.route_to(address);
  if (!route) return table_.set_unreachable(address, route.error().message);
  if (route->local) return table_.set_unreachable(address, "the address is this host's own");
  if (route->gateway) {
    return table_.set_unreachable(address, "not on link: routed through gateway " + route->gateway->to_string());
  }
  const auto link = links_.find(route->interface);
  if (link == links_.end())
    return table_.set_unreachable(address, "routed through an interface that is no port of ours");
  if (!route->source) return table_.set_unreachable(address, "no address of ours on " + link->second->link.name);
  sources_[address] = *route->source;
  if (!table_.set_on_link(address, route->interface, link->second->link.name, Clock::now())) return;
  // Where the kernel cannot answer this (before Linux 5.0), the first probe has to do.
  const auto known = netlink_.neighbour(route->interface, address);
  if (known && *known) table_.on_kernel(**known, Clock::now());
}

void Neighbours::wait_for_arp(Link& link) {
  link.socket.async_wait(asio::posix::stream_descriptor::wait_read,
                         [self = self_, &link](const boost::system::error_code& failed) {
                           if (failed || *self == nullptr) return;
                           (*self)->read_arp(link);
                           (*self)->report_changes();
                           (*self)->arm_probes();
                           (*self)->wait_for_arp(link);
                         });
}

void Neighbours::read_arp(Link& link) {
  std::array<uint8_t, 128> frame{};
  for (int i = 0; i < kFramesPerTurn; ++i) {
    const ssize_t length = ::recv(link.socket.native_handle(), frame.data(), frame.size(), 0);
    if (length <= 0) return;
    const auto arp = decode_arp(std::span(frame).first(static_cast<size_t>(length)));
    if (!arp) continue;
    const auto lie = table_.on_arp(link.link.interface, *arp, Clock::now());
    if (!lie) continue;
    const std::string server = arp->sender.to_string();
    if (const auto suppressed = limiter_.allow(server)) {
      log_.warn("ARP about real server {} on {} not believed: it {} ({} more like it)", server, link.link.name, *lie,
                *suppressed);
    }
  }
}

void Neighbours::arm_probes() {
  const auto due = table_.next_due();
  if (!due) return;
  // Never sooner than a tick after the last batch: this is what bounds the rate.
  const auto earliest = Clock::now() + kProbeTick;
  const auto when = std::max(*due, earliest);
  if (probe_timer_.expiry() > Clock::now() && probe_timer_.expiry() <= when) return;  // armed already
  probe_timer_.expires_at(when);
  probe_timer_.async_wait([self = self_](const boost::system::error_code& failed) {
    if (!failed && *self != nullptr) (*self)->send_due_probes();
  });
}

void Neighbours::send_due_probes() {
  for (const auto& probe : table_.take_due(Clock::now(), kProbesPerTurn)) send(probe);
  report_changes();
  arm_probes();
}

void Neighbours::send(const NeighbourTable::Probe& probe) {
  if (probe.ask_kernel) {
    const auto asked = netlink_.resolve_neighbour(probe.interface, probe.address);
    if (!asked && limiter_.allow("resolve")) log_.warn("{}", asked.error().message);
    return;
  }
  const auto link = links_.find(probe.interface);
  if (link == links_.end()) return;
  const MacAddress& own = link->second->link.mac;
  const auto bytes = encode({.destination = probe.destination,
                             .source = own,
                             .operation = ArpOperation::kRequest,
                             .sender_mac = own,
                             .target_mac = {},
                             .sender = sources_[probe.address],
                             .target = probe.address});
  // A full queue or a link that is down: the next probe comes soon, and silence has its own consequences.
  if (::send(link->second->socket.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT) < 0 &&
      limiter_.allow("send")) {
    log_.warn("ARP probe on {}: {}", link->second->link.name, std::strerror(errno));
  }
}

void Neighbours::report_changes() {
  for (const auto& address : table_.take_changed()) {
    if (const auto* status = table_.find(address)) on_change_(*status);
  }
}

}  // namespace lbdp::control
