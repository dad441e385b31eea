// SPDX-License-Identifier: BSD-2-Clause
#include "config/keywords_vrrp.h"

#include "config/keywords_garp.h"
#include "config/keywords_tracking.h"

namespace lbdp::config {
namespace {

constexpr int64_t kSecond = 1'000'000;

Result<VrrpInstance::State> state(std::string_view text) {
  if (text == "MASTER") return VrrpInstance::State::kMaster;
  if (text == "BACKUP") return VrrpInstance::State::kBackup;
  return fail("wanted MASTER or BACKUP");
}

Result<AuthType> auth_type(std::string_view text) {
  if (text == "PASS") return AuthType::kPass;
  if (text == "AH") return fail("wanted PASS: AH is not supported");
  return fail("wanted PASS");
}

/// An IPv4 or IPv6 group. IPv6: link-local scope, as RFC 5798 section 5.1.2.2 has it.
Result<IpAddress> multicast(std::string_view text) {
  constexpr uint8_t kScopeBits = 0x0f;
  constexpr uint8_t kLinkLocal = 2;
  const auto parsed = IpAddress::parse(text);
  const bool good =
      parsed && parsed->is_multicast() && (parsed->is_v4() || (parsed->bytes()[1] & kScopeBits) == kLinkLocal);
  if (!good) return fail("wanted a multicast address: 224.0.0.0 to 239.255.255.255, or ff02::/16");
  return *parsed;
}

/// auth_pass PASSWORD; the messages do not repeat it.
void* take_auth_pass(void* scope, const Statement& statement, Context& context) {
  const auto arguments = statement.arguments();
  std::optional<std::string> value;
  if (arguments.size() == 1 && !arguments[0].text.empty()) {
    value = std::string(arguments[0].text);
  } else {
    context.diagnostics.error(statement.place(),
                              "'auth_pass' takes one password that is not empty; put one with blanks "
                              "in quotes");
  }
  assign(static_cast<VrrpInstanceSpec*>(scope)->auth_pass, value, statement, context);
  return nullptr;
}

/// old_unicast_checksum [never]
void* take_old_checksum(void* scope, const Statement& statement, Context& context) {
  using Old = VrrpInstance::OldChecksum;
  std::optional<Old> value;
  if (expect_arguments(statement, 0, 1, context)) {
    const auto arguments = statement.arguments();
    if (arguments.empty()) {
      value = Old::kAlways;
    } else if (arguments[0].text == "never") {
      value = Old::kNever;
    } else {
      report_value(statement, arguments[0], {"wanted never, or nothing"}, context);
    }
  }
  assign(static_cast<VrrpInstanceSpec*>(scope)->old_unicast_checksum, value, statement, context);
  return nullptr;
}

/// timer_expired_backup [PRIORITY]
void* take_timer_expired(void* scope, const Statement& statement, Context& context) {
  if (statement.keyword() == "thread_timer_expired") note_old_name(statement, "timer_expired_backup", context);
  if (!statement.arguments().empty()) {
    return one<VrrpInstanceSpec, &VrrpInstanceSpec::timer_expired_backup, number<uint8_t, 1, 254>>(scope, statement,
                                                                                                   context);
  }
  assign(static_cast<VrrpInstanceSpec*>(scope)->timer_expired_backup, std::optional<uint8_t>(uint8_t{0}), statement,
         context);
  return nullptr;
}

/// no_virtual_ipaddress and flags that keepalived takes without a value only.
template <auto kMember>
void* bare(void* scope, const Statement& statement, Context& context) {
  return constant<VrrpInstanceSpec, kMember, true>(scope, statement, context);
}

void* take_native_ipv6(void* scope, const Statement& statement, Context& context) {
  context.diagnostics.note(statement.place(),
                           "'native_ipv6' is deprecated: the family is that of the virtual addresses");
  return bare<&VrrpInstanceSpec::native_ipv6>(scope, statement, context);
}

using V = VrrpInstanceSpec;

constexpr Keyword kAuthenticationRows[] = {
    {"auth_type", "PASS", "", "The kind of authentication: a password in clear text, as in RFC 2338. AH is refused.",
     one<V, &V::auth_type, auth_type>},
    {"auth_pass", "PASSWORD", "",
     "The password. Only its first eight characters count; it protects against mistakes, not against attackers.",
     take_auth_pass},
};
constexpr Block kAuthenticationBlock{"authentication", {kAuthenticationRows}};

constexpr Keyword kRows[] = {
    {"state", "MASTER|BACKUP", "BACKUP",
     "The state to expect at start: a hint, the priority decides. MASTER clears nopreempt and preempt_delay, and "
     "without a priority sets it to 255.",
     one<V, &V::state, state>},
    {"interface", "NAME", "default_interface; without that required",
     "The interface that advertisements and virtual addresses belong to.", one<V, &V::interface, interface_name>},
    {"virtual_router_id", "1..255", "required", "The VRID; unique on its interface among instances of one family.",
     one<V, &V::virtual_router_id, number<uint8_t, 1, 255>>},
    {"priority", "1..255", "100", "The highest priority becomes MASTER. 255 is the owner of the addresses.",
     one<V, &V::priority, number<uint8_t, 1, 255>>},
    {"advert_int", "SECONDS", "1",
     "The interval of advertisements. VRRP version 2 knows whole seconds from 1 to 255, version 3 hundredths of a "
     "second up to 40.95; others are rounded.",
     one<V, &V::advert_int, seconds<kSecond / 100, 255 * kSecond>>},
    {"version", "2|3", "vrrp_version; 3 for IPv6",
     "The version of VRRP: 2 is RFC 3768, 3 is RFC 5798. All routers of a VRID must speak the same one.",
     one<V, &V::version, number<uint8_t, 2, 3>>},
    {"native_ipv6", "", "", "Deprecated: says that the instance is for IPv6, which its virtual addresses say too.",
     take_native_ipv6},
    {"authentication", "{ ... }", "none",
     "A password in every advertisement of version 2. Version 3 has none, and it is ignored.", same_scope,
     &kAuthenticationBlock},
    {"preempt", "", "preempt", "The default: take over from a MASTER of lower priority.",
     constant<V, &V::preempt, true>},
    {"nopreempt", "", "preempt",
     "Leave a MASTER of lower priority alone. Needs state BACKUP; the owner (priority 255) always preempts.",
     constant<V, &V::preempt, false>},
    {"preempt_delay", "SECONDS", "0",
     "How long to leave a MASTER of lower priority alone after the start, 0 to 1000 s. Needs state BACKUP and preempt.",
     one<V, &V::preempt_delay, seconds<0, 1000 * kSecond>>},
    {"down_timer_adverts", "1..100", "vrrp_down_timer_adverts",
     "How many advertisements a BACKUP misses before it takes over. Any value but 3 deviates from the RFCs and must be "
     "the same on all routers of a VRID.",
     one<V, &V::down_timer_adverts, number<uint8_t, 1, 100>>},
    {"lower_prio_no_advert", "[BOOL]", "vrrp_lower_prio_no_advert",
     "Whether a MASTER leaves an advertisement of lower priority without an answer, as the RFCs have it.",
     flag<V, &V::lower_prio_no_advert>},
    {"higher_prio_send_advert", "[BOOL]", "vrrp_higher_prio_send_advert",
     "Whether a MASTER that hears a higher priority sends one more advertisement before it steps down.",
     flag<V, &V::higher_prio_send_advert>},
    {"owner_ignore_adverts", "[BOOL]", "vrrp_owner_ignore_adverts",
     "Whether the address owner does not listen to advertisements at all.", flag<V, &V::owner_ignore_adverts>},
    {"skip_check_adv_addr", "[BOOL]", "vrrp_skip_check_adv_addr",
     "Whether the addresses in advertisements of a MASTER that is known already are not compared with our own.",
     flag<V, &V::skip_check_adv_addr>, nullptr, Effect::kNotYet},
    {"strict_mode", "[BOOL]", "vrrp_strict",
     "Whether everything that deviates from the RFCs is refused or reset: authentication, unicast, other repetitions "
     "of "
     "gratuitous ARP.",
     flag<V, &V::strict_mode>, nullptr, Effect::kNotYet},
    {"timer_expired_backup", "[PRIORITY]", "off",
     "Step down if our own timers were late by more than the others wait for us; with a priority from 1 to 254, go on "
     "with that one.",
     take_timer_expired, nullptr, Effect::kNotYet},
    {"thread_timer_expired", "[PRIORITY]", "off", "The old name of timer_expired_backup.", take_timer_expired, nullptr,
     Effect::kNotYet},
    {"accept", "", "accept", "The virtual addresses take connections themselves too, from ping to ssh.",
     constant<V, &V::accept, true>},
    {"no_accept", "", "accept", "The virtual addresses do not take connections themselves.",
     constant<V, &V::accept, false>, nullptr, Effect::kNone,
     "packets of a service are forwarded in any case, and all else goes to the kernel, which answers as with 'accept'"},
};

constexpr Keyword kAddressRows[] = {
    {"virtual_ipaddress",
     "{ ADDRESS[/LENGTH] [brd ADDRESS|+|-] [dev NAME] [scope SCOPE] [label LABEL] [peer ADDRESS] [home] [-nodad] "
     "[mngtmpaddr] [noprefixroute] [autojoin] [no_track] [preferred_lft SECONDS|forever] [use_vmac] ... }",
     "required",
     "The virtual addresses, one a line; without a length /32 or /128. They are advertised, and on the "
     "interface while MASTER. All are of one family.",
     list_scope<V, &V::virtual_ipaddress>, &kVirtualAddressBlock},
    {"virtual_ipaddress_excluded", "{ ADDRESS[/LENGTH] [OPTION] ... }", "",
     "More virtual addresses, with the options of virtual_ipaddress, that are not advertised; of either family.",
     list_scope<V, &V::virtual_ipaddress_excluded>, &kExcludedAddressBlock},
    {"no_virtual_ipaddress", "", "", "The instance has no virtual addresses, and that is meant.",
     bare<&V::no_virtual_ipaddress>},
    {"virtual_routes", "{ [src ADDRESS] [to] ADDRESS/LENGTH [via ADDRESS] [dev NAME] [OPTION] ... }", "",
     "Routes that are there while MASTER, each as 'ip route add' takes it; no_track leaves one that somebody deletes "
     "deleted.",
     list_scope<V, &V::virtual_routes>, &kVirtualRouteBlock, Effect::kNotYet, kNoStart},
    {"virtual_rules", "{ from|to ADDRESS/LENGTH table TABLE preference N [OPTION] ... }", "",
     "Routing rules that are there while MASTER, each as 'ip rule add' takes it.", list_scope<V, &V::virtual_rules>,
     &kVirtualRuleBlock, Effect::kNotYet, kNoStart},
    {"promote_secondaries", "", "off",
     "Set the interface's promote_secondaries, so that removing an address does not "
     "take others of its network away.",
     bare<&V::promote_secondaries>, nullptr, Effect::kNotYet},
    {"mcast_src_ip", "ADDRESS", "the interface's primary address", "The source address of advertisements.",
     one<V, &V::mcast_src_ip, address>},
    {"unicast_src_ip", "ADDRESS", "the interface's primary address",
     "The same for unicast ones; either name does for both.", one<V, &V::unicast_src_ip, address>},
    {"track_src_ip", "", "off", "FAULT while the source address is on no interface.", bare<&V::track_src_ip>, nullptr,
     Effect::kNotYet},
    {"mcast_dst_ip", "ADDRESS", "vrrp_mcast_group4, vrrp_mcast_group6",
     "The multicast group that advertisements go to and come from.", one<V, &V::mcast_dst_ip, multicast>},
    {"unicast_peer", "{ ADDRESS [min_ttl 0..255] [max_ttl 0..255] ... }", "multicast",
     "Send advertisements to these addresses, one a line, and not to the multicast group. The limits check the TTL of "
     "what comes from a peer, and turn on check_unicast_src.",
     list_scope<V, &V::unicast_peer>, &kUnicastPeerBlock},
    {"unicast_fault_no_peer", "", "multicast instead",
     "FAULT for an instance that says something about unicast and names no peer.", bare<&V::unicast_fault_no_peer>,
     nullptr, Effect::kNotYet},
    {"unicast_ttl", "0..255", "255", "The TTL or hop limit of unicast advertisements.",
     one<V, &V::unicast_ttl, number<uint8_t>>},
    {"check_unicast_src", "", "vrrp_check_unicast_src", "Take unicast advertisements from the peers only.",
     bare<&V::check_unicast_src>},
    {"old_unicast_checksum", "[never]", "found out from what the others send",
     "The checksum of version 3 unicast advertisements is the one of keepalived before 1.3.6; with never, never.",
     take_old_checksum, nullptr, Effect::kNotYet},
    {"v3_checksum_as_v2", "[BOOL]", "v3_checksum_as_v2 of global_defs",
     "Leave the pseudo-header out of the checksum of version 3 over IPv4, as RFC 9568 and some vendors do.",
     flag<V, &V::v3_checksum_as_v2>},
};

constexpr Keyword kVmacRows[] = {
    {"use_vmac", "[NAME] [MAC]", "off",
     "Give the instance a MAC address of its own, which goes over with its addresses: 00:00:5e:00:01:VRID, for IPv6 "
     "00:00:5e:00:02:VRID, or MAC, whose last octet may be left out and is the VRID then. NAME is the interface's, by "
     "default vrrp.VRID.",
     take_use_vmac, nullptr, Effect::kNotYet, kNoStart},
    {"use_vmac_addr", "", "off", "A virtual MAC for addresses on other interfaces too.", bare<&V::use_vmac_addr>,
     nullptr, Effect::kNotYet, kNoStart},
    {"vmac_xmit_base", "", "off", "Send advertisements from the interface's own MAC address all the same.",
     bare<&V::vmac_xmit_base>, nullptr, Effect::kNotYet},
};

constexpr Keyword kInstanceTrackingRows[] = {
    {"dont_track_primary", "", "off", "Stay out of FAULT when the instance's own interface is down.",
     bare<&V::dont_track_primary>, nullptr, Effect::kNotYet},
    {"notify_master_rx_lower_pri", "COMMAND [USER [GROUP]]", "",
     "The command to run when a MASTER hears an advertisement of lower priority.",
     notify<V, &V::notify_master_rx_lower_pri>, nullptr, Effect::kNotYet},
    {"smtp_alert", "[BOOL]", "smtp_alert_vrrp, then smtp_alert of global_defs, then off",
     "Whether transitions of this instance are mailed.", flag<V, &V::smtp_alert>},
};

constexpr Keyword kIdleRows[] = {
    {"debug", "0..4", "0", "A level of debugging.", checked<number<uint8_t, 0, 4>>, nullptr, Effect::kNone,
     "the log has one level for all, option --log-level"},
    {"kernel_rx_buf_size", "BYTES", "", "The receive buffer of the VRRP socket.", checked<number<uint32_t>>, nullptr,
     Effect::kNone, "the sockets' buffers are sized for all instances together"},
    {"linkbeat_use_polling", "", "", "Poll the interface's link state.", nothing, nullptr, Effect::kNone,
     "link states come from the kernel at once, without polling"},
    {"lvs_sync_daemon_interface", "NAME", "", "Deprecated: use lvs_sync_daemon of global_defs.",
     one<V, &V::lvs_sync_daemon_interface, interface_name>, nullptr, Effect::kNotYet},
    {"use_ipvlan", "[NAME] [ADDRESS] [bridge|private|vepa]", "", "Run the instance on an ipvlan interface.", nothing,
     nullptr, Effect::kRefused, "its packets would come from another interface than the others expect"},
    {"vrf", "NAME", "", "Run the instance in a VRF.", nothing, nullptr, Effect::kRefused,
     "the addresses would go into the wrong routing table"},
};

}  // namespace

constinit const Block kVrrpInstanceBlock{
    "vrrp_instance",
    {kRows, kAddressRows, kGarpRows, kVmacRows, kTrackingRows<V>, kInstanceTrackingRows, kNotifyRows<V>, kIdleRows}};

}  // namespace lbdp::config
