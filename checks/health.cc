// SPDX-License-Identifier: BSD-2-Clause
#include "checks/health.h"

#include <algorithm>

namespace lbdp::checks {
namespace {

constexpr auto kFirstCheckAfter = std::chrono::seconds(1);

}  // namespace

Health::Health(const Timing& timing, size_t steps, bool starts_up)
    : timing_(timing), steps_(std::max<size_t>(steps, 1)), up_(starts_up) {}

Health::Clock::time_point Health::start(Clock::time_point now, double random) {
  wait_ = Wait::kFirst;
  const auto spread = std::chrono::duration<double, Duration::period>(timing_.warmup) * random;
  return now + kFirstCheckAfter + std::chrono::duration_cast<Duration>(spread);
}

Health::Actions Health::succeeded(Clock::time_point now) {
  failures_ = 0;
  step_ = (step_ + 1) % steps_;
  Actions actions{.next_probe = wait(Wait::kLoop, now)};
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
  if (up_ && !first && failures_ <= timing_.retry) {
    return {.next_probe = wait(Wait::kRetry, now)};
  }
  Actions actions{.next_probe = wait(Wait::kWhileDown, now), .verdict_changed = up_};
  if (up_ || first) {
    actions.report = first || timing_.retry == 0 ? Report::kFailed : Report::kFailedAfterRetries;
  }
  up_ = false;
  return actions;
}

Health::Actions Health::not_run(Clock::time_point now) {
  return {.next_probe = wait(Wait::kNotRun, now)};
}

Health::Clock::time_point Health::change(const Timing& timing, Clock::time_point due, Clock::time_point now) {
  const Duration before = delay_of(wait_);
  timing_ = timing;
  const Duration after = delay_of(wait_);
  if (after == before || due <= now) {
    return due;
  }
  const auto left = std::chrono::duration<double>(due - now) / std::chrono::duration<double>(before);
  const auto scaled = std::chrono::duration<double, Duration::period>(after) * std::min(left, 1.0);
  return now + std::chrono::duration_cast<Duration>(scaled);
}

/// The longest that such a wait lasts.
Duration Health::delay_of(Wait wait) const {
  switch (wait) {
    case Wait::kFirst: return kFirstCheckAfter + timing_.warmup;
    case Wait::kLoop: return timing_.delay_loop;
    case Wait::kRetry: return timing_.delay_before_retry;
    case Wait::kWhileDown: return std::max(timing_.delay_loop, timing_.delay_before_retry);
    case Wait::kNotRun: return std::max<Duration>(timing_.delay_before_retry, kFirstCheckAfter);
  }
  return timing_.delay_loop;
}

Health::Clock::time_point Health::wait(Wait wait, Clock::time_point now) {
  wait_ = wait;
  return now + delay_of(wait);
}

}  // namespace lbdp::checks
