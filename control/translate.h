// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The one place that knows both the configuration's model and what each layer takes.

#include <string>
#include <vector>

#include "checks/parameters.h"
#include "config/model.h"
#include "control/backend_set.h"
#include "control/mail.h"
#include "dataplane/parameters.h"
#include "vrrp/parameters.h"

namespace lbdp::control {

/// An address that the file wants on a port's tap.
struct TapAddress {
  std::string interface;
  IpPrefix address;

  friend bool operator==(const TapAddress&, const TapAddress&) = default;
};

/// Ports with the names of their taps: what the dataplane block says, then the interface names in the file's order.
dataplane::StartupParams to_startup_params(const config::Model& model);
std::vector<TapAddress> to_tap_addresses(const config::Model& model, const dataplane::StartupParams& startup);
BackendInputs to_backend_inputs(const config::Model& model);
std::vector<vrrp::InstanceParams> to_vrrp_instances(const config::Model& model);
std::vector<checks::TargetParams> to_check_targets(const config::Model& model);
/// What the file's checkers need and the checks cannot do yet, one line for each; such a file is not run, since it
/// would take dead servers for live ones.
std::vector<std::string> unsupported_checks(const config::Model& model);
MailParams to_mail_params(const config::Model& model);

/// What mails and notifications call this director: router_id, or the host's name.
std::string router_id(const config::Model& model);
/// The file wants a mail when this instance comes to that state.
bool wants_vrrp_mail(const config::Model& model, const std::string& instance, vrrp::State state);

/// Why `next` cannot take the place of `running` without a restart; empty: it can. One line for each setting.
std::vector<std::string> restart_reasons(const config::Model& running, const config::Model& next);

}  // namespace lbdp::control
