// SPDX-License-Identifier: BSD-2-Clause
#include "control/neighbours.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>

#include "control/arp.h"

// With the running kernel: our end of a cable and that of a real server are in network namespaces of the test's own.

namespace lbdp::control {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const IpAddress kServer4 = IpAddress::parse("10.1.0.77").value();
const IpAddress kServer6 = IpAddress::parse("2001:db8:1::77").value();

bool shell(const std::string& command) {
  return std::system(("{ " + command + "; } >/dev/null 2>&1").c_str()) == 0;  // NOLINT(concurrency-mt-unsafe)
}

class NeighboursTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0 || ::unshare(CLONE_NEWNET) != 0) GTEST_SKIP() << "makes network namespaces: needs root";
    server_ = ::fork();
    if (server_ == 0) live_as_server();
    ASSERT_TRUE(wait_for([this] { return namespace_of(server_) != namespace_of(::getpid()); }, 5s));
    ASSERT_TRUE(shell("ip link set lo up; ip link add eth0 type veth peer name eth0 netns " + std::to_string(server_)));
    ASSERT_TRUE(both("ip link set eth0 up"));
    // An address that waits for duplicate address detection does not answer.
    ASSERT_TRUE(both("sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0"));
  }

  void TearDown() override {
    events_.reset();
    neighbours_.reset();
    io_.restart();
    io_.poll();
    if (server_ > 0) {
      ::kill(server_, SIGKILL);
      ::waitpid(server_, nullptr, 0);
    }
  }

  [[noreturn]] static void live_as_server() {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::unshare(CLONE_NEWNET) != 0) ::_exit(1);
    for (;;) ::pause();
  }

  static std::string namespace_of(pid_t pid) {
    std::array<char, 64> target{};
    const ssize_t length =
        ::readlink(("/proc/" + std::to_string(pid) + "/ns/net").c_str(), target.data(), target.size());
    return {target.data(), static_cast<size_t>(std::max<ssize_t>(length, 0))};
  }

  bool on_server(const std::string& command) {
    return shell("nsenter -t " + std::to_string(server_) + " -n sh -c '" + command + "'");
  }
  bool both(const std::string& command) { return shell(command) && on_server(command); }

  void send_from_server(const std::string& interface, std::span<const uint8_t> frame) const {
    const int home = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    const int there = ::open(("/proc/" + std::to_string(server_) + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC);
    ASSERT_EQ(::setns(there, CLONE_NEWNET), 0);
    const int fd = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
    EXPECT_GT(::sendto(fd, frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    ASSERT_EQ(::setns(home, CLONE_NEWNET), 0);
    for (const int open : {fd, there, home}) ::close(open);
  }

  /// .75 and ::75 here, .77 and ::77 there, on interfaces of the same name.
  void add_addresses(const std::string& interface) {
    ASSERT_TRUE(shell("ip address add 10.1.0.75/24 dev " + interface + "; ip address add 2001:db8:1::75/64 nodad dev " +
                      interface));
    ASSERT_TRUE(on_server("ip address add 10.1.0.77/24 dev " + interface +
                          "; ip address add 2001:db8:1::77/64 nodad dev " + interface));
  }

  /// A VLAN on top of eth0, at both ends. False where the kernel has none.
  bool add_vlan(const std::string& name, int id) {
    return both("ip link add link eth0 name " + name + " type vlan id " + std::to_string(id) + " && ip link set " +
                name + " up");
  }

  void follow() {
    netlink_ = Netlink::open().value();
    neighbours_ =
        Neighbours::open(
            io_, *netlink_, {interface_index("eth0").value()}, [this](const NeighbourStatus&) { ++changes_; }, log_)
            .value();
    events_ = NetlinkEvents::open(io_, {.on_neighbour = [this](const auto& event) { neighbours_->on_kernel(event); },
                                        .on_interface = [this](auto, const auto&) { neighbours_->routes_changed(); },
                                        .on_route = [this] { neighbours_->routes_changed(); },
                                        .on_resync = [this] { neighbours_->routes_changed(); }})
                  .value();
    neighbours_->set_addresses({kServer4, kServer6});
  }

  bool wait_for(const std::function<bool()>& condition, std::chrono::milliseconds patience) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      io_.restart();
      io_.run_for(5ms);
    }
    return true;
  }

  NeighbourStatus status(const IpAddress& address) {
    for (const auto& row : neighbours_->status()) {
      if (row.address == address) return row;
    }
    return {};
  }

  bool is_at(const LinkPath& path) {
    return status(kServer4).mac && status(kServer6).mac && status(kServer4).path == path &&
           status(kServer6).path == path;
  }

  /// Silently. True if both families follow in time.
  bool follows_mac(const std::string& interface, const MacAddress& mac) {
    EXPECT_TRUE(on_server("ip link set " + interface + " address " + mac.to_string()));
    const auto followed = [&] { return status(kServer4).mac == mac && status(kServer6).mac == mac; };
    return wait_for(followed, 1s);
  }

  static LinkPath path(const std::string& name, uint16_t vlan, uint16_t mtu) {
    return {.interface = interface_index(name).value(),
            .name = name,
            .port = interface_index("eth0").value(),
            .vlan = vlan,
            .mtu = mtu};
  }

  asio::io_context io_;
  spdlog::logger log_{"test", std::make_shared<spdlog::sinks::null_sink_mt>()};
  std::unique_ptr<Netlink> netlink_;
  std::unique_ptr<Neighbours> neighbours_;
  std::unique_ptr<NetlinkEvents> events_;
  pid_t server_ = 0;
  int changes_ = 0;
};

TEST_F(NeighboursTest, BothFamiliesAreFoundAndFollowed) {
  add_addresses("eth0");
  follow();
  ASSERT_TRUE(wait_for([&] { return is_at(path("eth0", 0, 1500)); }, 5s)) << status(kServer6).reason;
  EXPECT_TRUE(follows_mac("eth0", {{2, 0, 0, 0, 0, 0xa1}}));
  EXPECT_TRUE(follows_mac("eth0", {{2, 0, 0, 0, 0, 0xa2}}));
}

TEST_F(NeighboursTest, SilenceIsNoticedAndAnAnswerToo) {
  add_addresses("eth0");
  follow();
  ASSERT_TRUE(wait_for([&] { return is_at(path("eth0", 0, 1500)); }, 5s));
  ASSERT_TRUE(on_server("ip address flush dev eth0"));
  EXPECT_TRUE(wait_for([&] { return !status(kServer4).mac && !status(kServer6).mac; }, 10s));
  EXPECT_THAT(status(kServer4).reason, HasSubstr("no ARP answer on eth0"));
  EXPECT_THAT(status(kServer6).reason, HasSubstr("no ND answer on eth0"));
  ASSERT_TRUE(on_server("ip address add 10.1.0.77/24 dev eth0; ip address add 2001:db8:1::77/64 nodad dev eth0"));
  EXPECT_TRUE(wait_for([&] { return is_at(path("eth0", 0, 1500)); }, 5s)) << status(kServer6).reason;
}

TEST_F(NeighboursTest, TheMtuIsTheInterfacesOrTheRoutes) {
  add_addresses("eth0");
  follow();
  ASSERT_TRUE(wait_for([&] { return is_at(path("eth0", 0, 1500)); }, 5s));
  ASSERT_TRUE(shell("ip link set eth0 mtu 1450"));
  EXPECT_TRUE(wait_for([&] { return is_at(path("eth0", 0, 1450)); }, 5s));
  ASSERT_TRUE(shell("ip route add 10.1.0.77/32 dev eth0 mtu 1400; ip route add 2001:db8:1::77/128 dev eth0 mtu 1400"));
  EXPECT_TRUE(wait_for([&] { return is_at(path("eth0", 0, 1400)); }, 5s)) << status(kServer6).path.mtu;
}

TEST_F(NeighboursTest, AnIpv6VipIsNoSourceOfOurs) {
  add_addresses("eth0");
  follow();
  const auto interface = interface_index("eth0").value();
  // Closer to the server's than our own is.
  ASSERT_TRUE(netlink_->add_address(interface, IpPrefix::parse("2001:db8:1::78/128").value()));
  EXPECT_EQ(netlink_->route_to(kServer6).value().source, IpAddress::parse("2001:db8:1::75").value());
  EXPECT_TRUE(shell("ip -6 address show dev eth0 to 2001:db8:1::78 | grep -q \"valid_lft forever preferred_lft 0\""));
  ASSERT_TRUE(netlink_->remove_address(interface, IpPrefix::parse("2001:db8:1::78/128").value()));
  EXPECT_FALSE(shell("ip -6 address show dev eth0 | grep -q 2001:db8:1::78"));
}

TEST_F(NeighboursTest, AnInterfaceThatIsNoVlanOfAPortSaysSo) {
  ASSERT_TRUE(shell("ip link add link eth0 name mac0 type macvlan && ip link set mac0 up"));
  add_addresses("eth0");
  ASSERT_TRUE(shell("ip address flush dev eth0; ip address add 10.1.0.75/24 dev mac0"));
  follow();
  EXPECT_TRUE(wait_for([&] { return status(kServer4).reason == "mac0 on top of eth0 is no 802.1Q VLAN"; }, 5s))
      << status(kServer4).reason;
}

TEST_F(NeighboursTest, BehindAVlan) {
  if (!add_vlan("eth0.100", 100)) GTEST_SKIP() << "this kernel has no VLAN devices";
  add_addresses("eth0.100");
  follow();
  ASSERT_TRUE(wait_for([&] { return is_at(path("eth0.100", 100, 1500)); }, 5s)) << status(kServer4).reason;
  EXPECT_TRUE(follows_mac("eth0.100", {{2, 0, 0, 0, 0, 0xa1}}));
  ASSERT_TRUE(shell("ip link set eth0.100 mtu 1496"));
  EXPECT_TRUE(wait_for([&] { return is_at(path("eth0.100", 100, 1496)); }, 5s));
}

TEST_F(NeighboursTest, AVlanGoesAndAnotherComes) {
  if (!add_vlan("eth0.100", 100)) GTEST_SKIP() << "this kernel has no VLAN devices";
  add_addresses("eth0.100");
  follow();
  ASSERT_TRUE(wait_for([&] { return is_at(path("eth0.100", 100, 1500)); }, 5s));
  ASSERT_TRUE(both("ip link del eth0.100"));
  EXPECT_TRUE(wait_for([&] { return !status(kServer4).mac && !status(kServer6).mac; }, 5s));
  EXPECT_THAT(status(kServer4).reason, HasSubstr("no route"));
  ASSERT_TRUE(add_vlan("eth0.100", 200));  // of the same name
  add_addresses("eth0.100");
  EXPECT_TRUE(wait_for([&] { return is_at(path("eth0.100", 200, 1500)); }, 5s)) << status(kServer4).reason;
}

TEST_F(NeighboursTest, WhatIsSaidInAVlanIsSaidThereOnly) {
  if (!add_vlan("eth0.100", 100)) GTEST_SKIP() << "this kernel has no VLAN devices";
  add_addresses("eth0");
  follow();
  ASSERT_TRUE(wait_for([&] { return is_at(path("eth0", 0, 1500)); }, 5s));
  // An obvious lie about the server, in the VLAN: the kernel shows its frame to the socket of eth0, too.
  const auto before = status(kServer4);
  const MacAddress liar{{2, 0, 0, 0, 0, 0xee}};
  const ArpFrame lie{.destination = kBroadcast,
                     .source = liar,
                     .operation = ArpOperation::kReply,
                     .sender_mac = {},
                     .target_mac = liar,
                     .sender = kServer4,
                     .target = kServer4};
  send_from_server("eth0.100", encode(lie));
  EXPECT_TRUE(wait_for([&] { return status(kServer4).answers > before.answers + 2; }, 5s));
  EXPECT_EQ(status(kServer4).rejected, 0U);
  send_from_server("eth0", encode(lie));
  EXPECT_TRUE(wait_for([&] { return status(kServer4).rejected > 0; }, 5s));
  EXPECT_EQ(status(kServer4).mac, before.mac);
}

TEST_F(NeighboursTest, AVlanInAVlanIsRefused) {
  if (!add_vlan("eth0.100", 100)) GTEST_SKIP() << "this kernel has no VLAN devices";
  ASSERT_TRUE(shell("ip address add 10.1.0.75/24 dev eth0.100"));
  follow();
  ASSERT_TRUE(wait_for([&] { return status(kServer4).path.vlan == 100; }, 5s));
  ASSERT_TRUE(
      shell("ip link add link eth0.100 name inner type vlan id 5 && ip link set inner up && "
            "ip route add 10.1.0.77/32 dev inner src 10.1.0.75"));
  EXPECT_TRUE(wait_for([&] { return status(kServer4).path.name.empty(); }, 5s));
  EXPECT_EQ(status(kServer4).reason, "inner is a VLAN in the VLAN eth0.100: frames have one tag only");
}

}  // namespace
}  // namespace lbdp::control
