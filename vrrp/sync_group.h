// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "vrrp/instance.h"

namespace lbdp::vrrp {

/// A vrrp_sync_group: its members are MASTER all or none. A member that leaves MASTER takes the others along to BACKUP,
/// one that cannot run keeps all in FAULT, and none becomes MASTER before all want to. Pure; it looks at the members'
/// states, so no event can be missed.
class SyncGroup {
 public:
  /// A member and what it is to do.
  using Step = std::pair<Instance*, Actions>;

  explicit SyncGroup(std::string name) : name_(std::move(name)) {}

  /// The members, which must live as long as they are not replaced. The group's state stays.
  void set_members(std::vector<Instance*> members) { members_ = std::move(members); }
  /// Brings the members together again after anything has happened to one of them. The first member's step is the last
  /// one's: the actions are to be done in order.
  [[nodiscard]] std::vector<Step> follow(TimePoint now);

  [[nodiscard]] const std::string& name() const { return name_; }
  /// INIT until all members have started; MASTER only if all are.
  [[nodiscard]] State state() const { return state_; }

 private:
  void follow_faults(TimePoint now, std::vector<Step>& out);
  void follow_masters(TimePoint now, std::vector<Step>& out);
  [[nodiscard]] State common_state() const;
  [[nodiscard]] bool all(bool (*holds)(const Instance&)) const;

  std::string name_;
  std::vector<Instance*> members_;
  State state_ = State::kInit;
};

}  // namespace lbdp::vrrp
