// SPDX-License-Identifier: BSD-2-Clause
#include "control/neighbour_sockets.h"

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace lbdp::control {
namespace {

constexpr int kFramesPerTurn = 64;
constexpr size_t kMostBytes = 512;  // an advertisement has one option of 8 bytes; there is room for some that we skip
constexpr std::array kFamilies{Family::kIpv4, Family::kIpv6};

bool set_filter(int fd, std::span<const sock_filter> filter) {
  if (filter.empty()) return true;
  // The kernel copies the program and writes nothing to it.
  const sock_fprog program{static_cast<unsigned short>(filter.size()), const_cast<sock_filter*>(filter.data())};
  return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

Result<int> open_socket(const NeighbourProtocol& protocol, InterfaceIndex interface, const std::string& name) {
  // Protocol 0: nothing comes in before the filter is there and the socket bound.
  const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = Be<uint16_t>::from_host(protocol.ethertype()).raw();
  address.sll_ifindex = static_cast<int>(interface);
  if (fd >= 0 && ::setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) == 0 &&
      set_filter(fd, protocol.filter()) &&
      ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return fd;
  }
  const int error = errno;
  if (fd >= 0) ::close(fd);
  return fail(std::string(protocol.name()) + " socket on " + name + ": " + std::strerror(error));
}

}  // namespace

struct NeighbourSockets::Impl : std::enable_shared_from_this<Impl> {
  Impl(asio::io_context& io, InterfaceIndex at, OnReadable callback)
      : interface(at), on_readable(std::move(callback)), descriptors{{stream(io), stream(io)}} {}

  using stream = asio::posix::stream_descriptor;
  stream& of(Family family) { return descriptors[static_cast<size_t>(family)]; }

  void wait(Family family) {
    of(family).async_wait(stream::wait_read,
                          [weak = weak_from_this(), family](const boost::system::error_code& failed) {
                            const auto impl = weak.lock();
                            if (failed || !impl || impl->closed) return;
                            impl->on_readable(family);
                            if (!impl->closed) impl->wait(family);
                          });
  }

  InterfaceIndex interface;
  OnReadable on_readable;
  std::array<stream, 2> descriptors;
  bool closed = false;
};

NeighbourSockets::NeighbourSockets(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

NeighbourSockets::~NeighbourSockets() {
  impl_->closed = true;
  boost::system::error_code ignored;
  for (auto& descriptor : impl_->descriptors) descriptor.close(ignored);
}

Result<std::unique_ptr<NeighbourSockets>> NeighbourSockets::open(asio::io_context& io, InterfaceIndex interface,
                                                                 const std::string& name, OnReadable on_readable) {
  std::unique_ptr<NeighbourSockets> out(
      new NeighbourSockets(std::make_shared<Impl>(io, interface, std::move(on_readable))));
  for (const Family family : kFamilies) {
    const auto fd = open_socket(neighbour_protocol(family), interface, name);
    if (!fd) return tl::unexpected(fd.error());
    out->impl_->of(family).assign(*fd);
    out->impl_->wait(family);
  }
  return out;
}

void NeighbourSockets::read(Family family, const OnClaim& on_claim) {
  const NeighbourProtocol& protocol = neighbour_protocol(family);
  std::array<uint8_t, kMostBytes> frame{};
  for (int i = 0; i < kFramesPerTurn; ++i) {
    sockaddr_ll from{};
    socklen_t from_length = sizeof from;
    const ssize_t length = ::recvfrom(impl_->of(family).native_handle(), frame.data(), frame.size(), 0,
                                      reinterpret_cast<sockaddr*>(&from), &from_length);
    if (length <= 0) return;
    // A socket on an interface sees the frames of its VLANs as well: the kernel names the VLAN's interface, or, if
    // there is none, says that the frame is another host's. What the kernel's own stack would not take is nothing for
    // us.
    if (InterfaceIndex{from.sll_ifindex} != impl_->interface || from.sll_pkttype == PACKET_OTHERHOST) continue;
    if (const auto claim = protocol.decode(std::span(frame).first(static_cast<size_t>(length)))) {
      on_claim(protocol, *claim);
    }
  }
}

bool NeighbourSockets::send(const NeighbourQuestion& question) {
  const Family family = question.target.family();
  const auto frame = neighbour_protocol(family).encode(question);
  return ::send(impl_->of(family).native_handle(), frame.data(), frame.size(), MSG_DONTWAIT) >= 0;
}

}  // namespace lbdp::control
