// SPDX-License-Identifier: BSD-2-Clause
#include "checks/checker.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "checks/http_get.h"
#include "checks/tcp_check.h"

namespace lbdp::checks {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

const Timing& timing_of(const CheckerParams& params) {
  return std::visit([](const auto& p) -> const Timing& { return p.timing; }, params);
}

const Endpoint& connect_of(const CheckerParams& params) {
  return std::visit([](const auto& p) -> const Endpoint& { return p.connect; }, params);
}

size_t steps_of(const CheckerParams& params) {
  const auto* http = std::get_if<HttpGetParams>(&params);
  return http != nullptr ? std::max<size_t>(http->urls.size(), 1) : 1;
}

Timing& timing_of(CheckerParams& params) {
  return std::visit([](auto& p) -> Timing& { return p.timing; }, params);
}

/// An HTTP_GET without url gets its default one, so that there is always a step to make.
CheckerParams completed(CheckerParams params) {
  if (auto* http = std::get_if<HttpGetParams>(&params); http != nullptr && http->urls.empty()) {
    http->urls.emplace_back();
  }
  return params;
}

}  // namespace

Checker::Checker(asio::io_context& io, const RealServerKey& key, CheckerParams params, bool starts_up,
                 OnChange on_change, spdlog::logger& log)
    : io_(io),
      log_(log),
      key_(key),
      params_(completed(std::move(params))),
      health_(timing_of(params_), steps_of(params_), starts_up),
      on_change_(std::move(on_change)),
      timer_(io) {}

void Checker::start(double random) {
  log_.info("Activating healthchecker for service {} for VS {}", keepalived_name(key_.service.protocol, key_.real),
            keepalived_name(key_.service.protocol, key_.service.endpoint));
  started_ = true;
  probe_at(health_.start(Health::Clock::now(), random));
}

Checker::Match Checker::match(const CheckerParams& params) const {
  if (params == params_) return Match::kSame;
  if (params.index() != params_.index() || connect_of(params) != connect_of(params_)) return Match::kOther;
  CheckerParams other = completed(params);
  if (other == params_) return Match::kSame;
  timing_of(other) = timing_of(params_);
  return other == params_ ? Match::kOtherTiming : Match::kOther;
}

void Checker::change_timing(const CheckerParams& params) {
  if (timing_of(params) == timing_of(params_)) return;
  timing_of(params_) = timing_of(params);
  const auto due = health_.change(timing_of(params_), timer_.expiry(), Health::Clock::now());
  const bool waiting = started_ && probe_ == nullptr;
  if (waiting && due != timer_.expiry()) {
    probe_at(due);
  }
}

void Checker::probe_at(Health::Clock::time_point when) {
  timer_.expires_at(when);
  // A timer that has already fired when we are destroyed still runs its handler, without an error: alive_ tells.
  timer_.async_wait([this, alive = std::weak_ptr<const bool>(alive_)](const boost::system::error_code& error) {
    if (!error && !alive.expired()) {
      probe();
    }
  });
}

void Checker::probe() {
  began_ = Health::Clock::now();
  auto done = [this](const ProbeResult& result) { probe_ended(result); };
  probe_ = std::visit(Overloaded{[&](const TcpCheckParams& p) { return start_tcp_check(io_, p, done); },
                                 [&](const HttpGetParams& p) { return start_http_get(io_, p, health_.step(), done); }},
                      params_);
}

void Checker::probe_ended(const ProbeResult& result) {
  const auto now = Health::Clock::now();
  const auto step = health_.step();
  probe_.reset();
  last_result_ = result.reason;
  last_duration_ = std::chrono::duration_cast<std::chrono::microseconds>(now - began_);
  last_time_ = std::chrono::system_clock::now();
  if (result.outcome == ProbeResult::Outcome::kNotRun) {
    log_not_run(result.reason);
    probe_at(health_.not_run(now).next_probe);
    return;
  }
  not_run_logged_ = false;
  ++probes_;
  const bool success = result.outcome == ProbeResult::Outcome::kSuccess;
  probes_failed_ += success ? 0 : 1;
  const auto actions = success ? health_.succeeded(now) : health_.failed(now);
  log_report(actions.report, result, step);
  probe_at(actions.next_probe);
  if (actions.verdict_changed) {
    const auto on_change = on_change_;  // a copy: it may destroy this checker, and so it comes last
    on_change(*this, result.reason);
  }
}

std::string_view Checker::type() const {
  return std::holds_alternative<HttpGetParams>(params_) ? "HTTP_GET" : "TCP_CHECK";
}

CheckerStatus Checker::status() const {
  return {.key = key_,
          .type = type(),
          .connect = connect_of(params_),
          .up = health_.up(),
          .checked = health_.checked(),
          .failures = health_.failures(),
          .retry = timing_of(params_).retry,
          .last_result = last_result_,
          .last_duration = last_duration_,
          .last_time = last_time_,
          .probes = probes_,
          .probes_failed = probes_failed_};
}

/// keepalived's lines, which people grep for, with the reason behind them.
void Checker::log_report(Health::Report report, const ProbeResult& result, size_t step) const {
  if (report == Health::Report::kNone) {
    return;
  }
  const auto service = keepalived_name(key_.service.protocol, connect_of(params_));
  const auto* http = std::get_if<HttpGetParams>(&params_);
  if (report == Health::Report::kSucceeded) {
    if (http != nullptr) {
      log_.info("Remote Web server {} succeed on service. ({})", service, result.reason);
    } else {
      log_.info("TCP connection to {} success.", service);
    }
    return;
  }
  const auto detail = http != nullptr ? fmt::format("{}, url {}", result.reason, http->urls[step].path) : result.reason;
  const auto* name = http != nullptr ? "HTTP_CHECK" : "TCP_CHECK";
  if (report == Health::Report::kFailed) {
    log_.warn("{} on service {} failed. ({})", name, service, detail);
  } else {
    log_.warn("{} on service {} failed after {} retries. ({})", name, service, timing_of(params_).retry, detail);
  }
}

void Checker::log_not_run(const std::string& reason) {
  if (!std::exchange(not_run_logged_, true)) {
    log_.error("{} on service {} could not be made, its state stays as it is: {}", type(),
               keepalived_name(key_.service.protocol, connect_of(params_)), reason);
  }
}

}  // namespace lbdp::checks
