// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "checks/parameters.h"

namespace lbdp::checks {

/// The state of one checker: retry counting, verdict and when the next probe is due, by keepalived's rules
/// (docs/checks.md has them, and where keepalived 2.2.7 differs). Pure: probe results and a clock in, actions out; it
/// probes nothing and owns no timer.
///
/// - Start: the first probe comes at 1 s + random * warmup and decides without retries. The server is up meanwhile
///   (with alpha: down).
/// - Up: delay_loop between probes. Down after retry + 1 consecutive failures spaced delay_before_retry.
/// - Down: no retries; max(delay_loop, delay_before_retry) between probes. Up when every step (an HTTP_GET's url) has
///   passed once, beginning with the failed one.
/// - Steps: one a probe, in turn; a failed one is repeated until it passes.
class Health {
 public:
  using Clock = std::chrono::steady_clock;

  /// What to write to the log, in keepalived's terms.
  enum class Report : uint8_t { kNone, kSucceeded, kFailed, kFailedAfterRetries };

  struct Actions {
    Clock::time_point next_probe;
    bool verdict_changed = false;
    Report report = Report::kNone;
  };

  /// `steps`: how many different probes make one pass (an HTTP_GET's urls); at least 1.
  Health(const Timing& timing, size_t steps, bool starts_up);

  /// When the first probe is due. `random` is in [0, 1).
  [[nodiscard]] Clock::time_point start(Clock::time_point now, double random);
  Actions succeeded(Clock::time_point now);
  Actions failed(Clock::time_point now);
  /// The probe could not be made for a reason of our own (no descriptors): says nothing about the server.
  [[nodiscard]] Actions not_run(Clock::time_point now);
  /// Another timing for the same checks. Verdict, failures and step stay; what is left of the wait for the probe that
  /// is due at `due` becomes longer or shorter with the delay that it is part of, so that checkers spread over the old
  /// delay are spread over the new one. Returns when that probe is due now.
  [[nodiscard]] Clock::time_point change(const Timing& timing, Clock::time_point due, Clock::time_point now);

  [[nodiscard]] bool up() const { return up_; }
  [[nodiscard]] bool checked() const { return checked_; }
  [[nodiscard]] unsigned failures() const { return failures_; }
  /// Which step the next probe makes.
  [[nodiscard]] size_t step() const { return step_; }

 private:
  /// What the next probe waits for.
  enum class Wait : uint8_t { kFirst, kLoop, kRetry, kWhileDown, kNotRun };

  [[nodiscard]] Duration delay_of(Wait wait) const;
  Clock::time_point wait(Wait wait, Clock::time_point now);

  Timing timing_;
  size_t steps_;
  Wait wait_ = Wait::kFirst;
  size_t step_ = 0;
  size_t passed_ = 0;      // steps passed in a row while down
  unsigned failures_ = 0;  // consecutive
  bool up_;
  bool checked_ = false;
};

}  // namespace lbdp::checks
