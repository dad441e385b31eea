// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>
#include <span>

#include "dataplane/dataplane.h"
#include "dataplane/publisher.h"
#include "dataplane/worker.h"

namespace lbdp::dataplane {

using Workers = std::span<const std::unique_ptr<Worker>>;

/// A real server's counters, summed over the workers; zeros if the last publication does not name it. Control thread.
[[nodiscard]] RealServerCounters sum_counters(const RealServerKey& key, const Publisher& publisher, Workers workers);

/// A page of live connections from `cursor` on (0: from the beginning). Reads the tables while the workers write them.
/// Looks at kMaxScan places at most, so that a page of a big, sparse table keeps the reactor for well under a
/// millisecond: it may come back short, or empty, with a next_cursor all the same. Control thread.
[[nodiscard]] ConnectionPage list_connections(uint64_t cursor, size_t limit, const ConnectionFilter& filter,
                                              const SlotRegistry& registry, Workers workers);

/// A page of persistence templates, in the same way. `now`: the workers' tick.
[[nodiscard]] TemplatePage list_templates(uint64_t cursor, size_t limit, Tick now, const Publisher& publisher);

/// What Dataplane::explain() answers. Control thread.
[[nodiscard]] Explanation explain(const Endpoint& client, const ServiceKey& destination, const Publisher& publisher,
                                  Workers workers);

}  // namespace lbdp::dataplane
