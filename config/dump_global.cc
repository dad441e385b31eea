// SPDX-License-Identifier: BSD-2-Clause
#include "config/dump.h"

namespace lbdp::config {
namespace {

/// Only addresses: names are looked up when the file is read.
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
}

}  // namespace

void describe_global(const Model& model, DumpBlock& file) {
  DumpBlock& block = file.one("global_defs");
  describe_mail(model.global, block);
  block.set("vrrp_mcast_group4", model.global.vrrp_mcast_group4);
  block.line("lvs_timeouts",
             {named("tcp", model.dataplane.timeout_tcp), named("tcpfin", model.dataplane.timeout_tcpfin),
              named("udp", model.dataplane.timeout_udp)});
}

}  // namespace lbdp::config
