// SPDX-License-Identifier: BSD-2-Clause
#include "control/translate_vrrp.h"

#include <pwd.h>

#include <algorithm>

namespace lbdp::control {
namespace {

using config::Model;

/// Whom a command runs as that names nobody: script_user, or keepalived_script where there is such a user, or us.
config::Account script_account(const Model& model) {
  if (!model.global.script_user.user.empty()) return model.global.script_user;
  constexpr const char* kCustomary = "keepalived_script";
  return ::getpwnam(kCustomary) != nullptr ? config::Account{kCustomary, {}} : config::Account{};
}

ChildCommand to_command(const std::vector<std::string>& arguments, const std::string& user, const std::string& group,
                        const config::Account& otherwise) {
  return user.empty() ? ChildCommand{arguments, otherwise.user, otherwise.group} : ChildCommand{arguments, user, group};
}

std::optional<ChildCommand> to_program(const std::optional<config::CommandLine>& line,
                                       const config::Account& otherwise) {
  if (!line) return {};
  return to_command(line->command.arguments, line->user, line->group, otherwise);
}

TransitionPrograms to_programs(const config::Notify& notify, const config::Account& otherwise) {
  return {.master = to_program(notify.master, otherwise),
          .backup = to_program(notify.backup, otherwise),
          .fault = to_program(notify.fault, otherwise),
          .stop = to_program(notify.stop, otherwise),
          .deleted = to_program(notify.deleted, otherwise),
          .any = to_program(notify.any, otherwise),
          .master_rx_lower_pri = to_program(notify.master_rx_lower_pri, otherwise),
          .says_deleted = notify.says_deleted,
          .priority_changes = notify.priority_changes};
}

void add_lines(const config::Tracking& tracking, std::vector<TrackLine>& lines) {
  const auto add = [&](TrackLine::Kind kind, const std::vector<config::Tracked>& list) {
    for (const config::Tracked& one : list) lines.push_back({kind, one.name, one.weight, one.reverse});
  };
  add(TrackLine::Kind::kInterface, tracking.interfaces);
  add(TrackLine::Kind::kScript, tracking.scripts);
  add(TrackLine::Kind::kFile, tracking.files);
}

TrackedScript to_script(const config::VrrpScript& from, const config::Account& otherwise) {
  return {.name = from.name,
          .command = to_command(from.script.arguments, from.user, from.group, otherwise),
          .interval = from.interval,
          .timeout = from.timeout,
          .counting = {.rise = from.rise, .fall = from.fall, .init_fail = from.init_fail}};
}

const config::VrrpSyncGroup* group_of(const Model& model, const std::string& instance) {
  const auto has = [&](const config::VrrpSyncGroup& group) {
    return std::ranges::find(group.members, instance) != group.members.end();
  };
  const auto found = std::ranges::find_if(model.vrrp_sync_groups, has);
  return found == model.vrrp_sync_groups.end() ? nullptr : &*found;
}

void add_fifo(const config::NotifyFifo& fifo, bool vrrp, bool services, const config::Account& otherwise,
              NotifierParams& out) {
  if (fifo.path.empty()) return;
  const config::Account& owner = fifo.owner.user.empty() ? otherwise : fifo.owner;
  out.fifos.push_back({.path = fifo.path,
                       .user = owner.user,
                       .group = owner.group,
                       .vrrp = vrrp,
                       .services = services,
                       .script = to_program(fifo.script, otherwise)});
}

}  // namespace

std::string sync_group_of(const Model& model, const std::string& instance) {
  const auto* group = group_of(model, instance);
  return group == nullptr ? std::string() : group->name;
}

NotifierParams to_notifier_params(const Model& model) {
  NotifierParams out;
  const config::Account account = script_account(model);
  for (const auto& instance : model.vrrp_instances)
    out.instances[instance.name] = to_programs(instance.notify, account);
  for (const auto& group : model.vrrp_sync_groups) out.groups[group.name] = to_programs(group.notify, account);
  add_fifo(model.global.notify_fifo, true, true, account, out);
  add_fifo(model.global.vrrp_notify_fifo, true, false, account, out);
  add_fifo(model.global.lvs_notify_fifo, false, true, account, out);
  return out;
}

TrackersParams to_trackers_params(const Model& model) {
  TrackersParams out;
  const config::Account account = script_account(model);
  for (const auto& script : model.trackers.scripts) out.scripts.push_back(to_script(script, account));
  for (const auto& file : model.trackers.files) out.files.push_back({file.name, file.file});
  for (const auto& instance : model.vrrp_instances) {
    auto& lines = out.instances[instance.name];
    add_lines(instance.tracking, lines);
    if (const auto* group = group_of(model, instance.name)) add_lines(group->tracking, lines);
  }
  return out;
}

DataplaneHealthParams to_health_params(const Model& model) {
  config::Duration shortest = std::chrono::seconds(1);
  for (const auto& instance : model.vrrp_instances) shortest = std::min(shortest, instance.advert_int);
  return {.worker_limit = worker_limit(shortest)};
}

std::string notify_word(vrrp::State state) {
  switch (state) {
    case vrrp::State::kMaster: return "MASTER";
    case vrrp::State::kBackup: return "BACKUP";
    case vrrp::State::kFault: return "FAULT";
    case vrrp::State::kStopped: return "STOP";
    case vrrp::State::kInit: return {};
  }
  return {};
}

}  // namespace lbdp::control
