// SPDX-License-Identifier: BSD-2-Clause
#include "control/netlink.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/socket.h>

#include <array>
#include <cerrno>

#include "control/netlink_parse.h"

namespace lbdp::control {
namespace {

struct SocketDeleter {
  void operator()(nl_sock* socket) const { nl_socket_free(socket); }
};
struct MessageDeleter {
  void operator()(nl_msg* message) const { nlmsg_free(message); }
};
struct AddressDeleter {
  void operator()(rtnl_addr* address) const { rtnl_addr_put(address); }
};
struct LinkDeleter {
  void operator()(rtnl_link* link) const { rtnl_link_put(link); }
};
using Socket = std::unique_ptr<nl_sock, SocketDeleter>;
using Message = std::unique_ptr<nl_msg, MessageDeleter>;

tl::unexpected<Error> nl_fail(const std::string& what, int error) {
  return fail(what + ": " + nl_geterror(error));
}

uint8_t kernel_family(const IpAddress& address) {
  return address.is_v4() ? AF_INET : AF_INET6;
}

void put_address(nl_msg* message, int attribute, const IpAddress& address) {
  const auto bytes = address.bytes();
  nla_put(message, attribute, static_cast<int>(bytes.size()), bytes.data());
}

constexpr uint32_t kForEver = 0xffffffff;  // seconds

/// An IPv6 address with a whole prefix is a VIP. The kernel would prefer it as the source of this host's own
/// connections (RFC 6724 section 5, rule 8), and a real server answers none that comes from an address of its own:
/// health checks would fail. Deprecated, it is nobody's choice; keepalived does the same.
bool is_host_address(const IpPrefix& prefix) {
  return !prefix.address.is_v4() && prefix.length == 128;
}

std::unique_ptr<rtnl_addr, AddressDeleter> make_address(InterfaceIndex interface, const IpPrefix& prefix) {
  std::unique_ptr<rtnl_addr, AddressDeleter> out(rtnl_addr_alloc());
  const auto bytes = prefix.address.bytes();
  nl_addr* local = nl_addr_build(kernel_family(prefix.address), bytes.data(), bytes.size());
  nl_addr_set_prefixlen(local, prefix.length);
  rtnl_addr_set_ifindex(out.get(), static_cast<int>(interface));
  rtnl_addr_set_local(out.get(), local);
  // Duplicate address detection would keep an IPv6 VIP silent for a second after a takeover.
  if (!prefix.address.is_v4()) rtnl_addr_set_flags(out.get(), IFA_F_NODAD);
  if (is_host_address(prefix)) {
    rtnl_addr_set_valid_lifetime(out.get(), kForEver);
    rtnl_addr_set_preferred_lifetime(out.get(), 0);
  }
  nl_addr_put(local);
  return out;
}

/// A socket for requests that the kernel only acknowledges (`acknowledged`), or for those it answers.
Result<Socket> open_socket(bool acknowledged) {
  Socket socket(nl_socket_alloc());
  if (!socket) return fail("netlink: out of memory");
  if (!acknowledged) nl_socket_disable_auto_ack(socket.get());
  if (const int error = nl_connect(socket.get(), NETLINK_ROUTE); error < 0) return nl_fail("netlink", error);
  return socket;
}

/// What a query was answered.
struct Answer {
  std::optional<Route> route;
  std::optional<NeighbourEvent> neighbour;
  std::optional<LinkInfo> link;
};

int read_answer(nl_msg* message, void* context) {
  auto& answer = *static_cast<Answer*>(context);
  nlmsghdr* header = nlmsg_hdr(message);
  if (header->nlmsg_type == RTM_NEWROUTE) answer.route = parse_route(header);
  if (header->nlmsg_type == RTM_NEWNEIGH) answer.neighbour = parse_neighbour(header);
  if (header->nlmsg_type == RTM_NEWLINK) answer.link = parse_link(header);
  return NL_OK;
}

}  // namespace

std::string_view to_string(KernelNeighbourState state) {
  switch (state) {
    case KernelNeighbourState::kNone: return "NONE";
    case KernelNeighbourState::kIncomplete: return "INCOMPLETE";
    case KernelNeighbourState::kReachable: return "REACHABLE";
    case KernelNeighbourState::kStale: return "STALE";
    case KernelNeighbourState::kDelay: return "DELAY";
    case KernelNeighbourState::kProbe: return "PROBE";
    case KernelNeighbourState::kFailed: return "FAILED";
    case KernelNeighbourState::kNoArp: return "NOARP";
    case KernelNeighbourState::kPermanent: return "PERMANENT";
  }
  return "?";
}

std::optional<InterfaceIndex> interface_index(const std::string& name) {
  const unsigned index = if_nametoindex(name.c_str());
  if (index == 0) return std::nullopt;
  return InterfaceIndex{static_cast<int>(index)};
}

struct Netlink::Impl {
  Socket requests;  // acknowledged
  Socket queries;   // answered
  Answer answer;

  /// Sends a query and reads its answer. 0 or libnl's (negative) error.
  int query(nl_msg* message) {
    answer = {};
    const int error = nl_send_auto(queries.get(), message);
    return error < 0 ? error : nl_recvmsgs_default(queries.get());
  }
};

Netlink::Netlink(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Netlink::~Netlink() = default;

Result<std::unique_ptr<Netlink>> Netlink::open() {
  auto requests = open_socket(true);
  auto queries = open_socket(false);
  if (!requests) return tl::unexpected(requests.error());
  if (!queries) return tl::unexpected(queries.error());
  auto impl = std::make_unique<Impl>();
  impl->requests = std::move(*requests);
  impl->queries = std::move(*queries);
  nl_socket_modify_cb(impl->queries.get(), NL_CB_VALID, NL_CB_CUSTOM, read_answer, &impl->answer);
  return std::unique_ptr<Netlink>(new Netlink(std::move(impl)));
}

Result<void> Netlink::set_link_up(InterfaceIndex interface) {
  const std::unique_ptr<rtnl_link, LinkDeleter> match(rtnl_link_alloc());
  const std::unique_ptr<rtnl_link, LinkDeleter> change(rtnl_link_alloc());
  rtnl_link_set_ifindex(match.get(), static_cast<int>(interface));
  rtnl_link_set_flags(change.get(), IFF_UP);
  const int error = rtnl_link_change(impl_->requests.get(), match.get(), change.get(), 0);
  if (error < 0) return nl_fail("cannot bring the interface up", error);
  return {};
}

Result<void> Netlink::add_address(InterfaceIndex interface, const IpPrefix& address) {
  const auto request = make_address(interface, address);
  const int error = rtnl_addr_add(impl_->requests.get(), request.get(), NLM_F_EXCL);
  if (error < 0 && error != -NLE_EXIST) return nl_fail("cannot add address " + address.to_string(), error);
  return {};
}

Result<void> Netlink::remove_address(InterfaceIndex interface, const IpPrefix& address) {
  const auto request = make_address(interface, address);
  const int error = rtnl_addr_delete(impl_->requests.get(), request.get(), 0);
  // The interface may be gone too, and its addresses with it.
  const bool absent = error == -NLE_NOADDR || error == -NLE_OBJ_NOTFOUND || error == -NLE_NODEV;
  if (error < 0 && !absent) return nl_fail("cannot remove address " + address.to_string(), error);
  return {};
}

Result<Route> Netlink::route_to(const IpAddress& destination) {
  const Message message(nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST));
  rtmsg header{};
  header.rtm_family = kernel_family(destination);
  header.rtm_dst_len = destination.is_v4() ? 32 : 128;
  nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
  put_address(message.get(), RTA_DST, destination);
  const int error = impl_->query(message.get());
  if (error < 0) return nl_fail("no route to " + destination.to_string(), error);
  if (!impl_->answer.route) return fail("no route to " + destination.to_string());
  return *impl_->answer.route;
}

Result<LinkInfo> Netlink::link(InterfaceIndex interface) {
  const Message message(nlmsg_alloc_simple(RTM_GETLINK, NLM_F_REQUEST));
  ifinfomsg header{};
  header.ifi_family = AF_UNSPEC;
  header.ifi_index = static_cast<int>(interface);
  nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
  const std::string what = "interface " + std::to_string(header.ifi_index);
  const int error = impl_->query(message.get());
  if (error < 0) return nl_fail(what, error);
  if (!impl_->answer.link) return fail("no " + what);
  return *impl_->answer.link;
}

Result<std::optional<NeighbourEvent>> Netlink::neighbour(InterfaceIndex interface, const IpAddress& address) {
  const Message message(nlmsg_alloc_simple(RTM_GETNEIGH, NLM_F_REQUEST));
  ndmsg header{};
  header.ndm_family = kernel_family(address);
  header.ndm_ifindex = static_cast<int>(interface);
  nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
  put_address(message.get(), NDA_DST, address);
  const int error = impl_->query(message.get());
  if (error < 0 && error != -NLE_OBJ_NOTFOUND) return nl_fail("neighbour " + address.to_string(), error);
  return impl_->answer.neighbour;
}

Result<void> Netlink::resolve_neighbour(InterfaceIndex interface, const IpAddress& address) {
  Message message(nlmsg_alloc_simple(RTM_NEWNEIGH, NLM_F_REQUEST | NLM_F_CREATE));
  ndmsg header{};
  header.ndm_family = kernel_family(address);
  header.ndm_ifindex = static_cast<int>(interface);
  header.ndm_flags = NTF_USE;  // resolve as if a packet wanted to go there
  nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
  put_address(message.get(), NDA_DST, address);
  const int error = nl_send_sync(impl_->requests.get(), message.release());  // takes the message
  if (error < 0) return nl_fail("cannot resolve " + address.to_string(), error);
  return {};
}

}  // namespace lbdp::control
