// SPDX-License-Identifier: BSD-2-Clause
// What can be tracked, sync groups, and what is outside of instances.
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

IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}

std::string instance(const std::string& name, const std::string& vrid, const std::string& lines) {
  return "vrrp_instance " + name + " {\ninterface eth0\nvirtual_router_id " + vrid + "\nvirtual_ipaddress { 192.0.2." +
         vrid + " }\n" + lines + "\n}\n";
}
/// Six lines each.
std::string two_instances() {
  return instance("A", "1", "") + instance("B", "2", "");
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

/// The model of a text that must be good, and that must come out of its own dump again.
Model load(const std::string& text) {
  const LoadResult result = load_text(text, "f");
  EXPECT_TRUE(result.ok()) << text << testing::PrintToString(findings(result));
  if (!result.ok()) return {};
  const LoadResult again = load_text(dump_text(*result.model), "dump");
  EXPECT_TRUE(again.ok() && *again.model == *result.model) << dump_text(*result.model);
  return *result.model;
}

bool good(const std::string& text) {
  return load_text(text, "f").ok();
}

/// A keyword of a block and the edges of its range.
struct Range {
  const char* block;  // up to the keyword
  const char* keyword;
  const char* below;
  const char* least;
  const char* most;
  const char* above;
};

TEST(TrackerRanges, HaveTheirEdges) {
  const char* script = "vrrp_script X {\nscript /bin/true\n";
  const char* file = "track_file X {\nfile /tmp/x\n";
  const char* process = "vrrp_track_process X {\nprocess nginx\n";
  const char* bfd = "bfd_instance X {\nneighbor_ip 192.0.2.9\n";
  const Range ranges[] = {
      {script, "interval", "0", "1", "4294", "4295"},
      {script, "timeout", "0.5", "1", "4294", "4295"},
      {script, "weight", "-254", "-253", "253", "254"},
      {script, "rise", "0", "1", "2147483647", "2147483648"},
      {script, "fall", "-1", "1", "2147483647", "2147483648"},
      {file, "weight", "-255", "-254", "254", "255"},
      {file, "init_file", "-255", "-254", "254", "255"},
      {process, "weight", "-255", "-254", "254", "255"},
      {process, "quorum", "0", "1", "65535", "65536"},
      {process, "quorum_max", "-1", "0", "65535", "65536"},
      {process, "delay", "0", "0.000001", "3600", "3600.1"},
      {process, "fork_delay", "0", "0.000001", "3600", "3600.1"},
      {process, "terminate_delay", "0", "0.000001", "3600", "3600.1"},
      {bfd, "min_rx", "0.9", "1", "4294967", "4294968"},
      {bfd, "min_tx", "0", "1", "4294967", "4294968"},
      {bfd, "idle_tx", "999", "1000", "4294967", "4294968"},
      {bfd, "multiplier", "0", "1", "255", "256"},
      {bfd, "ttl", "0", "1", "255", "256"},
      {bfd, "hoplimit", "0", "1", "255", "256"},
      {bfd, "max_hops", "-2", "-1", "255", "256"},
      {bfd, "weight", "-254", "-253", "253", "254"},
      {"garp_group {\ninterface eth0\n", "garp_interval", "-1", "0", "1000", "1000.1"},
      {"garp_group {\ninterface eth0\n", "gna_interval", "x", "0", "1000", "1000.1"},
      {"interface_up_down_delays {\n", "eth0", "-1", "0", "255", "256"},
  };
  for (const Range& range : ranges) {
    const auto ok = [&](const char* value) {
      return good(range.block + std::string(range.keyword) + " " + value + "\n}\n");
    };
    EXPECT_FALSE(ok(range.below)) << range.keyword << " " << range.below;
    EXPECT_TRUE(ok(range.least)) << range.keyword << " " << range.least;
    EXPECT_TRUE(ok(range.most)) << range.keyword << " " << range.most;
    EXPECT_FALSE(ok(range.above)) << range.keyword << " " << range.above;
  }
}

TEST(TrackerKeywords, Script) {
  const VrrpScript plain = load("vrrp_script S { script /bin/true\n}\n").trackers.scripts.at(0);
  EXPECT_EQ(plain.interval, seconds(1));
  EXPECT_EQ(plain.timeout, seconds(1));
  EXPECT_EQ(plain.weight, 0);
  EXPECT_EQ(plain.rise, 1u);
  EXPECT_EQ(plain.fall, 1u);
  EXPECT_FALSE(plain.init_fail);
  const VrrpScript full =
      load(
          "vrrp_script S {\nscript \"/bin/check -a 'b c'\"\ninterval 3\nweight +20 reverse\nrise 2\n"
          "fall 4\nuser root root\ninit_fail\n}\n")
          .trackers.scripts.at(0);
  EXPECT_THAT(full.script.arguments, ElementsAre("/bin/check", "-a", "b c"));
  EXPECT_EQ(full.timeout, seconds(3)) << "as interval";
  EXPECT_EQ(full.weight, 20);
  EXPECT_TRUE(full.reverse);
  EXPECT_EQ(full.rise, 2u);
  EXPECT_EQ(full.fall, 4u);
  EXPECT_EQ(full.user, "root");
  EXPECT_EQ(full.group, "root");
  EXPECT_TRUE(full.init_fail);
}

TEST(TrackerKeywords, File) {
  const auto files = load(
                         "track_file A { file \"/tmp/a b\"\n}\n"
                         "vrrp_track_file B {\nfile /tmp/b\nweight -2 reverse\ninit_file 5 overwrite\n}\n"
                         "track_file C {\nfile /tmp/c\ninit_file\n}\n")
                         .trackers.files;
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files[0].file, "/tmp/a b");
  EXPECT_EQ(files[0].weight, 1);
  EXPECT_EQ(files[0].init_file, std::nullopt);
  EXPECT_EQ(files[1].weight, -2);
  EXPECT_TRUE(files[1].reverse);
  EXPECT_EQ(files[1].init_file, 5);
  EXPECT_TRUE(files[1].overwrite);
  EXPECT_EQ(files[2].init_file, 0);
  EXPECT_FALSE(files[2].overwrite);
}

TEST(TrackerKeywords, Process) {
  const auto processes =
      load(
          "vrrp_track_process A { process nginx\n}\n"
          "vrrp_track_process B {\nprocess \"/usr/bin/a b\" -x \"y z\"\nparam_match initial\nweight 9\n"
          "quorum 2\nquorum_max 3\ndelay 1.5\nfork_delay 0.5\nfull_command\n}\n"
          "vrrp_track_process C {\nprocess d\nparam_match partial\nquorum_max 0\n}\n")
          .trackers.processes;
  ASSERT_EQ(processes.size(), 3u);
  EXPECT_EQ(processes[0].weight, 1);
  EXPECT_EQ(processes[0].quorum, 1u);
  EXPECT_FALSE(processes[0].with_parameters);
  EXPECT_THAT(processes[1].process, ElementsAre("/usr/bin/a b", "-x", "y z"));
  EXPECT_EQ(processes[1].param_match, VrrpTrackProcess::Match::kInitial);
  EXPECT_EQ(processes[1].quorum_max, 3u);
  EXPECT_EQ(processes[1].fork_delay, milliseconds(500));
  EXPECT_EQ(processes[1].terminate_delay, milliseconds(1500)) << "as delay";
  EXPECT_TRUE(processes[1].full_command);
  EXPECT_TRUE(processes[2].with_parameters) << "none are wanted";
  EXPECT_EQ(processes[2].quorum, 0u) << "well while none runs";
}

TEST(TrackerKeywords, Bfd) {
  const auto sessions = load(
                            "bfd_instance A { neighbor_ip 192.0.2.9\n}\n"
                            "bfd_instance B {\nneighbour_ip 2001:db8::9\nsource_ip 2001:db8::1\nmin_rx 3.5\nmin_tx 20\n"
                            "idle_tx 2000\nmultiplier 3\npassive\nmax_hops -1\nmultihop\nweight 7 reverse\nvrrp\n}\n"
                            "bfd_instance C {\nneighbor_ip 192.0.2.8\nttl 9\nchecker\n}\n")
                            .trackers.bfd;
  ASSERT_EQ(sessions.size(), 3u);
  EXPECT_EQ(sessions[0].min_rx, milliseconds(10));
  EXPECT_EQ(sessions[0].idle_tx, seconds(1));
  EXPECT_EQ(sessions[0].multiplier, 5);
  EXPECT_EQ(sessions[0].ttl, 255);
  EXPECT_TRUE(sessions[0].vrrp && sessions[0].checker);
  EXPECT_EQ(sessions[1].neighbor_ip, ip("2001:db8::9"));
  EXPECT_EQ(sessions[1].min_rx, std::chrono::microseconds(3500));
  EXPECT_EQ(sessions[1].ttl, 64);
  EXPECT_EQ(sessions[1].max_hops, 255);
  EXPECT_TRUE(sessions[1].passive && sessions[1].multihop && sessions[1].reverse);
  EXPECT_TRUE(sessions[1].vrrp && !sessions[1].checker);
  EXPECT_TRUE(sessions[2].checker && !sessions[2].vrrp);
}

/// One object of each kind.
const std::string kObjects =
    "vrrp_script S {\nscript /bin/true\nweight 5 reverse\n}\ntrack_file F { file /tmp/f\n}\n"
    "vrrp_track_process P {\nprocess p\nweight 3\n}\nbfd_instance D {\nneighbor_ip 192.0.2.9\nweight -4\n}\n";

TEST(Tracking, TakesTheWeightOfTheDefinition) {
  const Tracking t = load(instance("A", "1",
                                   "track_interface {\neth1\neth2 weight -10 reverse\n}\ntrack_script { S }\n"
                                   "track_file { F }\ntrack_process { P }\ntrack_bfd { D }") +
                          kObjects)
                         .vrrp_instances.at(0)
                         .tracking;
  EXPECT_THAT(t.interfaces, ElementsAre(Tracked{"eth1", 0, false}, Tracked{"eth2", -10, true}));
  EXPECT_THAT(t.scripts, ElementsAre(Tracked{"S", 5, true}));
  EXPECT_THAT(t.files, ElementsAre(Tracked{"F", 1, false}));
  EXPECT_THAT(t.processes, ElementsAre(Tracked{"P", 3, false}));
  EXPECT_THAT(t.bfd, ElementsAre(Tracked{"D", -4, false}));
}

TEST(Tracking, ALineMayHaveAnotherWeight) {
  const auto script = [](const std::string& line) {
    return load(kObjects + instance("A", "1", "track_script { " + line + " }"))
        .vrrp_instances.at(0)
        .tracking.scripts.at(0);
  };
  EXPECT_EQ(script("S weight 9"), (Tracked{"S", 9, true})) << "in the definition's direction";
  EXPECT_EQ(script("S weight 9 noreverse"), (Tracked{"S", 9, false}));
  EXPECT_EQ(script("S weight 9 no_reverse"), (Tracked{"S", 9, false}));
  EXPECT_EQ(script("S weight 0 reverse"), (Tracked{"S", 0, true}));
}

TEST(SyncGroups, Keywords) {
  const Model model =
      load(kObjects + two_instances() +
           "vrrp_sync_group G {\ngroup {\nA B\n}\ntrack_script { S }\ntrack_interface { eth1 weight 3 }\n"
           "notify_master /bin/true\nnotify /bin/true\nsmtp_alert\nnotify_priority_changes\n"
           "sync_group_tracking_weight\n}\n");
  const VrrpSyncGroup& group = model.vrrp_sync_groups.at(0);
  EXPECT_THAT(group.members, ElementsAre("A", "B"));
  EXPECT_THAT(group.tracking.scripts, ElementsAre(Tracked{"S", 5, true}));
  EXPECT_TRUE(group.notify.master && group.notify.any && group.notify.priority_changes);
  EXPECT_TRUE(group.smtp_alert);
  EXPECT_TRUE(group.sync_group_tracking_weight);
  EXPECT_TRUE(load(two_instances() + "vrrp_sync_group G {\ngroup {\nA\nB\n}\nglobal_tracking\n}\n")
                  .vrrp_sync_groups.at(0)
                  .sync_group_tracking_weight);
}

TEST(SyncGroups, MembersHaveNoWeightsOfTheirOwn) {
  const std::string members = instance("A", "1", "track_interface { eth1 weight 3 }") + instance("B", "2", "");
  const std::string group = "vrrp_sync_group G {\ngroup {\nA\nB\n}\n";
  EXPECT_EQ(load(members + group + "}\n").vrrp_instances[0].tracking.interfaces.at(0).weight, 0);
  EXPECT_EQ(
      load(members + group + "sync_group_tracking_weight\n}\n").vrrp_instances[0].tracking.interfaces.at(0).weight, 3);
  EXPECT_TRUE(load(members + group + "track_interface { eth1 }\n}\n").vrrp_instances[0].tracking.interfaces.empty());
}

TEST(Statics, Keywords) {
  const Model model = load(two_instances() +
                           "track_group T { group {\nA\nB\n} }\n"
                           "static_ipaddress {\n192.0.2.50/24 dev eth1 track_group T\n192.0.2.51\n}\n"
                           "static_routes {\n10.0.0.0/8 via 192.0.2.9 dev eth0 track_group T\n}\n"
                           "static_rules {\nfrom 10.0.0.0/8 table 1 preference 3 no_track\n}\n");
  EXPECT_THAT(model.statics.track_groups, ElementsAre(TrackGroup{"T", {"A", "B"}}));
  ASSERT_EQ(model.statics.addresses.size(), 2u);
  EXPECT_EQ(model.statics.addresses[0].track_group, "T");
  EXPECT_EQ(model.statics.addresses[1].dev, "eth0") << "keepalived's default";
  EXPECT_EQ(model.statics.routes.at(0).track_group, "T");
  EXPECT_TRUE(model.statics.rules.at(0).no_track);
  EXPECT_EQ(load("global_defs { default_interface eth3\n}\nstatic_ipaddress { 192.0.2.51 }\n").statics.addresses[0].dev,
            "eth3");
}

TEST(Statics, GarpGroupsAndDelays) {
  const Model model = load(instance("A", "1", "") + instance("B", "2", "garp_interval 0.3") +
                           "garp_group {\ngarp_interval 0.1\ngna_interval 0.2\ninterface eth0\n}\n"
                           "garp_group {\ngarp_interval 0.5\ninterfaces { eth1 eth2 }\n}\n"
                           "interface_up_down_delays {\neth0 1.5 0.5\neth7 200\n}\n");
  EXPECT_EQ(model.vrrp_instances[0].garp.garp_interval, milliseconds(100));
  EXPECT_EQ(model.vrrp_instances[0].garp.gna_interval, milliseconds(200));
  EXPECT_EQ(model.vrrp_instances[1].garp.garp_interval, milliseconds(300));
  ASSERT_EQ(model.garp_groups.size(), 2u);
  EXPECT_FALSE(model.garp_groups[0].together);
  EXPECT_TRUE(model.garp_groups[1].together);
  EXPECT_THAT(model.garp_groups[1].interfaces, ElementsAre("eth1", "eth2"));
  EXPECT_THAT(model.interface_delays, ElementsAre(InterfaceDelay{"eth0", milliseconds(1500), milliseconds(500)},
                                                  InterfaceDelay{"eth7", seconds(200), seconds(200)}));
}

TEST(Statics, LinkbeatHasNoEffectAndSaysSo) {
  const LoadResult result = load_text("linkbeat_use_polling\nlinkbeat_interfaces {\neth0\neth1 ETHTOOL\n}\n", "f");
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(std::ranges::count(result.diagnostics, Severity::kNoEffect, &Diagnostic::severity), 2);
}

struct Case {
  const char* name;
  std::string text;
  std::vector<std::string> findings;
};
void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

class TrackerFile : public testing::TestWithParam<Case> {};

TEST_P(TrackerFile, GivesTheseFindings) {
  const LoadResult result = load_text(GetParam().text, "f");
  EXPECT_THAT(findings(result), ElementsAreArray(GetParam().findings)) << GetParam().text;
}

const Case kCases[] = {
    {"ScriptMissing", "vrrp_script S { }\n", {"f:1:1: error: vrrp_script 'S': 'script' is missing"}},
    {"ScriptTwice",
     "vrrp_script S { script /bin/true\n}\nvrrp_script S { script /bin/true\n}\n",
     {"f:3:1: error: vrrp_script 'S': it is defined twice; the first is at f:1:1"}},
    {"ScriptUser",
     "vrrp_script S {\nscript /bin/true\nuser no-such-user no-such-group\n}\n",
     {"f:3:1: error: there is no user 'no-such-user' on this host",
      "f:3:1: error: there is no group 'no-such-group' on this host"}},
    {"ScriptWeightWord",
     "vrrp_script S {\nscript /bin/true\nweight 3 backwards\n}\n",
     {"f:3:10: error: weight: found 'backwards', wanted reverse or noreverse"}},
    {"FileMissing", "track_file F { }\n", {"f:1:1: error: track_file 'F': 'file' is missing"}},
    {"FileTwice",
     "track_file F {\nfile /tmp/a\nfile /tmp/b\n}\n",
     {"f:3:1: warning: 'file' is set again, after line 2; the first one counts"}},
    {"FileInit",
     "track_file F {\nfile /tmp/a\ninit_file soon\n}\n",
     {"f:3:11: error: init_file: found 'soon', wanted overwrite or a whole number from -254 to 254"}},
    {"ProcessMissing", "vrrp_track_process P { }\n", {"f:1:1: error: vrrp_track_process 'P': 'process' is missing"}},
    {"ProcessQuorum",
     "vrrp_track_process P {\nprocess p\nquorum_max 2\nquorum 3\n}\n",
     {"f:3:1: error: vrrp_track_process 'P': quorum_max 2 is below quorum 3"}},
    {"ProcessMatch",
     "vrrp_track_process P {\nprocess p\nparam_match all\n}\n",
     {"f:3:13: error: param_match: found 'all', wanted initial or partial"}},
    {"BfdMissing", "bfd_instance D { }\n", {"f:1:1: error: bfd_instance 'D': 'neighbor_ip' is missing"}},
    {"BfdFamilies",
     "bfd_instance D {\nneighbor_ip 192.0.2.9\nsource_ip fe80::1\n}\n",
     {"f:3:1: error: bfd_instance 'D': source_ip fe80::1 is of another family than neighbor_ip 192.0.2.9"}},
    {"BfdNeighbourTwice",
     "bfd_instance D { neighbor_ip 192.0.2.9\n}\nbfd_instance E { neighbor_ip 192.0.2.9\n}\n",
     {"f:3:18: error: bfd_instance 'E': a second session with 192.0.2.9; the first is at f:1:18"}},
    {"BfdName",
     "bfd_instance abcdefghijklmnopqrstuvwxyz123456 { neighbor_ip 192.0.2.9\n}\n",
     {"f:1:14: error: bfd_instance: found 'abcdefghijklmnopqrstuvwxyz123456', wanted a name of at most 31 characters"}},
    {"NamesThatAreNot",
     kObjects + instance("A", "1", "track_script { Script }\ntrack_file { G }\ntrack_bfd {\nS\n}"),
     {"f:19:16: error: vrrp_instance 'A': track_script 'Script': there is no vrrp_script of that name",
      "f:20:14: error: vrrp_instance 'A': track_file 'G': there is no track_file of that name",
      "f:22:1: error: vrrp_instance 'A': track_bfd 'S': there is no bfd_instance of that name"}},
    {"LinesOfLists",
     instance("A", "1", "track_interface {\neth1 weight 254\neth1 weight\neth1 eth2\neth3\neth3\neth0\n}"),
     {"f:1:1: warning: vrrp_instance 'A': track_interface 'eth0' is the instance's own interface: left out",
      "f:6:13: error: track_interface: found '254', wanted a whole number from -253 to 253",
      "f:7:6: error: track_interface: 'weight' needs a value",
      "f:8:6: error: track_interface: found 'eth2', wanted weight",
      "f:10:1: warning: vrrp_instance 'A': track_interface 'eth3' is here twice; the first one counts"}},
    {"OwnerHasNoWeights",
     kObjects + instance("A", "1", "priority 255\ntrack_script { S }"),
     {"f:15:1: warning: vrrp_instance 'A': the address owner's priority is always 255: 'S' with weight 5 is left out; "
      "weight 0 would count"}},
    {"GroupWithoutMembers",
     "vrrp_sync_group G { }\n",
     {"f:1:1: warning: vrrp_sync_group 'G': it has no member and is left out"}},
    {"GroupOfOne",
     two_instances() + "vrrp_sync_group G { group { A } }\n",
     {"f:13:1: warning: vrrp_sync_group 'G': it has one member only, which is as good as no group"}},
    {"GroupMembers",
     two_instances() + "vrrp_sync_group G {\ngroup {\nA\nA\nB\nC\n}\n}\nvrrp_sync_group H {\ngroup {\nB\n}\n}\n",
     {"f:16:1: warning: vrrp_sync_group 'G': 'A' is here twice; one is left out",
      "f:18:1: error: vrrp_sync_group 'G': there is no vrrp_instance 'C'",
      "f:23:1: error: vrrp_sync_group 'H': vrrp_instance 'B' is in vrrp_sync_group 'G' already"}},
    {"GroupTwice",
     two_instances() + "vrrp_sync_group G { group { A B } }\nvrrp_sync_group G { group { A B } }\n",
     {"f:14:1: error: a second vrrp_sync_group 'G'; the first is at f:13:1"}},
    {"TrackGroup",
     "track_group T { group { A } }\nstatic_ipaddress { 192.0.2.9 track_group U }\n",
     {"f:1:1: warning: track_group 'T': it has no member",
      "f:1:25: warning: track_group 'T': there is no vrrp_instance 'A': it is left out",
      "f:2:20: error: static_ipaddress: there is no track_group 'U'"}},
    {"GarpGroups",
     "garp_group { interface eth0\n}\ngarp_group { garp_interval 1\n}\ngarp_group {\ngarp_interval 1\ninterface "
     "eth0\n}\n"
     "garp_group {\ngna_interval 1\ninterfaces { eth0 eth1 }\ninterface eth2\n}\n",
     {"f:1:1: warning: garp_group: it has neither garp_interval nor gna_interval and is left out",
      "f:3:1: warning: garp_group: it names no interface and is left out",
      "f:11:14: warning: garp_group: interface 'eth0' is in a garp_group already: it is left out here",
      "f:12:1: warning: garp_group: 'interface' beside 'interfaces': all of them are paced as one"}},
    {"Delays",
     instance("A", "1", "") + "interface_up_down_delays {\neth0 2\neth1 1 2 3\neth2\neth0 1\n}\n",
     {"f:8:1: warning: interface_up_down_delays: 'eth0' has a delay that is not below 2 s, after which another router "
      "takes over: there is no delay",
      "f:9:10: error: interface_up_down_delays: found '3', which is too much; wanted NAME DOWN [UP]",
      "f:10:1: error: interface_up_down_delays: 'eth2' needs a value",
      "f:11:1: warning: interface_up_down_delays: 'eth0' is here twice; the first one counts"}},
    {"Linkbeat",
     "linkbeat_interfaces { eth0 FAST }\n",
     {"f:1:28: error: linkbeat_interfaces: found 'FAST', wanted MII, ETHTOOL or IOCTL"}},
};
INSTANTIATE_TEST_SUITE_P(Cases, TrackerFile, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case>& row) { return row.param.name; });

}  // namespace
}  // namespace lbdp::config
