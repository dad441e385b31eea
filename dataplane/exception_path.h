// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <poll.h>
#include <rte_mbuf.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "config/types/result.h"
#include "dataplane/exception_rings.h"
#include "dataplane/pacer.h"

namespace lbdp::dataplane {

/// Frames between one port and its tap.
struct ExceptionCounters {
  uint64_t to_kernel = 0;            // written to the tap
  uint64_t to_kernel_dropped = 0;    // the tap refused them
  uint64_t from_kernel = 0;          // read from the tap and handed to the port's worker
  uint64_t from_kernel_dropped = 0;  // no mbuf, longer than an mbuf, or the worker's ring full
};

/// Carries frames between the workers and the kernel. One thread serves the punt rings in the order of their classes
/// and paces each, writes the frames to the taps, and moves what the kernel sends to the port's inject ring. Workers
/// never make a system call to wake it: it polls, and sleeps longer the longer nothing came.
class ExceptionPath {
 public:
  static constexpr unsigned kPuntRingSize = 1024;
  static constexpr unsigned kInjectRingSize = 512;
  static constexpr unsigned kHandoverRingSize = 512;

  struct TapEnd {
    uint16_t port = 0;
    int descriptor = -1;  // non-blocking, one frame a read or write; stays the caller's
  };

  /// Creates the rings; `pool` is where frames from the kernel go. Control thread.
  static Result<std::unique_ptr<ExceptionPath>> create(std::vector<TapEnd> taps, rte_mempool* pool, int socket);
  ExceptionPath(const ExceptionPath&) = delete;
  ExceptionPath& operator=(const ExceptionPath&) = delete;
  /// Stops the thread and frees the rings with all that is in them. No worker may use them any more.
  ~ExceptionPath();

  [[nodiscard]] const ExceptionRings& rings() const { return rings_; }
  /// Any thread.
  [[nodiscard]] ExceptionCounters counters(uint16_t port) const;

  /// Starts the thread; it inherits the caller's CPU affinity.
  void start();
  void stop();
  /// Waits, no longer than `limit`, until nothing is left that the kernel has sent: thread and workers still run.
  void drain(Pacer::Clock::duration limit) const;

  /// One pass over taps and rings, after waiting for a frame from the kernel no longer than `sleep`; returns the number
  /// of frames moved. The thread's, or a test's in its stead.
  size_t pass(Pacer::Clock::duration sleep);

 private:
  /// One writer: the thread.
  struct AtomicCounters {
    std::atomic<uint64_t> to_kernel{0}, to_kernel_dropped{0}, from_kernel{0}, from_kernel_dropped{0};
  };
  struct Lane {
    TapEnd end;
    bool gone = false;  // the interface was deleted
    AtomicCounters counters;
  };

  explicit ExceptionPath(rte_mempool* pool);
  Result<void> create_rings(int socket);
  void run();
  size_t serve_class(size_t punt_class);
  void to_kernel(rte_mbuf* frame);
  size_t from_kernel(size_t index);

  rte_mempool* pool_;
  ExceptionRings rings_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<Lane*> lane_of_port_;
  std::vector<pollfd> polled_;  // like lanes_
  std::array<Pacer, kPuntClasses> pace_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace lbdp::dataplane
