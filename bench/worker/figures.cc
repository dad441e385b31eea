// SPDX-License-Identifier: BSD-2-Clause
#include "bench/worker/figures.h"

#include <rte_cycles.h>

#include <algorithm>
#include <cmath>

namespace lbdp::bench {
namespace {

double rounded(double value, int digits) {
  const double scale = std::pow(10, digits);
  return std::round(value * scale) / scale;
}

}  // namespace

nlohmann::json heading(std::string_view mode, const Options& options) {
  return {{"mode", mode},
          {"family", options.family == Family::kIpv4 ? "ipv4" : "ipv6"},
          {"flows", options.flows},
          {"workers", options.workers},
          {"source", options.cold > 0 ? "cold" : "warm"}};
}

void add_rates(nlohmann::json& line, std::span<const Sample> samples) {
  uint64_t packets = 0;
  double cpu_s = 0, share = 1;
  for (const Sample& s : samples) {
    packets += s.packets;
    cpu_s += s.cpu_s;
    share = std::min(share, s.cpu_s / s.wall_s);
  }
  const double seconds_a_packet = cpu_s / static_cast<double>(packets);
  line["packets"] = packets;
  line["packets_per_s"] = std::round(rate_of(samples));
  line["ns_per_packet"] = rounded(seconds_a_packet * 1e9, 2);
  line["cycles_per_packet"] = rounded(seconds_a_packet * static_cast<double>(rte_get_tsc_hz()), 1);
  line["cpu_share"] = rounded(share, 3);
}

void add_totals(nlohmann::json& line, const Totals& t) {
  line["received"] = t.received;
  line["transmitted"] = t.transmitted;
  line["dropped"] = t.dropped;
  line["punted"] = t.punted;
  line["unstored"] = t.unstored;
  line["connections"] = t.connections;
  line["connections_limit"] = t.capacity;
  line["load"] = rounded(static_cast<double>(t.connections) / static_cast<double>(t.capacity), 3);
}

void expect(bool good, const std::string& what) {
  if (!good) throw BenchError(what);
}

void expect_all_forwarded(const Rig& rig, const Totals& t, uint64_t made) {
  expect(t.received == made && t.transmitted == made && t.dropped == 0 && t.punted == 0,
         "of " + std::to_string(made) + " frames made, " + std::to_string(t.received) + " were received, " +
             std::to_string(t.transmitted) + " transmitted, " + std::to_string(t.dropped) + " dropped, " +
             std::to_string(t.punted) + " punted");
  rte_eth_stats stats{};
  expect(rte_eth_stats_get(rig.port(), &stats) == 0 && stats.oerrors == 0 && stats.rx_nombuf == 0,
         "the port counts errors");
}

void expect_none_moved(Rig& rig) {
  for (unsigned w = 0; w < rig.params().workers; ++w) {
    const SinkCheck* const check = rig.check(w);
    if (check == nullptr) return;
    expect(check->frames() > 0, "worker " + std::to_string(w) + " sent nothing");
    expect(check->moved() == 0 && check->misdirected() == 0,
           std::to_string(check->moved()) + " frames went to another server than the flow's first, " +
               std::to_string(check->misdirected()) + " to another virtual server's");
  }
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace lbdp::bench
