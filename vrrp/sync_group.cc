// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/sync_group.h"

#include <algorithm>

namespace lbdp::vrrp {
namespace {

bool is_running(const Instance& instance) {
  return instance.state() != State::kInit && instance.state() != State::kStopped;
}
bool is_master(const Instance& instance) {
  return instance.state() == State::kMaster;
}
bool wants_master(const Instance& instance) {
  return instance.wants_master();
}

void add(std::vector<SyncGroup::Step>& out, Instance* member, Actions actions) {
  if (!actions.empty()) out.emplace_back(member, std::move(actions));
}

}  // namespace

bool SyncGroup::all(bool (*holds)(const Instance&)) const {
  return std::ranges::all_of(members_, [holds](const Instance* member) { return holds(*member); });
}

std::vector<SyncGroup::Step> SyncGroup::follow(TimePoint now) {
  std::vector<Step> out;
  if (members_.empty() || !all(is_running)) return out;
  follow_faults(now, out);
  follow_masters(now, out);
  state_ = common_state();
  return out;
}

/// Each member has the first other member's problem for its own.
void SyncGroup::follow_faults(TimePoint now, std::vector<Step>& out) {
  for (Instance* member : members_) {
    const auto broken = std::ranges::find_if(
        members_, [&](const Instance* other) { return other != member && !other->own_problem().empty(); });
    std::string reason;
    if (broken != members_.end()) {
      reason = "VRRP_Group(" + name_ + ") Syncing instances to FAULT state: " + (*broken)->params().name + ": " +
               (*broken)->own_problem();
    }
    add(out, member, member->set_group_fault(reason, now));
  }
}

void SyncGroup::follow_masters(TimePoint now, std::vector<Step>& out) {
  if (all(is_master)) return;
  const bool together = all(wants_master) && state_ != State::kMaster;
  for (Instance* member : members_) {
    add(out, member, together ? member->sync_to_master(name_, now) : member->sync_to_backup(name_, now));
  }
}

State SyncGroup::common_state() const {
  if (all(is_master)) return State::kMaster;
  const bool fault = std::ranges::any_of(members_, [](const Instance* m) { return m->state() == State::kFault; });
  return fault ? State::kFault : State::kBackup;
}

}  // namespace lbdp::vrrp
