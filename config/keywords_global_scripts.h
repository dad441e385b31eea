// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The rows of global_defs about programs that run on events, and the pipes that events are written to.

#include "config/keywords_global.h"

namespace lbdp::config {

inline constexpr Keyword kGlobalScriptRows[] = {
    {"script_user", "USER [GROUP]", "keepalived_script if there is such a user, or else root",
     "Under whom scripts run that name no user. The account has to exist.", take_script_user},
    {"enable_script_security", "[BOOL]", "off",
     "Do not run a script as root if somebody else can write to it or to a directory above it.",
     flag<GlobalSpec, &GlobalSpec::enable_script_security>, nullptr, Effect::kNotYet},
    {"use_symlink_paths", "[BOOL]", "off", "Scripts are run by the path that is written, symbolic links included.",
     flag<GlobalSpec, &GlobalSpec::use_symlink_paths>, nullptr, Effect::kNotYet},
    {"set_supplementary_groups", "[BOOL]", "off", "Scripts get all groups of their user.",
     flag<GlobalSpec, &GlobalSpec::set_supplementary_groups>},
    {"startup_script", "COMMAND [USER [GROUP]]", "none", "A program to run once at the start, before everything else.",
     once_script<&GlobalSpec::startup_script>, nullptr, Effect::kNotYet},
    {"startup_script_timeout", "1..1000", "10", "After how many seconds it is killed.",
     one<GlobalSpec, &GlobalSpec::startup_script_timeout, full_seconds<1, 1000>>, nullptr, Effect::kNotYet},
    {"shutdown_script", "COMMAND [USER [GROUP]]", "none", "A program to run once at the end, after everything else.",
     once_script<&GlobalSpec::shutdown_script>, nullptr, Effect::kNotYet},
    {"shutdown_script_timeout", "1..1000", "10", "After how many seconds it is killed.",
     one<GlobalSpec, &GlobalSpec::shutdown_script_timeout, full_seconds<1, 1000>>, nullptr, Effect::kNotYet},
    {"notify_fifo", "PATH [USER [GROUP]]", "none", "A named pipe that all transitions are written to, one a line.",
     fifo<&GlobalSpec::notify_fifo>},
    {"notify_fifo_script", "COMMAND [USER [GROUP]]", "none", "A program that reads it; the pipe is its last argument.",
     fifo_script<&GlobalSpec::notify_fifo>},
    {"vrrp_notify_fifo", "PATH [USER [GROUP]]", "none", "The same for those of VRRP instances and sync groups.",
     fifo<&GlobalSpec::vrrp_notify_fifo>},
    {"vrrp_notify_fifo_script", "COMMAND [USER [GROUP]]", "none",
     "A program that reads it; the pipe is its last argument.", fifo_script<&GlobalSpec::vrrp_notify_fifo>},
    {"lvs_notify_fifo", "PATH [USER [GROUP]]", "none", "The same for those of virtual and real servers.",
     fifo<&GlobalSpec::lvs_notify_fifo>},
    {"lvs_notify_fifo_script", "COMMAND [USER [GROUP]]", "none",
     "A program that reads it; the pipe is its last argument.", fifo_script<&GlobalSpec::lvs_notify_fifo>},
    {"fifo_write_vrrp_states_on_reload", "[BOOL]", "off", "Write the states of all instances to the pipes at a reload.",
     flag<GlobalSpec, &GlobalSpec::fifo_write_vrrp_states_on_reload>, nullptr, Effect::kNotYet},
};

}  // namespace lbdp::config
