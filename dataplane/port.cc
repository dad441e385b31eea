// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/port.h"

#include <rte_errno.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <map>
#include <set>

namespace lbdp::dataplane {
namespace {

constexpr uint64_t kRssTypes = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP;

std::string reason(int error) {
  return rte_strerror(error < 0 ? -error : error);
}

std::string device_name(uint16_t id) {
  char name[RTE_ETH_NAME_MAX_LEN] = "";
  rte_eth_dev_get_name_by_port(id, name);
  return name;
}

/// Every port that no other library owns, in the order of the ids.
std::vector<uint16_t> port_ids() {
  const auto next_port = [](int from) {
    return rte_eth_find_next_owned_by(static_cast<uint16_t>(from), RTE_ETH_DEV_NO_OWNER);
  };
  std::vector<uint16_t> ids;
  for (uint64_t id = next_port(0); id < RTE_MAX_ETHPORTS; id = next_port(ids.back() + 1)) {
    ids.push_back(static_cast<uint16_t>(id));
  }
  return ids;
}

std::string known_devices() {
  std::string names;
  for (const uint16_t id : port_ids()) {
    names += (names.empty() ? "" : ", ") + device_name(id);
  }
  return names;
}

/// A PCI address may be written without its domain, as lspci does.
Result<uint16_t> find_device(const std::string& device) {
  for (const std::string& name : {device, "0000:" + device}) {
    uint16_t id = 0;
    if (rte_eth_dev_get_port_by_name(name.c_str(), &id) == 0) {
      return id;
    }
  }
  return fail("port: EAL has no device \"" + device + "\"; it has: " + known_devices());
}

/// Which parameters each port gets; see plan_ports().
Result<std::map<uint16_t, PortParams>> match_devices(std::span<const PortParams> params) {
  std::map<uint16_t, PortParams> matched;
  for (const PortParams& entry : params) {
    if (entry.device.empty()) {
      continue;
    }
    const Result<uint16_t> id = find_device(entry.device);
    if (!id) {
      return tl::unexpected<Error>(id.error());
    }
    if (!matched.emplace(*id, entry).second) {
      return fail("port: device \"" + entry.device + "\" is named twice");
    }
  }
  auto entry = params.begin();
  const auto next_unnamed = [&] { return std::find_if(entry, params.end(), [](auto& p) { return p.device.empty(); }); };
  for (const uint16_t id : port_ids()) {
    if (matched.contains(id)) {
      continue;
    }
    entry = next_unnamed();
    matched.emplace(id, entry == params.end() ? PortParams{} : *entry++);
  }
  if (next_unnamed() != params.end()) {
    return fail("the configuration names " + std::to_string(params.size()) + " ports, EAL has " +
                std::to_string(rte_eth_dev_count_avail()) + ": " + known_devices());
  }
  return matched;
}

Result<PortPlan> plan_port(uint16_t id, PortParams params, uint16_t workers) {
  PortPlan plan;
  plan.id = id;
  plan.params = std::move(params);
  plan.device = device_name(id);
  rte_eth_dev_info info{};
  if (const int error = rte_eth_dev_info_get(id, &info); error != 0) {
    return fail("port " + plan.device + ": the driver gives no information: " + reason(error));
  }
  plan.driver = info.driver_name;
  if (plan.params.interface.empty()) {
    plan.params.interface = "lbdp" + std::to_string(id);
  }
  plan.queues = std::max<uint16_t>(1, std::min({workers, info.max_rx_queues, info.max_tx_queues}));
  plan.rx_descriptors = plan.params.rx_descriptors;
  plan.tx_descriptors = plan.params.tx_descriptors;
  rte_eth_dev_adjust_nb_rx_tx_desc(id, &plan.rx_descriptors, &plan.tx_descriptors);
  plan.socket = std::max(0, rte_eth_dev_socket_id(id));
  plan.rss_types = plan.queues > 1 ? info.flow_type_rss_offloads & kRssTypes : 0;
  uint16_t mtu = 0;
  plan.mtu = rte_eth_dev_get_mtu(id, &mtu) == 0 && mtu != 0 ? mtu : uint16_t{RTE_ETHER_MTU};
  return plan;
}

/// VRRP, neighbour discovery and the like are multicast; a driver without that switch gets promiscuous mode, and the
/// worker's own filter sorts out what is not for us.
void receive_multicast(const PortPlan& plan, std::vector<std::string>& notes) {
  if (rte_eth_allmulticast_enable(plan.id) == 0) {
    return;
  }
  if (rte_eth_promiscuous_enable(plan.id) == 0) {
    notes.push_back("port " + plan.device + ": " + plan.driver +
                    " has no all-multicast mode; promiscuous mode instead");
    return;
  }
  notes.push_back("port " + plan.device + ": " + plan.driver +
                  " has neither all-multicast nor promiscuous mode: it depends on the device whether VRRP's "
                  "advertisements arrive");
}

}  // namespace

Result<std::vector<PortPlan>> plan_ports(std::span<const PortParams> params, uint16_t workers) {
  const Result<std::map<uint16_t, PortParams>> matched = match_devices(params);
  if (!matched) {
    return tl::unexpected<Error>(matched.error());
  }
  std::vector<PortPlan> plans;
  std::set<std::string> interfaces;
  for (const auto& [id, entry] : *matched) {
    Result<PortPlan> plan = plan_port(id, entry, workers);
    if (!plan) {
      return tl::unexpected<Error>(plan.error());
    }
    if (!interfaces.insert(plan->params.interface).second) {
      return fail("port " + plan->device + ": interface " + plan->params.interface +
                  " stands for another port already");
    }
    plans.push_back(std::move(*plan));
  }
  return plans;
}

Result<Port> Port::open(const PortPlan& plan, rte_mempool* pool, std::vector<std::string>& notes) {
  Port port(plan);
  if (Result<void> configured = port.configure(); !configured) {
    return tl::unexpected<Error>(configured.error());
  }
  if (Result<void> queues = port.set_up_queues(pool); !queues) {
    return tl::unexpected<Error>(queues.error());
  }
  rte_ether_addr address{};
  if (const int error = rte_eth_macaddr_get(plan.id, &address); error != 0) {
    return fail("port " + plan.device + ": no MAC address: " + reason(error));
  }
  if (rte_is_valid_assigned_ether_addr(&address) == 0) {
    // A net_ring has none. No matter if the driver cannot take one: then it does not filter by it either.
    rte_eth_random_addr(address.addr_bytes);
    rte_eth_dev_default_mac_addr_set(plan.id, &address);
    notes.push_back("port " + plan.device + ": " + plan.driver + " has no MAC address; a random one stands in");
  }
  std::copy_n(address.addr_bytes, RTE_ETHER_ADDR_LEN, port.mac_.bytes.begin());
  if (plan.queues > 1 && plan.rss_types == 0) {
    notes.push_back("port " + plan.device + ": " + plan.driver + " offers no RSS; it spreads flows over its " +
                    std::to_string(plan.queues) + " queues in its own way, or not at all");
  }
  return port;
}

Port::Port(Port&& other) noexcept
    : plan_(std::move(other.plan_)),
      mac_(other.mac_),
      open_(std::exchange(other.open_, false)),
      started_(std::exchange(other.started_, false)) {}

Port::~Port() {
  if (open_) {
    stop();
    rte_eth_dev_close(plan_.id);
  }
}

Result<void> Port::configure() {
  rte_eth_conf conf{};
  conf.rxmode.mtu = plan_.mtu;
  if (plan_.rss_types != 0) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf = plan_.rss_types;
  }
  rte_eth_dev_info info{};
  rte_eth_dev_info_get(plan_.id, &info);
  conf.rxmode.offloads = info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
  conf.txmode.offloads = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
  int error = rte_eth_dev_configure(plan_.id, plan_.queues, plan_.queues, &conf);
  if (error != 0 && conf.rxmode.offloads != 0) {
    conf.rxmode.offloads = 0;  // some drivers scatter only together with other features
    error = rte_eth_dev_configure(plan_.id, plan_.queues, plan_.queues, &conf);
  }
  if (error != 0) {
    return fail("port " + plan_.device + ": " + plan_.driver + " refuses " + std::to_string(plan_.queues) +
                " queue pairs and MTU " + std::to_string(plan_.mtu) + ": " + reason(error));
  }
  return {};
}

Result<void> Port::set_up_queues(rte_mempool* pool) {
  const auto socket = static_cast<unsigned>(plan_.socket);
  for (uint16_t queue = 0; queue < plan_.queues; ++queue) {
    if (const int error = rte_eth_rx_queue_setup(plan_.id, queue, plan_.rx_descriptors, socket, nullptr, pool);
        error != 0) {
      return fail("port " + plan_.device + ": receive queue " + std::to_string(queue) + " with " +
                  std::to_string(plan_.rx_descriptors) + " descriptors: " + reason(error));
    }
    if (const int error = rte_eth_tx_queue_setup(plan_.id, queue, plan_.tx_descriptors, socket, nullptr); error != 0) {
      return fail("port " + plan_.device + ": transmit queue " + std::to_string(queue) + " with " +
                  std::to_string(plan_.tx_descriptors) + " descriptors: " + reason(error));
    }
  }
  return {};
}

Result<void> Port::start(std::vector<std::string>& notes) {
  if (const int error = rte_eth_dev_start(plan_.id); error != 0) {
    return fail("port " + plan_.device + ": the device does not start: " + reason(error));
  }
  started_ = true;
  receive_multicast(plan_, notes);
  return {};
}

void Port::stop() {
  if (started_) {
    rte_eth_dev_stop(plan_.id);
    started_ = false;
  }
}

bool Port::link_up() const {
  rte_eth_link link{};
  return rte_eth_link_get_nowait(plan_.id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

void Port::describe(PortStatus& status) const {
  status.id = PortId{plan_.id};
  status.device = plan_.device;
  status.driver = plan_.driver;
  status.mac = mac_;
  status.mtu = plan_.mtu;
  status.queues = plan_.queues;
  rte_eth_link link{};
  if (rte_eth_link_get_nowait(plan_.id, &link) == 0) {
    status.link_up = link.link_status == RTE_ETH_LINK_UP;
    status.link_mbps = link.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : link.link_speed;
  }
  rte_eth_stats stats{};
  if (rte_eth_stats_get(plan_.id, &stats) == 0) {
    status.rx_packets = stats.ipackets;
    status.rx_bytes = stats.ibytes;
    status.rx_missed = stats.imissed;
    status.rx_errors = stats.ierrors;
    status.rx_nombuf = stats.rx_nombuf;
    status.tx_packets = stats.opackets;
    status.tx_bytes = stats.obytes;
    status.tx_errors = stats.oerrors;
  }
}

std::optional<uint16_t> QueueAssignment::queue_of(size_t worker, uint16_t port) const {
  const std::vector<Queue>& queues = workers[worker];
  const auto found = std::find_if(queues.begin(), queues.end(), [port](const Queue& q) { return q.port == port; });
  return found == queues.end() ? std::nullopt : std::optional(found->queue);
}

QueueAssignment assign_queues(std::span<const PortPlan> ports, uint16_t workers) {
  QueueAssignment assignment;
  assignment.workers.resize(workers);
  for (const PortPlan& port : ports) {
    for (uint16_t queue = 0; queue < port.queues; ++queue) {
      const size_t worker = port.queues < workers ? (size_t{queue} + port.id) % workers : queue;
      assignment.workers[worker].push_back({.port = port.id, .queue = queue});
    }
  }
  return assignment;
}

}  // namespace lbdp::dataplane
