// SPDX-License-Identifier: BSD-2-Clause
// What is tracked, by whom, and whom that is told.
#include "config/dump_vrrp.h"

namespace lbdp::config {
namespace {

/// A line of a track_* block. A definition may be reversed, so the direction is always there; only interfaces have no
/// definition, and keepalived no noreverse for them.
void describe_list(const char* keyword, const std::vector<Tracked>& list, bool interfaces, DumpBlock& block) {
  DumpStatement& lines = block.list(keyword);
  for (const Tracked& tracked : list) {
    const char* direction = tracked.reverse ? "reverse" : "noreverse";
    const bool said = tracked.reverse || !interfaces;
    lines.entry({{"name", tracked.name},
                 named("weight", tracked.weight),
                 {"direction", said ? DumpValue(direction) : DumpValue()}});
  }
}

template <class T>
void describe_weight(const T& object, DumpBlock& block) {
  block.line("weight", {{"value", object.weight}, named("reverse", object.reverse)});
}

/// 0 cannot be written.
DumpValue delay_value(Duration delay) {
  return delay == Duration(0) ? DumpValue() : DumpValue(delay);
}

/// Thousandths of a second: keepalived's unit for BFD.
DumpValue milliseconds_value(Duration duration) {
  return duration * 1000;
}

void describe(const VrrpScript& script, DumpBlock& block) {
  block.set("script", in_shell_quotes(script.script.text));
  block.set("interval", script.interval);
  block.set("timeout", script.timeout);
  describe_weight(script, block);
  block.set("rise", script.rise);
  block.set("fall", script.fall);
  if (script.user.empty()) {
    block.set("user", std::nullopt);
  } else {
    block.line("user", {{"user", script.user}, {"group", or_nothing(script.group)}});
  }
  block.flag("init_fail", script.init_fail);
}

void describe(const TrackFile& file, DumpBlock& block) {
  block.set("file", file.file);
  describe_weight(file, block);
  if (file.init_file) {
    block.line("init_file", {{"value", *file.init_file}, named("overwrite", file.overwrite)});
  } else {
    block.set("init_file", std::nullopt);
  }
}

void describe(const VrrpTrackProcess& process, DumpBlock& block) {
  std::vector<DumpArgument> words(process.process.begin(), process.process.end());
  block.words("process", std::move(words));
  using Match = VrrpTrackProcess::Match;
  block.set("param_match", process.param_match == Match::kInitial   ? DumpValue("initial")
                           : process.param_match == Match::kPartial ? DumpValue("partial")
                                                                    : DumpValue());
  describe_weight(process, block);
  DumpStatement& quorum = block.set("quorum", process.quorum);
  if (process.quorum == 0) quorum.unsaid();  // it follows from quorum_max 0
  block.set("quorum_max", process.quorum_max);
  block.set("fork_delay", delay_value(process.fork_delay));
  block.set("terminate_delay", delay_value(process.terminate_delay));
  block.flag("full_command", process.full_command);
}

void describe(const BfdInstance& bfd, DumpBlock& block) {
  block.set("neighbor_ip", bfd.neighbor_ip);
  block.set("source_ip", bfd.source_ip);
  block.set("min_rx", milliseconds_value(bfd.min_rx));
  block.set("min_tx", milliseconds_value(bfd.min_tx));
  block.set("idle_tx", milliseconds_value(bfd.idle_tx));
  block.set("multiplier", bfd.multiplier);
  block.flag("passive", bfd.passive);
  block.set(bfd.neighbor_ip.is_v4() ? "ttl" : "hoplimit", bfd.ttl);
  block.set("max_hops", bfd.max_hops);
  block.set("multihop", bfd.multihop).hidden();
  describe_weight(bfd, block);
  block.flag("vrrp", !bfd.checker);
  block.flag("checker", !bfd.vrrp);
}

template <class T>
void describe_all(const char* keyword, const std::vector<T>& objects, DumpBlock& file) {
  file.none_yet(keyword);
  for (const T& object : objects) describe(object, file.many(keyword, {{"name", object.name}}));
}

void describe_members(const std::vector<std::string>& members, DumpBlock& block) {
  DumpStatement& group = block.list("group");
  for (const std::string& member : members) group.entry({member});
}

void describe_garp_groups(const std::vector<GarpGroup>& groups, DumpBlock& file) {
  file.none_yet("garp_group");
  for (const GarpGroup& group : groups) {
    DumpBlock& block = file.many("garp_group", {});
    block.set("garp_interval", group.garp_interval);
    block.set("gna_interval", group.gna_interval);
    block.set("interface", group.together ? DumpValue() : DumpValue(group.interfaces.front()));
    DumpStatement& interfaces = block.list("interfaces");
    if (!group.together) continue;
    for (const std::string& name : group.interfaces) interfaces.entry({name});
  }
}

}  // namespace

void describe_trackers(const Trackers& trackers, DumpBlock& file) {
  describe_all("vrrp_script", trackers.scripts, file);
  describe_all("track_file", trackers.files, file);
  describe_all("vrrp_track_process", trackers.processes, file);
  describe_all("bfd_instance", trackers.bfd, file);
}

void describe_tracking(const Tracking& tracking, DumpBlock& block) {
  describe_list("track_interface", tracking.interfaces, true, block);
  describe_list("track_script", tracking.scripts, false, block);
  describe_list("track_file", tracking.files, false, block);
  describe_list("track_process", tracking.processes, false, block);
  describe_list("track_bfd", tracking.bfd, false, block);
}

void describe_command(const char* keyword, const std::optional<CommandLine>& command, DumpBlock& block) {
  if (command) {
    block.line(keyword, command_arguments(*command));
  } else {
    block.set(keyword, std::nullopt);
  }
}

void describe_notify(const Notify& notify, DumpBlock& block) {
  describe_command("notify_master", notify.master, block);
  describe_command("notify_backup", notify.backup, block);
  describe_command("notify_fault", notify.fault, block);
  describe_command("notify_stop", notify.stop, block);
  if (notify.says_deleted && !notify.deleted) {
    block.flag("notify_deleted", true);
  } else {
    describe_command("notify_deleted", notify.deleted, block);
  }
  describe_command("notify", notify.any, block);
  block.set("notify_priority_changes", notify.priority_changes);
}

void describe_sync_groups(const std::vector<VrrpSyncGroup>& groups, DumpBlock& file) {
  file.none_yet("vrrp_sync_group");
  for (const VrrpSyncGroup& group : groups) {
    DumpBlock& block = file.many("vrrp_sync_group", {{"name", group.name}});
    describe_members(group.members, block);
    describe_tracking(group.tracking, block);
    describe_notify(group.notify, block);
    block.set("smtp_alert", group.smtp_alert);
    block.flag("sync_group_tracking_weight", group.sync_group_tracking_weight);
  }
}

void describe_statics(const Model& model, DumpBlock& file) {
  file.none_yet("track_group");
  for (const TrackGroup& group : model.statics.track_groups) {
    describe_members(group.members, file.many("track_group", {{"name", group.name}}));
  }
  DumpStatement& addresses = file.list("static_ipaddress");
  for (const VirtualAddress& address : model.statics.addresses) addresses.entry(address_arguments(address));
  DumpStatement& routes = file.list("static_routes");
  for (const IpRoute& route : model.statics.routes) {
    routes.entry(words_arguments("route", route.words, route.no_track, route.track_group));
  }
  DumpStatement& rules = file.list("static_rules");
  for (const IpRule& rule : model.statics.rules) {
    rules.entry(words_arguments("rule", rule.words, rule.no_track, rule.track_group));
  }
  describe_garp_groups(model.garp_groups, file);
  DumpStatement& delays = file.list("interface_up_down_delays");
  for (const InterfaceDelay& delay : model.interface_delays) {
    delays.entry({{"interface", delay.interface}, {"down", delay.down}, {"up", delay.up}});
  }
}

}  // namespace lbdp::config
