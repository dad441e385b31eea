// SPDX-License-Identifier: BSD-2-Clause
#include "config/resolve.h"

namespace lbdp::config {
namespace {

constexpr uint32_t kVrrpGroup4 = 0xe0000012;  // 224.0.0.18, RFC 3768 section 5.2.2
constexpr uint8_t kVrrpGroup6[16] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12};  // RFC 5798 section 5.1.2.2

class GlobalResolver {
 public:
  GlobalResolver(const GlobalSpec& spec, Diagnostics& diagnostics) : spec_(spec), diagnostics_(diagnostics) {}

  GlobalDefs resolve() {
    resolve_mail();
    resolve_announcements();
    resolve_vrrp();
    resolve_scripts();
    resolve_fifos();
    global_.lvs_sync_daemon = spec_.lvs_sync_daemon.value;
    return std::move(global_);
  }

 private:
  /// The setting's value, or the model's default.
  template <class T>
  static void take(T& to, const Setting<T>& from) {
    if (from) to = *from;
  }

  void resolve_mail() {
    global_.notification_email = spec_.notification_email;
    take(global_.notification_email_from, spec_.notification_email_from);
    global_.smtp_server = spec_.smtp_server.value;
    take(global_.smtp_helo_name, spec_.smtp_helo_name);
    take(global_.smtp_connect_timeout, spec_.smtp_connect_timeout);
    take(global_.router_id, spec_.router_id);
    global_.smtp_alert = spec_.smtp_alert.value;
    global_.smtp_alert_vrrp = spec_.smtp_alert_vrrp.value;
    global_.smtp_alert_checker = spec_.smtp_alert_checker.value;
    take(global_.no_email_faults, spec_.no_email_faults);
    take(global_.no_checker_emails, spec_.no_checker_emails);
    take(global_.checker_log_all_failures, spec_.checker_log_all_failures);
    take(global_.rs_init_notifies, spec_.rs_init_notifies);
    if (!global_.notification_email.empty() && !spec_.smtp_server.seen) {
      diagnostics_.warning(spec_.notification_email_place, "notification_email without smtp_server: no mail is sent");
    }
  }

  /// Gratuitous ARP. The values for an advertisement of lower priority are those for becoming MASTER unless set.
  void resolve_announcements() {
    take(global_.vrrp_min_garp, spec_.vrrp_min_garp);
    if (global_.vrrp_min_garp) {
      global_.vrrp_garp_master_delay = Duration(0);
      global_.vrrp_garp_master_repeat = 1;
    }
    take(global_.vrrp_garp_master_delay, spec_.vrrp_garp_master_delay);
    take(global_.vrrp_garp_master_repeat, spec_.vrrp_garp_master_repeat);
    take(global_.vrrp_garp_master_refresh, spec_.vrrp_garp_master_refresh);
    take(global_.vrrp_garp_master_refresh_repeat, spec_.vrrp_garp_master_refresh_repeat);
    global_.vrrp_garp_lower_prio_delay = first_of(global_.vrrp_garp_master_delay, spec_.vrrp_garp_lower_prio_delay);
    global_.vrrp_garp_lower_prio_repeat = first_of(global_.vrrp_garp_master_repeat, spec_.vrrp_garp_lower_prio_repeat);
    take(global_.vrrp_garp_interval, spec_.vrrp_garp_interval);
    take(global_.vrrp_gna_interval, spec_.vrrp_gna_interval);
    take(global_.vrrp_garp_extra_if, spec_.vrrp_garp_extra_if);
  }

  void resolve_vrrp() {
    take(global_.default_interface, spec_.default_interface);
    global_.vrrp_mcast_group4 = first_of(IpAddress::v4(Be<uint32_t>::from_host(kVrrpGroup4)), spec_.vrrp_mcast_group4);
    global_.vrrp_mcast_group6 = first_of(IpAddress::v6(kVrrpGroup6), spec_.vrrp_mcast_group6);
    take(global_.vrrp_version, spec_.vrrp_version);
    take(global_.vrrp_down_timer_adverts, spec_.vrrp_down_timer_adverts);
    take(global_.vrrp_lower_prio_no_advert, spec_.vrrp_lower_prio_no_advert);
    take(global_.vrrp_higher_prio_send_advert, spec_.vrrp_higher_prio_send_advert);
    take(global_.vrrp_owner_ignore_adverts, spec_.vrrp_owner_ignore_adverts);
    take(global_.vrrp_check_unicast_src, spec_.vrrp_check_unicast_src);
    take(global_.vrrp_skip_check_adv_addr, spec_.vrrp_skip_check_adv_addr);
    take(global_.vrrp_strict, spec_.vrrp_strict);
    take(global_.v3_checksum_as_v2, spec_.v3_checksum_as_v2);
    take(global_.vrrp_notify_priority_changes, spec_.vrrp_notify_priority_changes);
    take(global_.vrrp_startup_delay, spec_.vrrp_startup_delay);
    take(global_.vrrp_delay_after_boot, spec_.vrrp_delay_after_boot);
    take(global_.log_unknown_vrids, spec_.log_unknown_vrids);
    take(global_.vmac_prefix, spec_.vmac_prefix);
    take(global_.vmac_addr_prefix, spec_.vmac_addr_prefix);
    take(global_.dynamic_interfaces, spec_.dynamic_interfaces);
  }

  void resolve_scripts() {
    take(global_.script_user, spec_.script_user);
    take(global_.enable_script_security, spec_.enable_script_security);
    take(global_.use_symlink_paths, spec_.use_symlink_paths);
    take(global_.set_supplementary_groups, spec_.set_supplementary_groups);
    global_.startup_script.command = spec_.startup_script.value;
    take(global_.startup_script.timeout, spec_.startup_script_timeout);
    global_.shutdown_script.command = spec_.shutdown_script.value;
    take(global_.shutdown_script.timeout, spec_.shutdown_script_timeout);
    take(global_.fifo_write_vrrp_states_on_reload, spec_.fifo_write_vrrp_states_on_reload);
  }

  /// Two writers of one pipe would be taken for one by its reader.
  void resolve_fifos() {
    global_.notify_fifo = fifo(spec_.notify_fifo, "notify_fifo");
    global_.vrrp_notify_fifo = fifo(spec_.vrrp_notify_fifo, "vrrp_notify_fifo");
    global_.lvs_notify_fifo = fifo(spec_.lvs_notify_fifo, "lvs_notify_fifo");
    const auto refuse = [&](const NotifyFifo& one, const NotifyFifo& other, const NotifyFifoSpec& spec) {
      if (one.path.empty() || one.path != other.path) return;
      diagnostics_.error(spec.fifo.place, "two notify FIFOs have the path " + in_quotes(one.path));
    };
    refuse(global_.notify_fifo, global_.vrrp_notify_fifo, spec_.vrrp_notify_fifo);
    refuse(global_.notify_fifo, global_.lvs_notify_fifo, spec_.lvs_notify_fifo);
    refuse(global_.vrrp_notify_fifo, global_.lvs_notify_fifo, spec_.lvs_notify_fifo);
  }

  NotifyFifo fifo(const NotifyFifoSpec& spec, const std::string& name) {
    NotifyFifo fifo = first_of(NotifyFifo{}, spec.fifo);
    if (!spec.script) return fifo;
    if (spec.fifo) {
      fifo.script = *spec.script;
    } else if (!spec.fifo.seen) {
      diagnostics_.warning(spec.script.place, name + "_script without " + name + " is ignored");
    }
    return fifo;
  }

  const GlobalSpec& spec_;
  Diagnostics& diagnostics_;
  GlobalDefs global_;
};

}  // namespace

GlobalDefs resolve_global(const GlobalSpec& spec, Diagnostics& diagnostics) {
  return GlobalResolver(spec, diagnostics).resolve();
}

}  // namespace lbdp::config
