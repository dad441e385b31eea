// SPDX-License-Identifier: BSD-2-Clause
#include "config/dump_vrrp.h"

#include <algorithm>

namespace lbdp::config {
namespace {

DumpValue scope_value(uint8_t scope) {
  switch (scope) {
    case kScopeGlobal: return "global";
    case kScopeSite: return "site";
    case kScopeLink: return "link";
    case kScopeHost: return "host";
    case kScopeNowhere: return "nowhere";
    default: return scope;
  }
}

/// IPv4 addresses have no lifetime by default, and keepalived is not asked for one.
DumpValue lifetime_value(const VirtualAddress& address) {
  if (address.preferred_lft != kLifetimeForever) return address.preferred_lft;
  return address.prefix.address.is_v4() ? DumpValue() : DumpValue("forever");
}

void describe_source(const VrrpInstance& instance, DumpBlock& block) {
  const bool unicast = !instance.unicast_peers.empty();
  block.set("mcast_src_ip", unicast ? std::nullopt : instance.src_ip);
  block.set("unicast_src_ip", unicast ? instance.src_ip : std::nullopt);
  block.flag("track_src_ip", instance.track_src_ip);
  // Beside unicast_peer it would be ignored, and so are the unicast keywords without it.
  block.set("mcast_dst_ip", unicast ? DumpValue() : DumpValue(instance.mcast_dst_ip));
  DumpStatement& peers = block.list("unicast_peer");
  for (const UnicastPeer& peer : instance.unicast_peers) {
    // A limit, whatever its value, turns check_unicast_src on: only those that limit something are said.
    peers.entry({{"address", peer.address},
                 named("min_ttl", peer.min_ttl == 0 ? DumpValue() : DumpValue(peer.min_ttl)),
                 named("max_ttl", peer.max_ttl == 255 ? DumpValue() : DumpValue(peer.max_ttl))});
  }
  block.flag("unicast_fault_no_peer", instance.unicast_fault_no_peer);
  block.set("unicast_ttl", unicast ? DumpValue(instance.unicast_ttl) : DumpValue());
  block.flag("check_unicast_src", instance.check_unicast_src);
  using Old = VrrpInstance::OldChecksum;
  if (instance.old_unicast_checksum == Old::kAlways) {
    block.flag("old_unicast_checksum", true);
  } else {
    block.set("old_unicast_checksum", instance.old_unicast_checksum == Old::kNever ? DumpValue("never") : DumpValue());
  }
  block.set("v3_checksum_as_v2", instance.v3_checksum_as_v2).hidden();
}

void describe_vmac(const VrrpInstance& instance, DumpBlock& block) {
  block.flag("promote_secondaries", instance.promote_secondaries);
  if (instance.use_vmac) {
    // RFC 5798's own address is what holds without one, and is not taken as one.
    constexpr uint8_t kReserved[] = {0x00, 0x00, 0x5e, 0x00};
    const bool own = std::ranges::equal(std::span(instance.use_vmac->mac.bytes).first(4), kReserved);
    block.line("use_vmac", {{"name", or_nothing(instance.use_vmac->name)},
                            {"mac", own ? DumpValue() : DumpValue(instance.use_vmac->mac.to_string())}});
  } else {
    block.set("use_vmac", std::nullopt);
  }
  block.flag("use_vmac_addr", instance.use_vmac_addr);
  block.flag("vmac_xmit_base", instance.vmac_xmit_base);
}

void describe_garp(const GarpSettings& garp, DumpBlock& block) {
  block.set("garp_master_delay", garp.master_delay);
  block.set("garp_master_repeat", garp.master_repeat);
  block.set("garp_master_refresh", garp.master_refresh);
  block.set("garp_master_refresh_repeat", garp.master_refresh_repeat);
  block.set("garp_lower_prio_delay", garp.lower_prio_delay);
  block.set("garp_lower_prio_repeat", garp.lower_prio_repeat);
  block.set("garp_interval", garp.garp_interval).hidden();
  block.set("gna_interval", garp.gna_interval).hidden();
  block.line("garp_extra_if", {named("all", garp.extra_if.all), {"interval", garp.extra_if.interval}});
}

void describe_protocol(const VrrpInstance& instance, DumpBlock& block) {
  block.flag("nopreempt", instance.nopreempt);
  block.set("preempt_delay", instance.preempt_delay);
  block.set("down_timer_adverts", instance.down_timer_adverts);
  block.set("lower_prio_no_advert", instance.lower_prio_no_advert);
  block.set("higher_prio_send_advert", instance.higher_prio_send_advert);
  block.set("owner_ignore_adverts", instance.owner_ignore_adverts).hidden();
  block.set("skip_check_adv_addr", instance.skip_check_adv_addr);
  block.set("strict_mode", instance.strict_mode);
  block.flag("accept", instance.accept);
  block.flag("no_accept", !instance.accept);
  if (instance.timer_expired_backup == uint8_t{0}) {
    block.flag("timer_expired_backup", true).hidden();
  } else {
    block.set("timer_expired_backup", instance.timer_expired_backup).hidden();
  }
}

void describe_addresses(const VrrpInstance& instance, DumpBlock& block) {
  DumpStatement& addresses = block.list("virtual_ipaddress");
  for (const VirtualAddress& address : instance.virtual_ipaddress) addresses.entry(address_arguments(address));
  DumpStatement& excluded = block.list("virtual_ipaddress_excluded");
  for (const VirtualAddress& address : instance.virtual_ipaddress_excluded) excluded.entry(address_arguments(address));
  block.flag("no_virtual_ipaddress", instance.virtual_ipaddress.empty()).hidden();
  DumpStatement& routes = block.list("virtual_routes");
  for (const IpRoute& route : instance.virtual_routes) {
    routes.entry(words_arguments("route", route.words, route.no_track, route.track_group));
  }
  DumpStatement& rules = block.list("virtual_rules");
  for (const IpRule& rule : instance.virtual_rules) {
    rules.entry(words_arguments("rule", rule.words, rule.no_track, rule.track_group));
  }
}

void describe_instance(const VrrpInstance& instance, DumpBlock& block) {
  block.set("state", instance.state == VrrpInstance::State::kMaster ? "MASTER" : "BACKUP");
  block.set("interface", instance.interface);
  block.set("virtual_router_id", instance.virtual_router_id);
  block.set("version", instance.version);
  block.set("priority", instance.priority);
  block.set("advert_int", instance.advert_int);
  if (instance.auth_pass) {
    DumpBlock& authentication = block.one("authentication");
    authentication.set("auth_type", "PASS");
    authentication.secret("auth_pass", instance.auth_pass);
  } else {
    block.set("authentication", std::nullopt);
  }
  describe_addresses(instance, block);
  describe_source(instance, block);
  describe_vmac(instance, block);
  describe_protocol(instance, block);
  describe_garp(instance.garp, block);
  describe_tracking(instance.tracking, block);
  block.flag("dont_track_primary", instance.dont_track_primary);
  describe_notify(instance.notify, block);
  describe_command("notify_master_rx_lower_pri", instance.notify.master_rx_lower_pri, block);
  block.set("smtp_alert", instance.smtp_alert);
  block.set("lvs_sync_daemon_interface", or_nothing(instance.lvs_sync_daemon_interface));
}

}  // namespace

std::vector<DumpArgument> address_arguments(const VirtualAddress& address) {
  return {{"address", address.prefix},
          named("brd", address.brd),
          named("dev", or_nothing(address.dev)),
          named("scope", scope_value(address.scope)),
          named("label", or_nothing(address.label)),
          named("peer", address.peer),
          named("home", address.home),
          named("-nodad", address.nodad),
          named("mngtmpaddr", address.mngtmpaddr),
          named("noprefixroute", address.noprefixroute),
          named("autojoin", address.autojoin),
          named("no_track", address.no_track),
          named("use_vmac", address.use_vmac),
          named("preferred_lft", lifetime_value(address)),
          named("track_group", or_nothing(address.track_group))};
}

std::vector<DumpArgument> words_arguments(std::string key, const std::vector<std::string>& words, bool no_track,
                                          const std::string& track_group) {
  DumpRaw raw;
  for (const std::string& word : words) {
    const bool plain = word.find_first_of(" \t#!{}\\@$~'") == std::string::npos && !word.empty();
    const char* blank = raw.written.empty() ? "" : " ";
    raw.written += blank + (plain ? word : '"' + word + '"');
    raw.value += blank + word;
  }
  return {{std::move(key), std::move(raw)}, named("no_track", no_track), named("track_group", or_nothing(track_group))};
}

void describe_vrrp(const Model& model, DumpBlock& file) {
  describe_trackers(model.trackers, file);  // first: keepalived wants a tracker defined before it is named
  file.none_yet("vrrp_instance");
  for (const VrrpInstance& instance : model.vrrp_instances) {
    describe_instance(instance, file.many("vrrp_instance", {{"name", instance.name}}));
  }
  describe_sync_groups(model.vrrp_sync_groups, file);
  describe_statics(model, file);
}

}  // namespace lbdp::config
