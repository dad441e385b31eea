// SPDX-License-Identifier: BSD-2-Clause
#include "config/keywords_tracking.h"
#include "config/line_reader.h"

namespace lbdp::config {
namespace {

/// One or more names of instances.
template <class Spec>
void take_members(void* scope, const Statement& entry, Context& context) {
  auto& spec = *static_cast<Spec*>(scope);
  LineReader line("group", entry.words(), context);
  if constexpr (requires { spec.names_member; }) spec.names_member = true;
  while (!line.done()) {
    const Word& word = line.take();
    if (auto member = line.read_as<std::string>(word, name)) spec.members.push_back({std::move(*member), word.place});
  }
}

void* take_global_tracking(void* scope, const Statement& statement, Context& context) {
  context.diagnostics.note(statement.place(),
                           "'global_tracking' is deprecated: write track_* blocks in the vrrp_sync_group");
  return constant<VrrpSyncGroupSpec, &VrrpSyncGroupSpec::sync_group_tracking_weight, true>(scope, statement, context);
}

constexpr Block kMembersBlock{"group", {}, take_members<VrrpSyncGroupSpec>};
constexpr Block kTrackMembersBlock{"group", {}, take_members<TrackGroupSpec>};

using G = VrrpSyncGroupSpec;
constexpr Keyword kRows[] = {
    {"group", "{ NAME ... }", "required", "The vrrp_instances of the group. Each is in one group at most.", same_scope,
     &kMembersBlock},
    {"smtp_alert", "[BOOL]", "smtp_alert_vrrp, then smtp_alert of global_defs, then off",
     "Whether transitions of the group are mailed.", flag<G, &G::smtp_alert>, nullptr, Effect::kNotYet},
    {"sync_group_tracking_weight", "", "off",
     "Members keep the weights of their own trackers, and so may get different priorities.",
     constant<G, &G::sync_group_tracking_weight, true>, nullptr, Effect::kNotYet},
    {"global_tracking", "", "off", "Deprecated: as sync_group_tracking_weight.", take_global_tracking, nullptr,
     Effect::kNotYet},
};

constexpr Keyword kTrackGroupRows[] = {
    {"group", "{ NAME ... }", "required", "The vrrp_instances that go to FAULT.", same_scope, &kTrackMembersBlock},
};

}  // namespace

constinit const Block kVrrpSyncGroupBlock{"vrrp_sync_group", {kRows, kTrackingRows<G>, kNotifyRows<G>}};
constinit const Block kTrackGroupBlock{"track_group", {kTrackGroupRows}};

}  // namespace lbdp::config
