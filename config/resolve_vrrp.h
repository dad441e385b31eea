// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What the files that resolve VRRP share.

#include <string>
#include <string_view>

#include "config/resolve.h"

namespace lbdp::config {

/// Reports on one block; its findings start with "KIND 'NAME':".
class BlockFindings {
 public:
  BlockFindings(std::string_view kind, std::string_view name, Place place, Diagnostics& diagnostics)
      : kind_(kind), name_(name), place_(place), diagnostics_(diagnostics) {}

  void error(Place place, const std::string& text) { diagnostics_.error(place, message(text)); }
  void warn(Place place, const std::string& text) { diagnostics_.warning(place, message(text)); }
  void note(Place place, const std::string& text) { diagnostics_.note(place, message(text)); }
  /// At the block's own place.
  void error(const std::string& text) { error(place_, text); }
  void warn(const std::string& text) { warn(place_, text); }
  void require(bool seen, const std::string& keyword) {
    if (!seen) error("'" + keyword + "' is missing");
  }
  [[nodiscard]] Location location() const { return diagnostics_.location(place_); }
  [[nodiscard]] Diagnostics& diagnostics() { return diagnostics_; }

 private:
  [[nodiscard]] std::string message(const std::string& text) const {
    return std::string(kind_) + (name_.empty() ? std::string() : " " + in_quotes(name_)) + ": " + text;
  }

  std::string_view kind_;
  std::string_view name_;
  Place place_;
  Diagnostics& diagnostics_;
};

inline constexpr uint8_t kOwnerPriority = 255;  // RFC 3768 section 5.3.4

// The parts of an instance, in this order: each may use what the ones before have filled in.
void resolve_addresses(const VrrpInstanceSpec& spec, VrrpInstance& instance, BlockFindings& findings);
void resolve_transport(const VrrpInstanceSpec& spec, const GlobalSpec& global, VrrpInstance& instance,
                       BlockFindings& findings);
void resolve_garp(const VrrpInstanceSpec& spec, const FileSpec& file, VrrpInstance& instance);
/// Takes back what RFC 3768 and RFC 5798 do not have.
void resolve_strict_mode(const VrrpInstanceSpec& spec, VrrpInstance& instance, BlockFindings& findings);

Notify resolve_notify(const NotifySpec& spec, const GlobalSpec& global, Diagnostics& diagnostics);

/// Weights and existence of what a block tracks. Later findings of the group are in resolve_sync_groups().
Tracking resolve_tracking(const TrackingSpec& spec, const VrrpSpec& file, BlockFindings& findings);

}  // namespace lbdp::config
