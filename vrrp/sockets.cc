// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/sockets.h"

#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "vrrp/packet.h"

namespace lbdp::vrrp {
namespace {

constexpr int kPriorityControl = 7;           // TC_PRIO_CONTROL: ahead of everything in the kernel's default qdisc
constexpr int kIpv6MulticastAll = 29;         // IPV6_MULTICAST_ALL of linux/in6.h, which does not go with netinet/in.h
constexpr int kReceiveBufferBytes = 1 << 20;  // room for a burst while the reactor does something else

std::error_code last_error() {
  return {errno, std::generic_category()};
}

template <class T>
bool set_option(int fd, int level, int option, const T& value) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

bool bind_to_device(int fd, const std::string& interface) {
  return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(), static_cast<socklen_t>(interface.size())) == 0;
}

bool join(int fd, unsigned index, const IpAddress& group) {
  if (group.is_v4()) {
    ip_mreqn membership{};
    membership.imr_multiaddr.s_addr = group.v4().raw();
    membership.imr_ifindex = static_cast<int>(index);
    return set_option(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, membership);
  }
  ipv6_mreq membership{};
  std::ranges::copy(group.bytes(), membership.ipv6mr_multiaddr.s6_addr);
  membership.ipv6mr_interface = index;
  return set_option(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, membership);
}

/// The first option that the kernel refuses, or nullptr.
const char* configure_v4(int fd, unsigned index) {
  ip_mreqn egress{};
  egress.imr_ifindex = static_cast<int>(index);
  if (!set_option(fd, IPPROTO_IP, IP_HDRINCL, 1)) return "IP_HDRINCL";
  if (!set_option(fd, IPPROTO_IP, IP_MULTICAST_IF, egress)) return "IP_MULTICAST_IF";
  if (!set_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0)) return "IP_MULTICAST_LOOP";
  // Only what this socket joined, not what others on this host did.
  if (!set_option(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0)) return "IP_MULTICAST_ALL";
  return nullptr;
}

const char* configure_v6(int fd, unsigned index) {
  constexpr int kTrafficClass = kVrrpTos;
  if (!set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(index))) return "IPV6_MULTICAST_IF";
  if (!set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0)) return "IPV6_MULTICAST_LOOP";
  if (!set_option(fd, IPPROTO_IPV6, kIpv6MulticastAll, 0)) return "IPV6_MULTICAST_ALL";
  if (!set_option(fd, IPPROTO_IPV6, IPV6_TCLASS, kTrafficClass)) return "IPV6_TCLASS";
  // The messages come without their header.
  if (!set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1)) return "IPV6_RECVHOPLIMIT";
  if (!set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)) return "IPV6_RECVPKTINFO";
  return nullptr;
}

const char* configure(int fd, Family family, const std::string& interface, unsigned index) {
  if (!bind_to_device(fd, interface)) return "SO_BINDTODEVICE";
  const char* refused = family == Family::kIpv4 ? configure_v4(fd, index) : configure_v6(fd, index);
  if (refused != nullptr) return refused;
  if (!set_option(fd, SOL_SOCKET, SO_PRIORITY, kPriorityControl)) return "SO_PRIORITY";
  if (!set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, kReceiveBufferBytes)) return "SO_RCVBUFFORCE";
  return nullptr;
}

std::error_code send_v4(int fd, const OutgoingAdvertisement& advertisement) {
  const auto datagram = encode(advertisement);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = advertisement.destination.v4().raw();
  const auto sent =
      sendto(fd, datagram.data(), datagram.size(), MSG_DONTWAIT, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  return sent < 0 ? last_error() : std::error_code{};
}

template <class T>
void append_control(msghdr& header, size_t& used, int type, const T& value) {
  auto* control = reinterpret_cast<cmsghdr*>(static_cast<char*>(header.msg_control) + used);
  control->cmsg_level = IPPROTO_IPV6;
  control->cmsg_type = type;
  control->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(control), &value, sizeof value);
  used += CMSG_SPACE(sizeof value);
}

/// The source and the hop limit go beside the message: the kernel writes the header.
std::error_code send_v6(int fd, unsigned index, const OutgoingAdvertisement& advertisement) {
  auto message = encode(advertisement);
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  std::ranges::copy(advertisement.destination.bytes(), to.sin6_addr.s6_addr);
  to.sin6_scope_id = index;
  in6_pktinfo source{};
  std::ranges::copy(advertisement.source.bytes(), source.ipi6_addr.s6_addr);
  source.ipi6_ifindex = static_cast<decltype(source.ipi6_ifindex)>(index);
  iovec data{message.data(), message.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof source) + CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};
  header.msg_name = &to;
  header.msg_namelen = sizeof to;
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  size_t used = 0;
  append_control(header, used, IPV6_PKTINFO, source);
  append_control(header, used, IPV6_HOPLIMIT, int{advertisement.ttl});
  header.msg_controllen = used;
  return sendmsg(fd, &header, MSG_DONTWAIT) < 0 ? last_error() : std::error_code{};
}

IpAddress from_in6(const in6_addr& address) {
  return IpAddress::v6(std::span<const uint8_t, 16>(address.s6_addr, 16));
}

void take_control(msghdr& header, Message& message) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != IPPROTO_IPV6) continue;
    if (control->cmsg_type == IPV6_HOPLIMIT) {
      int hops = 0;
      std::memcpy(&hops, CMSG_DATA(control), sizeof hops);
      message.ttl = static_cast<uint8_t>(hops);
    } else if (control->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(control), sizeof info);
      message.destination = from_in6(info.ipi6_addr);
    }
  }
}

Received receive_v6(int fd, std::span<uint8_t> buffer) {
  sockaddr_in6 from{};
  iovec data{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<char, 256> control{};
  msghdr header{};
  header.msg_name = &from;
  header.msg_namelen = sizeof from;
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const auto received = recvmsg(fd, &header, MSG_DONTWAIT);
  if (received < 0) return {};
  Message message;
  message.source = from_in6(from.sin6_addr);
  message.protocol = kIpProtocolVrrp;  // the kernel has found it behind whatever extension headers
  message.bytes = buffer.first(static_cast<size_t>(received));
  take_control(header, message);
  return {true, message};
}

Received receive_v4(int fd, std::span<uint8_t> buffer) {
  const auto received = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (received < 0) return {};
  const auto message = unwrap_ipv4(buffer.first(static_cast<size_t>(received)));
  return {true, message ? std::optional(*message) : std::nullopt};
}

}  // namespace

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) close(fd_);
}

Result<UniqueFd> open_advertisement_socket(Family family, const std::string& interface, unsigned index,
                                           const std::set<IpAddress>& groups) {
  const int domain = family == Family::kIpv4 ? AF_INET : AF_INET6;
  UniqueFd fd(socket(domain, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, kIpProtocolVrrp));
  if (fd.get() < 0) return fail("cannot open a VRRP socket: " + last_error().message());
  if (const char* refused = configure(fd.get(), family, interface, index); refused != nullptr) {
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

std::error_code send_advertisement(int fd, unsigned index, const OutgoingAdvertisement& advertisement) {
  return advertisement.source.is_v4() ? send_v4(fd, advertisement) : send_v6(fd, index, advertisement);
}

Received receive_message(int fd, Family family, std::span<uint8_t> buffer) {
  return family == Family::kIpv4 ? receive_v4(fd, buffer) : receive_v6(fd, buffer);
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
