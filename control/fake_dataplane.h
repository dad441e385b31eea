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
    ++whole_publications;
    if (refuse_tables) return fail("no more ids");
    last = tables;
    return {};
  }
  Result<void> publish_changes(std::span<const dataplane::VirtualServerParams> changed) override {
    ++publications;
    if (refuse_changes) return fail("not now");
    last_changes.assign(changed.begin(), changed.end());
    for (const auto& service : changed) {
      const auto known = std::find_if(last.virtual_servers.begin(), last.virtual_servers.end(),
                                      [&](const auto& one) { return one.key == service.key; });
      if (known == last.virtual_servers.end()) return fail("no such virtual server: " + service.key.to_string());
      *known = service;
    }
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
  [[nodiscard]] dataplane::ConnectionPage connections(uint64_t cursor, size_t limit,
                                                      const dataplane::ConnectionFilter& filter) const override {
    last_filter = filter;
    dataplane::ConnectionPage page;
    const size_t end = std::min<size_t>(connection_list.size(), cursor + limit);
    for (size_t i = cursor; i < end; ++i) page.rows.push_back(connection_list[i]);
    page.next_cursor = end < connection_list.size() ? end : 0;
    return page;
  }

  [[nodiscard]] dataplane::TemplatePage templates(uint64_t, size_t) const override { return {template_list, 0}; }
  [[nodiscard]] dataplane::Explanation explain(const Endpoint&, const ServiceKey&) const override {
    return explanation;
  }

  mutable dataplane::ConnectionFilter last_filter;
  std::vector<dataplane::TemplateRow> template_list;
  dataplane::Explanation explanation;
  unsigned publications = 0, whole_publications = 0, collections = 0;
  bool refuse_tables = false, refuse_changes = false;
  dataplane::Tables last;
  std::vector<dataplane::VirtualServerParams> last_changes;
  std::vector<dataplane::PortStatus> port_list;
  std::vector<dataplane::WorkerStatus> worker_list;
  std::map<RealServerKey, dataplane::RealServerCounters> counts;
  std::vector<dataplane::ConnectionRow> connection_list;
};

}  // namespace lbdp::control
