// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checks/parameters.h"
#include "config/diff.h"
#include "config/load.h"
#include "control/backend_set.h"
#include "control/mail.h"
#include "vrrp/parameters.h"

namespace lbdp::control {

/// A file that is to become the configuration in force: what it says to each part of the director, how it differs from
/// the configuration in force, and why it cannot be taken, if so.
struct Candidate {
  std::shared_ptr<const config::Model> model;  // null: the file has errors
  std::vector<config::Diagnostic> diagnostics;
  bool same = false;  // as what is in force, but for the places in the file
  std::vector<config::Change> changes;
  std::string refusal;  // empty: nothing speaks against it; else one line, or lines of their own for each reason

  /// Only some virtual servers, or checkers of some real servers, differ from what is in force, at the same places.
  struct Few {
    std::vector<uint32_t> services;  // places in backends
    std::vector<uint32_t> targets;   // places in targets
  };
  std::optional<Few> few;

  BackendInputs backends;
  std::vector<vrrp::InstanceParams> instances;
  std::vector<checks::TargetParams> targets;
  MailParams mail;
};

/// Does all that can be done without the director, on any thread: translates, compares with what is `running`, and asks
/// each part whether it would take it.
[[nodiscard]] Candidate prepare(config::LoadResult loaded, const config::Model& running);

/// The findings as text, one a line.
[[nodiscard]] std::string describe(const std::vector<config::Diagnostic>& diagnostics, config::Severity least);

}  // namespace lbdp::control
