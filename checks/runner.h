// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checks/parameters.h"
#include "config/types/asio.h"

namespace spdlog {
class logger;
}

namespace lbdp::checks {

/// A real server went up or down. `reason` is one line: "HTTP 503, wanted 200", "connect: connection refused",
/// "no answer within 3 s".
struct Verdict {
  RealServerKey key;
  bool up = true;
  std::string reason{};
  std::string_view type{};  // of the checker that decided: "HTTP_GET", "TCP_CHECK"
};

struct CheckerStatus {
  RealServerKey key;
  std::string_view type;  // "HTTP_GET", "TCP_CHECK"
  Endpoint connect;
  bool up = true;
  bool checked = false;   // at least one probe has ended
  unsigned failures = 0;  // consecutive
  unsigned retry = 0;
  std::string last_result;  // "HTTP 200", "connect: connection refused"
  std::chrono::microseconds last_duration{0};
  std::optional<std::chrono::system_clock::time_point> last_time;
  uint64_t probes = 0, probes_failed = 0;
};

/// Runs all checkers on one reactor and belongs to its thread. Nothing here blocks. The verdict callback comes from the
/// reactor, never from within apply() or stop(); it may call both, but not destroy the Runner.
class Runner {
 public:
  using OnVerdict = std::function<void(const Verdict&)>;

  Runner(asio::io_context& io, OnVerdict on_verdict, spdlog::logger& log);
  ~Runner();

  /// Makes the running checkers those of `targets`. What matches (key and definition) keeps its state, its timer and
  /// its check in flight; a definition that differs in its timing only is changed in place, see Health::change(). A new
  /// target starts up, or down with alpha. A new checker of a target that is down starts
  /// down: editing a checker does not bring a dead server back. No verdict is reported from here; ask is_up() after it,
  /// for a target whose failed checkers have been taken away is up. Of targets with equal keys the first counts.
  void apply(const std::vector<TargetParams>& targets);
  /// The same for some of the targets last applied, by their keys; the others stay as they are.
  void apply_to(std::span<const TargetParams* const> targets);
  void stop();

  /// Up as far as known: a target without checkers, or an unknown one, is up.
  [[nodiscard]] bool is_up(const RealServerKey& key) const;
  /// What is_up() will say about this target when apply() has made it one of the targets.
  [[nodiscard]] bool is_up_with(const TargetParams& target) const;
  /// In the order of the targets last applied.
  [[nodiscard]] std::vector<CheckerStatus> status() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lbdp::checks
