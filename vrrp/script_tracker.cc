// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/script_tracker.h"

namespace lbdp::vrrp {

ScriptTracker::ScriptTracker(const Params& params) : params_(params) {
  if (params.init_fail) health_ = Health::kDown;
}

bool ScriptTracker::take(bool success) {
  const Health result = success ? Health::kUp : Health::kDown;
  if (result == health_) {
    streak_ = 0;
    return false;
  }
  const unsigned needed = health_ == Health::kUnknown ? 1 : success ? params_.rise : params_.fall;
  if (++streak_ < needed) return false;
  health_ = result;
  streak_ = 0;
  return true;
}

void ScriptTracker::set_params(const Params& params) {
  params_ = params;
}

TrackerEffect effect_of(Health health, int weight, bool reverse, const std::string& what) {
  if (health == Health::kUnknown) {
    return weight == 0 ? TrackerEffect{0, what + ": no result yet"} : TrackerEffect{};
  }
  const bool good = (health == Health::kUp) != reverse;
  if (weight == 0) {
    return good ? TrackerEffect{} : TrackerEffect{0, what + (reverse ? " succeeded (reverse)" : " failed")};
  }
  const bool counts = weight > 0 ? good : !good;
  return {counts ? weight : 0, {}};
}

}  // namespace lbdp::vrrp
