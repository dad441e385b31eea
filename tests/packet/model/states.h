// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The reference model's connection states: IPVS's input-only tables, and how long each state lasts (ipvs.md).

#include <cstdint>
#include <string>

namespace lbdp::model {

/// Quarters of a second.
using Ticks = int64_t;
inline constexpr Ticks kSecond = 4;

/// States by the names that listings have; SCTP's and TCP's ESTABLISHED have one name.
using State = std::string;

/// Of a connection that begins with this event.
[[nodiscard]] State first_state(unsigned protocol, const std::string& event);
[[nodiscard]] State next_state(unsigned protocol, const State& state, const std::string& event);
[[nodiscard]] bool is_active(const State& state);
/// Does a new SYN or INIT open a new connection?
[[nodiscard]] bool is_over(const State& state);
/// A connection lives so long after its last packet, at least...
[[nodiscard]] Ticks lifetime(unsigned protocol, const State& state);
/// ... and so much longer at most: a steady connection's last packet need not be written down at once.
[[nodiscard]] Ticks lifetime_slack(const State& state);

}  // namespace lbdp::model
