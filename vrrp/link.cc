// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/link.h"

#include <sys/socket.h>

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
    : name_(std::move(name)), observer_(observer), adverts_(io), frames_(io), garp_timer_(io) {}

const LinkState& Link::refresh(const std::set<IpAddress>& groups, const std::set<IpAddress>& virtual_addresses) {
  info_ = query_interface(name_);
  state_ = to_link_state(name_, info_, virtual_addresses);
  if (!info_) {
    close();
  } else if (info_->index != open_index_ || groups != groups_) {
    // An interface that is down for now can be opened all the same, and will be ready when it comes up.
    if (std::string problem = open(groups); !problem.empty()) state_ = {{}, std::move(problem)};
  }
  return state_;
}

/// What went wrong, or nothing.
std::string Link::open(const std::set<IpAddress>& groups) {
  close();
  auto adverts = open_advertisement_socket(name_, info_->index, groups);
  if (!adverts) return adverts.error().message;
  auto frames = open_frame_socket();
  if (!frames) return frames.error().message;
  if (!hand_over(std::move(*adverts), adverts_) || !hand_over(std::move(*frames), frames_)) {
    close();
    return "the reactor can take no more sockets";
  }
  groups_ = groups;
  open_index_ = info_->index;
  wait_readable();
  return {};
}

void Link::close() {
  boost::system::error_code ignored;
  adverts_.close(ignored);
  frames_.close(ignored);
  garp_timer_.cancel();
  open_index_ = 0;
  ++generation_;
  groups_.clear();
}

std::error_code Link::send(std::span<const uint8_t> datagram, const IpAddress& destination) {
  if (!adverts_.is_open()) return std::make_error_code(std::errc::network_down);
  return send_datagram(adverts_.native_handle(), datagram, destination);
}

void Link::wait_readable() {
  adverts_.async_wait(asio::posix::stream_descriptor::wait_read,
                      [weak = weak_from_this(), generation = generation_](boost::system::error_code error) {
                        const auto self = weak.lock();
                        if (error || !self || self->generation_ != generation) return;
                        self->drain(kDatagramsPerWakeup);
                        if (self->generation_ == generation) self->wait_readable();
                      });
}

void Link::drain(size_t limit) {
  for (size_t i = 0; i < limit && adverts_.is_open(); ++i) {
    const auto received = recv(adverts_.native_handle(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (received < 0) return;  // nothing there; an error such as ENETDOWN comes once and is told by the interface too
    observer_.on_datagram(*this, std::span(buffer_).first(static_cast<size_t>(received)));
  }
}

void Link::queue_garp(uint8_t owner, const std::vector<IpAddress>& addresses, unsigned rounds) {
  garp_queue_.add(owner, addresses, rounds);
  send_garps();
}

void Link::send_garps() {
  for (const auto& entry : garp_queue_.take(std::chrono::steady_clock::now())) {
    const auto error = frames_.is_open()
                           ? send_frame(frames_.native_handle(), open_index_, build_garp(info_->mac, entry.address))
                           : std::make_error_code(std::errc::network_down);
    observer_.on_garp(*this, entry.owner, error);
  }
  const auto deadline = garp_queue_.deadline();
  if (!deadline) return;
  garp_timer_.expires_at(*deadline);
  garp_timer_.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    if (const auto self = weak.lock(); self && !error) self->send_garps();
  });
}

}  // namespace lbdp::vrrp
