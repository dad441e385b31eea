// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "config/types/asio.h"
#include "vrrp/garp_queue.h"
#include "vrrp/instance.h"
#include "vrrp/interface.h"

namespace lbdp::vrrp {

/// One interface with VRRP on it: its sockets, shared by its instances, and its queue of gratuitous ARPs. Lives on the
/// reactor's thread. Owned by shared_ptr, because handlers may still be queued when it goes.
class Link : public std::enable_shared_from_this<Link> {
 public:
  /// Takes what the link receives and did.
  class Observer {
   public:
    virtual ~Observer() = default;
    /// An IPv4 datagram of protocol 112, header included.
    virtual void on_datagram(Link& link, std::span<const uint8_t> datagram) = 0;
    virtual void on_garp(Link& link, uint8_t owner, std::error_code error) = 0;
  };

  Link(asio::io_context& io, std::string name, Observer& observer);

  /// Looks at the interface anew; opens the sockets or opens them again if it is another one than before or the groups
  /// changed.
  const LinkState& refresh(const std::set<IpAddress>& groups, const std::set<IpAddress>& virtual_addresses);
  [[nodiscard]] const LinkState& state() const { return state_; }
  [[nodiscard]] const std::string& name() const { return name_; }

  [[nodiscard]] std::error_code send(std::span<const uint8_t> datagram, const IpAddress& destination);
  void queue_garp(uint8_t owner, const std::vector<IpAddress>& addresses, unsigned rounds);
  void cancel_garp(uint8_t owner) { garp_queue_.cancel(owner); }

  /// Delivers what already waits in the socket, at most `limit` datagrams.
  void drain(size_t limit);
  /// Delivers and sends nothing more.
  void close();

 private:
  [[nodiscard]] std::string open(const std::set<IpAddress>& groups);
  void wait_readable();
  void send_garps();

  std::string name_;
  Observer& observer_;
  asio::posix::stream_descriptor adverts_;
  asio::posix::stream_descriptor frames_;
  asio::steady_timer garp_timer_;
  GarpQueue garp_queue_;
  std::optional<InterfaceInfo> info_;
  std::set<IpAddress> groups_;  // joined by adverts_
  unsigned open_index_ = 0;     // the interface that the sockets belong to
  unsigned generation_ = 0;     // tells a handler of closed sockets from one of the open ones
  LinkState state_;
  std::array<uint8_t, 65536> buffer_{};  // an IPv4 datagram can't be longer
};

}  // namespace lbdp::vrrp
