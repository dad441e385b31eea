// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "config/setters.h"

namespace lbdp::config {

inline constexpr int64_t kMostCheckInterval = int64_t{2678400} * 1'000'000;  // 31 days
inline constexpr int64_t kLeastCheckInterval = 1000;                         // below, a check would be a flood

/// What virtual server, real server and checker all take: the inner one counts.
template <class Scope>
inline constexpr Keyword kCheckDefaultsKeywords[] = {
    {"delay_loop", "SECONDS", "60", "The time between two checks of a server.",
     one<Scope, &Scope::delay_loop, seconds<kLeastCheckInterval, kMostCheckInterval>>},
    {"connect_timeout", "SECONDS", "5",
     "How long one check may take, from the connection to the last byte needed. (In keepalived it restarts with each "
     "read.)",
     one<Scope, &Scope::connect_timeout, seconds<kLeastCheckInterval, int64_t{3600} * 1'000'000>>},
    {"retry", "NUMBER", "1",
     "How many failures after the first one make the server down; at the start the first one does.",
     one<Scope, &Scope::retry, number<unsigned, 0, 1'000'000>>},
    {"delay_before_retry", "SECONDS", "1; 3 for HTTP_GET", "The time between a failure and the next try.",
     one<Scope, &Scope::delay_before_retry, seconds<0, kMostCheckInterval>>},
    {"warmup", "SECONDS", "delay_loop", "The first check comes after 1 s and a random part of this time.",
     one<Scope, &Scope::warmup, seconds<0, kMostCheckInterval>>},
    {"alpha", "[BOOL]", "off", "Leave the server out until its first check succeeds.", flag<Scope, &Scope::alpha>},
};

/// What all but TCP_CHECK take beside them.
template <class Scope>
inline constexpr Keyword kVirtualHostKeywords[] = {
    {"virtualhost", "HOST", "the checked address", "The Host header of HTTP checks.",
     one<Scope, &Scope::virtualhost, host_header>},
};

}  // namespace lbdp::config
