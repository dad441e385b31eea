// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/link.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "vrrp/garp.h"
#include "vrrp/sockets.h"

namespace lbdp::vrrp {
namespace {

constexpr size_t kDatagramsPerWakeup = 64;  // then others on the reactor have their turn

/// Gives an open socket to the reactor; false if the reactor can't take it.
bool hand_over(UniqueFd fd, asio::posix::stream_descriptor& descriptor) {
  boost::system::error_code error;
  descriptor.assign(fd.get(), error);
  if (!error) (void)fd.release();
  return !error;
}

}  // namespace

Link::Link(asio::io_context& io, std::string name, Observer& observer)
    : name_(std::move(name)),
      observer_(observer),
      channels_{Channel(io, Family::kIpv4), Channel(io, Family::kIpv6)},
      frames_(io),
      garp_timer_(io) {}

void Link::refresh(const Groups& groups) {
  info_ = query_interface(name_);
  if (!info_) {
    close();
  } else if (info_->index != open_index_ || !serves(groups)) {
    // An interface that is down for now can be opened all the same, and will be ready when it comes up.
    problem_ = open(groups);
  }
}

LinkState Link::state(const SourceQuery& query) const {
  if (info_ && !problem_.empty()) return {{}, problem_};
  return to_link_state(name_, info_, query);
}

/// Whether the open sockets are those that are wanted.
bool Link::serves(const Groups& groups) {
  return std::ranges::all_of(channels_, [&](const Channel& open) {
    const auto wanted = groups.find(open.family);
    if (wanted == groups.end()) return !open.socket.is_open();
    return open.socket.is_open() && wanted->second == open.groups;
  });
}

/// What went wrong, or nothing.
std::string Link::open(const Groups& groups) {
  close();
  auto frames = open_frame_socket();
  if (!frames) return frames.error().message;
  if (!hand_over(std::move(*frames), frames_)) return "the reactor can take no more sockets";
  for (const auto& [family, joined] : groups) {
    if (std::string problem = open(channel(family), joined); !problem.empty()) {
      close();
      return problem;
    }
  }
  open_index_ = info_->index;
  return {};
}

std::string Link::open(Channel& channel, const std::set<IpAddress>& groups) {
  auto fd = open_advertisement_socket(channel.family, name_, info_->index, groups);
  if (!fd) return fd.error().message;
  if (!hand_over(std::move(*fd), channel.socket)) return "the reactor can take no more sockets";
  channel.groups = groups;
  wait_readable(channel);
  return {};
}

void Link::close() {
  boost::system::error_code ignored;
  for (Channel& channel : channels_) {
    channel.socket.close(ignored);
    channel.groups.clear();
  }
  frames_.close(ignored);
  garp_timer_.cancel();
  open_index_ = 0;
  ++generation_;
}

std::error_code Link::send(const OutgoingAdvertisement& advertisement) {
  auto& socket = channel(advertisement.destination.family()).socket;
  if (!socket.is_open()) return std::make_error_code(std::errc::network_down);
  return send_advertisement(socket.native_handle(), open_index_, advertisement);
}

void Link::wait_readable(Channel& channel) {
  channel.socket.async_wait(
      asio::posix::stream_descriptor::wait_read,
      [weak = weak_from_this(), generation = generation_, family = channel.family](boost::system::error_code error) {
        const auto self = weak.lock();
        if (error || !self || self->generation_ != generation) return;
        self->drain(self->channel(family), kDatagramsPerWakeup);
        if (self->generation_ == generation) self->wait_readable(self->channel(family));
      });
}

void Link::drain(size_t limit) {
  for (Channel& channel : channels_) drain(channel, limit);
}

void Link::drain(Channel& channel, size_t limit) {
  for (size_t i = 0; i < limit && channel.socket.is_open(); ++i) {
    const Received received = receive_message(channel.socket.native_handle(), channel.family, buffer_);
    if (!received.any) return;  // an error such as ENETDOWN is told by the interface too
    observer_.on_message(*this, received.message);
  }
}

void Link::queue_garp(uint32_t owner, const std::vector<IpAddress>& addresses, unsigned rounds,
                      std::chrono::microseconds interval) {
  garp_queue_.add(owner, addresses, rounds, interval);
  send_garps();
}

std::error_code Link::announce(const IpAddress& address) {
  if (!frames_.is_open()) return std::make_error_code(std::errc::network_down);
  if (address.is_v4()) return send_frame(frames_.native_handle(), open_index_, build_garp(info_->mac, address));
  // Not a router: the real servers' replies do not come back through us, and nobody else's traffic does.
  return send_frame(frames_.native_handle(), open_index_, build_neighbour_advertisement(info_->mac, address, false));
}

void Link::send_garps() {
  for (const auto& entry : garp_queue_.take(std::chrono::steady_clock::now())) {
    observer_.on_garp(*this, entry.owner, announce(entry.address));
  }
  const auto deadline = garp_queue_.deadline();
  if (!deadline) return;
  garp_timer_.expires_at(*deadline);
  garp_timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    if (const auto self = weak.lock(); self && !error) self->send_garps();
  });
}

}  // namespace lbdp::vrrp
