// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "bench/worker/modes.h"
#include "bench/worker/rig.h"

namespace lbdp::bench {

/// mode, family, flows, workers, source.
[[nodiscard]] nlohmann::json heading(std::string_view mode, const Options& options);
/// packets, packets_per_s, ns_per_packet, cycles_per_packet (of one worker), cpu_share (of the one that got least).
void add_rates(nlohmann::json& line, std::span<const Sample> samples);
/// received, transmitted, dropped, punted, unstored, connections, connections_limit, load.
void add_totals(nlohmann::json& line, const Totals& totals);

/// Throws unless all that was received went to a real server, and all that was made was received.
void expect_all_forwarded(const Rig& rig, const Totals& totals, uint64_t made);
/// Throws if frames moved to another server, or to one of another virtual server. Nothing without check_frames.
void expect_none_moved(Rig& rig);
void expect(bool good, const std::string& what);

[[nodiscard]] double median(std::vector<double> values);

}  // namespace lbdp::bench
