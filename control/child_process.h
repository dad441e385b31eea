// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/types/asio.h"

namespace lbdp::control {

/// A program to run beside us, and the account that it runs under.
struct ChildCommand {
  std::vector<std::string> arguments;  // [0] is the program, searched in PATH; never empty
  std::string user;                    // empty: ours
  std::string group;                   // empty: the user's own

  friend bool operator==(const ChildCommand&, const ChildCommand&) = default;
};

/// How it ended.
struct ChildOutcome {
  enum class End : uint8_t { kExited, kSignalled, kTimedOut, kNotStarted };

  End end = End::kExited;
  int number = 0;  // exit status, signal, or errno of what could not be started

  [[nodiscard]] bool success() const { return end == End::kExited && number == 0; }
  [[nodiscard]] std::string to_string() const;  // "exited with status 3"
};

/// Runs programs on the reactor without waiting for them. Each has a process group of its own, /dev/null for its
/// standard streams and no other descriptor of ours. One that outlives its time gets SIGTERM, and SIGKILL two seconds
/// later, its whole group. The process is made by posix_spawn(): a fork() would mark the workers' memory copy-on-write.
class ChildProcesses {
 public:
  using Done = std::function<void(const ChildOutcome&)>;
  static constexpr std::chrono::seconds kGrace{2};  // between SIGTERM and SIGKILL, as keepalived has it

  explicit ChildProcesses(asio::io_context& io);
  /// Children that have a timeout are killed; others (notifications) go on. Nobody is called any more.
  ~ChildProcesses();

  /// `done` is called once, on the reactor, never from within run().
  void run(const ChildCommand& command, std::optional<std::chrono::microseconds> timeout, Done done);
  [[nodiscard]] size_t running() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace lbdp::control
