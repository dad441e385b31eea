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
#include "control/neighbour_table.h"
#include "control/netlink.h"

namespace lbdp::control {

/// An interface on which real servers can be on link: a port's tap.
struct NeighbourLink {
  InterfaceIndex interface {};
  std::string name;
  MacAddress mac;
};

/// Finds and follows the MACs of real servers on the taps: routes and neighbour entries from the kernel, ARP probes of
/// its own on AF_PACKET sockets. Runs on one reactor.
class Neighbours {
 public:
  using OnChange = std::function<void(const NeighbourStatus&)>;

  static Result<std::unique_ptr<Neighbours>> open(asio::io_context& io, Netlink& netlink,
                                                  const std::vector<NeighbourLink>& links, OnChange on_change,
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
  struct Link;
  Neighbours(asio::io_context& io, Netlink& netlink, OnChange on_change, spdlog::logger& log);
  Result<void> add_link(const NeighbourLink& link);
  void wait_for_arp(Link& link);
  void read_arp(Link& link);
  void arm_look_up(std::chrono::milliseconds delay);
  void look_up_some();
  void look_up(const IpAddress& address);
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
  std::map<InterfaceIndex, std::unique_ptr<Link>> links_;
  std::map<IpAddress, IpAddress> sources_;  // which address of ours asks for which neighbour
  asio::steady_timer look_up_timer_;
  asio::steady_timer probe_timer_;
  bool look_up_armed_ = false;
  bool look_up_again_ = false;
  /// Handlers that outlive this object find it empty.
  std::shared_ptr<Neighbours*> self_ = std::make_shared<Neighbours*>(this);
};

}  // namespace lbdp::control
