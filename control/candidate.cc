// SPDX-License-Identifier: BSD-2-Clause
#include "control/candidate.h"

#include <algorithm>
#include <utility>

#include "control/translate.h"
#include "control/unsupported.h"
#include "dataplane/dataplane.h"
#include "vrrp/speaker.h"

namespace lbdp::control {
namespace {

std::string needs_restart(const std::vector<std::string>& reasons) {
  std::string text = "this needs a restart:";
  for (const auto& reason : reasons) text += "\n" + reason;
  return text;
}

/// Why the parts of a director would not take it; empty: they would.
std::string refusal_of(const Candidate& candidate, const config::Model& running) {
  const auto restart = restart_reasons(running, *candidate.model);
  if (!restart.empty()) return needs_restart(restart);
  if (auto supported = check_supported(*candidate.model); !supported) return supported.error().message;
  std::string lacking;
  for (const auto& reason : unsupported_checks(*candidate.model)) lacking += "\n" + reason;
  if (!lacking.empty()) return lacking;
  if (auto fits = dataplane::Dataplane::check(outline(candidate.backends)); !fits) return fits.error().message;
  if (auto fits = vrrp::Speaker::check(candidate.instances); !fits) return fits.error().message;
  return {};
}

template <class T>
std::vector<uint32_t> places_that_differ(const std::vector<T>& a, const std::vector<T>& b) {
  std::vector<uint32_t> places;
  for (uint32_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) places.push_back(i);
  }
  return places;
}

/// What the reactor need not go through again.
std::optional<Candidate::Few> few_changes(const Candidate& candidate, const config::Model& running) {
  const auto backends = to_backend_inputs(running);
  const auto targets = to_check_targets(running);
  const bool same_targets =
      std::equal(targets.begin(), targets.end(), candidate.targets.begin(), candidate.targets.end(),
                 [](const auto& a, const auto& b) { return a.key == b.key; });
  if (!same_targets || !same_places(backends, candidate.backends)) return std::nullopt;
  return Candidate::Few{.services = places_that_differ(backends.services, candidate.backends.services),
                        .targets = places_that_differ(targets, candidate.targets)};
}

}  // namespace

Candidate prepare(config::LoadResult loaded, const config::Model& running) {
  Candidate candidate;
  candidate.diagnostics = std::move(loaded.diagnostics);
  if (!loaded.model) {
    candidate.refusal = "\n" + describe(candidate.diagnostics, config::Severity::kError);
    return candidate;
  }
  candidate.model = std::make_shared<const config::Model>(std::move(*loaded.model));
  const config::Model& model = *candidate.model;
  candidate.same = model == running;
  candidate.changes = config::diff(running, model);
  candidate.backends = to_backend_inputs(model);
  candidate.instances = to_vrrp_instances(model);
  candidate.targets = to_check_targets(model);
  candidate.mail = to_mail_params(model);
  candidate.few = few_changes(candidate, running);
  candidate.refusal = refusal_of(candidate, running);
  return candidate;
}

std::string describe(const std::vector<config::Diagnostic>& diagnostics, config::Severity least) {
  std::string out;
  for (const auto& diagnostic : diagnostics) {
    if (diagnostic.severity > least) continue;  // kError is the lowest value
    if (!out.empty()) out += "\n";
    out += diagnostic.to_string();
  }
  return out;
}

}  // namespace lbdp::control
