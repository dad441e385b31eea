// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// For tests of control: a dataplane that remembers what it is given and tells what it is told to.

#include <algorithm>
#include <map>

#include "dataplane/dataplane.h"

namespace lbdp::control {

class FakeDataplane : public dataplane::Dataplane {
 public:
  Result<void> publish(const dataplane::Tables& tables) override {
    ++publications;
    last = tables;
    return {};
  }
  void collect() override { ++collections; }
  [[nodiscard]] std::vector<std::string> startup_notes() const override { return {}; }
  [[nodiscard]] std::vector<dataplane::PortStatus> ports() const override { return port_list; }
  [[nodiscard]] std::vector<dataplane::WorkerStatus> workers() const override { return worker_list; }
  [[nodiscard]] dataplane::RealServerCounters counters(const RealServerKey& key) const override {
    const auto found = counts.find(key);
    return found == counts.end() ? dataplane::RealServerCounters{} : found->second;
  }
  [[nodiscard]] dataplane::ConnectionPage connections(uint64_t cursor, size_t limit) const override {
    dataplane::ConnectionPage page;
    const size_t end = std::min<size_t>(connection_list.size(), cursor + limit);
    for (size_t i = cursor; i < end; ++i) page.rows.push_back(connection_list[i]);
    page.next_cursor = end < connection_list.size() ? end : 0;
    return page;
  }

  unsigned publications = 0, collections = 0;
  dataplane::Tables last;
  std::vector<dataplane::PortStatus> port_list;
  std::vector<dataplane::WorkerStatus> worker_list;
  std::map<RealServerKey, dataplane::RealServerCounters> counts;
  std::vector<dataplane::ConnectionRow> connection_list;
};

}  // namespace lbdp::control
