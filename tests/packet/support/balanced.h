// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// One virtual server, kWeb, whose connections are driven from client to client.

#include <initializer_list>
#include <string>
#include <vector>

#include "tests/packet/support/director.h"

namespace lbdp::packet_tests {

/// Server numbers are those of server(i), from 1; 0 means that no server got the frame.
class Balanced {
 public:
  Balanced(dataplane::Scheduler scheduler, std::vector<int> weights, uint16_t workers = 1,
           dataplane::SchedulerFlags flags = {}, const DirectorOptions& options = {})
      : director(with_workers(options, workers)), workers_(workers) {
    tables.virtual_servers = {service(kWeb, static_cast<unsigned>(weights.size()))};
    web().scheduler = scheduler;
    web().scheduler_flags = flags;
    for (size_t i = 0; i < weights.size(); ++i) web().real_servers[i].weight = weights[i];
    publish();
  }

  dataplane::VirtualServerParams& web() { return tables.virtual_servers[0]; }
  dataplane::RealServerParams& real(unsigned i) { return web().real_servers.at(i - 1); }
  void publish() { director.publish(tables); }
  void set_scheduler(dataplane::Scheduler scheduler) {
    web().scheduler = scheduler;
    publish();
  }
  void set_weight(unsigned i, int weight) {
    real(i).weight = weight;
    publish();
  }
  void set_in_table(unsigned i, bool in_table) {
    real(i).in_table = in_table;
    publish();
  }
  void set_thresholds(unsigned i, uint32_t upper, uint32_t lower = 0) {
    real(i).upper_threshold = upper;
    real(i).lower_threshold = lower;
    publish();
  }

  /// As a NIC's hash does: a connection's frames all come to one worker.
  [[nodiscard]] uint16_t worker_of(unsigned client) const { return static_cast<uint16_t>(client * 7 / 3 % workers_); }
  Outcome send(unsigned client, uint8_t flags) { return director.send(segment(client, flags), worker_of(client)); }
  /// A new connection, up to and including SYN_RECV.
  unsigned open(unsigned client) { return server_of(send(client, kSyn)); }
  /// Established; 0 also if the two segments went to different servers.
  unsigned establish(unsigned client) {
    const unsigned to = open(client);
    return server_of(send(client, kAck)) == to ? to : 0;
  }
  std::vector<unsigned> establish_many(unsigned first, unsigned count) {
    std::vector<unsigned> servers;
    for (unsigned i = 0; i < count; ++i) servers.push_back(establish(first + i));
    return servers;
  }
  unsigned fin(unsigned client) { return server_of(send(client, kFin | kAck)); }
  unsigned rst(unsigned client) { return server_of(send(client, kRst)); }

  [[nodiscard]] dataplane::RealServerCounters counters(unsigned i) const {
    return director.counters(kWeb, server_name(i));
  }
  /// {active, inactive} as the workers count.
  [[nodiscard]] std::vector<uint64_t> counts(unsigned i) const { return {counters(i).active, counters(i).inactive}; }
  /// {active, inactive} as the schedulers see.
  [[nodiscard]] std::vector<uint64_t> load(unsigned i) const {
    const auto load = director.load(kWeb, server_name(i));
    return {load.active, load.inactive};
  }

  Director director;
  dataplane::Tables tables;

 private:
  static DirectorOptions with_workers(DirectorOptions options, uint16_t workers) {
    options.workers = workers;
    return options;
  }

  uint16_t workers_;
};

}  // namespace lbdp::packet_tests
