// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The rows of global_defs that are defaults of vrrp_instances.

#include "config/keywords_global.h"

namespace lbdp::config {

inline constexpr int64_t kMostTimerUs = 4'294'967'295;  // 32 bits of microseconds, keepalived's limit

Result<IpAddress> ipv6_multicast(std::string_view text);
/// A prefix of interface names, so short that a VRID still fits.
Result<std::string> vmac_prefix(std::string_view text);

inline constexpr Keyword kGlobalVrrpRows[] = {
    {"default_interface", "INTERFACE", "eth0", "The interface of static addresses that name none.",
     one<GlobalSpec, &GlobalSpec::default_interface, interface_name>, nullptr, Effect::kNotYet},
    {"vrrp_mcast_group4", "ADDRESS", "224.0.0.18", "The IPv4 multicast group of VRRP advertisements.",
     one<GlobalSpec, &GlobalSpec::vrrp_mcast_group4, ipv4_multicast>},
    {"vrrp_mcast_group6", "ADDRESS6", "ff02::12", "The IPv6 multicast group of VRRP advertisements.",
     one<GlobalSpec, &GlobalSpec::vrrp_mcast_group6, ipv6_multicast>},
    {"vrrp_version", "2..3", "2",
     "The version of VRRP that instances without version speak. Those for IPv6 always speak 3.",
     one<GlobalSpec, &GlobalSpec::vrrp_version, number<uint8_t, 2, 3>>},
    {"vrrp_garp_master_delay", "0..4294", "5",
     "How many seconds after becoming MASTER the second set of gratuitous ARPs is sent; 0: there is none.",
     one<GlobalSpec, &GlobalSpec::vrrp_garp_master_delay, full_seconds<0>>},
    {"vrrp_garp_master_repeat", "1..4294967295", "5", "How many gratuitous ARPs each set has for each address.",
     one<GlobalSpec, &GlobalSpec::vrrp_garp_master_repeat, number<uint32_t, 1>>},
    {"vrrp_garp_master_refresh", "0..86400", "0",
     "The interval, in seconds, at which a MASTER sends gratuitous ARPs again; 0: never.",
     one<GlobalSpec, &GlobalSpec::vrrp_garp_master_refresh, full_seconds<0, 86400>>},
    {"vrrp_garp_master_refresh_repeat", "1..4294967295", "1",
     "How many it sends each of these times, for each address.",
     one<GlobalSpec, &GlobalSpec::vrrp_garp_master_refresh_repeat, number<uint32_t, 1>>},
    {"vrrp_garp_lower_prio_delay", "0..4294", "vrrp_garp_master_delay",
     "The same as vrrp_garp_master_delay, for the sets that answer an advertisement of lower priority.",
     one<GlobalSpec, &GlobalSpec::vrrp_garp_lower_prio_delay, full_seconds<0>>},
    {"vrrp_garp_lower_prio_repeat", "0..4294967295", "vrrp_garp_master_repeat",
     "The same as vrrp_garp_master_repeat, for these sets; 0: none.",
     one<GlobalSpec, &GlobalSpec::vrrp_garp_lower_prio_repeat, number<uint32_t>>},
    {"vrrp_garp_interval", "SECONDS", "no pause",
     "The pause between two gratuitous ARPs on an interface, with decimals down to the microsecond.",
     one<GlobalSpec, &GlobalSpec::vrrp_garp_interval, seconds<1, kMostTimerUs>>},
    {"vrrp_gna_interval", "SECONDS", "no pause", "The same between two unsolicited neighbour advertisements.",
     one<GlobalSpec, &GlobalSpec::vrrp_gna_interval, seconds<1, kMostTimerUs>>},
    {"vrrp_min_garp", "[BOOL]", "off",
     "One gratuitous ARP for each address, and no second set, where vrrp_garp_* do not say otherwise.",
     flag<GlobalSpec, &GlobalSpec::vrrp_min_garp>},
    {"vrrp_garp_extra_if", "[all] 1..86400", "never",
     "The interval, in seconds, at which gratuitous ARPs go out for virtual addresses on other interfaces than their "
     "instance's; without all only for those with a virtual MAC.",
     take_vrrp_garp_extra_if, nullptr, Effect::kNotYet},
    {"vrrp_vmac_garp_intvl", "[all] 1..86400", "never", "The old name of vrrp_garp_extra_if.", take_vrrp_garp_extra_if,
     nullptr, Effect::kNotYet},
    {"vrrp_down_timer_adverts", "1..100", "3", "After how many missing advertisements a MASTER counts as gone.",
     one<GlobalSpec, &GlobalSpec::vrrp_down_timer_adverts, number<uint8_t, 1, 100>>},
    {"vrrp_lower_prio_no_advert", "[BOOL]", "off",
     "Do not answer an advertisement of lower priority with one of ours, as RFC 5798 has it.",
     flag<GlobalSpec, &GlobalSpec::vrrp_lower_prio_no_advert>},
    {"vrrp_higher_prio_send_advert", "[BOOL]", "off",
     "Answer an advertisement of higher priority with a last one of ours, so that the other sends gratuitous ARPs.",
     flag<GlobalSpec, &GlobalSpec::vrrp_higher_prio_send_advert>},
    {"vrrp_owner_ignore_adverts", "[BOOL]", "off",
     "An instance of priority 255 does not listen to advertisements, whatever they say.",
     flag<GlobalSpec, &GlobalSpec::vrrp_owner_ignore_adverts>},
    {"vrrp_check_unicast_src", "[BOOL]", "off", "Unicast advertisements must come from one of unicast_peer.",
     flag<GlobalSpec, &GlobalSpec::vrrp_check_unicast_src>},
    {"vrrp_skip_check_adv_addr", "[BOOL]", "off",
     "Do not compare the addresses in an advertisement that comes from the same MASTER as the last one.",
     flag<GlobalSpec, &GlobalSpec::vrrp_skip_check_adv_addr>, nullptr, Effect::kNotYet},
    {"vrrp_strict", "[BOOL]", "off", "Refuse what the RFCs of VRRP do not have.",
     flag<GlobalSpec, &GlobalSpec::vrrp_strict>, nullptr, Effect::kNotYet},
    {"v3_checksum_as_v2", "[BOOL]", "off",
     "The checksum of version 3 over IPv4 leaves out the pseudo-header, as that of version 2 does.",
     flag<GlobalSpec, &GlobalSpec::v3_checksum_as_v2>},
    {"vrrp_notify_priority_changes", "[BOOL]", "off", "Write changes of an instance's priority to the notify FIFOs.",
     flag<GlobalSpec, &GlobalSpec::vrrp_notify_priority_changes>},
    {"vrrp_startup_delay", "SECONDS", "none",
     "How long after the start of lbdp the instances begin, 0.001 to 4294 s: a bond may need a while until it "
     "receives.",
     one<GlobalSpec, &GlobalSpec::vrrp_startup_delay, seconds<1000, kMostTimerUs>>, nullptr, Effect::kNotYet},
    {"vrrp_delay_after_boot", "SECONDS", "none", "The same, counted from the boot of the host.",
     one<GlobalSpec, &GlobalSpec::vrrp_delay_after_boot, seconds<1000, kMostTimerUs>>, nullptr, Effect::kNotYet},
    {"log_unknown_vrids", "[BOOL]", "off", "Log advertisements with a VRID that no instance of the interface has.",
     flag<GlobalSpec, &GlobalSpec::log_unknown_vrids>, nullptr, Effect::kNotYet},
    {"vmac_prefix", "NAME", "vrrp", "How names of interfaces of virtual MACs begin.",
     one<GlobalSpec, &GlobalSpec::vmac_prefix, vmac_prefix>, nullptr, Effect::kNotYet},
    {"vmac_addr_prefix", "NAME", "vmac_prefix", "The same for those of single virtual addresses.",
     one<GlobalSpec, &GlobalSpec::vmac_addr_prefix, vmac_prefix>, nullptr, Effect::kNotYet},
    {"dynamic_interfaces", "[allow_if_changes]", "off",
     "Interfaces that instances name may be missing at the start, and come and go; with allow_if_changes they may come "
     "back as another kind.",
     take_dynamic_interfaces, nullptr, Effect::kNotYet},
};

}  // namespace lbdp::config
