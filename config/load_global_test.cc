// SPDX-License-Identifier: BSD-2-Clause
// global_defs and the keywords of keepalived's processes: values, defaults, edges of ranges. What Debian's keepalived
// says of the same lines is in tests/config.
#include <gmock/gmock.h>

#include <functional>

#include "config/load.h"
#include "config/schema.h"

namespace lbdp::config {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;
using testing::HasSubstr;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

LoadResult load_global(const std::string& lines) {
  return load_text("global_defs {\n" + lines + "\n}\n", "f");
}

std::string findings(const LoadResult& result, Severity severity) {
  std::string text;
  for (const Diagnostic& diagnostic : result.diagnostics) {
    if (diagnostic.severity == severity) text += diagnostic.to_string() + "\n";
  }
  return text;
}

GlobalDefs global_of(const std::string& lines) {
  const LoadResult result = load_global(lines);
  EXPECT_TRUE(result.ok()) << lines << "\n" << findings(result, Severity::kError);
  return result.model.value_or(Model()).global;
}

struct Good {
  const char* line;
  std::function<bool(const GlobalDefs&)> holds;
};

TEST(LoadGlobal, ValuesArriveInTheModel) {
  using G = GlobalDefs;
  const Good cases[] = {
      {"default_interface eth1", [](const G& g) { return g.default_interface == "eth1"; }},
      {"vrrp_mcast_group4 239.1.2.3", [](const G& g) { return g.vrrp_mcast_group4 == ip("239.1.2.3"); }},
      {"vrrp_mcast_group6 ff02::13", [](const G& g) { return g.vrrp_mcast_group6 == ip("ff02::13"); }},
      {"vrrp_version 3", [](const G& g) { return g.vrrp_version == 3; }},
      {"vrrp_garp_master_delay 0", [](const G& g) { return g.vrrp_garp_master_delay == seconds(0); }},
      {"vrrp_garp_master_delay 4294", [](const G& g) { return g.vrrp_garp_master_delay == seconds(4294); }},
      {"vrrp_garp_master_repeat 1", [](const G& g) { return g.vrrp_garp_master_repeat == 1; }},
      {"vrrp_garp_master_refresh 60", [](const G& g) { return g.vrrp_garp_master_refresh == seconds(60); }},
      {"vrrp_garp_master_refresh_repeat 2", [](const G& g) { return g.vrrp_garp_master_refresh_repeat == 2; }},
      {"vrrp_garp_lower_prio_delay 0", [](const G& g) { return g.vrrp_garp_lower_prio_delay == seconds(0); }},
      {"vrrp_garp_lower_prio_repeat 0", [](const G& g) { return g.vrrp_garp_lower_prio_repeat == 0; }},
      {"vrrp_garp_interval 0.000001", [](const G& g) { return g.vrrp_garp_interval == microseconds(1); }},
      {"vrrp_gna_interval .5", [](const G& g) { return g.vrrp_gna_interval == microseconds(500'000); }},
      {"vrrp_garp_extra_if 86400",
       [](const G& g) {
         return g.vrrp_garp_extra_if == GarpExtraIf{false, seconds(86400)};
       }},
      {"vrrp_vmac_garp_intvl all 1",
       [](const G& g) {
         return g.vrrp_garp_extra_if == GarpExtraIf{true, seconds(1)};
       }},
      {"vrrp_down_timer_adverts 100", [](const G& g) { return g.vrrp_down_timer_adverts == 100; }},
      {"vrrp_lower_prio_no_advert", [](const G& g) { return g.vrrp_lower_prio_no_advert; }},
      {"vrrp_lower_prio_no_advert off", [](const G& g) { return !g.vrrp_lower_prio_no_advert; }},
      {"vrrp_higher_prio_send_advert yes", [](const G& g) { return g.vrrp_higher_prio_send_advert; }},
      {"vrrp_owner_ignore_adverts", [](const G& g) { return g.vrrp_owner_ignore_adverts; }},
      {"vrrp_check_unicast_src", [](const G& g) { return g.vrrp_check_unicast_src; }},
      {"vrrp_skip_check_adv_addr", [](const G& g) { return g.vrrp_skip_check_adv_addr; }},
      {"vrrp_strict", [](const G& g) { return g.vrrp_strict; }},
      {"v3_checksum_as_v2", [](const G& g) { return g.v3_checksum_as_v2; }},
      {"vrrp_notify_priority_changes true", [](const G& g) { return g.vrrp_notify_priority_changes; }},
      {"vrrp_startup_delay 5.5", [](const G& g) { return g.vrrp_startup_delay == microseconds(5'500'000); }},
      {"vrrp_startup_delay 0.001", [](const G& g) { return g.vrrp_startup_delay == microseconds(1'000); }},
      {"vrrp_delay_after_boot 5", [](const G& g) { return g.vrrp_delay_after_boot == seconds(5); }},
      {"log_unknown_vrids", [](const G& g) { return g.log_unknown_vrids; }},
      {"vmac_prefix v", [](const G& g) { return g.vmac_prefix == "v"; }},
      {"vmac_addr_prefix vip", [](const G& g) { return g.vmac_addr_prefix == "vip"; }},
      {"dynamic_interfaces", [](const G& g) { return g.dynamic_interfaces == DynamicInterfaces::kOn; }},
      {"dynamic_interfaces allow_if_changes",
       [](const G& g) { return g.dynamic_interfaces == DynamicInterfaces::kIfChanges; }},
      {"no_email_faults", [](const G& g) { return g.no_email_faults; }},
      {"no_checker_emails on", [](const G& g) { return g.no_checker_emails; }},
      {"checker_log_all_failures true", [](const G& g) { return g.checker_log_all_failures; }},
      {"rs_init_notifies", [](const G& g) { return g.rs_init_notifies; }},
      {"script_user root",
       [](const G& g) {
         return g.script_user == Account{"root", ""};
       }},
      {"script_user nobody nogroup",
       [](const G& g) {
         return g.script_user == Account{"nobody", "nogroup"};
       }},
      {"enable_script_security", [](const G& g) { return g.enable_script_security; }},
      {"use_symlink_paths", [](const G& g) { return g.use_symlink_paths; }},
      {"set_supplementary_groups", [](const G& g) { return g.set_supplementary_groups; }},
      {"startup_script \"/bin/true 'a b' c\" root",
       [](const G& g) {
         return g.startup_script.command && g.startup_script.command->user == "root" &&
                g.startup_script.command->command.arguments == std::vector<std::string>{"/bin/true", "a b", "c"};
       }},
      {"startup_script_timeout 1000", [](const G& g) { return g.startup_script.timeout == seconds(1000); }},
      {"shutdown_script /bin/true", [](const G& g) { return g.shutdown_script.command.has_value(); }},
      {"shutdown_script_timeout 1", [](const G& g) { return g.shutdown_script.timeout == seconds(1); }},
      {"notify_fifo /run/f root root",
       [](const G& g) {
         return g.notify_fifo == NotifyFifo{"/run/f", {"root", "root"}, std::nullopt};
       }},
      {"vrrp_notify_fifo /run/f\nvrrp_notify_fifo_script \"/bin/true a\"",
       [](const G& g) {
         return g.vrrp_notify_fifo.path == "/run/f" && g.vrrp_notify_fifo.script->command.text == "/bin/true a";
       }},
      {"lvs_notify_fifo /run/f\nlvs_notify_fifo_script /bin/true nobody",
       [](const G& g) { return g.lvs_notify_fifo.script && g.lvs_notify_fifo.script->user == "nobody"; }},
      {"fifo_write_vrrp_states_on_reload", [](const G& g) { return g.fifo_write_vrrp_states_on_reload; }},
  };
  for (const Good& good : cases) EXPECT_TRUE(good.holds(global_of(good.line))) << good.line;
}

TEST(LoadGlobal, DefaultsAreKeepaliveds) {
  const GlobalDefs global = global_of("");
  EXPECT_EQ(global.default_interface, "eth0");
  EXPECT_EQ(global.vrrp_mcast_group6, ip("ff02::12"));
  EXPECT_EQ(global.vrrp_version, 2);
  EXPECT_EQ(global.vrrp_garp_master_delay, seconds(5));
  EXPECT_EQ(global.vrrp_garp_lower_prio_repeat, 5U);
  EXPECT_EQ(global.vrrp_down_timer_adverts, 3);
  EXPECT_EQ(global.startup_script.timeout, seconds(10));
  EXPECT_EQ(global.lvs_sync_daemon, std::nullopt);
}

TEST(LoadGlobal, LowerPriorityAndMinimumFollowTheOthers) {
  GlobalDefs global = global_of("vrrp_garp_master_delay 7\nvrrp_garp_master_repeat 2");
  EXPECT_EQ(global.vrrp_garp_lower_prio_delay, seconds(7));
  EXPECT_EQ(global.vrrp_garp_lower_prio_repeat, 2U);
  global = global_of("vrrp_garp_master_repeat 3\nvrrp_min_garp");
  EXPECT_EQ(global.vrrp_garp_master_delay, seconds(0));
  EXPECT_EQ(global.vrrp_garp_master_repeat, 3U);
}

TEST(LoadGlobal, SyncDaemonInAllItsForms) {
  const auto daemon = [](const std::string& words) {
    return global_of("lvs_sync_daemon " + words).lvs_sync_daemon.value_or(LvsSyncDaemon());
  };
  LvsSyncDaemon wanted{.interface = "eth0", .instance = "", .id = {}, .maxlen = {}, .group = ip("224.0.0.81")};
  EXPECT_EQ(daemon("eth0"), wanted);
  wanted.instance = "VI_1";
  EXPECT_EQ(daemon("eth0 VI_1"), wanted);
  EXPECT_EQ(daemon("eth0 inst VI_1"), wanted);
  wanted.id = 7;
  EXPECT_EQ(daemon("eth0 VI_1 id 7"), wanted);
  EXPECT_EQ(daemon("eth0 VI_1 7"), wanted);
  wanted.maxlen = 1400;
  wanted.port = 9000;
  wanted.ttl = 2;
  wanted.group = ip("ff02::81");
  EXPECT_EQ(daemon("eth0 inst VI_1 group ff02::81 ttl 2 port 9000 maxlen 1400 id 7"), wanted);
}

struct Bad {
  const char* line;
  const char* says;
};

TEST(LoadGlobal, WrongValuesAreErrorsWithTheirPlace) {
  const Bad cases[] = {
      {"vrrp_version 4", "f:2:14: error: vrrp_version: found '4', wanted a whole number from 2 to 3"},
      {"vrrp_version 1", "from 2 to 3"},
      {"vrrp_mcast_group6 fe80::1", "f:2:19: error: vrrp_mcast_group6: found 'fe80::1', wanted an IPv6 multicast"},
      {"vrrp_mcast_group6 224.0.0.18", "wanted an IPv6 multicast"},
      {"vrrp_garp_master_delay 1.5", "wanted whole seconds from 0 to 4294"},
      {"vrrp_garp_master_delay 4295", "wanted whole seconds from 0 to 4294"},
      {"vrrp_garp_master_repeat 0", "from 1 to"},
      {"vrrp_garp_master_refresh_repeat 0", "from 1 to"},
      {"vrrp_garp_interval 0", "wanted seconds from 0.000001"},
      {"vrrp_gna_interval 4295", "to 4294.967295"},
      {"vrrp_garp_extra_if 0", "from 1 to 86400"},
      {"vrrp_garp_extra_if all", "f:2:1: error: 'vrrp_garp_extra_if' needs 2 values"},
      {"vrrp_garp_extra_if 100 all", "'all' is too much"},
      {"vrrp_garp_extra_if 86401", "from 1 to 86400"},
      {"vrrp_down_timer_adverts 0", "from 1 to 100"},
      {"vrrp_down_timer_adverts 101", "from 1 to 100"},
      {"vrrp_startup_delay 0", "wanted seconds from 0.001"},
      {"vrrp_min_garp 1", "wanted on, off"},
      {"vmac_prefix much_too_long", "at most 11 characters"},
      {"dynamic_interfaces on", "f:2:20: error: dynamic_interfaces: found 'on', wanted allow_if_changes or nothing"},
      {"lvs_sync_daemon", "needs a value"},
      {"lvs_sync_daemon eth0 id 256",
       "f:2:25: error: lvs_sync_daemon: found '256', wanted a whole number from 0 to 255"},
      {"lvs_sync_daemon eth0 id", "found 'id', wanted a value after it"},
      {"lvs_sync_daemon eth0 maxlen 65508", "from 1 to 65507"},
      {"lvs_sync_daemon eth0 port 0", "from 1 to 65535"},
      {"lvs_sync_daemon eth0 ttl 0", "from 1 to 255"},
      {"lvs_sync_daemon eth0 group 10.0.0.1", "wanted a multicast address"},
      {"lvs_sync_daemon eth0 VI_1 bogus 3", "found 'bogus', wanted inst, id"},
      {"script_user nosuchuser", "f:2:13: error: script_user: found 'nosuchuser', wanted a user and a group that"},
      {"script_user root nosuchgroup", "found 'nosuchgroup'"},
      {"script_user root:root", "found 'root:root'"},
      {"startup_script /bin/true nosuchuser", "f:2:26: error: startup_script: found 'nosuchuser'"},
      {"startup_script", "'startup_script' needs a value"},
      {"startup_script_timeout 1001", "from 1 to 1000"},
      {"shutdown_script_timeout 0", "from 1 to 1000"},
      {"notify_fifo", "'notify_fifo' needs a value"},
      {"notify_fifo /run/a\nlvs_notify_fifo /run/a", "f:3:1: error: two notify FIFOs have the path '/run/a'"},
      {"vrrp_priority 20", "from -20 to 19"},
      {"checker_rt_priority 0", "from 1 to 99"},
      {"bfd_rlimit_rttime 0", "from 1 to"},
      {"vrrp_cpu_affinity x", "found 'x'"},
      {"max_auto_priority 100", "from -1 to 99"},
      {"min_auto_priority_delay 0", "from 1 to 10000000"},
      {"lvs_flush_on_stop vs", "wanted VS or nothing"},
      {"vrrp_rx_bufs_policy x", "wanted MTU, ADVERT or a number"},
      {"umask 01000", "wanted a number up to 0777"},
      {"umask IWGRP|bogus", "wanted a number up to 0777"},
      {"nftables_ipvs_start_fwmark 0", "from 1 to"},
      {"random_seed -1", "from 0 to"},
      {"include_check +nonsense", "f:2:15: error: include_check: found '+nonsense', wanted readable, match"},
  };
  for (const Bad& bad : cases) {
    const LoadResult result = load_global(bad.line);
    EXPECT_FALSE(result.ok()) << bad.line;
    EXPECT_THAT(findings(result, Severity::kError), HasSubstr(bad.says)) << bad.line;
  }
}

TEST(LoadGlobal, WhatHasNoEffectIsSaidToHaveNone) {
  for (const char* line :
       {"lvs_flush", "lvs_flush_on_stop VS", "enable_snmp_vrrp", "enable_dbus", "vrrp_iptables in out",
        "nftables table", "vrrp_rt_priority 50", "vrrp_cpu_affinity 0 1", "max_auto_priority -1", "umask 022",
        "umask 0x12", "umask IWGRP|IWOTH", "process_names", "reload_check_config", "reload_time_file /etc/when",
        "vrrp_rx_bufs_policy MTU", "json_version 2"}) {
    const LoadResult result = load_global(line);
    EXPECT_TRUE(result.ok()) << line << findings(result, Severity::kError);
    EXPECT_THAT(findings(result, Severity::kNoEffect), HasSubstr("f:2:1: ")) << line;
    EXPECT_EQ(result.model->global, global_of("")) << line;
  }
}

TEST(LoadGlobal, NotYetIsAWarning) {
  EXPECT_THAT(findings(load_global("startup_script /bin/true"), Severity::kWarning), HasSubstr("does nothing yet"));
  EXPECT_THAT(findings(load_global("notify_fifo_script /bin/true"), Severity::kWarning),
              HasSubstr("f:2:1: warning: notify_fifo_script without notify_fifo is ignored"));
}

TEST(LoadGlobal, ProcessKeywordsAtTheTop) {
  const LoadResult plain = load_text("instance one\nuse_pid_dir\nchild_wait_time 5\nnamespace_with_ipsets\n", "f");
  EXPECT_TRUE(plain.ok()) << findings(plain, Severity::kError);
  for (const char* line : {"net_namespace other\n", "net_namespace_ipvs other\n"}) {
    EXPECT_THAT(findings(load_text(line, "f"), Severity::kError), HasSubstr("is not supported: ")) << line;
  }
  EXPECT_THAT(findings(load_text("child_wait_time x\n", "f"), Severity::kError), HasSubstr("f:1:17: error: "));
  EXPECT_THAT(findings(load_text("instance\n", "f"), Severity::kError), HasSubstr("needs a value"));
}

}  // namespace
}  // namespace lbdp::config
