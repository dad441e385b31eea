// SPDX-License-Identifier: BSD-2-Clause
// vrrp_instance: what a file says, and the model or the findings that it gives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/dump.h"
#include "config/load.h"

namespace lbdp::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

/// `lines` start on line 5.
std::string in_instance(const std::string& lines) {
  return "vrrp_instance V {\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress { 192.0.2.1 }\n" + lines + "\n}\n";
}

/// Errors and warnings, without those that say only that a keyword does nothing yet.
std::vector<std::string> findings(const LoadResult& result) {
  std::vector<std::string> texts;
  for (const Diagnostic& diagnostic : result.diagnostics) {
    const bool not_yet = diagnostic.message.find("nothing yet") != std::string::npos;
    const bool counts = diagnostic.severity == Severity::kError || diagnostic.severity == Severity::kWarning;
    if (counts && !not_yet) texts.push_back(diagnostic.to_string());
  }
  return texts;
}

/// The first instance of a text that must be good, and that must come out of its own dump again.
VrrpInstance load(const std::string& text) {
  const LoadResult result = load_text(text, "f");
  EXPECT_TRUE(result.ok()) << text << testing::PrintToString(findings(result));
  if (!result.ok()) return {};
  const LoadResult again = load_text(dump_text(*result.model), "dump");
  EXPECT_TRUE(again.ok() && *again.model == *result.model) << dump_text(*result.model);
  return result.model->vrrp_instances.at(0);
}
VrrpInstance load_lines(const std::string& lines) {
  return load(in_instance(lines));
}

struct Case {
  const char* name;
  std::string text;
  std::vector<std::string> findings;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}
std::string name_of(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

class VrrpFile : public testing::TestWithParam<Case> {};

TEST_P(VrrpFile, GivesTheseFindings) {
  const LoadResult result = load_text(GetParam().text, "f");
  EXPECT_THAT(findings(result), ElementsAreArray(GetParam().findings)) << GetParam().text;
  const bool error = std::ranges::any_of(GetParam().findings,
                                         [](const std::string& f) { return f.find(": error: ") != std::string::npos; });
  EXPECT_EQ(result.ok(), !error);
}

/// keyword LEAST .. MOST, both of which are good.
struct Range {
  const char* keyword;
  const char* below;
  const char* least;
  const char* most;
  const char* above;
};

TEST(VrrpRanges, HaveTheirEdges) {
  constexpr Range kRanges[] = {
      {"virtual_router_id", "0", "1", "255", "256"},
      {"priority", "0", "1", "255", "256"},
      {"advert_int", "0.009", "1", "255", "255.1"},
      {"version", "1", "2", "3", "4"},
      {"preempt_delay", "-1", "0", "1000", "1000.1"},
      {"down_timer_adverts", "0", "1", "100", "101"},
      {"unicast_ttl", "-1", "0", "255", "256"},
      {"timer_expired_backup", "0", "1", "254", "255"},
      {"garp_master_delay", "-1", "0", "4294", "4295"},
      {"garp_master_repeat", "0", "1", "4294967295", "4294967296"},
      {"garp_master_refresh", "0.5", "0", "86400", "86401"},
      {"garp_master_refresh_repeat", "0", "1", "4294967295", "4294967296"},
      {"garp_lower_prio_delay", "0.5", "0", "4294", "4295"},
      {"garp_lower_prio_repeat", "-1", "0", "4294967295", "4294967296"},
      {"garp_interval", "-1", "0", "1000", "1000.1"},
      {"gna_interval", "-1", "0", "1000", "1000.1"},
      {"garp_extra_if", "-1", "0", "86400", "86401"},
      {"debug", "-1", "0", "4", "5"},
      {"kernel_rx_buf_size", "x", "0", "4294967295", "4294967296"},
  };
  for (const Range& range : kRanges) {
    const auto ok = [&](const char* value) {
      std::string text = in_instance(std::string(range.keyword) + " " + value);
      return load_text(text, "f").ok();
    };
    EXPECT_FALSE(ok(range.below)) << range.keyword << " " << range.below;
    EXPECT_TRUE(ok(range.least)) << range.keyword << " " << range.least;
    EXPECT_TRUE(ok(range.most)) << range.keyword << " " << range.most;
    EXPECT_FALSE(ok(range.above)) << range.keyword << " " << range.above;
    EXPECT_FALSE(load_text(in_instance(range.keyword + std::string(" 1 2 3")), "f").ok()) << range.keyword;
  }
}

TEST(VrrpInstanceKeywords, DefaultsAreKeepalivedsOwn) {
  const VrrpInstance v = load_lines("");
  EXPECT_EQ(v.version, 2);
  EXPECT_EQ(v.family, Family::kIpv4);
  EXPECT_EQ(v.mcast_dst_ip, ip("224.0.0.18"));
  EXPECT_EQ(v.src_ip, std::nullopt);
  EXPECT_EQ(v.unicast_ttl, 255);
  EXPECT_EQ(v.down_timer_adverts, 3u);
  EXPECT_EQ(v.garp, GarpSettings{});
  EXPECT_EQ(v.tracking, Tracking{});
  EXPECT_EQ(v.notify, Notify{});
  EXPECT_TRUE(v.accept);
  EXPECT_EQ(v.virtual_ipaddress.at(0).preferred_lft, kLifetimeForever);
}

TEST(VrrpInstanceKeywords, Flags) {
  using V = VrrpInstance;
  const std::pair<const char*, bool V::*> flags[] = {
      {"lower_prio_no_advert", &V::lower_prio_no_advert}, {"higher_prio_send_advert", &V::higher_prio_send_advert},
      {"owner_ignore_adverts", &V::owner_ignore_adverts}, {"skip_check_adv_addr", &V::skip_check_adv_addr},
      {"v3_checksum_as_v2", &V::v3_checksum_as_v2},       {"smtp_alert", &V::smtp_alert},
  };
  for (const auto& [keyword, member] : flags) {
    EXPECT_TRUE(load_lines(keyword).*member) << keyword;
    EXPECT_FALSE(load_lines(keyword + std::string(" off")).*member) << keyword;
    EXPECT_FALSE(load_text(in_instance(keyword + std::string(" 1")), "f").ok()) << keyword;
  }
  const std::pair<const char*, bool V::*> bare[] = {{"promote_secondaries", &V::promote_secondaries},
                                                    {"use_vmac_addr", &V::use_vmac_addr},
                                                    {"dont_track_primary", &V::dont_track_primary},
                                                    {"unicast_fault_no_peer", &V::unicast_fault_no_peer}};
  for (const auto& [keyword, member] : bare) {
    EXPECT_TRUE(load_lines(keyword).*member) << keyword;
    EXPECT_FALSE(load_text(in_instance(keyword + std::string(" off")), "f").ok()) << keyword;
  }
  EXPECT_TRUE(load_lines("strict_mode").strict_mode);
  EXPECT_TRUE(load_lines("notify_priority_changes").notify.priority_changes);
  EXPECT_FALSE(load_lines("no_accept").accept);
  EXPECT_TRUE(load_lines("accept").accept);
  EXPECT_EQ(load_lines("timer_expired_backup").timer_expired_backup, 0);
  EXPECT_EQ(load_lines("thread_timer_expired 50").timer_expired_backup, 50);
  EXPECT_EQ(load_lines("lvs_sync_daemon_interface eth1").lvs_sync_daemon_interface, "eth1");
}

TEST(VrrpInstanceKeywords, Versions) {
  EXPECT_EQ(load_lines("version 3\nadvert_int 0.5").advert_int, milliseconds(500));
  EXPECT_EQ(load_lines("version 3\nadvert_int 40.95").advert_int, milliseconds(40950));
  EXPECT_EQ(load_lines("version 3\nadvert_int 0.014").advert_int, milliseconds(10));
  EXPECT_EQ(load_lines("version 3\nauthentication { auth_type PASS\nauth_pass x\n}").auth_pass, std::nullopt);
  const VrrpInstance six = load(
      "vrrp_instance V {\ninterface eth0\nvirtual_router_id 7\nnative_ipv6\nvirtual_ipaddress { "
      "fe80::1\n2001:db8::1/64 }\n"
      "virtual_ipaddress_excluded { 192.0.2.1 }\n}\n");
  EXPECT_EQ(six.version, 3);
  EXPECT_EQ(six.family, Family::kIpv6);
  EXPECT_EQ(six.mcast_dst_ip, ip("ff02::12"));
  EXPECT_EQ(six.virtual_ipaddress.at(0).prefix, (IpPrefix{ip("fe80::1"), 128}));
  EXPECT_EQ(six.virtual_ipaddress.at(0).preferred_lft, 0u) << "an IPv6 host address is deprecated";
  EXPECT_EQ(six.virtual_ipaddress.at(1).preferred_lft, kLifetimeForever);
  EXPECT_EQ(six.virtual_ipaddress_excluded.at(0).prefix.address, ip("192.0.2.1"));
}

TEST(VrrpInstanceKeywords, AddressOptions) {
  const VrrpInstance v = load_lines(
      "virtual_ipaddress_excluded {\n"
      "192.0.2.20/24 brd 192.0.2.255 dev eth1 scope link label eth1:1 no_track\n"
      "192.0.2.21/24 brd + peer 192.0.2.22 home -nodad mngtmpaddr noprefixroute autojoin use_vmac\n"
      "192.0.2.23/24 broadcast - scope 7\n"
      "2001:db8::5 preferred_lft forever\n2001:db8::6/64 preferred_lft 30\n}");
  const auto& list = v.virtual_ipaddress_excluded;
  ASSERT_EQ(list.size(), 5u);
  EXPECT_EQ(list[0].brd, ip("192.0.2.255"));
  EXPECT_EQ(list[0].dev, "eth1");
  EXPECT_EQ(list[0].scope, kScopeLink);
  EXPECT_EQ(list[0].label, "eth1:1");
  EXPECT_TRUE(list[0].no_track);
  EXPECT_EQ(list[1].brd, ip("192.0.2.255"));
  EXPECT_EQ(list[1].peer, ip("192.0.2.22"));
  EXPECT_TRUE(list[1].home && list[1].nodad && list[1].mngtmpaddr && list[1].noprefixroute && list[1].autojoin);
  EXPECT_TRUE(list[1].use_vmac);
  EXPECT_EQ(list[2].brd, ip("192.0.2.0"));
  EXPECT_EQ(list[2].scope, 7);
  EXPECT_EQ(list[3].preferred_lft, kLifetimeForever);
  EXPECT_EQ(list[4].preferred_lft, 30u);
}

TEST(VrrpInstanceKeywords, Transport) {
  const VrrpInstance v = load_lines(
      "unicast_src_ip 192.0.2.10\ntrack_src_ip\nunicast_peer {\n192.0.2.11\n192.0.2.12 min_ttl 250 max_ttl 254\n}\n"
      "unicast_ttl 9\nold_unicast_checksum never");
  EXPECT_EQ(v.src_ip, ip("192.0.2.10"));
  EXPECT_TRUE(v.track_src_ip);
  EXPECT_THAT(v.unicast_peers,
              ElementsAre(UnicastPeer{ip("192.0.2.11"), 0, 255}, UnicastPeer{ip("192.0.2.12"), 250, 254}));
  EXPECT_TRUE(v.check_unicast_src) << "min_ttl turns it on";
  EXPECT_EQ(v.unicast_ttl, 9);
  EXPECT_EQ(v.old_unicast_checksum, VrrpInstance::OldChecksum::kNever);
  EXPECT_FALSE(load_lines("unicast_peer { 192.0.2.11 }").check_unicast_src);
  EXPECT_TRUE(load_lines("unicast_peer { 192.0.2.11 }\ncheck_unicast_src").check_unicast_src);
  EXPECT_EQ(load_lines("unicast_peer { 192.0.2.11 }\nold_unicast_checksum").old_unicast_checksum,
            VrrpInstance::OldChecksum::kAlways);
  EXPECT_EQ(load_lines("mcast_src_ip 192.0.2.10\nmcast_dst_ip 224.0.0.99").mcast_dst_ip, ip("224.0.0.99"));
}

TEST(VrrpInstanceKeywords, VirtualMac) {
  EXPECT_EQ(load_lines("use_vmac").use_vmac->mac.to_string(), "00:00:5e:00:01:07");
  EXPECT_EQ(load_lines("use_vmac vrrp.7").use_vmac->name, "vrrp.7");
  EXPECT_EQ(load_lines("use_vmac 02:00:00:00:00").use_vmac->mac.to_string(), "02:00:00:00:00:07");
  const VrrpInstance v = load_lines("use_vmac v7 02:00:00:00:00:01\nvmac_xmit_base");
  EXPECT_EQ(v.use_vmac->mac.to_string(), "02:00:00:00:00:01");
  EXPECT_TRUE(v.vmac_xmit_base);
  EXPECT_TRUE(load_lines("use_vmac\nunicast_peer { 192.0.2.9 }").vmac_xmit_base);
}

TEST(VrrpInstanceKeywords, GratuitousArp) {
  const GarpSettings garp = load_lines(
                                "garp_master_delay 1\ngarp_master_repeat 2\ngarp_master_refresh 3\n"
                                "garp_master_refresh_repeat 4\ngarp_interval 0.05\ngna_interval 0.06\n"
                                "vmac_garp_intvl all 8")
                                .garp;
  EXPECT_EQ(garp.master_delay, seconds(1));
  EXPECT_EQ(garp.master_repeat, 2u);
  EXPECT_EQ(garp.master_refresh, seconds(3));
  EXPECT_EQ(garp.master_refresh_repeat, 4u);
  EXPECT_EQ(garp.lower_prio_delay, seconds(1)) << "as garp_master_delay";
  EXPECT_EQ(garp.lower_prio_repeat, 2u) << "as garp_master_repeat";
  EXPECT_EQ(garp.garp_interval, milliseconds(50));
  EXPECT_EQ(garp.gna_interval, milliseconds(60));
  EXPECT_EQ(garp.extra_if, (GarpExtraIf{true, seconds(8)}));
  const GarpSettings lower = load_lines("garp_lower_prio_delay 10\ngarp_lower_prio_repeat 0").garp;
  EXPECT_EQ(lower.lower_prio_delay, seconds(10));
  EXPECT_EQ(lower.lower_prio_repeat, 0u);
}

TEST(VrrpInstanceKeywords, Routes) {
  const VrrpInstance v = load_lines(
      "virtual_routes {\nsrc 192.0.2.1 to 10.0.0.0/8 via 192.0.2.9 dev eth1 scope link table 100 metric 3 no_track\n"
      "default gw 192.0.2.9\nblackhole 10.1.0.0/16\n10.2.0.0/16 via inet6 fe80::1 dev eth0\n"
      "10.3.0.0/16 nexthop via 192.0.2.8 weight 1 nexthop via 192.0.2.9 weight 2 onlink mtu lock 1400\n}");
  ASSERT_EQ(v.virtual_routes.size(), 5u);
  const IpRoute& first = v.virtual_routes[0];
  EXPECT_EQ(first.destination, (IpPrefix{ip("10.0.0.0"), 8}));
  EXPECT_EQ(first.via, ip("192.0.2.9"));
  EXPECT_EQ(first.dev, "eth1");
  EXPECT_TRUE(first.no_track);
  EXPECT_THAT(first.words, ElementsAre("src", "192.0.2.1", "to", "10.0.0.0/8", "via", "192.0.2.9", "dev", "eth1",
                                       "scope", "link", "table", "100", "metric", "3"));
  EXPECT_EQ(v.virtual_routes[1].destination.length, 0);
  EXPECT_THAT(v.virtual_routes[1].words, ElementsAre("default", "via", "192.0.2.9"));
  EXPECT_EQ(v.virtual_routes[3].family, Family::kIpv4);
}

TEST(VrrpInstanceKeywords, Rules) {
  const VrrpInstance v = load_lines(
      "virtual_rules {\nnot from 192.0.2.0/24 table 1 preference 100 no_track\n"
      "fwmark 4/3 blackhole priority 3\niif eth0 lookup 7 preference 5\nfrom all goto 40 preference 39\n}");
  ASSERT_EQ(v.virtual_rules.size(), 4u);
  EXPECT_EQ(v.virtual_rules[0].preference, 100u);
  EXPECT_TRUE(v.virtual_rules[0].no_track);
  EXPECT_THAT(v.virtual_rules[1].words, ElementsAre("fwmark", "4/3", "blackhole", "priority", "3"));
}

TEST(VrrpInstanceKeywords, Commands) {
  const VrrpInstance v = load_lines(
      "notify_master \"/bin/true a 'b c'\" root\nnotify_backup /bin/true root root\nnotify_fault /bin/true\n"
      "notify_stop /bin/true\nnotify_deleted\nnotify /bin/true\nnotify_master_rx_lower_pri /bin/true");
  EXPECT_THAT(v.notify.master->command.arguments, ElementsAre("/bin/true", "a", "b c"));
  EXPECT_EQ(v.notify.master->user, "root");
  EXPECT_EQ(v.notify.backup->group, "root");
  EXPECT_TRUE(v.notify.fault && v.notify.stop && v.notify.any && v.notify.master_rx_lower_pri);
  EXPECT_TRUE(v.notify.says_deleted);
  EXPECT_EQ(v.notify.deleted, std::nullopt);
  EXPECT_TRUE(load_lines("notify_deleted /bin/true").notify.deleted);
}

const Case kInstances[] = {
    {"InterfaceMissing",
     "vrrp_instance V {\nvirtual_router_id 7\nvirtual_ipaddress { 192.0.2.1 }\n}\n",
     {"f:1:1: error: vrrp_instance 'V': 'interface' is missing"}},
    {"NoAddressIsMeant", "vrrp_instance V {\ninterface eth0\nvirtual_router_id 7\nno_virtual_ipaddress\n}\n", {}},
    {"NoAddressInVersion3",
     "vrrp_instance V {\ninterface eth0\nvirtual_router_id 7\nversion 3\nno_virtual_ipaddress\n}\n",
     {"f:5:1: error: vrrp_instance 'V': VRRP version 3 needs an address in virtual_ipaddress"}},
    {"NoAddressBesideAddress",
     in_instance("no_virtual_ipaddress"),
     {"f:5:1: warning: vrrp_instance 'V': no_virtual_ipaddress beside virtual_ipaddress"}},
    {"Ipv6WithVersion2",
     "vrrp_instance V {\ninterface eth0\nvirtual_router_id 7\nversion 2\nvirtual_ipaddress { fe80::1 }\n}\n",
     {"f:4:1: warning: vrrp_instance 'V': VRRP version 2 has no IPv6: the version is 3"}},
    {"Version3TooSlow",
     in_instance("version 3\nadvert_int 41"),
     {"f:6:1: error: vrrp_instance 'V': VRRP version 3 has room for an advert_int of at most 40.95 s"}},
    {"Version3Steps",
     in_instance("version 3\nadvert_int 0.015"),
     {"f:6:1: warning: vrrp_instance 'V': VRRP version 3 has steps of 10 ms: advert_int is rounded to 0.02 s"}},
    {"Version3Authentication",
     in_instance("version 3\nauthentication { auth_type PASS\nauth_pass x\n}"),
     {"f:6:18: warning: vrrp_instance 'V': VRRP version 3 has no authentication: it is ignored"}},
    {"Ipvlan",
     in_instance("use_ipvlan"),
     {"f:5:1: error: 'use_ipvlan' is not supported: its packets would come from another interface than the others "
      "expect"}},
    {"Vrf",
     in_instance("vrf red"),
     {"f:5:1: error: 'vrf' is not supported: the addresses would go into the wrong routing table"}},
    {"AddressOption",
     in_instance("virtual_ipaddress { 192.0.2.9 nodad }"),
     {"f:5:31: error: virtual_ipaddress: found 'nodad', wanted brd, dev, scope, label, peer, home, -nodad, mngtmpaddr, "
      "noprefixroute, autojoin, no_track, preferred_lft or use_vmac"}},
    {"AddressOptionValues",
     in_instance(
         "virtual_ipaddress {\n192.0.2.9 brd x\n192.0.2.10 scope far\n192.0.2.11 label 1234567890123456\n"
         "192.0.2.12 peer fe80::1\n192.0.2.13 preferred_lft x\n192.0.2.14 dev eth1 dev eth2\n192.0.2.15 dev\n}"),
     {"f:6:15: error: virtual_ipaddress: found 'x', wanted an IPv4 address, '+' or '-'",
      "f:7:18: error: virtual_ipaddress: found 'far', wanted global, site, link, host, nowhere or a number from 0 to "
      "255",
      "f:8:18: error: virtual_ipaddress: found '1234567890123456', wanted a label of 1 to 15 characters",
      "f:9:17: error: virtual_ipaddress: found 'fe80::1', wanted an IPv4 address",
      "f:10:26: error: virtual_ipaddress: found 'x', wanted forever or seconds, a whole number",
      "f:11:21: error: virtual_ipaddress: found 'dev', a second time: an address is on one interface",
      "f:12:12: error: virtual_ipaddress: 'dev' needs a value"}},
    {"ExcludedTwice",
     in_instance("virtual_ipaddress_excluded { 192.0.2.1 }"),
     {"f:5:30: warning: vrrp_instance 'V': virtual address 192.0.2.1 is here twice; one is left out"}},
    {"Sources",
     in_instance("mcast_src_ip 192.0.2.9\nunicast_src_ip fe80::1\nunicast_peer { 192.0.2.8 }"),
     {"f:5:1: warning: vrrp_instance 'V': mcast_src_ip beside unicast_src_ip: the latter counts",
      "f:6:1: error: vrrp_instance 'V': the source address fe80::1 is no IPv4 address as the virtual addresses are"}},
    {"TrackSourceWithout",
     in_instance("track_src_ip"),
     {"f:5:1: warning: vrrp_instance 'V': track_src_ip without mcast_src_ip or unicast_src_ip is ignored"}},
    {"GroupIsNone",
     in_instance("mcast_dst_ip 192.0.2.3"),
     {"f:5:14: error: mcast_dst_ip: found '192.0.2.3', wanted a multicast address: 224.0.0.0 to 239.255.255.255, or "
      "ff02::/16"}},
    {"GroupWithPeers",
     in_instance("mcast_dst_ip 224.0.0.9\nunicast_peer { 192.0.2.8 }"),
     {"f:5:1: warning: vrrp_instance 'V': mcast_dst_ip does not go with unicast_peer and is ignored"}},
    {"Peers",
     in_instance("unicast_peer {\nfe80::1\n192.0.2.8\n192.0.2.8\n192.0.2.9 min_ttl 3 max_ttl 2\n192.0.2.9 ttl 3\n}"),
     {"f:6:1: error: vrrp_instance 'V': unicast_peer fe80::1 is no IPv4 address as the virtual addresses are",
      "f:8:1: warning: vrrp_instance 'V': unicast_peer 192.0.2.8 is here twice; one is left out",
      "f:9:1: error: unicast_peer: found '192.0.2.9', whose min_ttl 3 is above its max_ttl 2: no packet could be taken",
      "f:10:11: error: unicast_peer: found 'ttl', wanted min_ttl or max_ttl",
      "f:10:15: error: unicast_peer: found '3', wanted min_ttl or max_ttl"}},
    {"UnicastWithoutPeers",
     in_instance("unicast_ttl 3\ncheck_unicast_src"),
     {"f:5:1: warning: vrrp_instance 'V': unicast_ttl without an address in unicast_peer: advertisements are multicast",
      "f:6:1: warning: vrrp_instance 'V': check_unicast_src without an address in unicast_peer: advertisements are "
      "multicast"}},
    {"Checksum",
     in_instance("unicast_peer { 192.0.2.8 }\nold_unicast_checksum always"),
     {"f:6:22: error: old_unicast_checksum: found 'always', wanted never, or nothing"}},
    {"Vmac",
     in_instance("use_vmac 01:00:00:00:00:01\nuse_vmac 00:00:5e:00:01:09\nuse_vmac a b"),
     {"f:5:10: error: use_vmac: found '01:00:00:00:00:01', wanted a unicast MAC address",
      "f:6:1: warning: 'use_vmac' is set again, after line 5; this one, the last, counts",
      "f:6:10: error: use_vmac: found '00:00:5e:00:01:09', which is one of RFC 5798's own; leave it out",
      "f:7:1: warning: 'use_vmac' is set again, after line 6; this one, the last, counts",
      "f:7:12: error: use_vmac: found 'b', but the interface has its name"}},
    {"VmacBaseAlone",
     in_instance("vmac_xmit_base"),
     {"f:5:1: warning: vrrp_instance 'V': vmac_xmit_base without use_vmac is ignored"}},
    {"Routes",
     in_instance("virtual_routes {\n10.0.0.0/33\n10.0.0.0/8 via x\n10.0.0.0/8 via fe80::1\n10.0.0.0/8 colour red\nvia "
                 "192.0.2.9\n10.0.0.0/8 track_group X\n}"),
     {"f:6:1: error: virtual_routes: found '10.0.0.0/33', wanted ADDRESS or ADDRESS/LENGTH, IPv4 or IPv6",
      "f:7:16: error: virtual_routes: found 'x', wanted a numeric IPv4 or IPv6 address",
      "f:8:16: error: virtual_routes: found 'fe80::1', which is of another family than what is before it",
      "f:9:12: error: virtual_routes: found 'colour', wanted an option of 'ip route add'",
      "f:9:19: error: virtual_routes: found 'red', wanted an option of 'ip route add'",
      "f:10:1: error: virtual_routes: found 'via', but the route needs a destination: ADDRESS/LENGTH or default",
      "f:11:12: error: virtual_routes: found 'track_group', wanted an option of 'ip route add'",
      "f:11:24: error: virtual_routes: found 'X', wanted an option of 'ip route add'"}},
    {"Rules",
     in_instance(
         "virtual_rules {\nfrom 10.0.0.0/8 table 1\nfrom 10.0.0.0/8 preference 1\nfrom 10.0.0.0/8 goto 3 "
         "preference 4\nfrom x table 1 preference 1\ncolour red\nfrom 10.0.0.0/8 to fe80::/64 table 1 preference "
         "2\n}"),
     {"f:6:1: warning: virtual_rules: 'from' starts a rule without a preference: which rule goes first is left to "
      "chance",
      "f:7:1: error: virtual_rules: found 'from', but the rule needs an action: table, goto, blackhole ...",
      "f:8:1: error: virtual_rules: found 'from', whose goto 3 does not lead behind its preference 4",
      "f:9:6: error: virtual_rules: found 'x', wanted ADDRESS or ADDRESS/LENGTH, IPv4 or IPv6",
      "f:10:1: error: virtual_rules: found 'colour', wanted an option of 'ip rule add'",
      "f:10:8: error: virtual_rules: found 'red', wanted an option of 'ip rule add'",
      "f:11:20: error: virtual_rules: found 'fe80::/64', which is of another family than what is before it"}},
    {"CommandTwice",
     in_instance("notify_master /bin/true\nnotify_master /bin/false"),
     {"f:6:1: warning: 'notify_master' is set again, after line 5; the first one counts"}},
    {"CommandUser",
     in_instance("notify_master /bin/true no-such-user"),
     {"f:5:1: error: there is no user 'no-such-user' on this host"}},
    {"Strict",
     in_instance("strict_mode\nstate MASTER\npriority 9\nunicast_peer { 192.0.2.8 }\ndown_timer_adverts 4\n"
                 "higher_prio_send_advert"),
     {"f:6:1: warning: vrrp_instance 'V': strict mode does not have another state than the priority's: MASTER goes "
      "with 255, and the state follows the priority",
      "f:8:1: error: vrrp_instance 'V': strict mode does not have unicast_peer",
      "f:9:1: warning: vrrp_instance 'V': strict mode does not have down_timer_adverts but 3: it is 3",
      "f:10:1: warning: vrrp_instance 'V': strict mode does not have higher_prio_send_advert: it is off"}},
};
INSTANTIATE_TEST_SUITE_P(Instances, VrrpFile, testing::ValuesIn(kInstances), name_of);

std::string router(const std::string& name, const std::string& address, const std::string& lines) {
  return "vrrp_instance " + name + " {\ninterface eth0\nvirtual_router_id 7\nvirtual_ipaddress { " + address + " }\n" +
         lines + "\n}\n";
}

const Case kRouters[] = {
    {"SameGroup",
     router("A", "192.0.2.1", "") + router("B", "192.0.2.2", ""),
     {"f:9:1: error: a second virtual_router_id 7 on interface 'eth0'; the first is at f:3:1"}},
    {"OtherGroup", router("A", "192.0.2.1", "mcast_dst_ip 224.0.0.99") + router("B", "192.0.2.2", ""), {}},
    {"OtherFamily", router("A", "192.0.2.1", "") + router("B", "fe80::1", ""), {}},
    {"OtherPeer",
     router("A", "192.0.2.1", "unicast_peer { 192.0.2.8 }") + router("B", "192.0.2.2", "unicast_peer { 192.0.2.9 }"),
     {}},
    {"SamePeer",
     router("A", "192.0.2.1", "unicast_peer { 192.0.2.8 }") + router("B", "192.0.2.2", "unicast_peer { 192.0.2.8 }"),
     {"f:9:1: error: a second virtual_router_id 7 on interface 'eth0'; the first is at f:3:1"}},
};
INSTANTIATE_TEST_SUITE_P(Routers, VrrpFile, testing::ValuesIn(kRouters), name_of);

TEST(VrrpNotYet, IsSaidOfWhatDoesNothing) {
  const auto warnings = [](const std::string& lines) {
    std::vector<std::string> texts;
    for (const Diagnostic& d : load_text(in_instance(lines), "f").diagnostics) {
      if (d.severity == Severity::kWarning) texts.push_back(d.to_string());
    }
    return texts;
  };
  EXPECT_THAT(warnings("track_src_ip\nmcast_src_ip 192.0.2.3"),
              ElementsAre("f:5:1: warning: 'track_src_ip' is checked, but does nothing yet"));
  EXPECT_THAT(warnings("use_vmac"),
              ElementsAre("f:5:1: warning: 'use_vmac' is checked, but does nothing yet: lbdp does not start with it"));
  EXPECT_THAT(warnings("unicast_peer { 192.0.2.9 }\nversion 3\ngarp_master_refresh 60"), IsEmpty());
}

}  // namespace
}  // namespace lbdp::config
