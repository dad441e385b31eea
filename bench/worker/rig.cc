// SPDX-License-Identifier: BSD-2-Clause
#include "bench/worker/rig.h"

#include <pthread.h>
#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_ring.h>

#include <algorithm>
#include <cstring>

#include "dataplane/inspect.h"

namespace lbdp::bench {
namespace {

using dataplane::Worker;

constexpr char kDevice[] = "net_null0";
constexpr unsigned kBuffers = 8191;  // of which a warm source uses those that were sent last: they stay in the cache
constexpr unsigned kBufferCache = 256;
constexpr unsigned kRingSize = 1024;
constexpr unsigned kPassesAChunk = 256;  // between two looks at the clock

void require(bool good, const std::string& what) {
  if (!good) throw BenchError(what + ": " + rte_strerror(rte_errno));
}

double now_of(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

rte_ring* make_ring(const std::string& name) {
  rte_ring* const ring = rte_ring_create(name.c_str(), kRingSize, SOCKET_ID_ANY, 0);
  require(ring != nullptr, "rte_ring_create " + name);
  return ring;
}

void drain_and_free(rte_ring* ring) {
  if (ring == nullptr) return;
  void* frame = nullptr;
  while (rte_ring_dequeue(ring, &frame) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(frame));
  rte_ring_free(ring);
}

void size_tables(dataplane::WorkerParams& params, Family family, uint32_t connections) {
  (family == Family::kIpv4 ? params.connections : params.wide_connections) = connections;
}

template <class F>
int call(void* function) {
  (*static_cast<F*>(function))();
  return 0;
}

}  // namespace

Totals operator-(const Totals& later, const Totals& earlier) {
  return {later.received - earlier.received,
          later.transmitted - earlier.transmitted,
          later.dropped - earlier.dropped,
          later.punted - earlier.punted,
          later.unstored - earlier.unstored,
          later.connections,
          later.capacity};
}

Sample operator-(const Sample& later, const Sample& earlier) {
  return {later.packets - earlier.packets, later.cpu_s - earlier.cpu_s, later.wall_s - earlier.wall_s};
}

double rate_of(std::span<const Sample> samples) {
  double sum = 0;
  for (const Sample& s : samples) sum += static_cast<double>(s.packets) / s.cpu_s;
  return sum;
}

Rig::Rig(const RigParams& params) : params_(params), clocks_(params.workers) {
  if (params_.connections == 0) params_.connections = std::max<uint32_t>(params_.flows / params_.workers, 1024);
  if (lcores().size() < params_.workers) {
    throw BenchError(std::to_string(params_.workers) + " worker(s)" +
                     (params_.main_lcore == MainLcore::kControls ? " beside the main lcore" : "") + " need more than " +
                     std::to_string(rte_lcore_count()) + " lcore(s): EAL's -l");
  }
  open_port();
  create_rings();
  create_workers();
  add_callbacks();
  const auto published = publisher_->publish([&] {
    Network network = params_.network;
    if (params_.flood_service) ++network.services;
    auto tables = tables_of(network, port_);
    for (auto& service : tables.virtual_servers) service.persistence.timeout = params_.persistence;
    return tables;
  }());
  if (!published) throw BenchError(published.error().message);
}

Rig::~Rig() {
  if (!launched_.empty()) finish();
  remove_callbacks();
  rte_eth_dev_stop(port_);
  workers_.clear();
  sources_.clear();
  rte_eth_dev_close(port_);
  rte_eal_hotplug_remove("vdev", kDevice);
  for (rte_ring* ring : rings_.punt) drain_and_free(ring);
  for (rte_ring* ring : rings_.inject) drain_and_free(ring);
  for (rte_ring* ring : rings_.handover) drain_and_free(ring);
  rte_mempool_free(pool_);
}

void Rig::open_port() {
  const uint16_t length = frame_length(params_.network.family);
  require(rte_eal_hotplug_add("vdev", kDevice, ("size=" + std::to_string(length)).c_str()) == 0, "net_null");
  require(rte_eth_dev_get_port_by_name(kDevice, &port_) == 0, "net_null's port");
  pool_ = rte_pktmbuf_pool_create("bench_frames", kBuffers + params_.workers * params_.cold, kBufferCache, 0,
                                  RTE_PKTMBUF_HEADROOM + 128, SOCKET_ID_ANY);
  require(pool_ != nullptr, "frame buffers");
  const auto queues = static_cast<uint16_t>(params_.workers);
  const rte_eth_conf conf{};
  require(rte_eth_dev_configure(port_, queues, queues, &conf) == 0, "rte_eth_dev_configure");
  for (uint16_t q = 0; q < queues; ++q) {
    require(rte_eth_rx_queue_setup(port_, q, 64, rte_socket_id(), nullptr, pool_) == 0, "rte_eth_rx_queue_setup");
    require(rte_eth_tx_queue_setup(port_, q, 64, rte_socket_id(), nullptr) == 0, "rte_eth_tx_queue_setup");
  }
  rte_ether_addr address{};
  require(rte_eth_macaddr_get(port_, &address) == 0, "rte_eth_macaddr_get");
  std::copy(std::begin(address.addr_bytes), std::end(address.addr_bytes), mac_.bytes.begin());
  require(rte_eth_dev_start(port_) == 0, "rte_eth_dev_start");
}

void Rig::create_rings() {
  for (size_t c = 0; c < dataplane::kPuntClasses; ++c) rings_.punt[c] = make_ring("bench_punt" + std::to_string(c));
  rings_.inject.resize(size_t{port_} + 1);
  rings_.handover.resize(size_t{port_} + 1);
  rings_.inject.at(port_) = make_ring("bench_inject");
  rings_.handover.at(port_) = make_ring("bench_handover");
}

void Rig::create_workers() {
  std::vector<MacAddress> macs(size_t{port_} + 1);
  macs.at(port_) = mac_;
  auto publisher = dataplane::Publisher::create(params_.workers, macs);
  if (!publisher) throw BenchError(publisher.error().message);
  publisher_ = std::move(*publisher);
  for (uint16_t w = 0; w < params_.workers; ++w) {
    dataplane::WorkerParams p;
    p.id = dataplane::WorkerId{w};
    p.lcore = lcores().at(w);
    p.socket = SOCKET_ID_ANY;
    size_tables(p, params_.network.family, params_.connections);
    p.timeouts.udp = params_.udp_timeout;
    p.seed = 0x5eed'0000'1234'5678;  // the same table each time
    p.ports.push_back({dataplane::PortId{port_}, mac_, w, w, w == 0});
    auto worker = Worker::create(std::move(p), *publisher_, rings_);
    if (!worker) throw BenchError(worker.error().message);
    workers_.push_back(std::move(*worker));
  }
}

void Rig::add_callbacks() {
  writer_ = std::make_unique<FrameWriter>(params_.network.family, mac_);
  const uint32_t share = params_.flows / params_.workers;
  for (uint16_t w = 0; w < params_.workers; ++w) {
    SourceParams source;
    source.first_flow = share * w;
    source.flows = share;
    source.services = params_.network.services;
    source.fresh_service = params_.flood_service ? flood_service() : 0;
    source.fresh_clients = params_.fresh_clients;
    source.stream = w;
    sources_.push_back(std::make_unique<FlowSource>(*writer_, source, pool_, params_.cold));
    receive_callbacks_.push_back(rte_eth_add_rx_callback(port_, w, FlowSource::on_receive, sources_.back().get()));
    require(receive_callbacks_.back() != nullptr, "rte_eth_add_rx_callback");
    if (!params_.check_frames) continue;
    checks_.push_back(std::make_unique<SinkCheck>(params_.network));
    send_callbacks_.push_back(rte_eth_add_tx_callback(port_, w, SinkCheck::on_send, checks_.back().get()));
    require(send_callbacks_.back() != nullptr, "rte_eth_add_tx_callback");
  }
}

// They would outlive the port, and meet the next one of its number.
void Rig::remove_callbacks() {
  for (size_t w = 0; w < receive_callbacks_.size(); ++w)
    rte_eth_remove_rx_callback(port_, static_cast<uint16_t>(w), receive_callbacks_[w]);
  for (size_t w = 0; w < send_callbacks_.size(); ++w)
    rte_eth_remove_tx_callback(port_, static_cast<uint16_t>(w), send_callbacks_[w]);
}

std::vector<unsigned> Rig::lcores() const {
  std::vector<unsigned> ids;
  unsigned lcore = 0;
  RTE_LCORE_FOREACH(lcore) {
    if (lcore != rte_get_main_lcore()) ids.push_back(lcore);
  }
  if (params_.main_lcore == MainLcore::kWorks) ids.insert(ids.begin(), rte_get_main_lcore());
  return ids;
}

void Rig::set_pattern(Pattern pattern) {
  for (auto& source : sources_) {
    if (!source->set_pattern(pattern)) throw BenchError("not enough frame buffers");
  }
}

// The callers' thread runs all workers in turn: nothing is measured here.
void Rig::fill() {
  set_pattern(Pattern::kOnce);
  const uint64_t before = totals().connections, wanted = uint64_t{params_.flows / params_.workers} * params_.workers;
  for (unsigned w = 0; w < params_.workers; ++w) {
    workers_[w]->enter();
    while (!sources_[w]->exhausted()) workers_[w]->run_once();
    workers_[w]->leave();
  }
  const uint64_t stored = totals().connections - before;
  if (stored + wanted / 10000 < wanted || stored > wanted) {
    throw BenchError("the table holds " + std::to_string(stored) + " connections of " + std::to_string(wanted));
  }
}

uint64_t Rig::run_chunk(unsigned worker) noexcept {
  uint64_t packets = 0;
  for (unsigned i = 0; i < kPassesAChunk; ++i) packets += workers_[worker]->run_once();
  return packets;
}

uint64_t Rig::mac_only_chunk(uint16_t queue) const noexcept {
  std::array<uint8_t, 12> macs{};
  const MacAddress server = real_mac(0);
  std::copy(server.bytes.begin(), server.bytes.end(), macs.begin());
  std::copy(mac_.bytes.begin(), mac_.bytes.end(), macs.begin() + 6);
  uint64_t packets = 0;
  std::array<rte_mbuf*, Worker::kBurst> frames;
  for (unsigned pass = 0; pass < kPassesAChunk; ++pass) {
    const uint16_t count = rte_eth_rx_burst(port_, queue, frames.data(), Worker::kBurst);
    for (uint16_t i = 0; i < count; ++i) std::memcpy(rte_pktmbuf_mtod(frames[i], uint8_t*), macs.data(), macs.size());
    const uint16_t sent = rte_eth_tx_burst(port_, queue, frames.data(), count);
    if (sent < count) rte_pktmbuf_free_bulk(frames.data() + sent, count - sent);
    packets += sent;
  }
  return packets;
}

std::vector<Sample> Rig::run_everywhere(double seconds, const Pass& chunk) {
  std::vector<Sample> samples(params_.workers);
  const auto drive = [&](unsigned w) {
    const double wall = now_of(CLOCK_MONOTONIC), cpu = now_of(CLOCK_THREAD_CPUTIME_ID);
    const auto end = rte_rdtsc() + static_cast<uint64_t>(seconds * static_cast<double>(rte_get_tsc_hz()));
    do samples[w].packets += chunk(w);
    while (rte_rdtsc() < end);
    samples[w].cpu_s = now_of(CLOCK_THREAD_CPUTIME_ID) - cpu;
    samples[w].wall_s = now_of(CLOCK_MONOTONIC) - wall;
  };
  const auto ids = lcores();
  std::vector<std::function<void()>> tasks;
  for (unsigned w = 0; w < params_.workers; ++w) tasks.push_back([&drive, w] { drive(w); });
  for (unsigned w = 1; w < params_.workers; ++w) {
    if (rte_eal_remote_launch(call<std::function<void()>>, &tasks[w], ids[w]) != 0)
      throw BenchError("lcore " + std::to_string(ids[w]) + " is busy");
  }
  drive(0);
  for (unsigned w = 1; w < params_.workers; ++w) rte_eal_wait_lcore(ids[w]);
  return samples;
}

std::vector<Sample> Rig::run(double seconds) {
  for (auto& worker : workers_) worker->enter();
  auto samples = run_everywhere(seconds, [this](unsigned w) { return run_chunk(w); });
  for (auto& worker : workers_) worker->leave();
  return samples;
}

std::vector<Sample> Rig::run_mac_only(double seconds) {
  return run_everywhere(seconds, [this](unsigned w) { return mac_only_chunk(static_cast<uint16_t>(w)); });
}

void Rig::start() {
  struct Task {
    Rig* rig;
    unsigned worker;
  };
  const auto body = [](void* argument) {
    const std::unique_ptr<const Task> task(static_cast<const Task*>(argument));
    clockid_t clock{};
    pthread_getcpuclockid(pthread_self(), &clock);
    Worker& worker = *task->rig->workers_[task->worker];
    worker.enter();
    task->rig->clocks_[task->worker].store(clock);
    while (!task->rig->stop_.load(std::memory_order_relaxed)) worker.run_once();
    worker.leave();
    return 0;
  };
  stop_.store(false);
  const auto ids = lcores();
  for (unsigned w = 0; w < params_.workers; ++w) {
    auto task = std::make_unique<Task>(Task{this, w});
    if (rte_eal_remote_launch(body, task.get(), ids[w]) != 0)
      throw BenchError("lcore " + std::to_string(ids[w]) + " is busy");
    (void)task.release();  // body()'s now
    launched_.push_back(ids[w]);
    while (clocks_[w].load() == 0) rte_pause();
  }
}

void Rig::finish() {
  stop_.store(true);
  for (const unsigned lcore : launched_) rte_eal_wait_lcore(lcore);
  launched_.clear();
}

Sample Rig::sample(unsigned worker) const {
  return {workers_.at(worker)->status().received, now_of(clocks_.at(worker).load()), now_of(CLOCK_MONOTONIC)};
}

Totals Rig::totals() const {
  Totals t;
  for (const auto& worker : workers_) {
    const auto s = worker->status();
    t.received += s.received;
    t.transmitted += s.transmitted;
    for (const auto& drop : s.drops) t.dropped += drop.count;
    for (const auto& punt : s.punted) t.punted += punt.count;
    t.unstored += s.unstored;
    const bool wide = params_.network.family == Family::kIpv6;
    t.connections += wide ? s.wide_connections : s.connections;
    t.capacity += wide ? s.wide_connections_limit : s.connections_limit;
  }
  return t;
}

uint64_t Rig::established_made() const {
  uint64_t sum = 0;
  for (const auto& source : sources_) sum += source->established();
  return sum;
}

uint64_t Rig::frames_made() const {
  uint64_t sum = 0;
  for (const auto& source : sources_) sum += source->established() + source->fresh();
  return sum;
}

std::vector<dataplane::RealServerCounters> Rig::servers_of(unsigned service) const {
  std::vector<dataplane::RealServerCounters> list;
  const Network& n = params_.network;
  for (unsigned i = 0; i < n.servers; ++i) {
    const Endpoint real = real_server(n.family, service * n.servers + i);
    list.push_back(dataplane::sum_counters({service_key(n.family, service), real}, *publisher_, workers_));
  }
  return list;
}

}  // namespace lbdp::bench
