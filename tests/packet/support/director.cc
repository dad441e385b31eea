// SPDX-License-Identifier: BSD-2-Clause
#include "tests/packet/support/director.h"

#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include <cstdlib>
#include <cstring>
#include <iostream>

#include "tests/packet/in_memory_eal.h"

namespace lbdp::packet_tests {
namespace {

constexpr uint64_t kHz = 1'000'000'000;
constexpr unsigned kRingSize = 1024;

void require(bool good, const std::string& what) {
  if (good) return;
  std::cerr << "test set-up: " << what << ": " << rte_strerror(rte_errno) << std::endl;
  std::abort();
}

rte_ring* make_ring(const std::string& name, unsigned size = kRingSize) {
  rte_ring* const ring = rte_ring_create(name.c_str(), size, 0, 0);
  require(ring != nullptr, "rte_ring_create " + name);
  return ring;
}

void start_port(uint16_t id, rte_mempool* pool) {
  const rte_eth_conf conf{};
  require(rte_eth_dev_configure(id, kQueues, kQueues, &conf) == 0, "rte_eth_dev_configure");
  for (uint16_t q = 0; q < kQueues; ++q) {
    require(rte_eth_rx_queue_setup(id, q, 64, 0, nullptr, pool) == 0, "rte_eth_rx_queue_setup");
    require(rte_eth_tx_queue_setup(id, q, 64, 0, nullptr) == 0, "rte_eth_tx_queue_setup");
  }
  require(rte_eth_dev_start(id) == 0, "rte_eth_dev_start");
}

Bytes bytes_of(const rte_mbuf* frame) {
  Bytes out;
  for (const rte_mbuf* segment = frame; segment != nullptr; segment = segment->next) {
    const auto* data = rte_pktmbuf_mtod(segment, const uint8_t*);
    out.insert(out.end(), data, data + segment->data_len);
  }
  return out;
}

template <class F>
void drain(rte_ring* ring, F&& visit) {
  void* element = nullptr;
  while (rte_ring_dequeue(ring, &element) == 0) {
    auto* frame = static_cast<rte_mbuf*>(element);
    visit(frame);
    rte_pktmbuf_free(frame);
  }
}

rte_mbuf* segment_of(const uint8_t* data, size_t length, bool no_headroom) {
  rte_mbuf* const segment = rte_pktmbuf_alloc(Wires::get().pool());
  require(segment != nullptr, "rte_pktmbuf_alloc");
  if (no_headroom) segment->data_off = 0;
  char* const to = rte_pktmbuf_append(segment, static_cast<uint16_t>(length));
  require(to != nullptr, "rte_pktmbuf_append");
  if (length > 0) std::memcpy(to, data, length);
  return segment;
}

rte_mbuf* mbuf_of(const Bytes& frame, const Layout& layout) {
  rte_mbuf* head = nullptr;
  size_t at = 0;
  auto lengths = layout.segments;
  lengths.push_back(SIZE_MAX);
  for (const size_t length : lengths) {
    const size_t take = std::min(length, frame.size() - at);
    rte_mbuf* const segment = segment_of(frame.data() + at, take, layout.no_headroom);
    at += take;
    if (head == nullptr) {
      head = segment;
    } else {
      require(rte_pktmbuf_chain(head, segment) == 0, "rte_pktmbuf_chain");
    }
  }
  if (layout.tag_stripped) {
    head->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
    head->vlan_tci = layout.stripped_tci;
  }
  return head;
}

}  // namespace

Wires& Wires::get() {
  static Wires wires;
  return wires;
}

Wires::Wires() {
  static const testing::InMemoryEal eal({"-m", "128"});  // ends with the process, after everything that lives in it
  pool_ = rte_pktmbuf_pool_create("test_frames", 16383, 0, 0, RTE_PKTMBUF_HEADROOM + 2048, SOCKET_ID_ANY);
  require(pool_ != nullptr, "rte_pktmbuf_pool_create");
  for (uint16_t port = 0; port < kPorts; ++port) {
    const std::string name = "wire" + std::to_string(port);
    for (uint16_t q = 0; q < kQueues; ++q) {
      rx_[port][q] = make_ring(name + "_rx" + std::to_string(q));
      tx_[port][q] = make_ring(name + "_tx" + std::to_string(q));
    }
    const int id = rte_eth_from_rings(name.c_str(), rx_[port].data(), kQueues, tx_[port].data(), kQueues, 0);
    require(id >= 0, "rte_eth_from_rings");
    ids_[port] = static_cast<uint16_t>(id);
    start_port(ids_[port], pool_);
  }
}

Director::Director(const DirectorOptions& options) {
  Wires& wires = Wires::get();
  rings_.inject.resize(kPorts);
  rings_.handover.resize(kPorts);
  for (uint16_t port = 0; port < kPorts; ++port) {
    rings_.inject.at(wires.port_id(port)) = make_ring("inject" + std::to_string(port));
    rings_.handover.at(wires.port_id(port)) = make_ring("handover" + std::to_string(port));
  }
  for (size_t c = 0; c < dataplane::kPuntClasses; ++c)
    rings_.punt[c] = make_ring("punt" + std::to_string(c), options.punt_ring);
  std::vector<MacAddress> macs;
  for (const auto& text : kPortMacs) macs.push_back(mac(text));
  publisher_ = std::move(dataplane::Publisher::create(options.workers, macs, options.templates).value());
  for (uint16_t i = 0; i < options.workers; ++i) {
    auto worker = dataplane::Worker::create(worker_params(i, options), *publisher_, rings_);
    require(worker.has_value(), worker ? "" : worker.error().message);
    workers_.push_back(std::move(*worker));
    workers_.back()->enter();
  }
  for (auto& worker : workers_) worker->meet(workers_);
}

Director::~Director() {
  for (uint16_t port = 0; port < kPorts; ++port) {
    for (uint16_t q = 0; q < kQueues; ++q) drain(Wires::get().to_port(port, q), [](rte_mbuf*) {});
  }
  drain_ports();
  drain_punts();
  for (const auto* rings : {&rings_.inject, &rings_.handover}) {
    for (rte_ring* ring : *rings) drain(ring, [](rte_mbuf*) {});
  }
  workers_.clear();
  for (rte_ring* ring : rings_.inject) rte_ring_free(ring);
  for (rte_ring* ring : rings_.handover) rte_ring_free(ring);
  for (rte_ring* ring : rings_.punt) rte_ring_free(ring);
}

dataplane::WorkerParams Director::worker_params(uint16_t worker, const DirectorOptions& options) const {
  dataplane::WorkerParams p;
  p.id = dataplane::WorkerId{worker};
  p.connections = options.connections;
  p.wide_connections = options.wide_connections;
  p.timeouts = options.timeouts;
  p.policing = options.policing;
  p.clock = {kHz, &clock_};
  p.seed = 0x5eed'0000'1234'5678 + worker;
  const bool has_queue = !options.one_queue || worker == 0;
  for (uint16_t port = 0; port < (options.second_port ? kPorts : 1); ++port) {
    dataplane::WorkerPort wp{
        dataplane::PortId{Wires::get().port_id(port)}, mac(kPortMacs[port]), worker, {}, worker == 0};
    if (has_queue) wp.tx_queue = worker;
    p.ports.push_back(wp);
  }
  return p;
}

void Director::publish(const dataplane::Tables& tables) {
  const auto published = publisher_->publish(tables);
  require(published.has_value(), published ? "" : published.error().message);
}

void Director::feed(const Bytes& frame, uint16_t worker, uint16_t port, const Layout& layout) {
  rte_mbuf* const mbuf = mbuf_of(frame, layout);
  mbuf->port = Wires::get().port_id(port);
  require(rte_ring_enqueue(Wires::get().to_port(port, worker), mbuf) == 0, "receive ring full");
}

Outcome Director::send(const std::vector<Bytes>& frames, uint16_t worker, uint16_t port, const Layout& layout) {
  const auto before = status(worker);
  for (const Bytes& frame : frames) feed(frame, worker, port, layout);
  workers_.at(worker)->run_once();
  if (worker != 0) workers_.at(0)->run_once();  // it may have been handed frames to send
  const auto after = status(worker);
  Outcome outcome{drain_ports(), drain_punts(), {}, after.replies - before.replies};
  for (size_t i = 0; i < after.drops.size(); ++i) {
    const uint64_t count = after.drops[i].count - before.drops[i].count;
    if (count > 0) outcome.drops[std::string(after.drops[i].name)] = count;
  }
  return outcome;
}

void Director::advance(std::chrono::milliseconds time) {
  clock_ += static_cast<uint64_t>(time.count()) * (kHz / 1000);
}

void Director::sweep_all(uint16_t worker) {
  for (int i = 0; i < 8000; ++i) {
    advance(std::chrono::milliseconds(1));
    workers_.at(worker)->run_once();
  }
}

std::vector<Outcome::Sent> Director::drain_ports() {
  std::vector<Outcome::Sent> out;
  for (uint16_t port = 0; port < kPorts; ++port) {
    for (uint16_t q = 0; q < kQueues; ++q)
      drain(Wires::get().from_port(port, q), [&](rte_mbuf* frame) { out.push_back({port, bytes_of(frame)}); });
  }
  return out;
}

std::vector<Outcome::Punted> Director::drain_punts() {
  std::vector<Outcome::Punted> out;
  for (size_t c = 0; c < dataplane::kPuntClasses; ++c) {
    const auto punt_class = static_cast<dataplane::PuntClass>(c);
    drain(rings_.punt[c], [&](rte_mbuf* frame) { out.push_back({punt_class, bytes_of(frame)}); });
  }
  return out;
}

dataplane::RealServerCounters Director::counters(const ServiceKey& service, const std::string& real) const {
  return dataplane::sum_counters({service, Endpoint::parse(real).value()}, *publisher_, workers_);
}

std::vector<dataplane::ConnectionRow> Director::connections(const dataplane::ConnectionFilter& filter) const {
  std::vector<dataplane::ConnectionRow> rows;
  uint64_t cursor = 0;
  do {
    auto page = dataplane::list_connections(cursor, 7, filter, publisher_->registry(), workers_);
    for (auto& row : page.rows) rows.push_back(std::move(row));
    cursor = page.next_cursor;
  } while (cursor != 0);
  return rows;
}

bool adds_up(const dataplane::WorkerStatus& status) {
  uint64_t sum = status.transmitted + status.held_fragments;
  for (const auto& punted : status.punted) sum += punted.count;
  for (const auto& drop : status.drops) sum += drop.count;
  return sum == status.received;
}

uint64_t drops_of(const dataplane::WorkerStatus& status, const std::string& reason) {
  for (const auto& drop : status.drops) {
    if (drop.name == reason) return drop.count;
  }
  return UINT64_MAX;
}

dataplane::RealServerParams server(unsigned i) {
  dataplane::RealServerParams p;
  p.endpoint = Endpoint::parse("192.0.2." + std::to_string(100 + i) + ":80").value();
  p.mac = mac("02:00:00:00:01:0" + std::to_string(i));
  p.egress = dataplane::PortId{Wires::get().port_id(0)};
  return p;
}

dataplane::VirtualServerParams service(const ServiceKey& key, unsigned servers) {
  dataplane::VirtualServerParams p;
  p.key = key;
  for (unsigned i = 1; i <= servers; ++i) p.real_servers.push_back(server(i));
  return p;
}

dataplane::Tables web_and_dns(unsigned servers) {
  dataplane::Tables tables;
  tables.virtual_servers = {service(kWeb, servers), service(kDns, servers)};
  return tables;
}

unsigned server_of(const Outcome::Sent& sent) {
  const auto prefix = mac("02:00:00:00:01:00").bytes;
  if (sent.bytes.size() < 6 || !std::equal(prefix.begin(), prefix.end() - 1, sent.bytes.begin())) return 0;
  return sent.bytes[5];
}

unsigned server_of(const Outcome& outcome) {
  if (outcome.sent.size() != 1 || !outcome.punted.empty() || !outcome.drops.empty()) return 0;
  return server_of(outcome.sent[0]);
}

}  // namespace lbdp::packet_tests
