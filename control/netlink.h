// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The kernel's links, addresses, routes and neighbours. libnl stays inside netlink*.cc.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "config/types/asio.h"
#include "config/types/ip_address.h"
#include "config/types/mac_address.h"
#include "config/types/result.h"

namespace lbdp::control {

/// The kernel's index of an interface.
enum class InterfaceIndex : int {};

/// Where the kernel would send a packet.
struct Route {
  InterfaceIndex interface {};
  std::optional<IpAddress> gateway;
  std::optional<IpAddress> source;  // the address of ours that it would use
  bool local = false;               // the destination is this host
  std::optional<uint32_t> mtu;      // of the route; empty: the interface's holds
};

/// An interface as the kernel describes it.
struct LinkInfo {
  InterfaceIndex interface {};
  std::string name;
  MacAddress mac;
  uint32_t mtu = 0;
  /// The interface below, if it is in this network namespace.
  std::optional<InterfaceIndex> lower;
  /// It is an IEEE 802.1Q VLAN of that interface (not 802.1ad).
  std::optional<uint16_t> vlan;

  friend bool operator==(const LinkInfo&, const LinkInfo&) = default;
};

enum class KernelNeighbourState : uint8_t {
  kNone,
  kIncomplete,
  kReachable,
  kStale,
  kDelay,
  kProbe,
  kFailed,
  kNoArp,
  kPermanent
};
std::string_view to_string(KernelNeighbourState state);  // "REACHABLE", as ip-neighbour(8) has it

/// An entry of the kernel's neighbour table came, changed or went.
struct NeighbourEvent {
  InterfaceIndex interface {};
  IpAddress address;
  std::optional<MacAddress> mac;
  KernelNeighbourState state = KernelNeighbourState::kNone;
  bool removed = false;
};

/// Requests to the kernel. Each is answered within the call: rtnetlink works in the caller's context, in microseconds.
class Netlink {
 public:
  static Result<std::unique_ptr<Netlink>> open();
  ~Netlink();
  Netlink(const Netlink&) = delete;
  Netlink& operator=(const Netlink&) = delete;

  Result<void> set_link_up(InterfaceIndex interface);
  /// Adding an address that is there, or removing one that is not, is no error.
  Result<void> add_address(InterfaceIndex interface, const IpPrefix& address);
  Result<void> remove_address(InterfaceIndex interface, const IpPrefix& address);
  Result<Route> route_to(const IpAddress& destination);
  Result<LinkInfo> link(InterfaceIndex interface);
  /// The kernel's entry for a neighbour as it stands; empty if there is none.
  Result<std::optional<NeighbourEvent>> neighbour(InterfaceIndex interface, const IpAddress& address);
  /// Makes the kernel look for a neighbour now, and keep an entry for it.
  Result<void> resolve_neighbour(InterfaceIndex interface, const IpAddress& address);

 private:
  struct Impl;
  explicit Netlink(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Follows the kernel's tables on a reactor. When the kernel had to drop events (ENOBUFS), everything is read again.
class NetlinkEvents {
 public:
  struct Handlers {
    std::function<void(const NeighbourEvent&)> on_neighbour;
    /// A link or one of its addresses changed; `name` as far as it is known.
    std::function<void(InterfaceIndex interface, const std::string& name)> on_interface;
    std::function<void()> on_route;
    /// Events were lost: whatever was learnt before may be wrong. The neighbours follow through on_neighbour.
    std::function<void()> on_resync;
  };

  static Result<std::unique_ptr<NetlinkEvents>> open(asio::io_context& io, Handlers handlers);
  ~NetlinkEvents();
  NetlinkEvents(const NetlinkEvents&) = delete;
  NetlinkEvents& operator=(const NetlinkEvents&) = delete;

 private:
  struct Impl;
  explicit NetlinkEvents(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

/// The index of an interface in this network namespace, if there is one of that name.
std::optional<InterfaceIndex> interface_index(const std::string& name);

}  // namespace lbdp::control
