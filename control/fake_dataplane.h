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
    ++counter_reads;
    const auto found = counts.find(key);
    return found == counts.end() ? dataplane::RealServerCounters{} : found->second;
  }
  /// Of the filter, client_port and state count: enough to see that it arrives. Like the real one, a page looks at a
  /// bounded number of places.
  [[nodiscard]] dataplane::ConnectionPage connections(uint64_t cursor, size_t limit,
                                                      const dataplane::ConnectionFilter& filter) const override {
    last_filter = filter;
    dataplane::ConnectionPage page;
    size_t i = std::min<size_t>(cursor, connection_list.size());
    const size_t end = std::min(connection_list.size(), i + places_per_page);
    for (; i < end && page.rows.size() < limit; ++i) {
      const auto& row = connection_list[i];
      if (filter.client_port && *filter.client_port != row.client.port) continue;
      if (!filter.state.empty() && filter.state != row.state) continue;
      page.rows.push_back(row);
    }
    page.next_cursor = i < connection_list.size() ? i : 0;
    return page;
  }
  [[nodiscard]] dataplane::TemplatePage templates(uint64_t cursor, size_t limit) const override {
    dataplane::TemplatePage page;
    const size_t begin = std::min<size_t>(cursor, template_list.size());
    const size_t end = std::min(template_list.size(), begin + limit);
    for (size_t i = begin; i < end; ++i) page.rows.push_back(template_list[i]);
    page.next_cursor = end < template_list.size() ? end : 0;
    return page;
  }
  [[nodiscard]] dataplane::Explanation explain(const Endpoint&, const ServiceKey& destination) const override {
    explained = destination;
    return explanation;
  }

  mutable dataplane::ConnectionFilter last_filter;
  mutable ServiceKey explained;
  mutable unsigned counter_reads = 0;
  size_t places_per_page = 65536;
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
