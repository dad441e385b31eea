// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The rows of vrrp_instance about gratuitous ARP and unsolicited neighbour advertisements.

#include "config/keywords_vrrp.h"

namespace lbdp::config {

/// A pause between two frames, 0 to 1000 s in steps of a microsecond.
inline constexpr auto garp_pause = seconds<0, int64_t{1000} * 1'000'000>;

/// garp_extra_if [all] SECONDS, also under its old name.
void* take_garp_extra_if(void* scope, const Statement& statement, Context& context);

inline constexpr Keyword kGarpRows[] = {
    {"garp_master_delay", "SECONDS", "vrrp_garp_master_delay",
     "How long after becoming MASTER the second set of gratuitous ARPs is sent, in whole seconds; 0: no second set.",
     one<VrrpInstanceSpec, &VrrpInstanceSpec::garp_master_delay, whole_seconds<0>>},
    {"garp_master_repeat", "1..4294967295", "vrrp_garp_master_repeat",
     "How many gratuitous ARPs each set has for each address.",
     one<VrrpInstanceSpec, &VrrpInstanceSpec::garp_master_repeat, number<uint32_t, 1>>},
    {"garp_master_refresh", "SECONDS", "vrrp_garp_master_refresh",
     "The interval at which a MASTER sends gratuitous ARPs again, in whole seconds; 0: never.",
     one<VrrpInstanceSpec, &VrrpInstanceSpec::garp_master_refresh, whole_seconds<0, kSecondsOfADay>>},
    {"garp_master_refresh_repeat", "1..4294967295", "vrrp_garp_master_refresh_repeat",
     "How many each of these times, for each address.",
     one<VrrpInstanceSpec, &VrrpInstanceSpec::garp_master_refresh_repeat, number<uint32_t, 1>>},
    {"garp_lower_prio_delay", "SECONDS", "vrrp_garp_lower_prio_delay, then garp_master_delay",
     "As garp_master_delay, for the sets that answer an advertisement of lower priority.",
     one<VrrpInstanceSpec, &VrrpInstanceSpec::garp_lower_prio_delay, whole_seconds<0>>},
    {"garp_lower_prio_repeat", "0..4294967295", "vrrp_garp_lower_prio_repeat, then garp_master_repeat",
     "As garp_master_repeat, for these sets; 0: none.",
     one<VrrpInstanceSpec, &VrrpInstanceSpec::garp_lower_prio_repeat, number<uint32_t>>},
    {"garp_interval", "SECONDS", "garp_group, then vrrp_garp_interval",
     "The pause between two gratuitous ARPs, 0 to 1000 s with decimals.",
     one<VrrpInstanceSpec, &VrrpInstanceSpec::garp_interval, garp_pause>},
    {"gna_interval", "SECONDS", "garp_group, then vrrp_gna_interval",
     "The same between two unsolicited neighbour advertisements.",
     one<VrrpInstanceSpec, &VrrpInstanceSpec::gna_interval, garp_pause>},
    {"garp_extra_if", "[all] SECONDS", "vrrp_garp_extra_if",
     "The interval at which gratuitous ARPs go out for virtual addresses on other interfaces than the instance's, in "
     "whole seconds; without all only for those with a virtual MAC; 0: never.",
     take_garp_extra_if, nullptr, Effect::kNotYet},
    {"vmac_garp_intvl", "[all] SECONDS", "vrrp_garp_extra_if", "The old name of garp_extra_if.", take_garp_extra_if,
     nullptr, Effect::kNotYet},
};

}  // namespace lbdp::config
