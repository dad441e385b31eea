// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "control/options.h"

namespace spdlog {
class logger;
}

namespace lbdp::control {

/// A logger to standard error that writes before it returns: for start-up and short commands.
std::shared_ptr<spdlog::logger> make_logger(const std::string& level, LogFormat format);

/// A logger to standard error that never waits for its reader: lines go through a bounded queue to a thread of its own,
/// and the oldest are lost when that is full. For the reactor. Destroy it last; that writes what is queued.
class AsyncLog {
 public:
  AsyncLog(const std::string& level, LogFormat format);
  ~AsyncLog();
  AsyncLog(const AsyncLog&) = delete;
  AsyncLog& operator=(const AsyncLog&) = delete;

  [[nodiscard]] spdlog::logger& logger() { return *logger_; }

 private:
  struct Queue;
  std::unique_ptr<Queue> queue_;
  std::shared_ptr<spdlog::logger> logger_;
};

/// Lets one line a second through for each key and counts the others.
class LogLimiter {
 public:
  using Clock = std::chrono::steady_clock;

  /// Nothing: stay silent. Otherwise log, and say how many lines with this key were left out since the last one.
  std::optional<uint64_t> allow(const std::string& key, Clock::time_point now = Clock::now());

 private:
  static constexpr size_t kMaxKeys = 1024;
  struct Entry {
    Clock::time_point last;
    uint64_t suppressed = 0;
  };
  std::map<std::string, Entry> entries_;
};

}  // namespace lbdp::control
