// SPDX-License-Identifier: BSD-2-Clause
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include <algorithm>
#include <array>

#include "control/netlink.h"
#include "control/netlink_parse.h"

namespace lbdp::control {
namespace {

constexpr int kReceiveBuffer = 4 << 20;  // room for the events of 10,000 neighbours that change at once
constexpr int kDatagramsPerTurn = 16;    // then the reactor's other work has its turn
constexpr auto kDumpGroups = std::to_array<int>(
    {RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE});

std::string name_of(int index) {
  std::array<char, IF_NAMESIZE> name{};
  return if_indextoname(static_cast<unsigned>(index), name.data()) == nullptr ? std::string()
                                                                              : std::string(name.data());
}

struct SocketDeleter {
  void operator()(nl_sock* socket) const { nl_socket_free(socket); }
};

}  // namespace

struct NetlinkEvents::Impl : std::enable_shared_from_this<Impl> {
  Impl(asio::io_context& io, Handlers given) : handlers(std::move(given)), descriptor(io), retry(io) {}

  Result<void> start();
  void request_dump();
  void wait();
  void receive();
  void lost_events();
  int dispatch(nlmsghdr* header);
  void dispatch_link(nlmsghdr* header);

  std::unique_ptr<nl_sock, SocketDeleter> socket{nl_socket_alloc()};
  Handlers handlers;
  asio::posix::stream_descriptor descriptor;
  asio::steady_timer retry;
  bool stopped = false;
};

Result<void> NetlinkEvents::Impl::start() {
  if (!socket) return fail("netlink: out of memory");
  nl_socket_disable_seq_check(socket.get());  // events have no sequence
  nl_socket_disable_auto_ack(socket.get());
  const auto on_message = [](nl_msg* message, void* self) {
    return static_cast<Impl*>(self)->dispatch(nlmsg_hdr(message));
  };
  nl_socket_modify_cb(socket.get(), NL_CB_VALID, NL_CB_CUSTOM, on_message, this);
  int error = nl_connect(socket.get(), NETLINK_ROUTE);
  for (const int group : kDumpGroups) {
    if (error >= 0) error = nl_socket_add_membership(socket.get(), group);
  }
  if (error >= 0) error = nl_socket_set_nonblocking(socket.get());
  if (error < 0) return fail(std::string("netlink events: ") + nl_geterror(error));
  nl_socket_set_buffer_size(socket.get(), kReceiveBuffer, 0);  // as far as the kernel's limit goes
  descriptor.assign(nl_socket_get_fd(socket.get()));
  request_dump();
  wait();
  return {};
}

void NetlinkEvents::Impl::request_dump() {
  ndmsg request{};
  request.ndm_family = AF_UNSPEC;
  const int error = nl_send_simple(socket.get(), RTM_GETNEIGH, NLM_F_DUMP, &request, sizeof request);
  if (error >= 0) return;
  // Another dump is still under way, or memory is short: later.
  retry.expires_after(std::chrono::milliseconds(100));
  retry.async_wait([self = weak_from_this()](const boost::system::error_code& failed) {
    const auto impl = self.lock();
    if (!failed && impl && !impl->stopped) impl->request_dump();
  });
}

void NetlinkEvents::Impl::wait() {
  descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                        [self = shared_from_this()](const boost::system::error_code& failed) {
                          if (failed || self->stopped) return;
                          self->receive();
                          if (!self->stopped) self->wait();
                        });
}

void NetlinkEvents::Impl::receive() {
  for (int i = 0; i < kDatagramsPerTurn && !stopped; ++i) {
    const int error = nl_recvmsgs_default(socket.get());
    if (error == -NLE_AGAIN) return;
    if (error == -NLE_NOMEM || error == -NLE_DUMP_INTR) lost_events();  // ENOBUFS comes as NOMEM
    if (error < 0) return;
  }
}

void NetlinkEvents::Impl::lost_events() {
  handlers.on_resync();
  request_dump();
}

int NetlinkEvents::Impl::dispatch(nlmsghdr* header) {
  switch (header->nlmsg_type) {
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
      if (const auto event = parse_neighbour(header)) handlers.on_neighbour(*event);
      break;
    case RTM_NEWLINK:
    case RTM_DELLINK: dispatch_link(header); break;
    case RTM_NEWADDR:
    case RTM_DELADDR: {
      const auto index = static_cast<int>(static_cast<const ifaddrmsg*>(nlmsg_data(header))->ifa_index);
      handlers.on_interface(InterfaceIndex{index}, name_of(index));
      break;
    }
    case RTM_NEWROUTE:
    case RTM_DELROUTE: handlers.on_route(); break;
    default: break;
  }
  return stopped ? NL_STOP : NL_OK;
}

void NetlinkEvents::Impl::dispatch_link(nlmsghdr* header) {
  std::array<nlattr*, IFLA_MAX + 1> attributes{};
  if (nlmsg_parse(header, sizeof(ifinfomsg), attributes.data(), IFLA_MAX, nullptr) < 0) return;
  const int index = static_cast<const ifinfomsg*>(nlmsg_data(header))->ifi_index;
  nlattr* name = attributes[IFLA_IFNAME];
  handlers.on_interface(InterfaceIndex{index}, name == nullptr ? std::string() : nla_get_string(name));
}

NetlinkEvents::NetlinkEvents(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

NetlinkEvents::~NetlinkEvents() {
  impl_->stopped = true;
  impl_->descriptor.release();  // cancels the wait; libnl's socket closes the descriptor
  boost::system::error_code ignored;
  impl_->retry.cancel(ignored);
}

Result<std::unique_ptr<NetlinkEvents>> NetlinkEvents::open(asio::io_context& io, Handlers handlers) {
  auto impl = std::make_shared<Impl>(io, std::move(handlers));
  if (auto started = impl->start(); !started) return tl::unexpected(started.error());
  return std::unique_ptr<NetlinkEvents>(new NetlinkEvents(std::move(impl)));
}

}  // namespace lbdp::control
