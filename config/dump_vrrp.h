// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What the descriptions of VRRP's parts share.

#include <string>
#include <vector>

#include "config/dump.h"

namespace lbdp::config {

/// A line of virtual_ipaddress and its like.
std::vector<DumpArgument> address_arguments(const VirtualAddress& address);
/// A line of routes or rules: its words under `key`, and who watches it.
std::vector<DumpArgument> words_arguments(std::string key, const std::vector<std::string>& words, bool no_track,
                                          const std::string& track_group);

void describe_trackers(const Trackers& trackers, DumpBlock& file);
void describe_sync_groups(const std::vector<VrrpSyncGroup>& groups, DumpBlock& file);
void describe_statics(const Model& model, DumpBlock& file);
void describe_tracking(const Tracking& tracking, DumpBlock& block);
/// A command of a notify keyword, with user and group; nothing if there is none.
void describe_command(const char* keyword, const std::optional<CommandLine>& command, DumpBlock& block);
/// The commands that instances and groups both have.
void describe_notify(const Notify& notify, DumpBlock& block);

}  // namespace lbdp::config
