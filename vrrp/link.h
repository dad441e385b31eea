// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
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
    /// What came for protocol 112; nothing: something that is no whole datagram.
    virtual void on_message(Link& link, const std::optional<Message>& message) = 0;
    virtual void on_garp(Link& link, uint32_t owner, std::error_code error) = 0;
  };

  /// What the instances of an interface want from it: a socket for each family, and the groups that it joins.
  using Groups = std::map<Family, std::set<IpAddress>>;

  Link(asio::io_context& io, std::string name, Observer& observer);

  /// Looks at the interface anew; opens the sockets, and again if it is another one than before or the groups changed.
  void refresh(const Groups& groups);
  /// What an instance with this query may know of the interface as it was at the last refresh().
  [[nodiscard]] LinkState state(const SourceQuery& query) const;
  [[nodiscard]] const std::string& name() const { return name_; }

  [[nodiscard]] std::error_code send(const OutgoingAdvertisement& advertisement);
  /// `owner` may cancel them; `interval` between two frames, 0: the queue's own pace.
  void queue_garp(uint32_t owner, const std::vector<IpAddress>& addresses, unsigned rounds,
                  std::chrono::microseconds interval);
  void cancel_garp(uint32_t owner) { garp_queue_.cancel(owner); }

  /// Delivers what already waits in the sockets, at most `limit` messages of each.
  void drain(size_t limit);
  /// Delivers and sends nothing more.
  void close();

 private:
  /// The socket of one family.
  struct Channel {
    Channel(asio::io_context& io, Family its_family) : family(its_family), socket(io) {}
    Family family;
    asio::posix::stream_descriptor socket;
    std::set<IpAddress> groups;  // joined
  };

  [[nodiscard]] std::string open(const Groups& groups);
  [[nodiscard]] std::string open(Channel& channel, const std::set<IpAddress>& groups);
  [[nodiscard]] Channel& channel(Family family) { return channels_.at(static_cast<size_t>(family)); }
  [[nodiscard]] bool serves(const Groups& groups);
  void wait_readable(Channel& channel);
  void drain(Channel& channel, size_t limit);
  [[nodiscard]] std::error_code announce(const IpAddress& address);
  void send_garps();

  std::string name_;
  Observer& observer_;
  std::array<Channel, 2> channels_;  // by Family
  asio::posix::stream_descriptor frames_;
  asio::steady_timer garp_timer_;
  GarpQueue garp_queue_;
  std::optional<InterfaceInfo> info_;
  std::string problem_;                  // why the sockets are not open
  unsigned open_index_ = 0;              // the interface that the sockets belong to
  unsigned generation_ = 0;              // tells a handler of closed sockets from one of the open ones
  std::array<uint8_t, 65536> buffer_{};  // a datagram can't be longer
};

}  // namespace lbdp::vrrp
