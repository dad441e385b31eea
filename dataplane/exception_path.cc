// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/exception_path.h"

#include <pthread.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <sys/prctl.h>

#include <algorithm>
#include <csignal>
#include <string>

#include "dataplane/frame_io.h"

namespace lbdp::dataplane {
namespace {

using Clock = Pacer::Clock;
using std::chrono::microseconds;

constexpr unsigned kBurst = 32;
// What one pass takes of a class at most: the higher class is looked at again after so many frames.
constexpr std::array<unsigned, kPuntClasses> kBudget{8 * kBurst, 4 * kBurst, kBurst};
// Frames a second that reach the kernel, and at once. The thread shares a CPU with control: a tap takes 1 to 2 us a
// frame, so that a flood costs control a fifth of its CPU, and the surplus is dropped where the ring is full.
constexpr std::array<uint32_t, kPuntClasses> kRate{20'000, 20'000, 100'000};
constexpr std::array<uint32_t, kPuntClasses> kRateBurst{1024, 1024, 1024};
// Sleeping a sixteenth of the time since the last frame keeps the delay that it adds below a sixteenth of the traffic's
// own pace, and costs an idle director five hundred short wake-ups a second.
constexpr int kIdleShare = 16;
constexpr microseconds kShortestSleep{20};
constexpr microseconds kLongestSleep{2000};

/// One writer, so no read-modify-write is needed.
void add(std::atomic<uint64_t>& counter, uint64_t n) {
  counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

/// Exactly `size` elements and one consumer. `producers`: RING_F_SP_ENQ if there is one, 0 if there are many.
Result<rte_ring*> create_ring(const std::string& name, unsigned size, int socket, unsigned producers = 0) {
  rte_ring* ring = rte_ring_create(name.c_str(), size, socket, RING_F_SC_DEQ | RING_F_EXACT_SZ | producers);
  if (ring == nullptr) {
    return fail("cannot create the ring " + name + ": " + rte_strerror(rte_errno));
  }
  return ring;
}

void free_ring(rte_ring* ring) {
  if (ring == nullptr) {
    return;
  }
  void* element = nullptr;
  while (rte_ring_dequeue(ring, &element) == 0) {
    rte_pktmbuf_free(static_cast<rte_mbuf*>(element));
  }
  rte_ring_free(ring);
}

Pacer pacer(size_t punt_class) {
  return {kRate[punt_class], kRateBurst[punt_class]};
}

}  // namespace

ExceptionPath::ExceptionPath(rte_mempool* pool) : pool_(pool), pace_{pacer(0), pacer(1), pacer(2)} {}

Result<std::unique_ptr<ExceptionPath>> ExceptionPath::create(std::vector<TapEnd> taps, rte_mempool* pool, int socket) {
  std::unique_ptr<ExceptionPath> path(new ExceptionPath(pool));
  for (const TapEnd& tap : taps) {
    path->lanes_.push_back(std::make_unique<Lane>());
    Lane& lane = *path->lanes_.back();
    lane.end = tap;
    path->lane_of_port_.resize(std::max<size_t>(path->lane_of_port_.size(), size_t{tap.port} + 1));
    path->lane_of_port_[tap.port] = &lane;
    path->polled_.push_back({.fd = tap.descriptor, .events = POLLIN, .revents = 0});
  }
  if (Result<void> created = path->create_rings(socket); !created) {
    return tl::unexpected<Error>(created.error());
  }
  return path;
}

Result<void> ExceptionPath::create_rings(int socket) {
  constexpr std::array<const char*, kPuntClasses> kNames{"lbdp_punt_vrrp", "lbdp_punt_control", "lbdp_punt_bulk"};
  for (size_t i = 0; i < kPuntClasses; ++i) {
    const Result<rte_ring*> ring = create_ring(kNames[i], kPuntRingSize, socket);
    if (!ring) {
      return tl::unexpected<Error>(ring.error());
    }
    rings_.punt[i] = *ring;
  }
  rings_.inject.resize(lane_of_port_.size(), nullptr);
  rings_.handover.resize(lane_of_port_.size(), nullptr);
  for (const auto& lane : lanes_) {
    const uint16_t port = lane->end.port;
    const Result<rte_ring*> inject =
        create_ring("lbdp_inject_" + std::to_string(port), kInjectRingSize, socket, RING_F_SP_ENQ);
    if (!inject) {
      return tl::unexpected<Error>(inject.error());
    }
    rings_.inject[port] = *inject;
    const Result<rte_ring*> handover = create_ring("lbdp_handover_" + std::to_string(port), kHandoverRingSize, socket);
    if (!handover) {
      return tl::unexpected<Error>(handover.error());
    }
    rings_.handover[port] = *handover;
  }
  return {};
}

ExceptionPath::~ExceptionPath() {
  stop();
  std::for_each(rings_.punt.begin(), rings_.punt.end(), free_ring);
  std::for_each(rings_.inject.begin(), rings_.inject.end(), free_ring);
  std::for_each(rings_.handover.begin(), rings_.handover.end(), free_ring);
}

ExceptionCounters ExceptionPath::counters(uint16_t port) const {
  if (port >= lane_of_port_.size() || lane_of_port_[port] == nullptr) {
    return {};
  }
  const AtomicCounters& counters = lane_of_port_[port]->counters;
  return {.to_kernel = counters.to_kernel.load(std::memory_order_relaxed),
          .to_kernel_dropped = counters.to_kernel_dropped.load(std::memory_order_relaxed),
          .from_kernel = counters.from_kernel.load(std::memory_order_relaxed),
          .from_kernel_dropped = counters.from_kernel_dropped.load(std::memory_order_relaxed)};
}

void ExceptionPath::start() {
  // Signals are the control thread's business: the new thread inherits a mask that blocks them all.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_.native_handle(), "lbdp-exception");
}

void ExceptionPath::stop() {
  if (thread_.joinable()) {
    stopping_.store(true, std::memory_order_relaxed);
    thread_.join();
  }
}

void ExceptionPath::drain(Clock::duration limit) const {
  const Clock::time_point deadline = Clock::now() + limit;
  const auto pending = [this] {
    return std::any_of(lanes_.begin(), lanes_.end(), [this](const auto& lane) {
      pollfd tap{.fd = lane->end.descriptor, .events = POLLIN, .revents = 0};
      return rte_ring_empty(rings_.inject[lane->end.port]) == 0 ||
             (poll(&tap, 1, 0) > 0 && (tap.revents & POLLERR) == 0);
    });
  };
  // Twice empty in a row: a frame can be in the thread's hands between the two places.
  for (int empty = 0; empty < 2 && Clock::now() < deadline; empty = pending() ? 0 : empty + 1) {
    std::this_thread::sleep_for(kShortestSleep);
  }
}

void ExceptionPath::run() {
  prctl(PR_SET_TIMERSLACK, 1000UL);  // ns: short sleeps are meant
  Clock::time_point last_frame = Clock::now();
  Clock::duration sleep{0};
  while (!stopping_.load(std::memory_order_relaxed)) {
    const size_t moved = pass(sleep);
    const Clock::time_point now = Clock::now();
    if (moved > 0) {
      last_frame = now;
      sleep = Clock::duration::zero();
    } else {
      sleep = std::clamp<Clock::duration>((now - last_frame) / kIdleShare, kShortestSleep, kLongestSleep);
    }
  }
}

size_t ExceptionPath::pass(Clock::duration sleep) {
  const timespec timeout{.tv_sec = 0, .tv_nsec = std::chrono::nanoseconds(sleep).count()};
  const bool readable = ppoll(polled_.data(), polled_.size(), &timeout, nullptr) > 0;
  size_t moved = 0;
  for (size_t punt_class = 0; punt_class < kPuntClasses; ++punt_class) {
    moved += serve_class(punt_class);
  }
  for (size_t i = 0; readable && i < lanes_.size(); ++i) {
    moved += polled_[i].revents != 0 ? from_kernel(i) : 0;
  }
  return moved;
}

size_t ExceptionPath::serve_class(size_t punt_class) {
  rte_ring* ring = rings_.punt[punt_class];
  if (rte_ring_empty(ring) != 0) {
    return 0;
  }
  const unsigned granted = pace_[punt_class].take(kBudget[punt_class], Clock::now());
  unsigned served = 0;
  while (served < granted) {
    std::array<rte_mbuf*, kBurst> frames;
    const unsigned n = rte_ring_sc_dequeue_burst(ring, reinterpret_cast<void**>(frames.data()),
                                                 std::min(kBurst, granted - served), nullptr);
    if (n == 0) {
      break;
    }
    std::for_each_n(frames.begin(), n, [this](rte_mbuf* frame) { to_kernel(frame); });
    served += n;
  }
  pace_[punt_class].give_back(granted - served);
  return served;
}

void ExceptionPath::to_kernel(rte_mbuf* frame) {
  if (frame->port < lane_of_port_.size() && lane_of_port_[frame->port] != nullptr) {
    Lane& lane = *lane_of_port_[frame->port];
    const bool written = !lane.gone && write_frame(lane.end.descriptor, *frame);
    add(written ? lane.counters.to_kernel : lane.counters.to_kernel_dropped, 1);
  }
  rte_pktmbuf_free(frame);
}

size_t ExceptionPath::from_kernel(size_t index) {
  Lane& lane = *lanes_[index];
  std::array<rte_mbuf*, kBurst> frames;
  unsigned count = 0;
  unsigned dropped = 0;
  while (!lane.gone && count + dropped < kBurst) {
    const FrameRead read = read_frame(lane.end.descriptor, pool_);
    if (read.status == FrameRead::Status::kEmpty) {
      break;
    }
    if (read.status == FrameRead::Status::kGone) {
      lane.gone = true;
      polled_[index].fd = -1;  // or ppoll() would return at once for ever
      break;
    }
    if (read.status == FrameRead::Status::kDropped) {
      ++dropped;
      continue;
    }
    read.frame->port = lane.end.port;
    frames[count++] = read.frame;
  }
  const unsigned sent =
      rte_ring_sp_enqueue_burst(rings_.inject[lane.end.port], reinterpret_cast<void**>(frames.data()), count, nullptr);
  std::for_each(frames.begin() + sent, frames.begin() + count, [](rte_mbuf* frame) { rte_pktmbuf_free(frame); });
  add(lane.counters.from_kernel, sent);
  add(lane.counters.from_kernel_dropped, dropped + (count - sent));
  return count + dropped;
}

}  // namespace lbdp::dataplane
