// SPDX-License-Identifier: BSD-2-Clause
// What is tracked, and the lists that track it.
#include <algorithm>
#include <map>
#include <set>

#include "config/accounts.h"
#include "config/resolve_vrrp.h"

namespace lbdp::config {
namespace {

/// What can be tracked under a name: the weight that holds without another.
using Defaults = std::map<std::string, WeightSpec, std::less<>>;

template <class T>
Defaults defaults_of(const std::vector<T>& objects, int weight) {
  Defaults defaults;
  for (const T& object : objects) {
    defaults.emplace(object.name, first_of(WeightSpec{weight, false}, object.weight));
  }
  return defaults;
}

/// " (did you mean ...?)"
std::string hint(const std::string& name, const Defaults& known) {
  std::vector<std::string_view> names;
  for (const auto& [candidate, weight] : known) names.push_back(candidate);
  const auto meant = nearest(name, names);
  return meant.empty() ? "" : " (did you mean " + in_quotes(meant) + "?)";
}

/// One track_* block. `kind` is the keyword that defines what it names; empty: interfaces, which are not defined.
std::vector<Tracked> resolve_list(const std::vector<Item<TrackedSpec>>& list, const std::string& keyword,
                                  const std::string& kind, const Defaults& known, BlockFindings& findings) {
  std::vector<Tracked> result;
  std::set<std::string, std::less<>> seen;
  for (const auto& [item, place] : list) {
    const auto found = known.find(item.name);
    if (!kind.empty() && found == known.end()) {
      findings.error(place, keyword + " " + in_quotes(item.name) + ": there is no " + kind + " of that name" +
                                hint(item.name, known));
      continue;
    }
    if (!seen.insert(item.name).second) {
      findings.warn(place, keyword + " " + in_quotes(item.name) + " is here twice; the first one counts");
      continue;
    }
    const WeightSpec fallback = found == known.end() ? WeightSpec{0, false} : found->second;
    const WeightSpec weight = item.weight.value_or(fallback);
    // As in keepalived: a line that only says another weight keeps the definition's direction.
    result.push_back({item.name, weight.weight, weight.reverse.value_or(fallback.reverse.value_or(false))});
  }
  return result;
}

/// Reports a second definition of a name.
class UniqueNames {
 public:
  explicit UniqueNames(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  void add(const std::string& name, Place place, BlockFindings& findings) {
    if (name.empty()) return;
    const auto [known, inserted] = places_.emplace(name, place);
    if (!inserted)
      findings.error("it is defined twice; the first is at " + diagnostics_.location(known->second).to_string());
  }

 private:
  Diagnostics& diagnostics_;
  std::map<std::string, Place> places_;
};

template <class Spec, class Object>
void set_weight(const Spec& spec, Object& object) {
  if (!spec.weight) return;
  object.weight = (*spec.weight).weight;
  object.reverse = (*spec.weight).reverse.value_or(false);
}

VrrpScript resolve_script(const VrrpScriptSpec& spec, BlockFindings& findings) {
  VrrpScript script;
  script.name = spec.name;
  script.where = findings.location();
  findings.require(spec.script.seen, "script");
  script.script = first_of(Command{}, spec.script);
  script.user = first_of(std::string(), spec.user);
  script.group = first_of(std::string(), spec.group);
  check_accounts(script.user, script.group, spec.user.place, findings.diagnostics());
  script.interval = first_of(script.interval, spec.interval);
  script.timeout = first_of(script.interval, spec.timeout);
  set_weight(spec, script);
  script.rise = first_of(script.rise, spec.rise);
  script.fall = first_of(script.fall, spec.fall);
  script.init_fail = first_of(false, spec.init_fail);
  return script;
}

TrackFile resolve_file(const TrackFileSpec& spec, BlockFindings& findings) {
  TrackFile file;
  file.name = spec.name;
  file.where = findings.location();
  findings.require(spec.file.seen, "file");
  file.file = first_of(std::string(), spec.file);
  set_weight(spec, file);
  file.init_file = spec.init_file.value;
  file.overwrite = spec.overwrite;
  return file;
}

VrrpTrackProcess resolve_process(const VrrpTrackProcessSpec& spec, BlockFindings& findings) {
  VrrpTrackProcess process;
  process.name = spec.name;
  process.where = findings.location();
  findings.require(spec.process.seen, "process");
  process.process = first_of(process.process, spec.process);
  process.param_match = first_of(process.param_match, spec.param_match);
  process.with_parameters = process.process.size() > 1 || spec.param_match.seen;
  set_weight(spec, process);
  process.quorum = first_of(process.quorum, spec.quorum);
  process.quorum_max = first_of(process.quorum_max, spec.quorum_max);
  if (spec.quorum && spec.quorum_max && process.quorum > process.quorum_max) {
    findings.error(spec.quorum_max.place, "quorum_max " + std::to_string(process.quorum_max) + " is below quorum " +
                                              std::to_string(process.quorum));
  } else if (process.quorum > process.quorum_max) {
    process.quorum = process.quorum_max;  // quorum_max 0: well while none runs
  }
  process.fork_delay = first_of(Duration(0), spec.fork_delay, spec.delay);
  process.terminate_delay = first_of(Duration(0), spec.terminate_delay, spec.delay);
  process.full_command = first_of(false, spec.full_command);
  return process;
}

void resolve_hops(const BfdInstanceSpec& spec, BfdInstance& bfd, BlockFindings& findings) {
  const bool v4 = bfd.neighbor_ip.is_v4();
  const unsigned ttl = first_of(v4 ? 255U : 64U, spec.ttl, spec.hoplimit);
  bfd.ttl = static_cast<uint8_t>(ttl);
  const unsigned hops = first_of(0U, spec.max_hops);
  bfd.max_hops = static_cast<uint8_t>(hops);
  if (spec.max_hops && hops != 255 && hops > ttl) {
    findings.warn(spec.max_hops.place, "max_hops is above the TTL and becomes " + std::to_string(ttl));
    bfd.max_hops = bfd.ttl;
  }
}

BfdInstance resolve_bfd(const BfdInstanceSpec& spec, BlockFindings& findings) {
  BfdInstance bfd;
  bfd.name = spec.name;
  bfd.where = findings.location();
  findings.require(spec.neighbor_ip.seen, "neighbor_ip");
  bfd.neighbor_ip = first_of(IpAddress(), spec.neighbor_ip);
  bfd.source_ip = spec.source_ip.value;
  if (spec.neighbor_ip && spec.source_ip && (*spec.source_ip).family() != bfd.neighbor_ip.family()) {
    findings.error(spec.source_ip.place, "source_ip " + (*spec.source_ip).to_string() +
                                             " is of another family than neighbor_ip " + bfd.neighbor_ip.to_string());
  }
  bfd.min_rx = first_of(bfd.min_rx, spec.min_rx);
  bfd.min_tx = first_of(bfd.min_tx, spec.min_tx);
  bfd.idle_tx = first_of(bfd.idle_tx, spec.idle_tx);
  bfd.multiplier = static_cast<uint8_t>(first_of(unsigned{bfd.multiplier}, spec.multiplier));
  bfd.passive = first_of(false, spec.passive);
  resolve_hops(spec, bfd, findings);
  bfd.multihop = first_of(false, spec.multihop);
  set_weight(spec, bfd);
  const bool named = spec.vrrp.seen || spec.checker.seen;
  bfd.vrrp = !named || spec.vrrp.seen;
  bfd.checker = !named || spec.checker.seen;
  return bfd;
}

void check_neighbours(const VrrpSpec& spec, Diagnostics& diagnostics) {
  std::map<IpAddress, Place> seen;
  for (const BfdInstanceSpec& bfd : spec.bfd) {
    if (!bfd.neighbor_ip) continue;
    const auto [known, inserted] = seen.emplace(*bfd.neighbor_ip, bfd.neighbor_ip.place);
    if (inserted) continue;
    diagnostics.error(bfd.neighbor_ip.place, "bfd_instance " + in_quotes(bfd.name) + ": a second session with " +
                                                 (*bfd.neighbor_ip).to_string() + "; the first is at " +
                                                 diagnostics.location(known->second).to_string());
  }
}

/// Resolves all definitions of one kind.
template <class Spec, class Resolve>
auto resolve_all(const std::vector<Spec>& specs, std::string_view kind, Resolve resolve, Diagnostics& diagnostics) {
  std::vector<decltype(resolve(specs[0], std::declval<BlockFindings&>()))> result;
  UniqueNames names(diagnostics);
  for (const Spec& spec : specs) {
    BlockFindings findings(kind, spec.name, spec.place, diagnostics);
    names.add(spec.name, spec.place, findings);
    result.push_back(resolve(spec, findings));
  }
  return result;
}

}  // namespace

Tracking resolve_tracking(const TrackingSpec& spec, const VrrpSpec& file, BlockFindings& findings) {
  Tracking tracking;
  tracking.interfaces = resolve_list(spec.track_interface, "track_interface", "", {}, findings);
  if (!spec.track_script.empty()) {
    tracking.scripts =
        resolve_list(spec.track_script, "track_script", "vrrp_script", defaults_of(file.scripts, 0), findings);
  }
  if (!spec.track_file.empty()) {
    tracking.files = resolve_list(spec.track_file, "track_file", "track_file", defaults_of(file.files, 1), findings);
  }
  if (!spec.track_process.empty()) {
    tracking.processes = resolve_list(spec.track_process, "track_process", "vrrp_track_process",
                                      defaults_of(file.processes, 1), findings);
  }
  if (!spec.track_bfd.empty()) {
    tracking.bfd = resolve_list(spec.track_bfd, "track_bfd", "bfd_instance", defaults_of(file.bfd, 0), findings);
  }
  return tracking;
}

Trackers resolve_trackers(const VrrpSpec& spec, Diagnostics& diagnostics) {
  Trackers trackers;
  trackers.scripts = resolve_all(spec.scripts, "vrrp_script", resolve_script, diagnostics);
  trackers.files = resolve_all(spec.files, "track_file", resolve_file, diagnostics);
  trackers.processes = resolve_all(spec.processes, "vrrp_track_process", resolve_process, diagnostics);
  trackers.bfd = resolve_all(spec.bfd, "bfd_instance", resolve_bfd, diagnostics);
  check_neighbours(spec, diagnostics);
  return trackers;
}

}  // namespace lbdp::config
