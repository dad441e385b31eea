// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/log.h"
#include "control/neighbour_sockets.h"
#include "control/neighbour_table.h"
#include "control/netlink.h"

namespace lbdp::control {

/// Finds and follows the MACs of real servers behind the ports' taps, and behind VLANs on top of these: routes, links
/// and neighbour entries from the kernel, ARP and ND probes of its own. Runs on one reactor.
class Neighbours {
 public:
  using OnChange = std::function<void(const NeighbourStatus&)>;

  /// `taps`: the ports' interfaces.
  static Result<std::unique_ptr<Neighbours>> open(asio::io_context& io, Netlink& netlink,
                                                  const std::vector<InterfaceIndex>& taps, OnChange on_change,
                                                  spdlog::logger& log);
  ~Neighbours();
  Neighbours(const Neighbours&) = delete;
  Neighbours& operator=(const Neighbours&) = delete;

  /// Which addresses to follow from now on.
  void set_addresses(const std::vector<IpAddress>& addresses);
  void on_kernel(const NeighbourEvent& event);
  /// Routes, links or addresses changed: every address is looked up again, a few at a time.
  void routes_changed();

  [[nodiscard]] std::vector<NeighbourStatus> status() const { return table_.status(); }

 private:
  struct Link {
    LinkInfo info;
    InterfaceIndex port{};  // the tap: itself, or below
    std::unique_ptr<NeighbourSockets> sockets;
  };

  Neighbours(asio::io_context& io, Netlink& netlink, OnChange on_change, spdlog::logger& log);
  Result<Link*> add_link(const LinkInfo& info, InterfaceIndex port);
  Result<Link*> link_to(InterfaceIndex interface);
  void refresh_links();
  void set_own_macs();
  void read(Link& link, Family family);
  void on_claim(const Link& link, const NeighbourProtocol& protocol, const NeighbourClaim& claim);
  void arm_look_up(std::chrono::milliseconds delay);
  void look_up_some();
  void look_up(const IpAddress& address);
  Result<void> take_route(const IpAddress& address, const Route& route);
  void arm_probes();
  void send_due_probes();
  void send(const NeighbourTable::Probe& probe);
  void report_changes();

  asio::io_context& io_;
  Netlink& netlink_;
  OnChange on_change_;
  spdlog::logger& log_;
  LogLimiter limiter_;
  NeighbourTable table_;
  std::vector<IpAddress> addresses_;
  std::deque<IpAddress> to_look_up_;
  std::map<InterfaceIndex, Link> links_;
  std::map<IpAddress, IpAddress> sources_;  // which address of ours asks for which neighbour
  asio::steady_timer look_up_timer_;
  asio::steady_timer probe_timer_;
  bool look_up_armed_ = false;
  bool look_up_again_ = false;
  /// Handlers that outlive this object find it empty.
  std::shared_ptr<Neighbours*> self_ = std::make_shared<Neighbours*>(this);
};

}  // namespace lbdp::control
