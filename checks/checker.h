// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "checks/health.h"
#include "checks/parameters.h"
#include "checks/probe.h"
#include "checks/runner.h"
#include "config/types/asio.h"

namespace lbdp::checks {

/// One checker of one real server: its state machine, its timer, its probe in flight and its log lines.
class Checker {
 public:
  /// The checker's verdict changed; `reason` is the probe's.
  using OnChange = std::function<void(const Checker&, const std::string& reason)>;

  Checker(asio::io_context& io, const RealServerKey& key, CheckerParams params, bool starts_up, OnChange on_change,
          spdlog::logger& log);
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;

  /// Arms the first check. `random` in [0, 1) spreads the checkers over the warmup.
  void start(double random);

  /// How a definition stands to this checker's.
  enum class Match : uint8_t { kOther, kOtherTiming, kSame };
  [[nodiscard]] Match match(const CheckerParams& params) const;
  /// Takes the timing of a definition that differs in nothing else. Verdict, failures and the check in flight stay;
  /// that check keeps the deadline that it began with.
  void change_timing(const CheckerParams& params);
  [[nodiscard]] std::string_view type() const;
  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] bool up() const { return health_.up(); }
  [[nodiscard]] CheckerStatus status() const;

 private:
  void probe_at(Health::Clock::time_point when);
  void probe();
  void probe_ended(const ProbeResult& result);
  void log_report(Health::Report report, const ProbeResult& result, size_t step) const;
  void log_not_run(const std::string& reason);

  asio::io_context& io_;
  spdlog::logger& log_;
  RealServerKey key_;
  CheckerParams params_;
  Health health_;
  OnChange on_change_;
  asio::steady_timer timer_;
  std::unique_ptr<Probe> probe_;
  Health::Clock::time_point began_;
  bool started_ = false;
  bool not_run_logged_ = false;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);

  std::string last_result_;
  std::chrono::microseconds last_duration_{0};
  std::optional<std::chrono::system_clock::time_point> last_time_;
  uint64_t probes_ = 0;
  uint64_t probes_failed_ = 0;
};

}  // namespace lbdp::checks
