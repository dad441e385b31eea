// SPDX-License-Identifier: BSD-2-Clause
#include <algorithm>
#include <map>
#include <set>

#include "config/resolve_vrrp.h"

namespace lbdp::config {
namespace {

using Lists = std::vector<Tracked> Tracking::*;
constexpr std::pair<Lists, const char*> kLists[] = {{&Tracking::interfaces, "track_interface"},
                                                    {&Tracking::scripts, "track_script"},
                                                    {&Tracking::files, "track_file"},
                                                    {&Tracking::processes, "track_process"},
                                                    {&Tracking::bfd, "track_bfd"}};

class GroupResolver {
 public:
  GroupResolver(const VrrpSyncGroupSpec& spec, const FileSpec& file, std::vector<VrrpInstance>& instances,
                std::map<std::string, std::string>& taken, Diagnostics& diagnostics)
      : spec_(spec),
        file_(file),
        instances_(instances),
        taken_(taken),
        findings_("vrrp_sync_group", spec.name, spec.place, diagnostics) {}

  /// Nothing: the group has no member and is left out.
  std::optional<VrrpSyncGroup> resolve() {
    VrrpSyncGroup group;
    group.name = spec_.name;
    group.where = findings_.location();
    for (const auto& member : spec_.members) add_member(member, group);
    if (group.members.empty()) {
      if (!spec_.names_member) findings_.warn("it has no member and is left out");
      return std::nullopt;
    }
    if (group.members.size() == 1) findings_.warn("it has one member only, which is as good as no group");
    group.sync_group_tracking_weight = first_of(false, spec_.sync_group_tracking_weight);
    group.tracking = resolve_tracking(spec_, file_.vrrp, findings_);
    group.notify = resolve_notify(spec_, file_.global, findings_.diagnostics());
    group.smtp_alert = first_of(false, spec_.smtp_alert, file_.global.smtp_alert_vrrp, file_.global.smtp_alert);
    for (const auto& name : group.members) adjust(group, *find(name));
    return group;
  }

 private:
  VrrpInstance* find(const std::string& name) {
    const auto found = std::ranges::find(instances_, name, &VrrpInstance::name);
    return found == instances_.end() ? nullptr : &*found;
  }

  void add_member(const Item<std::string>& member, VrrpSyncGroup& group) {
    if (find(member.value) == nullptr) {
      findings_.error(member.place, "there is no vrrp_instance " + in_quotes(member.value));
      return;
    }
    const auto [known, inserted] = taken_.emplace(member.value, spec_.name);
    if (inserted) {
      group.members.push_back(member.value);
    } else if (known->second == spec_.name) {
      findings_.warn(member.place, in_quotes(member.value) + " is here twice; one is left out");
    } else {
      findings_.error(member.place, "vrrp_instance " + in_quotes(member.value) + " is in vrrp_sync_group " +
                                        in_quotes(known->second) + " already");
    }
  }

  /// The group's trackers are its members'; priorities that differ between members would tear the group apart.
  void adjust(VrrpSyncGroup& group, VrrpInstance& member) {
    for (const auto& [list, keyword] : kLists) {
      std::erase_if(member.tracking.*list, [&](const Tracked& tracked) {
        const bool twice =
            std::ranges::find(group.tracking.*list, tracked.name, &Tracked::name) != (group.tracking.*list).end();
        if (twice) {
          findings_.warn(keyword + (" " + in_quotes(tracked.name)) + " is in vrrp_instance " + in_quotes(member.name) +
                         " and in the group: the group's counts");
        }
        return twice;
      });
      if (member.priority == kOwnerPriority) clear(group.tracking.*list, keyword, member.name, true);
      if (!group.sync_group_tracking_weight) clear(member.tracking.*list, keyword, member.name, false);
    }
  }

  void clear(std::vector<Tracked>& list, const std::string& keyword, const std::string& member, bool owner) {
    for (Tracked& tracked : list) {
      if (tracked.weight == 0) continue;
      const std::string what = keyword + " " + in_quotes(tracked.name);
      findings_.warn(owner ? what + " becomes weight 0: the priority of " + in_quotes(member) + " is always 255"
                           : what + " of vrrp_instance " + in_quotes(member) +
                                 " becomes weight 0: members of a group keep their priorities");
      tracked.weight = 0;
    }
  }

  const VrrpSyncGroupSpec& spec_;
  const FileSpec& file_;
  std::vector<VrrpInstance>& instances_;
  std::map<std::string, std::string>& taken_;
  BlockFindings findings_;
};

}  // namespace

std::vector<VrrpSyncGroup> resolve_sync_groups(const FileSpec& spec, std::vector<VrrpInstance>& instances,
                                               Diagnostics& diagnostics) {
  std::vector<VrrpSyncGroup> groups;
  std::map<std::string, std::string> taken;  // instance -> group
  std::map<std::string, Place> names;
  for (const VrrpSyncGroupSpec& group : spec.vrrp.sync_groups) {
    const auto [known, inserted] = names.emplace(group.name, group.place);
    if (!inserted && !group.name.empty()) {
      diagnostics.error(group.place, "a second vrrp_sync_group " + in_quotes(group.name) + "; the first is at " +
                                         diagnostics.location(known->second).to_string());
      continue;
    }
    if (auto resolved = GroupResolver(group, spec, instances, taken, diagnostics).resolve()) {
      groups.push_back(std::move(*resolved));
    }
  }
  return groups;
}

}  // namespace lbdp::config
