// SPDX-License-Identifier: BSD-2-Clause
#include "control/vrrp_support.h"

#include <spdlog/logger.h>

#include <utility>

#include "control/translate_vrrp.h"

namespace lbdp::control {

VrrpSupport::VrrpSupport(asio::io_context& io, spdlog::logger& log, Trackers::Tell tell)
    : log_(log), children_(io), notifier_(children_, log), trackers_(io, children_, log, std::move(tell)) {}

void VrrpSupport::configure(const config::Model& model) {
  auto next = to_notifier_params(model);
  leaving_ = std::exchange(notifications_, next).instances;
  std::erase_if(leaving_, [&](const auto& entry) { return next.instances.contains(entry.first); });
  // Those are told of by the programs that they had.
  next.instances.insert(leaving_.begin(), leaving_.end());
  notifier_.configure(next);
  trackers_.configure(to_trackers_params(model));
  health_ = to_health_params(model);
}

void VrrpSupport::configured() {
  leaving_.clear();
  notifier_.configure(notifications_);
}

void VrrpSupport::transition(const vrrp::Transition& transition) {
  std::string word = notify_word(transition.to);
  const auto leaving = leaving_.find(transition.instance);
  if (transition.to == vrrp::State::kStopped && leaving != leaving_.end()) {
    word = leaving->second.says_deleted ? "DELETED" : "FAULT";
  }
  if (!word.empty()) notifier_.instance(transition.instance, word, transition.priority);
}

void VrrpSupport::group_transition(const std::string& group, vrrp::State state) {
  const std::string word = notify_word(state);
  if (!word.empty()) notifier_.group(group, word);
}

void VrrpSupport::priority_change(const vrrp::InstanceStatus& instance) {
  notifier_.priority(instance.params.name, vrrp::to_string(instance.state), instance.effective_priority);
}

void VrrpSupport::look(bool published, std::span<const dataplane::WorkerStatus> workers,
                       std::span<const dataplane::PortStatus> ports) {
  auto faults = dataplane_faults(health_, published, workers, ports);
  if (faults == faults_) return;
  for (const auto& fault : faults) log_.error("{}", fault);
  if (faults.empty()) log_.info("dataplane: well again");
  faults_ = faults;
  trackers_.set_common_faults(std::move(faults));
}

}  // namespace lbdp::control
