// SPDX-License-Identifier: BSD-2-Clause
#include <rte_malloc.h>

#include <algorithm>
#include <cmath>

#include "bench/worker/figures.h"
#include "bench/worker/modes.h"
#include "bench/worker/rig.h"

namespace lbdp::bench {
namespace {

constexpr double kWarmUp_s = 0.2;
constexpr double kSweep_s = 4.5;  // the worker's sweep meets every bucket once in 4 s
constexpr double kLoad = 0.6;

RigParams rig_params(const Options& options) {
  RigParams p;
  p.network = {options.family, 1, options.servers};
  p.flows = options.flows;
  p.connections = options.connections;
  p.workers = options.workers;
  p.cold = options.cold;
  p.check_frames = options.verify;
  return p;
}

double warm_up(const Options& options, double usual) {
  return options.warm_up_s < 0 ? usual : options.warm_up_s;
}

/// Runs the workers after a warm-up, and proves that they forwarded all frames.
std::vector<Sample> measure(Rig& rig, double warm_up_s, double seconds, Totals& during) {
  if (warm_up_s > 0) rig.run(warm_up_s);
  const Totals before = rig.totals();
  const uint64_t made = rig.frames_made();
  auto samples = rig.run(seconds);
  during = rig.totals() - before;
  expect_all_forwarded(rig, during, rig.frames_made() - made);
  expect_none_moved(rig);
  return samples;
}

template <class Field>
uint64_t sum(const std::vector<dataplane::RealServerCounters>& servers, Field field) {
  uint64_t total = 0;
  for (const auto& s : servers) total += s.*field;
  return total;
}

uint64_t connections_ever(const Rig& rig, unsigned service) {
  return sum(rig.servers_of(service), &dataplane::RealServerCounters::connections);
}

uint64_t packets_of(const Rig& rig, unsigned service) {
  return sum(rig.servers_of(service), &dataplane::RealServerCounters::packets);
}

/// Bytes that DPDK's heap has given out, all sockets.
uint64_t heap_bytes() {
  uint64_t bytes = 0;
  for (int socket = 0; socket < RTE_MAX_NUMA_NODES; ++socket) {
    rte_malloc_socket_stats stats{};
    if (rte_malloc_get_socket_stats(socket, &stats) == 0) bytes += stats.heap_allocsz_bytes;
  }
  return bytes;
}

}  // namespace

nlohmann::json run_mac(const Options& options) {
  RigParams params = rig_params(options);
  params.connections = 1024;
  Rig rig(params);
  rig.set_pattern(Pattern::kEstablished);
  rig.run_mac_only(warm_up(options, kWarmUp_s));
  const uint64_t made = rig.frames_made();
  const auto samples = rig.run_mac_only(options.seconds);
  auto line = heading("mac", options);
  add_rates(line, samples);
  expect(line["packets"] == rig.frames_made() - made, "not all frames made were sent");
  return line;
}

nlohmann::json run_established(const Options& options) {
  Rig rig(rig_params(options));
  rig.fill();
  rig.set_pattern(Pattern::kEstablished);
  const uint64_t known = connections_ever(rig, 0);
  Totals during;
  const auto samples = measure(rig, warm_up(options, kWarmUp_s), options.seconds, during);
  expect(connections_ever(rig, 0) == known || during.unstored > 0, "flows were scheduled a second time");
  auto line = heading("established", options);
  add_rates(line, samples);
  add_totals(line, during);
  return line;
}

// Each packet is the first of its flow. Connections live for the UDP timeout and go by the sweep, so after a while as
// many come as go; `connections` decides at which load.
nlohmann::json run_new(const Options& options) {
  RigParams params = rig_params(options);
  params.flows = params.workers;  // there are no others
  params.udp_timeout = std::chrono::seconds(options.udp_timeout_s);
  params.persistence = std::chrono::seconds(options.persistence_s);
  if (options.persistence_s > 0) params.fresh_clients = options.clients;
  Rig rig(params);
  rig.set_pattern(Pattern::kFresh);
  rig.run(warm_up(options, options.udp_timeout_s + kSweep_s));
  const auto before = rig.servers_of(0);
  Totals during;
  const auto samples = measure(rig, 0, options.seconds, during);
  const auto after = rig.servers_of(0);
  uint64_t opened = 0, least = UINT64_MAX, most = 0;
  for (size_t i = 0; i < after.size(); ++i) {
    const uint64_t own = after[i].connections - before[i].connections;
    opened += own;
    least = std::min(least, own);
    most = std::max(most, own);
  }
  expect(during.unstored * 100 <= during.transmitted, "the table is too small for this rate: raise --connections");
  expect(opened + during.unstored == during.transmitted,
         std::to_string(during.transmitted) + " packets opened " + std::to_string(opened) + " connections");
  // Exact when all are stored; one more or less at either end of the interval.
  expect(options.persistence_s > 0 || most - least <= 2, "round robin was not strict");
  auto line = heading("new", options);
  line["new_connections"] = opened;
  line["udp_timeout_s"] = options.udp_timeout_s;
  line["persistence_s"] = options.persistence_s;
  if (options.persistence_s > 0) line["clients"] = options.clients;
  add_rates(line, samples);
  add_totals(line, during);
  return line;
}

// The established flows go on; between any two of their packets comes one of a new flow, which the full table has no
// place for. Both go to virtual servers of their own, whose counters tell them apart.
nlohmann::json run_flood(const Options& options) {
  RigParams params = rig_params(options);
  params.flood_service = true;
  Rig rig(params);
  rig.fill();
  rig.set_pattern(Pattern::kEstablished);
  Totals during;
  const auto quiet = measure(rig, warm_up(options, kWarmUp_s), options.seconds, during);

  rig.set_pattern(Pattern::kFlood);
  uint64_t stored = 0;
  do {  // until the table takes no more
    stored = rig.totals().connections;
    rig.run(0.05);
  } while (rig.totals().connections > stored + stored / 10000);
  const uint64_t known = connections_ever(rig, 0), made = rig.established_made(), forwarded = packets_of(rig, 0);
  const auto flooded = measure(rig, 0, options.seconds, during);
  const uint64_t established = rig.established_made() - made;
  expect(packets_of(rig, 0) - forwarded == established, "established flows lost packets");
  expect(connections_ever(rig, 0) == known, "established flows lost their places");
  expect(during.unstored > 0, "the table was not full");

  auto line = heading("flood", options);
  add_rates(line, flooded);
  add_totals(line, during);
  line["quiet_packets_per_s"] = std::round(rate_of(quiet));
  line["ratio"] = std::round(1000 * rate_of(flooded) / rate_of(quiet)) / 1000;
  line["established_packets"] = established;
  line["established_packets_per_s"] =
      std::round(rate_of(flooded) * static_cast<double>(established) / static_cast<double>(during.transmitted));
  line["established_lost"] = 0;
  return line;
}

// What a worker takes from DPDK's heap for its table: the difference between a big and a small one, so that whatever
// else it allocates does not count.
nlohmann::json run_memory(const Options& options) {
  struct Size {
    uint64_t bytes, places;
  };
  const auto size_with = [&](uint32_t connections) {
    RigParams params = rig_params(options);
    params.connections = connections;
    const Rig rig(params);
    return Size{heap_bytes(), rig.totals().capacity};
  };
  const Size small = size_with(1024), big = size_with(options.flows);
  expect(big.places > small.places, "--flows is too small to say anything about memory");
  const auto bytes = static_cast<double>(big.bytes - small.bytes);
  const auto places = static_cast<double>(big.places - small.places);
  auto line = heading("memory", options);
  line["bytes"] = bytes;
  line["places"] = places;
  line["bytes_per_connection"] = std::round(100 * bytes / (places * kLoad)) / 100;
  line["at_load"] = kLoad;

  // And the places are real: so many flows fit at that load.
  RigParams params = rig_params(options);
  params.connections = options.flows;
  params.flows = std::min(kMaxFlows, static_cast<uint32_t>(static_cast<double>(big.places) * kLoad));
  Rig rig(params);
  rig.fill();
  add_totals(line, rig.totals());
  return line;
}

}  // namespace lbdp::bench
