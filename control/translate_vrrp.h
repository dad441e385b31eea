// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What of the configuration's model concerns VRRP's surroundings: notifications, trackers, the dataplane's health.

#include "config/model.h"
#include "control/dataplane_health.h"
#include "control/notifier.h"
#include "control/trackers.h"

namespace lbdp::control {

NotifierParams to_notifier_params(const config::Model& model);
/// An instance has its sync group's lines beside its own. Instances that track nothing are there too.
TrackersParams to_trackers_params(const config::Model& model);
DataplaneHealthParams to_health_params(const config::Model& model);
/// The sync group of an instance; empty: none.
std::string sync_group_of(const config::Model& model, const std::string& instance);

/// keepalived's word for a state in notifications. Empty: nothing is told of it.
std::string notify_word(vrrp::State state);

}  // namespace lbdp::control
