// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// Workers in threads of their own, as in the director.

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "tests/packet/support/director.h"

namespace lbdp::packet_tests {

/// A worker's thread, ended whatever becomes of the test.
class Thread {
 public:
  explicit Thread(dataplane::Worker& worker) : thread_([this, &worker] { worker.run(stop_); }) {}
  ~Thread() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

/// All of a director's workers, running while this lives; afterwards they can be driven by hand again. The director's
/// clock stands still unless told.
class RunningWorkers {
 public:
  explicit RunningWorkers(Director& director) : director_(director) {
    for (auto& worker : director.workers()) worker->leave();
    for (auto& worker : director.workers()) threads_.push_back(std::make_unique<Thread>(*worker));
  }
  ~RunningWorkers() {
    threads_.clear();
    for (auto& worker : director_.workers()) worker->enter();
  }
  RunningWorkers(const RunningWorkers&) = delete;
  RunningWorkers& operator=(const RunningWorkers&) = delete;

 private:
  Director& director_;
  std::vector<std::unique_ptr<Thread>> threads_;
};

/// Waits until `condition()` holds; false if it did not within 60 seconds.
template <class Condition>
[[nodiscard]] bool wait_until(Condition&& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

/// Feeds a frame to a worker that runs in its own thread; waits while its queue is full. False if it never took it.
[[nodiscard]] inline bool offer(const Bytes& frame, uint16_t worker) {
  if (!wait_until([&] { return rte_ring_free_count(Wires::get().to_port(0, worker)) >= 64; })) return false;
  Director::feed(frame, worker, 0);
  return true;
}

[[nodiscard]] inline uint64_t received(const Director& director) {
  uint64_t sum = 0;
  for (const auto& worker : director.workers()) sum += worker->status().received;
  return sum;
}

/// Waits until all workers together have received so many frames.
[[nodiscard]] inline bool wait_for_received(const Director& director, uint64_t count) {
  return wait_until([&] { return received(director) >= count; });
}

}  // namespace lbdp::packet_tests
