// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/running_dataplane.h"

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include <algorithm>
#include <optional>

#include "dataplane/inspect.h"

namespace lbdp::dataplane {
namespace {

// Frames that control sent last (VRRP's priority-0 advertisement among them) still go out when the director stops.
constexpr std::chrono::milliseconds kDrainTime{50};

std::vector<unsigned> worker_lcores() {
  std::vector<unsigned> lcores;
  unsigned lcore = 0;
  RTE_LCORE_FOREACH_WORKER(lcore) {
    lcores.push_back(lcore);
  }
  return lcores;
}

tl::unexpected<Error> pass_on(Error& error) {
  return tl::unexpected<Error>(std::move(error));
}

/// What rte_eal_remote_launch's function gets: the worker and the flag that ends it.
struct Launch {
  Worker* worker;
  const std::atomic<bool>* stop;
};

int run_worker(void* argument) {
  const std::unique_ptr<const Launch> launch(static_cast<const Launch*>(argument));
  launch->worker->run(*launch->stop);
  return 0;
}

}  // namespace

Result<std::unique_ptr<Dataplane>> Dataplane::start(const StartupParams& params) {
  auto dataplane = std::make_unique<RunningDataplane>();
  if (Result<void> started = dataplane->start(params); !started) {
    return pass_on(started.error());
  }
  return dataplane;
}

Result<void> Dataplane::check(const Tables& tables) {
  return SlotRegistry::validate(tables);
}

Result<void> RunningDataplane::start(const StartupParams& params) {
  Result<std::vector<PortPlan>> plans = plan_ports(params.ports, static_cast<uint16_t>(worker_lcores().size()));
  if (!plans) {
    return pass_on(plans.error());
  }
  return open_ports(*plans, params)
      .and_then([this] { return create_taps(); })
      .and_then([this] { return create_exception_path(); })
      .and_then([&] { return create_publisher(params.templates); })
      .and_then([&] { return create_workers(*plans, params); })
      .and_then([this] { return start_ports(); })
      .and_then([this] { return launch_workers(); })
      .map([this] {
        exception_->start();
        follow_links();
      });
}

RunningDataplane::~RunningDataplane() {
  if (exception_ && !launched_.empty()) {
    exception_->drain(kDrainTime);
  }
  stop_workers();
  if (exception_) {
    exception_->stop();
  }
  // Before the workers: transmit queues and rings may still hold ICMP replies, whose pools are the workers'.
  ports_.clear();
  exception_.reset();
}

Result<void> RunningDataplane::open_ports(std::span<const PortPlan> plans, const StartupParams& params) {
  Result<BufferPools> buffers = create_buffers(plans, static_cast<uint16_t>(worker_lcores().size()), params);
  if (!buffers) {
    return pass_on(buffers.error());
  }
  buffers_ = std::move(*buffers);
  for (const PortPlan& plan : plans) {
    Result<Port> port = Port::open(plan, buffers_.receive.at(plan.socket).get(), notes_);
    if (!port) {
      return pass_on(port.error());
    }
    ports_.push_back(std::move(*port));
  }
  return {};
}

Result<void> RunningDataplane::create_taps() {
  for (const Port& port : ports_) {
    Result<Tap> tap = Tap::create(port.plan().params.interface, port.mac(), port.plan().mtu);
    if (!tap) {
      return pass_on(tap.error());
    }
    taps_.push_back(std::move(*tap));
  }
  carrier_.assign(ports_.size(), false);
  return {};
}

Result<void> RunningDataplane::create_exception_path() {
  std::vector<ExceptionPath::TapEnd> ends;
  for (size_t i = 0; i < ports_.size(); ++i) {
    ends.push_back({.port = ports_[i].id(), .descriptor = taps_[i].descriptor()});
  }
  auto path = ExceptionPath::create(std::move(ends), buffers_.from_kernel.get(), static_cast<int>(rte_socket_id()));
  if (!path) {
    return pass_on(path.error());
  }
  exception_ = std::move(*path);
  return {};
}

Result<void> RunningDataplane::create_publisher(uint32_t templates) {
  std::vector<MacAddress> macs(size_t{ports_.back().id()} + 1);
  for (const Port& port : ports_) {
    macs[port.id()] = port.mac();
  }
  auto publisher = Publisher::create(static_cast<unsigned>(worker_lcores().size()), std::move(macs), templates);
  if (!publisher) {
    return pass_on(publisher.error());
  }
  publisher_ = std::move(*publisher);
  return {};
}

Result<void> RunningDataplane::create_workers(std::span<const PortPlan> plans, const StartupParams& params) {
  const std::vector<unsigned> lcores = worker_lcores();
  const QueueAssignment assignment = assign_queues(plans, static_cast<uint16_t>(lcores.size()));
  for (size_t i = 0; i < lcores.size(); ++i) {
    WorkerParams worker_params;
    worker_params.id = WorkerId{static_cast<uint16_t>(i)};
    worker_params.lcore = lcores[i];
    worker_params.socket = static_cast<int>(rte_lcore_to_socket_id(lcores[i]));
    worker_params.connections = params.connections_per_worker;
    worker_params.wide_connections = params.wide_connections_per_worker;
    worker_params.timeouts = params.timeouts;
    worker_params.idle_sleep = params.idle_sleep;
    worker_params.clock.hz = rte_get_tsc_hz();
    for (const Port& port : ports_) {
      const std::optional<uint16_t> queue = assignment.queue_of(i, port.id());
      worker_params.ports.push_back({.id = PortId{port.id()},
                                     .mac = port.mac(),
                                     .rx_queue = queue,
                                     .tx_queue = queue,
                                     .sends_for_others = queue == uint16_t{0}});
    }
    auto worker = Worker::create(std::move(worker_params), *publisher_, exception_->rings());
    if (!worker) {
      return pass_on(worker.error());
    }
    workers_.push_back(std::move(*worker));
  }
  for (const auto& worker : workers_) {
    worker->meet(workers_);
  }
  note_idle_workers();
  return {};
}

void RunningDataplane::note_idle_workers() {
  for (const auto& worker : workers_) {
    const WorkerParams& params = worker->params();
    if (std::none_of(params.ports.begin(), params.ports.end(), [](auto& port) { return port.rx_queue.has_value(); })) {
      notes_.push_back("worker " + std::to_string(static_cast<unsigned>(params.id)) + " (lcore " +
                       std::to_string(params.lcore) + ") idles: the ports have fewer queues than there are workers");
    }
  }
}

Result<void> RunningDataplane::start_ports() {
  for (Port& port : ports_) {
    if (Result<void> started = port.start(notes_); !started) {
      return started;
    }
  }
  return {};
}

Result<void> RunningDataplane::launch_workers() {
  for (const auto& worker : workers_) {
    const unsigned lcore = worker->params().lcore;
    auto launch = std::make_unique<Launch>(Launch{.worker = worker.get(), .stop = &stop_});
    if (const int error = rte_eal_remote_launch(run_worker, launch.get(), lcore); error != 0) {
      return fail("lcore " + std::to_string(lcore) + " is busy: the worker cannot be started");
    }
    (void)launch.release();  // run_worker()'s now
    launched_.push_back(lcore);
  }
  return {};
}

void RunningDataplane::stop_workers() {
  stop_.store(true);
  for (const unsigned lcore : launched_) {
    rte_eal_wait_lcore(lcore);
  }
}

void RunningDataplane::collect() {
  publisher_->collect();
  follow_links();
}

void RunningDataplane::follow_links() {
  for (size_t i = 0; i < ports_.size(); ++i) {
    if (const bool up = ports_[i].link_up(); up != carrier_[i]) {
      taps_[i].set_carrier(up);
      carrier_[i] = up;
    }
  }
}

std::vector<PortStatus> RunningDataplane::ports() const {
  std::vector<PortStatus> list;
  for (size_t i = 0; i < ports_.size(); ++i) {
    PortStatus status;
    ports_[i].describe(status);
    status.interface = taps_[i].name();
    status.interface_index = taps_[i].index();
    const ExceptionCounters frames = exception_->counters(ports_[i].id());
    status.to_kernel = frames.to_kernel;
    status.to_kernel_dropped = frames.to_kernel_dropped;
    status.from_kernel = frames.from_kernel;
    status.from_kernel_dropped = frames.from_kernel_dropped;
    list.push_back(std::move(status));
  }
  return list;
}

std::vector<WorkerStatus> RunningDataplane::workers() const {
  std::vector<WorkerStatus> list;
  for (const auto& worker : workers_) {
    list.push_back(worker->status());
  }
  return list;
}

RealServerCounters RunningDataplane::counters(const RealServerKey& key) const {
  return sum_counters(key, *publisher_, workers_);
}

ConnectionPage RunningDataplane::connections(uint64_t cursor, size_t limit, const ConnectionFilter& filter) const {
  return list_connections(cursor, limit, filter, publisher_->registry(), workers_);
}

TemplatePage RunningDataplane::templates(uint64_t cursor, size_t limit) const {
  return list_templates(cursor, limit, workers_.front()->tick(), *publisher_);
}

Explanation RunningDataplane::explain(const Endpoint& client, const ServiceKey& destination) const {
  return dataplane::explain(client, destination, *publisher_, workers_);
}

}  // namespace lbdp::dataplane
