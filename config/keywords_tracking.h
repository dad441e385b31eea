// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The rows that vrrp_instance and vrrp_sync_group both have: what they track, and whom they tell.

#include "config/keywords_vrrp.h"

namespace lbdp::config {

// The lists of names; each scope is a vector of tracked names.
extern const Block kTrackInterfaceBlock;
extern const Block kTrackScriptBlock;
extern const Block kTrackFileBlock;
extern const Block kTrackProcessBlock;
extern const Block kTrackBfdBlock;

/// notify_* "COMMAND" [USER [GROUP]]
void* take_notify(Setting<CommandLine>& setting, const Statement& statement, Context& context);
template <class Scope, auto kMember>
void* notify(void* scope, const Statement& statement, Context& context) {
  return take_notify(static_cast<Scope*>(scope)->*kMember, statement, context);
}
void* take_notify_deleted(NotifySpec& spec, const Statement& statement, Context& context);
template <class Scope>
void* notify_deleted(void* scope, const Statement& statement, Context& context) {
  return take_notify_deleted(*static_cast<Scope*>(scope), statement, context);
}

template <class S>
inline constexpr Keyword kTrackingRows[] = {
    {"track_interface", "{ NAME [weight -253..253 [reverse|noreverse]] ... }", "",
     "Interfaces to follow, one a line. Without a weight, or with 0, FAULT while one is down; a positive weight is "
     "added "
     "to the priority while it is up, a negative one while it is down; reverse turns that round.",
     list_scope<S, &S::track_interface>, &kTrackInterfaceBlock},
    {"track_script", "{ NAME [weight -253..253 [reverse|noreverse]] ... }", "",
     "The vrrp_scripts to follow, as with track_interface. Without a weight that of the script holds.",
     list_scope<S, &S::track_script>, &kTrackScriptBlock},
    {"track_file", "{ NAME [weight -254..254 [reverse|noreverse]] ... }", "",
     "The track_files to follow. The number in the file times the weight is added to the priority, and FAULT below "
     "-253; with weight 0, FAULT unless the number is 0. Without a weight that of the track_file holds.",
     list_scope<S, &S::track_file>, &kTrackFileBlock},
    {"track_process", "{ NAME [weight -254..254 [reverse|noreverse]] ... }", "",
     "The vrrp_track_processes to follow, as with track_interface. Without a weight that of the process holds.",
     list_scope<S, &S::track_process>, &kTrackProcessBlock, Effect::kNotYet},
    {"track_bfd", "{ NAME [weight -253..253 [reverse|noreverse]] ... }", "",
     "The bfd_instances to follow, as with track_interface. Without a weight that of the session holds.",
     list_scope<S, &S::track_bfd>, &kTrackBfdBlock, Effect::kNotYet},
};

template <class S>
inline constexpr Keyword kNotifyRows[] = {
    {"notify_master", "COMMAND [USER [GROUP]]", "", "The command to run on becoming MASTER.",
     notify<S, &S::notify_master>},
    {"notify_backup", "COMMAND [USER [GROUP]]", "", "The command to run on becoming BACKUP.",
     notify<S, &S::notify_backup>},
    {"notify_fault", "COMMAND [USER [GROUP]]", "", "The command to run on going to FAULT.",
     notify<S, &S::notify_fault>},
    {"notify_stop", "COMMAND [USER [GROUP]]", "", "The command to run when lbdp stops.", notify<S, &S::notify_stop>},
    {"notify_deleted", "[COMMAND [USER [GROUP]]]", "",
     "The command to run when a reload takes it away; the other commands hear DELETED then and not FAULT.",
     notify_deleted<S>},
    {"notify", "COMMAND [USER [GROUP]]", "",
     "The command to run on every transition, after the others, with four more arguments: INSTANCE or GROUP, the name, "
     "the new state, the priority.",
     notify<S, &S::notify>},
    {"notify_priority_changes", "[BOOL]", "vrrp_notify_priority_changes",
     "Whether changes of the priority are written to the notify FIFOs.", flag<S, &S::notify_priority_changes>},
};

}  // namespace lbdp::config
