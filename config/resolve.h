// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "config/diagnostics.h"
#include "config/model.h"
#include "config/spec.h"

namespace lbdp::config {

/// Makes the model of what a file says: fills in defaults, resolves inheritance, and reports what does not fit
/// together. The model counts only if `diagnostics` has no errors.
Model resolve(const FileSpec& spec, Diagnostics& diagnostics);

// The parts of it, one file each.
GlobalDefs resolve_global(const GlobalSpec& spec, Diagnostics& diagnostics);
std::vector<VrrpInstance> resolve_vrrp(const FileSpec& spec, Diagnostics& diagnostics);
/// Changes the members too: in a group they have no weights of their own.
std::vector<VrrpSyncGroup> resolve_sync_groups(const FileSpec& spec, std::vector<VrrpInstance>& instances,
                                               Diagnostics& diagnostics);
Trackers resolve_trackers(const VrrpSpec& spec, Diagnostics& diagnostics);
Statics resolve_statics(const FileSpec& spec, Diagnostics& diagnostics);
std::vector<GarpGroup> resolve_garp_groups(const VrrpSpec& spec, Diagnostics& diagnostics);
std::vector<InterfaceDelay> resolve_interface_delays(const VrrpSpec& spec, const std::vector<VrrpInstance>& instances,
                                                     Diagnostics& diagnostics);
std::vector<VirtualServer> resolve_services(const FileSpec& spec, Diagnostics& diagnostics);
/// Scheduler and persistence of a virtual server whose services are known.
void resolve_scheduling(const VirtualServerSpec& spec, VirtualServer& server, Diagnostics& diagnostics);
/// Quorum, hysteresis and what runs at their transitions, of a virtual server whose real servers are known.
void resolve_quorum(const VirtualServerSpec& spec, VirtualServer& server, Diagnostics& diagnostics);
SslFiles resolve_ssl(const SslSpec& spec);
Dataplane resolve_dataplane(const FileSpec& spec, Diagnostics& diagnostics);
/// Remarks about defaults that may surprise, each with the place of the block that lacks the keyword.
void tell_defaults(const FileSpec& spec, Diagnostics& diagnostics);

/// The first setting that has a value, or `fallback`.
template <class T, class... More>
T first_of(T fallback, const Setting<T>& setting, const More&... more) {
  if (setting) return *setting;
  if constexpr (sizeof...(more) > 0) {
    return first_of(std::move(fallback), more...);
  } else {
    return fallback;
  }
}

}  // namespace lbdp::config
