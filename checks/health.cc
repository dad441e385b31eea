// SPDX-License-Identifier: BSD-2-Clause
#include "checks/health.h"

#include <algorithm>

namespace lbdp::checks {
namespace {

constexpr auto kFirstCheckAfter = std::chrono::seconds(1);

}  // namespace

Health::Health(const Timing& timing, size_t steps, bool starts_up)
    : delay_loop_(timing.delay_loop),
      delay_before_retry_(timing.delay_before_retry),
      warmup_(timing.warmup),
      retry_(timing.retry),
      steps_(std::max<size_t>(steps, 1)),
      up_(starts_up) {}

Health::Clock::time_point Health::start(Clock::time_point now, double random) const {
  const auto spread = std::chrono::duration<double, Duration::period>(warmup_) * random;
  return now + kFirstCheckAfter + std::chrono::duration_cast<Duration>(spread);
}

Health::Actions Health::succeeded(Clock::time_point now) {
  failures_ = 0;
  step_ = (step_ + 1) % steps_;
  Actions actions{.next_probe = now + delay_loop_};
  if (!up_ && ++passed_ >= steps_) {
    up_ = true;
    actions.verdict_changed = true;
  }
  if (actions.verdict_changed || (up_ && !checked_)) {
    actions.report = Report::kSucceeded;
  }
  checked_ = true;
  return actions;
}

Health::Actions Health::failed(Clock::time_point now) {
  passed_ = 0;
  ++failures_;
  const bool first = !checked_;
  checked_ = true;
  if (up_ && !first && failures_ <= retry_) {
    return {.next_probe = now + delay_before_retry_};
  }
  Actions actions{.next_probe = now + delay_while_down(), .verdict_changed = up_};
  if (up_ || first) {
    actions.report = first || retry_ == 0 ? Report::kFailed : Report::kFailedAfterRetries;
  }
  up_ = false;
  return actions;
}

Health::Actions Health::not_run(Clock::time_point now) const {
  return {.next_probe = now + std::max<Duration>(delay_before_retry_, kFirstCheckAfter)};
}

Duration Health::delay_while_down() const {
  return std::max(delay_loop_, delay_before_retry_);
}

}  // namespace lbdp::checks
