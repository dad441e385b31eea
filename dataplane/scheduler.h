// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <optional>

#include "dataplane/snapshot.h"

namespace lbdp::dataplane {

/// Strict round robin over all workers: the next usable server after the last pick, in the file's order. One
/// compare-and-swap a new connection. Empty: no server is usable.
[[nodiscard]] std::optional<SlotId> pick_round_robin(const Snapshot& snapshot, ServiceId service) noexcept;

/// The same server for the same hash while the usable ones stay the same, without any memory of the connection: for
/// when the flow table is full.
[[nodiscard]] std::optional<SlotId> pick_by_hash(const Snapshot& snapshot, ServiceId service, uint32_t hash) noexcept;

}  // namespace lbdp::dataplane
