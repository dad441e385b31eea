// SPDX-License-Identifier: BSD-2-Clause
#include "control/reloader.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace lbdp::control {
namespace {

/// This thread shares the reactor's core: the reactor goes first. (For Linux a thread has a nice value of its own.)
void step_back() {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 10);
}

std::string count(size_t number, const std::string& one) {
  return std::to_string(number) + " " + one + (number == 1 ? "" : "s");
}

std::vector<std::string> warnings_of(const Candidate& candidate) {
  std::vector<std::string> warnings;
  for (const auto& finding : candidate.diagnostics) {
    if (finding.severity == config::Severity::kWarning) warnings.push_back(finding.to_string());
  }
  return warnings;
}

/// "2 virtual servers, 1 VRRP instance; 3 changes"
std::string summary(const Candidate& candidate) {
  const std::string changes = candidate.same ? "nothing has changed" : count(candidate.changes.size(), "change");
  return count(candidate.model->virtual_servers.size(), "virtual server") + ", " +
         count(candidate.model->vrrp_instances.size(), "VRRP instance") + "; " + changes;
}

}  // namespace

Reloader::Reloader(asio::io_context& io, std::string file, MakeJob make_job, Take take)
    : io_(io), file_(std::move(file)), make_job_(std::move(make_job)), take_(std::move(take)) {}

Reloader::~Reloader() {
  *self_ = nullptr;
  pool_.join();
}

void Reloader::request(bool dry_run, Reply reply) {
  if (stopped_) return reply({.message = "lbdp is stopping"});
  waiting_.push_back({dry_run, std::move(reply)});
  if (!loading_) begin();
}

void Reloader::stop() {
  stopped_ = true;
  for (auto* waiters : {&served_, &waiting_}) {
    for (const auto& waiter : std::exchange(*waiters, {})) waiter.reply({.message = "lbdp is stopping"});
  }
}

void Reloader::begin() {
  loading_ = true;
  served_ = std::exchange(waiting_, {});
  asio::post(pool_, [job = make_job_(), &io = io_, self = self_] {
    step_back();
    auto candidate = std::make_shared<Candidate>(job());
    asio::post(io, [self, candidate] {
      if (*self != nullptr) (*self)->loaded(std::move(*candidate));
    });
  });
}

void Reloader::loaded(Candidate candidate) {
  loading_ = false;
  const auto served = std::exchange(served_, {});
  if (stopped_) return;
  ReloadReport dry = report(candidate);
  ReloadReport wet = dry;
  const bool wanted = std::any_of(served.begin(), served.end(), [](const Waiter& waiter) { return !waiter.dry_run; });
  if (wanted && wet.ok) {
    wet.message = file_ + " reloaded: " + summary(candidate);
    if (auto taken = take_(candidate); !taken) {
      wet.ok = false;
      wet.message = file_ + " not taken, nothing has changed: " + taken.error().message;
    }
  }
  dry.dry_run = true;
  for (const auto& waiter : served) waiter.reply(waiter.dry_run ? dry : wet);
  if (!waiting_.empty() && !loading_) begin();
}

/// As a dry run tells it.
ReloadReport Reloader::report(const Candidate& candidate) const {
  ReloadReport report{
      .ok = candidate.refusal.empty(), .message = {}, .changes = candidate.changes, .warnings = warnings_of(candidate)};
  report.message = report.ok ? file_ + " would be taken: " + summary(candidate)
                             : file_ + " not taken, nothing has changed: " + candidate.refusal;
  return report;
}

}  // namespace lbdp::control
