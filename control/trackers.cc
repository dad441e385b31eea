// SPDX-License-Identifier: BSD-2-Clause
#include "control/trackers.h"

#include <spdlog/logger.h>

#include <algorithm>
#include <utility>

#include "control/watched_file.h"
#include "vrrp/interface.h"

namespace lbdp::control {
namespace {

using Clock = std::chrono::steady_clock;
using vrrp::Health;

constexpr int kFaultBelow = -253;  // of a track_file's value times its weight, as in keepalived
constexpr int kMostWeight = 253;

Health health_of_interface(const std::string& name) {
  const auto info = vrrp::query_interface(name);
  return info && info->up && info->running ? Health::kUp : Health::kDown;
}

vrrp::TrackerEffect effect_of_file(std::optional<int> value, const TrackLine& line) {
  const int64_t product = int64_t{value.value_or(0)} * line.weight * (line.reverse ? -1 : 1);
  if (product < kFaultBelow) {
    return {0, "track_file " + line.name + " holds " + std::to_string(value.value_or(0))};
  }
  return {static_cast<int>(std::min<int64_t>(product, kMostWeight)), {}};
}

}  // namespace

struct Trackers::Impl : std::enable_shared_from_this<Impl> {
  struct Script {
    Script(asio::io_context& io, TrackedScript its_params)
        : params(std::move(its_params)), tracker(params.counting), timer(io) {}
    TrackedScript params;
    vrrp::ScriptTracker tracker;
    asio::steady_timer timer;
    bool running = false;
    bool due = false;  // its time came while it ran
    std::string last_outcome;
    uint64_t runs = 0;
  };
  using ScriptPtr = std::shared_ptr<Script>;

  Impl(asio::io_context& its_io, ChildProcesses& its_children, spdlog::logger& its_log, Tell its_tell)
      : io(its_io), children(its_children), log(its_log), tell(std::move(its_tell)) {}

  void configure_scripts();
  void configure_files();
  void start(const ScriptPtr& script);
  void ended(const ScriptPtr& script, const ChildOutcome& outcome);
  void take_file(const std::string& name, std::optional<int> value);
  [[nodiscard]] Health health_of(const TrackLine& line) const;
  [[nodiscard]] vrrp::TrackerEffect effect_of(const TrackLine& line) const;
  void tell_one(const std::string& instance, const std::vector<TrackLine>& lines);
  void tell_all();
  void tell_those_with(TrackLine::Kind kind, const std::string& name);

  asio::io_context& io;
  ChildProcesses& children;
  spdlog::logger& log;
  Tell tell;
  TrackersParams params;
  std::map<std::string, ScriptPtr> scripts;
  std::map<std::string, std::unique_ptr<WatchedFile>> files;
  std::map<std::string, std::optional<int>> values;  // of files
  std::vector<std::string> common_faults;
};

// --- scripts

void Trackers::Impl::configure_scripts() {
  std::map<std::string, ScriptPtr> wanted;
  for (const TrackedScript& one : params.scripts) {
    const auto found = scripts.find(one.name);
    const bool same = found != scripts.end() && found->second->params.command == one.command;
    const ScriptPtr script = same ? found->second : std::make_shared<Script>(io, one);
    script->params = one;
    script->tracker.set_params(one.counting);
    wanted[one.name] = script;
    if (!same) start(script);
  }
  for (const auto& [name, script] : scripts) {
    if (wanted[name] != script) script->timer.cancel();
  }
  std::erase_if(wanted, [](const auto& entry) { return entry.second == nullptr; });
  scripts = std::move(wanted);
}

void Trackers::Impl::start(const ScriptPtr& script) {
  script->running = true;
  script->due = false;
  ++script->runs;
  children.run(script->params.command, script->params.timeout,
               [weak = weak_from_this(), script](const ChildOutcome& outcome) {
                 if (const auto self = weak.lock()) self->ended(script, outcome);
               });
  script->timer.expires_after(script->params.interval);
  script->timer.async_wait([weak = weak_from_this(), script](boost::system::error_code error) {
    const auto self = weak.lock();
    if (!self || error) return;
    script->running ? void(script->due = true) : self->start(script);
  });
}

void Trackers::Impl::ended(const ScriptPtr& script, const ChildOutcome& outcome) {
  script->running = false;
  const auto found = scripts.find(script->params.name);
  if (found == scripts.end() || found->second != script) return;  // a reload took it away meanwhile
  script->last_outcome = outcome.to_string();
  if (script->tracker.take(outcome.success())) {
    const std::string& name = script->params.name;
    if (outcome.end == ChildOutcome::End::kTimedOut) {
      log.info("VRRP_Script({}) timed_out", name);
    } else {
      log.info("VRRP_Script({}) {} ({})", name, outcome.success() ? "succeeded" : "failed", outcome.to_string());
    }
    tell_those_with(TrackLine::Kind::kScript, name);
  }
  if (script->due) start(script);
}

// --- files

void Trackers::Impl::configure_files() {
  std::erase_if(files, [&](const auto& entry) {
    return std::ranges::none_of(params.files, [&](const TrackedFile& one) {
      return one.name == entry.first && one.path == entry.second->path();
    });
  });
  std::erase_if(values, [&](const auto& entry) { return !files.contains(entry.first); });
  for (const TrackedFile& one : params.files) {
    if (files.contains(one.name)) continue;
    files[one.name] = std::make_unique<WatchedFile>(
        io, one.path, [this, name = one.name](std::optional<int> value) { take_file(name, value); });
    values[one.name] = files[one.name]->value();
  }
}

void Trackers::Impl::take_file(const std::string& name, std::optional<int> value) {
  if (std::exchange(values[name], value) == value) return;
  log.info("track_file {}: {}", name, value ? std::to_string(*value) : std::string("no number in it"));
  tell_those_with(TrackLine::Kind::kFile, name);
}

// --- what comes of it

Health Trackers::Impl::health_of(const TrackLine& line) const {
  if (line.kind == TrackLine::Kind::kInterface) return health_of_interface(line.name);
  const auto found = scripts.find(line.name);
  return found == scripts.end() ? Health::kUnknown : found->second->tracker.health();
}

vrrp::TrackerEffect Trackers::Impl::effect_of(const TrackLine& line) const {
  if (line.kind == TrackLine::Kind::kFile) {
    const auto found = values.find(line.name);
    return effect_of_file(found == values.end() ? std::nullopt : found->second, line);
  }
  const bool interface = line.kind == TrackLine::Kind::kInterface;
  const std::string what = (interface ? "tracked interface " : "script ") + line.name;
  return vrrp::effect_of(health_of(line), line.weight, line.reverse, what);
}

void Trackers::Impl::tell_one(const std::string& instance, const std::vector<TrackLine>& lines) {
  vrrp::TrackingState state;
  state.faults = common_faults;
  for (const TrackLine& line : lines) {
    auto effect = effect_of(line);
    state.weight += effect.weight;
    if (effect.fault) state.faults.push_back(std::move(*effect.fault));
  }
  tell(instance, state);
}

void Trackers::Impl::tell_all() {
  for (const auto& [instance, lines] : params.instances) tell_one(instance, lines);
}

void Trackers::Impl::tell_those_with(TrackLine::Kind kind, const std::string& name) {
  for (const auto& [instance, lines] : params.instances) {
    const bool concerned =
        std::ranges::any_of(lines, [&](const TrackLine& line) { return line.kind == kind && line.name == name; });
    if (concerned) tell_one(instance, lines);
  }
}

Trackers::Trackers(asio::io_context& io, ChildProcesses& children, spdlog::logger& log, Tell tell)
    : impl_(std::make_shared<Impl>(io, children, log, std::move(tell))) {}

Trackers::~Trackers() {
  for (const auto& [name, script] : impl_->scripts) script->timer.cancel();
}

void Trackers::configure(const TrackersParams& params) {
  impl_->params = params;
  impl_->configure_scripts();
  impl_->configure_files();
  impl_->tell_all();
}

void Trackers::interface_changed(const std::string& name) {
  impl_->tell_those_with(TrackLine::Kind::kInterface, name);
}

void Trackers::set_common_faults(std::vector<std::string> faults) {
  if (faults == impl_->common_faults) return;
  impl_->common_faults = std::move(faults);
  impl_->tell_all();
}

std::vector<ScriptStatus> Trackers::scripts() const {
  std::vector<ScriptStatus> list;
  for (const auto& [name, script] : impl_->scripts) {
    list.push_back({name, script->tracker.health(), script->last_outcome, script->runs});
  }
  return list;
}

std::vector<FileStatus> Trackers::files() const {
  std::vector<FileStatus> list;
  for (const auto& [name, value] : impl_->values) list.push_back({name, value});
  return list;
}

}  // namespace lbdp::control
