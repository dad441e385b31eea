// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace lbdp::vrrp {

/// Whether something that is tracked is well.
enum class Health : uint8_t { kUnknown, kUp, kDown };

/// A vrrp_script's results, counted as keepalived counts them: `fall` failures in a row after it was well take it down,
/// `rise` successes in a row bring it back; the first result of all decides alone. Pure; control runs the program.
class ScriptTracker {
 public:
  struct Params {
    unsigned rise = 1;
    unsigned fall = 1;
    bool init_fail = false;  // down until it has succeeded `rise` times

    friend bool operator==(const Params&, const Params&) = default;
  };

  explicit ScriptTracker(const Params& params);

  /// Takes one result. True if the health changed.
  bool take(bool success);
  /// New numbers for the same script: its health stays.
  void set_params(const Params& params);
  [[nodiscard]] Health health() const { return health_; }

 private:
  Params params_;
  Health health_ = Health::kUnknown;
  unsigned streak_ = 0;  // results in a row that speak against health_
};

/// What one tracked thing adds to an instance.
struct TrackerEffect {
  int weight = 0;
  std::optional<std::string> fault;  // "script chk_nginx failed"
};

/// keepalived's rule: a weight of 0 means FAULT while it is down, or not known yet; a positive weight is added while it
/// is up, a negative one while it is down; `reverse` turns up and down round. `what` names it in the fault's text.
[[nodiscard]] TrackerEffect effect_of(Health health, int weight, bool reverse, const std::string& what);

}  // namespace lbdp::vrrp
