// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// Rows that several blocks have: a template for each set, made for the spec that the block fills.

#include "config/setters.h"

namespace lbdp::config {

inline constexpr int64_t kMostCheckInterval = int64_t{2678400} * 1'000'000;  // 31 days
inline constexpr int64_t kLeastCheckInterval = 1000;                         // below, a check would be a flood
inline constexpr int64_t kMostConnectTimeout = 4294967295;                   // keepalived's, in microseconds
inline constexpr unsigned kMostRetries = 1'000'000;

/// What virtual server, real server and checker all take: the inner one counts.
template <class Scope>
inline constexpr Keyword kCheckTimingKeywords[] = {
    {"delay_loop", "SECONDS", "60", "The time between two checks of a server.",
     one<Scope, &Scope::delay_loop, seconds<kLeastCheckInterval, kMostCheckInterval>>},
    {"delay_before_retry", "SECONDS", "1; 3 for HTTP_GET and SSL_GET; delay_loop for DNS_CHECK",
     "The time between a failure and the next try.",
     one<Scope, &Scope::delay_before_retry, seconds<0, kMostCheckInterval>>},
    {"warmup", "SECONDS", "delay_loop", "The first check comes after 1 s and a random part of this time.",
     one<Scope, &Scope::warmup, seconds<0, kMostCheckInterval>>},
};

/// keepalived refuses 0 retries outside a checker.
template <class Scope, unsigned kLeast>
inline constexpr Keyword kRetryKeyword[] = {
    {"retry", "NUMBER", "1; 3 for DNS_CHECK, 0 for MISC_CHECK",
     "How many failures after the first one make the server down; at the start the first one does.",
     one<Scope, &Scope::retry, number<unsigned, kLeast, kMostRetries>>},
};

template <class Scope>
inline constexpr Keyword kConnectTimeoutKeyword[] = {
    {"connect_timeout", "SECONDS", "5",
     "How long one check may take, from the connection to the last byte needed. (In keepalived it restarts with each "
     "read.)",
     one<Scope, &Scope::connect_timeout, seconds<kLeastCheckInterval, kMostConnectTimeout>>},
};

template <class Scope>
inline constexpr Keyword kAlphaKeyword[] = {
    {"alpha", "[BOOL]", "off", "Leave the server out until its first check succeeds.", flag<Scope, &Scope::alpha>},
};

/// What virtual server, real server and the HTTP checkers take.
template <class Scope>
inline constexpr Keyword kVirtualHostKeywords[] = {
    {"virtualhost", "HOST", "the checked address", "The Host header of HTTP checks.",
     one<Scope, &Scope::virtualhost, host_header>},
};

/// What a checker takes that runs by the clock.
template <class Scope>
inline constexpr Keyword kLogKeyword[] = {
    {"log_all_failures", "[BOOL]", "checker_log_all_failures of global_defs",
     "Log each failure of a checker that is up, not only the one that brings the server down.",
     flag<Scope, &Scope::log_all_failures>, nullptr, Effect::kNotYet},
};

/// What a checker takes that sends something.
template <class Scope>
inline constexpr Keyword kConnectKeywords[] = {
    {"connect_ip", "ADDRESS", "the real server's", "The address to check.", one<Scope, &Scope::connect_ip, address>},
    {"connect_port", "1..65535", "the real server's", "The port to check.",
     one<Scope, &Scope::connect_port, number<uint16_t, 1>>},
    {"bindto", "ADDRESS", "the kernel's choice", "The source address; of the family of the address to check.",
     one<Scope, &Scope::bindto, address>, nullptr, Effect::kNotYet},
    {"bind_port", "1..65535", "the kernel's choice", "The source port.",
     one<Scope, &Scope::bind_port, number<uint16_t, 1>>, nullptr, Effect::kNotYet},
    {"bind_if", "INTERFACE", "the kernel's choice",
     "The interface to send on; needed if bindto is an IPv6 link-local address.",
     one<Scope, &Scope::bind_if, interface_name>, nullptr, Effect::kNotYet},
    {"fwmark", "0..4294967295", "0", "The firewall mark of the check's packets (SO_MARK).",
     one<Scope, &Scope::fwmark, number<uint32_t>>, nullptr, Effect::kNotYet},
};

}  // namespace lbdp::config
