// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "config/types/asio.h"
#include "config/types/result.h"
#include "control/neighbour_protocol.h"
#include "control/netlink.h"

namespace lbdp::control {

/// AF_PACKET sockets on one interface, one for each neighbour protocol. Runs on one reactor.
class NeighbourSockets {
 public:
  using OnReadable = std::function<void(Family)>;
  using OnClaim = std::function<void(const NeighbourProtocol&, const NeighbourClaim&)>;

  /// `on_readable` is to call read(); it is not called any more once this object is gone, which it may bring about.
  static Result<std::unique_ptr<NeighbourSockets>> open(asio::io_context& io, InterfaceIndex interface,
                                                        const std::string& name, OnReadable on_readable);
  ~NeighbourSockets();
  NeighbourSockets(const NeighbourSockets&) = delete;
  NeighbourSockets& operator=(const NeighbourSockets&) = delete;

  /// Reads what has come in, at most so much that one turn of the reactor stays well under a millisecond.
  void read(Family family, const OnClaim& on_claim);
  /// False, with errno set, if the frame could not be sent now.
  bool send(const NeighbourQuestion& question);

 private:
  struct Impl;
  explicit NeighbourSockets(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace lbdp::control
