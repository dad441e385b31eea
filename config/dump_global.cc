// SPDX-License-Identifier: BSD-2-Clause
#include "config/dump.h"

namespace lbdp::config {
namespace {

/// For what keepalived knows no word to switch off: a 0 is silence.
void set_unless_zero(DumpBlock& block, const char* keyword, Duration value) {
  DumpStatement& statement = block.set(keyword, value);
  if (value == Duration(0)) statement.unsaid();
}

void describe_mail(const GlobalDefs& global, DumpBlock& block) {
  DumpStatement& recipients = block.list("notification_email");
  for (const std::string& recipient : global.notification_email) recipients.entry({recipient});
  block.set("notification_email_from", or_nothing(global.notification_email_from));
  if (global.smtp_server) {
    block.line("smtp_server", {{"address", global.smtp_server->address}, {"port", global.smtp_server->port}});
  } else {
    block.set("smtp_server", std::nullopt);
  }
  block.set("smtp_helo_name", or_nothing(global.smtp_helo_name));
  block.set("smtp_connect_timeout", global.smtp_connect_timeout);
  block.set("router_id", or_nothing(global.router_id));
  block.set("smtp_alert", global.smtp_alert);
  block.set("smtp_alert_vrrp", global.smtp_alert_vrrp);
  block.set("smtp_alert_checker", global.smtp_alert_checker);
  block.flag("no_email_faults", global.no_email_faults);
  block.flag("no_checker_emails", global.no_checker_emails);
  block.set("checker_log_all_failures", global.checker_log_all_failures);
  block.flag("rs_init_notifies", global.rs_init_notifies);
}

void describe_announcements(const VrrpGlobals& global, DumpBlock& block) {
  block.set("vrrp_garp_master_delay", global.vrrp_garp_master_delay);
  block.set("vrrp_garp_master_repeat", global.vrrp_garp_master_repeat);
  block.set("vrrp_garp_master_refresh", global.vrrp_garp_master_refresh);
  block.set("vrrp_garp_master_refresh_repeat", global.vrrp_garp_master_refresh_repeat);
  block.set("vrrp_garp_lower_prio_delay", global.vrrp_garp_lower_prio_delay);
  block.set("vrrp_garp_lower_prio_repeat", global.vrrp_garp_lower_prio_repeat);
  set_unless_zero(block, "vrrp_garp_interval", global.vrrp_garp_interval);
  set_unless_zero(block, "vrrp_gna_interval", global.vrrp_gna_interval);
  block.set("vrrp_min_garp", global.vrrp_min_garp);
  const GarpExtraIf& extra = global.vrrp_garp_extra_if;
  if (extra.interval > Duration(0)) {
    block.line("vrrp_garp_extra_if", {named("all", extra.all), {"interval", extra.interval}});
  } else {
    block.set("vrrp_garp_extra_if", std::nullopt);
  }
}

void describe_dynamic_interfaces(DynamicInterfaces value, DumpBlock& block) {
  if (value == DynamicInterfaces::kIfChanges) {
    block.set("dynamic_interfaces", "allow_if_changes");
  } else {
    block.flag("dynamic_interfaces", value == DynamicInterfaces::kOn);
  }
}

void describe_vrrp_defaults(const VrrpGlobals& global, DumpBlock& block) {
  block.set("default_interface", global.default_interface);
  block.set("vrrp_mcast_group4", global.vrrp_mcast_group4);
  block.set("vrrp_mcast_group6", global.vrrp_mcast_group6);
  block.set("vrrp_version", global.vrrp_version);
  describe_announcements(global, block);
  block.set("vrrp_down_timer_adverts", global.vrrp_down_timer_adverts);
  block.set("vrrp_lower_prio_no_advert", global.vrrp_lower_prio_no_advert);
  block.set("vrrp_higher_prio_send_advert", global.vrrp_higher_prio_send_advert);
  // Not in Debian's keepalived, which does not read "off" after the others, either: it takes any word for "on".
  block.flag("vrrp_owner_ignore_adverts", global.vrrp_owner_ignore_adverts).hidden();
  block.flag("v3_checksum_as_v2", global.v3_checksum_as_v2).hidden();
  block.flag("vrrp_check_unicast_src", global.vrrp_check_unicast_src);
  block.flag("vrrp_skip_check_adv_addr", global.vrrp_skip_check_adv_addr);
  block.flag("vrrp_strict", global.vrrp_strict);
  block.set("vrrp_notify_priority_changes", global.vrrp_notify_priority_changes);
  set_unless_zero(block, "vrrp_startup_delay", global.vrrp_startup_delay);
  DumpStatement& after_boot = block.set("vrrp_delay_after_boot", global.vrrp_delay_after_boot).hidden();
  if (global.vrrp_delay_after_boot == Duration(0)) after_boot.unsaid();
  block.flag("log_unknown_vrids", global.log_unknown_vrids);
  block.set("vmac_prefix", global.vmac_prefix);
  block.set("vmac_addr_prefix", or_nothing(global.vmac_addr_prefix));
  describe_dynamic_interfaces(global.dynamic_interfaces, block);
}

void describe_sync_daemon(const std::optional<LvsSyncDaemon>& daemon, DumpBlock& block) {
  if (!daemon) {
    block.set("lvs_sync_daemon", std::nullopt);
    return;
  }
  block.line("lvs_sync_daemon", {{"interface", daemon->interface},
                                 named("inst", or_nothing(daemon->instance)),
                                 named("id", daemon->id),
                                 named("maxlen", daemon->maxlen),
                                 named("port", daemon->port),
                                 named("ttl", daemon->ttl),
                                 named("group", daemon->group)});
}

void describe_command(const char* keyword, const std::optional<CommandLine>& command, DumpBlock& block) {
  if (command) {
    block.line(keyword, command_arguments(*command));
  } else {
    block.set(keyword, std::nullopt);
  }
}

void describe_fifo(const std::string& keyword, const NotifyFifo& fifo, DumpBlock& block) {
  if (fifo.path.empty()) {
    block.set(keyword, std::nullopt);
  } else {
    block.line(keyword,
               {{"path", fifo.path}, {"user", or_nothing(fifo.owner.user)}, {"group", or_nothing(fifo.owner.group)}});
  }
  describe_command((keyword + "_script").c_str(), fifo.script, block);
}

void describe_scripts(const GlobalDefs& global, DumpBlock& block) {
  if (global.script_user.user.empty()) {
    block.set("script_user", std::nullopt);
  } else {
    block.line("script_user", {{"user", global.script_user.user}, {"group", or_nothing(global.script_user.group)}});
  }
  block.flag("enable_script_security", global.enable_script_security);
  block.flag("use_symlink_paths", global.use_symlink_paths).hidden();
  block.flag("set_supplementary_groups", global.set_supplementary_groups).hidden();
  describe_command("startup_script", global.startup_script.command, block);
  block.set("startup_script_timeout", global.startup_script.timeout);
  describe_command("shutdown_script", global.shutdown_script.command, block);
  block.set("shutdown_script_timeout", global.shutdown_script.timeout);
  describe_fifo("notify_fifo", global.notify_fifo, block);
  describe_fifo("vrrp_notify_fifo", global.vrrp_notify_fifo, block);
  describe_fifo("lvs_notify_fifo", global.lvs_notify_fifo, block);
  block.flag("fifo_write_vrrp_states_on_reload", global.fifo_write_vrrp_states_on_reload);
}

}  // namespace

void describe_global(const Model& model, DumpBlock& file) {
  DumpBlock& block = file.one("global_defs");
  describe_mail(model.global, block);
  describe_vrrp_defaults(model.global, block);
  describe_sync_daemon(model.global.lvs_sync_daemon, block);
  block.line("lvs_timeouts",
             {named("tcp", model.dataplane.timeout_tcp), named("tcpfin", model.dataplane.timeout_tcpfin),
              named("udp", model.dataplane.timeout_udp)});
  describe_scripts(model.global, block);
}

}  // namespace lbdp::config
