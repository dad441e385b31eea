// SPDX-License-Identifier: BSD-2-Clause
#include "control/neighbours.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

namespace lbdp::control {
namespace {

using Clock = NeighbourTable::Clock;

// Both bound what one turn of the reactor may take: well under a millisecond.
constexpr size_t kLookUpsPerTurn = 32;
constexpr size_t kProbesPerTurn = 25;
constexpr auto kProbeTick = std::chrono::milliseconds(10);    // x kProbesPerTurn: at most 2,500 probes a second
constexpr auto kLookUpDelay = std::chrono::milliseconds(10);  // gathers the events of one change
constexpr auto kLookUpPause = std::chrono::milliseconds(1);

/// The kernel by default ignores what ARP says of a MAC that has changed within the last second. For ND there is no
/// such delay.
void allow_quick_changes(const std::string& interface, spdlog::logger& log) {
  std::ofstream file("/proc/sys/net/ipv4/neigh/" + interface + "/locktime");
  if (!(file << "0" << std::flush)) {
    log.warn("cannot set net.ipv4.neigh.{}.locktime to 0: a MAC that changes twice is followed a second late",
             interface);
  }
}

void check_table_size(const char* family, size_t addresses, spdlog::logger& log) {
  const std::string key = std::string("net.") + family + ".neigh.default.gc_thresh3";
  std::ifstream file(std::string("/proc/sys/net/") + family + "/neigh/default/gc_thresh3");
  size_t limit = 0;
  if (!(file >> limit) || addresses < limit) return;
  log.warn("{} real servers, but the kernel's neighbour table holds {}: raise {}, or some stay unresolved", addresses,
           limit, key);
}

uint16_t path_mtu(const Route& route, const LinkInfo& link) {
  return static_cast<uint16_t>(std::min({route.mtu.value_or(link.mtu), link.mtu, uint32_t{UINT16_MAX}}));
}

}  // namespace

Neighbours::Neighbours(asio::io_context& io, Netlink& netlink, OnChange on_change, spdlog::logger& log)
    : io_(io), netlink_(netlink), on_change_(std::move(on_change)), log_(log), look_up_timer_(io), probe_timer_(io) {}

Neighbours::~Neighbours() {
  *self_ = nullptr;
}

Result<std::unique_ptr<Neighbours>> Neighbours::open(asio::io_context& io, Netlink& netlink,
                                                     const std::vector<InterfaceIndex>& taps, OnChange on_change,
                                                     spdlog::logger& log) {
  std::unique_ptr<Neighbours> out(new Neighbours(io, netlink, std::move(on_change), log));
  for (const InterfaceIndex tap : taps) {
    const auto info = netlink.link(tap);
    if (!info) return tl::unexpected(info.error());
    if (auto added = out->add_link(*info, tap); !added) return tl::unexpected(added.error());
  }
  return out;
}

// --- interfaces

Result<Neighbours::Link*> Neighbours::add_link(const LinkInfo& info, InterfaceIndex port) {
  const InterfaceIndex interface = info.interface;
  auto sockets = NeighbourSockets::open(io_, interface, info.name, [this, interface](Family family) {
    const auto link = links_.find(interface);
    if (link == links_.end()) return;
    read(link->second, family);
    report_changes();
    arm_probes();
  });
  if (!sockets) return tl::unexpected(sockets.error());
  allow_quick_changes(info.name, log_);
  Link& added = links_[interface] = {info, port, std::move(*sockets)};
  set_own_macs();
  return &added;
}

/// The link for an interface that a route names: a tap, or a VLAN on top of one, which is followed from now on. The
/// error is the reason why no real server can be behind it.
Result<Neighbours::Link*> Neighbours::link_to(InterfaceIndex interface) {
  if (const auto known = links_.find(interface); known != links_.end()) return &known->second;
  const auto info = netlink_.link(interface);
  if (!info) return tl::unexpected(info.error());
  const auto port = info->lower ? links_.find(*info->lower) : links_.end();
  if (port == links_.end()) return fail("routed through " + info->name + ", which is no port of ours");
  const LinkInfo& below = port->second.info;
  if (!info->vlan) return fail(info->name + " on top of " + below.name + " is no 802.1Q VLAN");
  if (below.vlan) return fail(info->name + " is a VLAN in the VLAN " + below.name + ": frames have one tag only");
  return add_link(*info, port->second.port);
}

/// Takes what has changed: an MTU, a name, the MAC of a VLAN. Drops VLANs that are gone.
void Neighbours::refresh_links() {
  for (auto it = links_.begin(); it != links_.end();) {
    Link& link = it->second;
    const auto info = netlink_.link(it->first);
    const bool same = info && info->lower == link.info.lower && info->vlan == link.info.vlan;
    if (same) link.info = *info;
    const bool is_vlan = link.port != it->first;
    it = is_vlan && !same ? links_.erase(it) : std::next(it);
  }
  set_own_macs();
}

void Neighbours::set_own_macs() {
  std::set<MacAddress> own;
  for (const auto& [interface, link] : links_) own.insert(link.info.mac);
  table_.set_own_macs(std::move(own));
}

// --- what comes in

void Neighbours::set_addresses(const std::vector<IpAddress>& addresses) {
  addresses_ = addresses;
  const std::set<IpAddress> wanted(addresses.begin(), addresses.end());
  std::erase_if(sources_, [&](const auto& item) { return !wanted.contains(item.first); });
  table_.set_addresses(addresses, Clock::now());
  const auto of_v4 = static_cast<size_t>(
      std::count_if(addresses.begin(), addresses.end(), [](const IpAddress& address) { return address.is_v4(); }));
  check_table_size("ipv4", of_v4, log_);
  check_table_size("ipv6", addresses.size() - of_v4, log_);
  routes_changed();
  report_changes();
}

void Neighbours::on_kernel(const NeighbourEvent& event) {
  // The message that this event stems from is in our socket, too: what it says about the event is to be read first.
  const auto link = links_.find(event.interface);
  if (link != links_.end()) read(link->second, event.address.family());
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
    refresh_links();
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
  const auto outcome =
      netlink_.route_to(address).and_then([&](const Route& route) { return take_route(address, route); });
  if (!outcome) table_.set_unreachable(address, outcome.error().message);
}

Result<void> Neighbours::take_route(const IpAddress& address, const Route& route) {
  if (route.local) return fail("the address is this host's own");
  if (route.gateway) return fail("not on link: routed through gateway " + route.gateway->to_string());
  const auto found = link_to(route.interface);
  if (!found) return tl::unexpected(found.error());
  const Link& link = **found;
  if (!route.source) return fail("no address of ours on " + link.info.name);
  sources_[address] = *route.source;
  const LinkPath path{.interface = route.interface,
                      .name = link.info.name,
                      .port = link.port,
                      .vlan = link.info.vlan.value_or(0),
                      .mtu = path_mtu(route, link.info)};
  if (!table_.set_on_link(address, path, Clock::now())) return {};
  // Where the kernel cannot answer this (before Linux 5.0), the first probe has to do.
  const auto known = netlink_.neighbour(route.interface, address);
  if (known && *known) table_.on_kernel(**known, Clock::now());
  return {};
}

void Neighbours::read(Link& link, Family family) {
  link.sockets->read(
      family, [&](const NeighbourProtocol& protocol, const NeighbourClaim& claim) { on_claim(link, protocol, claim); });
}

void Neighbours::on_claim(const Link& link, const NeighbourProtocol& protocol, const NeighbourClaim& claim) {
  const auto lie = table_.on_claim(link.info.interface, claim, Clock::now());
  if (!lie) return;
  const std::string server = claim.address.to_string();
  if (const auto suppressed = limiter_.allow(server)) {
    log_.warn("{} about real server {} on {} not believed: it {} ({} more like it)", protocol.name(), server,
              link.info.name, *lie, *suppressed);
  }
}

// --- what goes out

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
  const Link& at = link->second;
  const NeighbourQuestion question{
      .target = probe.address, .at = probe.at, .own_address = sources_[probe.address], .own_mac = at.info.mac};
  // A full queue or a link that is down: the next probe comes soon, and silence has its own consequences.
  if (!at.sockets->send(question) && limiter_.allow("send")) {
    log_.warn("probe for {} on {}: {}", probe.address.to_string(), at.info.name, std::strerror(errno));
  }
}

void Neighbours::report_changes() {
  for (const auto& address : table_.take_changed()) {
    if (const auto* status = table_.find(address)) on_change_(*status);
  }
}

}  // namespace lbdp::control
