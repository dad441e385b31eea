// SPDX-License-Identifier: BSD-2-Clause
#include "config/dump.h"

namespace lbdp::config {
namespace {

void describe_instance(const VrrpInstance& instance, DumpBlock& block) {
  block.set("state", instance.state == VrrpInstance::State::kMaster ? "MASTER" : "BACKUP");
  block.set("interface", instance.interface);
  block.set("virtual_router_id", instance.virtual_router_id);
  block.set("priority", instance.priority);
  block.set("advert_int", instance.advert_int);
  if (instance.auth_pass) {
    DumpBlock& authentication = block.one("authentication");
    authentication.set("auth_type", "PASS");
    authentication.secret("auth_pass", instance.auth_pass);
  } else {
    block.set("authentication", std::nullopt);
  }
  DumpStatement& addresses = block.list("virtual_ipaddress");
  for (const IpPrefix& address : instance.virtual_ipaddress) addresses.entry({address});
  block.flag("nopreempt", instance.nopreempt);
  block.set("preempt_delay", instance.preempt_delay);
  block.set("smtp_alert", instance.smtp_alert);
}

}  // namespace

void describe_vrrp(const Model& model, DumpBlock& file) {
  file.none_yet("vrrp_instance");
  for (const VrrpInstance& instance : model.vrrp_instances) {
    describe_instance(instance, file.many("vrrp_instance", {{"name", instance.name}}));
  }
}

}  // namespace lbdp::config
