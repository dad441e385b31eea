// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>
#include <span>

#include "config/types/be.h"
#include "dataplane/parameters.h"
#include "dataplane/scheduler_state.h"
#include "dataplane/scheduler_table.h"
#include "dataplane/slot_load.h"
#include "dataplane/wide_address.h"

namespace lbdp::dataplane {

/// What is known of a new connection.
struct PickInput {
  WideAddress client;
  WideAddress destination;
  Be<uint16_t> client_port;
  uint32_t hash = 0;  // of the connection: the chance in twos' and in memoryless picks; need not be well mixed
};

/// The real server for a new connection, as IPVS's schedulers define it (ipvs.md), in the file's order: the first one
/// wins a tie. Empty: no server is usable, all that are usable are overloaded, or sh, mh or dh has an overloaded server
/// for this client and no fallback.
///
/// rr and wrr are strict whatever the number of workers: one compare-and-swap on `state` a pick. `loads`, by SlotId, is
/// read only if table.needs_loads(); it may be empty otherwise. No allocation, no division, no lock; the steps are at
/// most a few times the number of servers.
[[nodiscard]] std::optional<SlotId> pick(const SchedulerTable& table, SchedulerState& state,
                                         std::span<const SlotLoad> loads, const PickInput& input) noexcept;

/// What pick() would answer now, without a trace.
[[nodiscard]] std::optional<SlotId> preview(const SchedulerTable& table, const SchedulerState& state,
                                            std::span<const SlotLoad> loads, const PickInput& input) noexcept;

/// For a connection that cannot be remembered (the connection table is full): the same server for the same connection
/// while the usable servers stay the same, and nearly always after a change of them, too. sh, dh, mh and fo pick as
/// ever, but nobody is overloaded: what is not remembered is not counted. The others spread connections by weight.
/// Empty: no server is usable.
[[nodiscard]] std::optional<SlotId> pick_unstored(const SchedulerTable& table, const PickInput& input) noexcept;

}  // namespace lbdp::dataplane
