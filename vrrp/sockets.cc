// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/sockets.h"

#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "vrrp/packet.h"

namespace lbdp::vrrp {
namespace {

constexpr int kPriorityControl = 7;           // TC_PRIO_CONTROL: ahead of everything in the kernel's default qdisc
constexpr int kReceiveBufferBytes = 1 << 20;  // room for a burst while the reactor does something else

std::error_code last_error() {
  return {errno, std::generic_category()};
}

template <class T>
bool set_option(int fd, int level, int option, const T& value) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

bool join(int fd, unsigned index, const IpAddress& group) {
  ip_mreqn membership{};
  membership.imr_multiaddr.s_addr = group.v4().raw();
  membership.imr_ifindex = static_cast<int>(index);
  return set_option(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, membership);
}

/// The first option that the kernel refuses, or nullptr.
const char* configure(int fd, const std::string& interface, unsigned index) {
  ip_mreqn egress{};
  egress.imr_ifindex = static_cast<int>(index);
  if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(), static_cast<socklen_t>(interface.size())) != 0) {
    return "SO_BINDTODEVICE";
  }
  if (!set_option(fd, IPPROTO_IP, IP_HDRINCL, 1)) return "IP_HDRINCL";
  if (!set_option(fd, IPPROTO_IP, IP_MULTICAST_IF, egress)) return "IP_MULTICAST_IF";
  if (!set_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0)) return "IP_MULTICAST_LOOP";
  // Only what this socket joined, not what others on this host did.
  if (!set_option(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0)) return "IP_MULTICAST_ALL";
  if (!set_option(fd, SOL_SOCKET, SO_PRIORITY, kPriorityControl)) return "SO_PRIORITY";
  if (!set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, kReceiveBufferBytes)) return "SO_RCVBUFFORCE";
  return nullptr;
}

}  // namespace

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) close(fd_);
}

Result<UniqueFd> open_advertisement_socket(const std::string& interface, unsigned index,
                                           const std::set<IpAddress>& groups) {
  UniqueFd fd(socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, kIpProtocolVrrp));
  if (fd.get() < 0) return fail("cannot open a VRRP socket: " + last_error().message());
  if (const char* refused = configure(fd.get(), interface, index); refused != nullptr) {
    return fail("VRRP socket on " + interface + ": " + refused + ": " + last_error().message());
  }
  for (const IpAddress& group : groups) {
    if (join(fd.get(), index, group)) continue;
    return fail("VRRP socket on " + interface + ": cannot join " + group.to_string() + ": " + last_error().message());
  }
  return fd;
}

Result<UniqueFd> open_frame_socket() {
  UniqueFd fd(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return fail("cannot open a packet socket: " + last_error().message());
  if (!set_option(fd.get(), SOL_SOCKET, SO_PRIORITY, kPriorityControl)) {
    return fail("packet socket: SO_PRIORITY: " + last_error().message());
  }
  return fd;
}

std::error_code send_datagram(int fd, std::span<const uint8_t> datagram, const IpAddress& destination) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = destination.v4().raw();
  const auto sent =
      sendto(fd, datagram.data(), datagram.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  return sent < 0 ? last_error() : std::error_code{};
}

std::error_code send_frame(int fd, unsigned index, std::span<const uint8_t> frame) {
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = static_cast<int>(index);
  const auto sent =
      sendto(fd, frame.data(), frame.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  return sent < 0 ? last_error() : std::error_code{};
}

}  // namespace lbdp::vrrp
