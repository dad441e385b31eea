// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/speaker.h"

#include <spdlog/logger.h>

#include "vrrp/speaker_impl.h"

namespace lbdp::vrrp {
namespace {

std::vector<Counter> to_list(const InstanceCounters& counters, const LinkCounters& link) {
  std::vector<Counter> list{{"rx_advertisements", counters.rx_advertisements},
                            {"rx_priority_zero", counters.rx_priority_zero},
                            {"address_list_mismatch", counters.address_list_mismatch},
                            {"other_checksum", counters.other_checksum}};
  for (size_t i = 0; i < kRejectReasons; ++i) {
    list.push_back({to_string(static_cast<Reject>(i)), counters.rejected.at(i)});
  }
  list.insert(list.end(), {{"tx_advertisements", counters.tx_advertisements},
                           {"tx_priority_zero", counters.tx_priority_zero},
                           {"tx_errors", counters.tx_errors},
                           {"tx_garp", counters.tx_garp},
                           {"tx_garp_errors", counters.tx_garp_errors},
                           {"late_timers", counters.late_timers},
                           {"interface_other_virtual_router", link.other_virtual_router},
                           {"interface_unreadable", link.unreadable}});
  return list;
}

}  // namespace

// --- configuration

Result<void> Speaker::check(const std::vector<InstanceParams>& instances) {
  std::set<Key> seen;
  for (const InstanceParams& params : instances) {
    if (auto valid = validate(params); !valid) return valid;
    if (!seen.insert(key_of(params)).second) {
      return fail("vrrp_instance " + params.name + ": virtual_router_id " + std::to_string(params.virtual_router_id) +
                  " is already used on interface " + params.interface + " for the same address family");
    }
  }
  return {};
}

Result<void> Speaker::Impl::apply(const std::vector<InstanceParams>& instances) {
  if (auto valid = check(instances); !valid) return valid;
  remove_missing(instances);
  reconfigure_present(instances);
  add_new(instances);
  refresh_links();
  regroup();
  return {};
}

/// The groups that the instances name, with their members; a group that goes on keeps its state.
void Speaker::Impl::regroup() {
  std::map<std::string, std::vector<Instance*>> members;
  for (const auto& [key, runner] : runners) {
    const std::string& group = runner->instance.params().sync_group;
    if (!group.empty()) members[group].push_back(&runner->instance);
  }
  std::erase_if(groups, [&](const auto& entry) { return !members.contains(entry.first); });
  for (auto& [name, list] : members) groups.try_emplace(name, name).first->second.set_members(std::move(list));
  for (const auto& [name, list] : members) follow(name);
}

/// After anything that happened to a member.
void Speaker::Impl::follow(const std::string& name) {
  const auto found = groups.find(name);
  if (found == groups.end()) return;
  const State before = found->second.state();
  for (auto& [member, actions] : found->second.follow(Clock::now())) {
    const auto runner = runners.find(key_of(member->params()));
    if (runner != runners.end()) run_alone(runner->second, std::move(actions));
  }
  const State after = found->second.state();
  if (after == before) return;
  log.info("VRRP_Group({}) Syncing instances to {} state", name, to_string(after));
  host.on_group_transition(name, after);
}

void Speaker::Impl::set_tracking(const std::string& instance, const TrackingState& state) {
  if (tracking[instance] == state) return;
  tracking[instance] = state;
  for (const auto& [key, runner] : runners) {
    if (runner->instance.params().name != instance) continue;
    const RunnerPtr its = runner;  // what run() calls may change the map
    const uint8_t before = its->instance.effective_priority();
    run(its, its->instance.set_tracking(state, Clock::now()));
    const uint8_t after = its->instance.effective_priority();
    if (after != before) host.on_priority_change(instance, after);
    return;
  }
}

void Speaker::Impl::remove_missing(const std::vector<InstanceParams>& wanted) {
  std::set<Key> keys;
  std::ranges::transform(wanted, std::inserter(keys, keys.end()), key_of);
  for (auto it = runners.begin(); it != runners.end();) {
    if (keys.contains(it->first)) {
      ++it;
      continue;
    }
    const RunnerPtr runner = it->second;
    it = runners.erase(it);
    runners_by_id.erase(runner->id);
    tracking.erase(runner->instance.params().name);
    // It leaves its group first: the group must not see it stopped.
    groups.erase(runner->instance.params().sync_group);
    run(runner, runner->instance.stop(Clock::now()));
  }
}

/// An address may move from one instance to another in one reload: it is taken away everywhere before it is added.
void Speaker::Impl::reconfigure_present(const std::vector<InstanceParams>& wanted) {
  Plan plan;
  for (const InstanceParams& params : wanted) {
    const auto found = runners.find(key_of(params));
    if (found == runners.end()) continue;
    for (Action& action : found->second->instance.reconfigure(params, Clock::now())) {
      plan.emplace_back(found->second, std::move(action));
    }
  }
  // Not std::ranges: what that one returns is beyond clang 14, which builds the fuzz targets.
  std::stable_partition(plan.begin(), plan.end(),
                        [](const auto& step) { return std::holds_alternative<RemoveAddresses>(step.second); });
  for (auto& [runner, action] : plan) perform(runner, action);
  for (const auto& [key, runner] : runners) arm(runner);
}

void Speaker::Impl::add_new(const std::vector<InstanceParams>& wanted) {
  std::vector<RunnerPtr> added;
  for (const InstanceParams& params : wanted) {
    const Key key = key_of(params);
    if (runners.contains(key)) continue;
    auto& link = links[key.interface];
    if (!link) link = std::make_shared<Link>(io, key.interface, *this);
    added.push_back(std::make_shared<Runner>(io, next_id++, params, link));
    runners[key] = runners_by_id[added.back()->id] = added.back();
  }
  for (const RunnerPtr& runner : added) {
    refresh_link(*runner->link);
    if (const auto known = tracking.find(runner->instance.params().name); known != tracking.end()) {
      (void)runner->instance.set_tracking(known->second, Clock::now());  // before the start: no actions
    }
    run(runner, runner->instance.start(link_state(*runner), Clock::now()));
  }
}

LinkState Speaker::Impl::link_state(const Runner& runner) const {
  const InstanceParams& params = runner.instance.params();
  SourceQuery query{
      .family = params.family(), .unicast = params.unicast(), .wanted = params.source, .virtual_addresses = {}};
  for (const auto& [key, other] : runners) {
    if (key.interface != params.interface) continue;
    for (const IpPrefix& prefix : other->instance.params().all_addresses()) {
      query.virtual_addresses.insert(prefix.address);
    }
  }
  return runner.link->state(query);
}

/// Looks at one interface and tells its instances.
void Speaker::Impl::refresh_link(Link& link) {
  Link::Groups wanted;
  std::vector<RunnerPtr> users;
  for (const auto& [key, runner] : runners) {
    if (key.interface != link.name()) continue;
    const InstanceParams& params = runner->instance.params();
    auto& joined = wanted[params.family()];
    if (!params.unicast()) joined.insert(params.multicast_group);
    users.push_back(runner);
  }
  link.refresh(wanted);
  for (const RunnerPtr& runner : users) run(runner, runner->instance.set_link(link_state(*runner), Clock::now()));
}

void Speaker::Impl::refresh_links() {
  std::set<std::string> used;
  for (const auto& [key, runner] : runners) used.insert(key.interface);
  std::erase_if(links, [&](const auto& entry) {
    if (used.contains(entry.first)) return false;
    entry.second->close();
    return true;
  });
  for (const auto& [name, link] : links) refresh_link(*link);
}

void Speaker::Impl::interface_changed(const std::string& interface) {
  if (!links.contains(interface)) return;
  changed.insert(interface);
  if (changed.size() > 1) return;  // a look is on its way
  asio::post(io, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->look_again();
  });
}

void Speaker::Impl::look_again() {
  for (const std::string& name : std::exchange(changed, {})) {
    if (const auto found = links.find(name); found != links.end()) refresh_link(*found->second);
  }
}

void Speaker::Impl::stop() {
  remove_missing({});
  refresh_links();
}

// --- status

std::vector<InstanceStatus> Speaker::Impl::status() const {
  std::vector<InstanceStatus> list;
  for (const auto& [key, runner] : runners) {
    const auto shared = link_counters.find(key.interface);
    list.push_back(
        {.params = runner->instance.params(),
         .state = runner->instance.state(),
         .effective_priority = runner->instance.effective_priority(),
         .master_address = runner->instance.master_address(),
         .master_priority = runner->instance.master_priority(),
         .last_transition = runner->last_transition,
         .last_cause = runner->last_cause,
         .became_master = runner->became_master,
         .problems =
             runner->instance.state() == State::kFault ? runner->instance.problems() : std::vector<std::string>{},
         .tracking_weight = runner->instance.tracking().weight,
         .counters = to_list(runner->counters, shared != link_counters.end() ? shared->second : LinkCounters{})});
  }
  return list;
}

std::vector<GroupStatus> Speaker::Impl::group_status() const {
  std::vector<GroupStatus> list;
  for (const auto& [name, group] : groups) list.push_back({name, group.state(), {}});
  for (const auto& [key, runner] : runners) {
    const InstanceParams& params = runner->instance.params();
    for (GroupStatus& group : list) {
      if (group.name == params.sync_group) group.members.push_back(params.name);
    }
  }
  return list;
}

Speaker::Speaker(asio::io_context& io, Host& host, spdlog::logger& log)
    : impl_(std::make_shared<Impl>(io, host, log)) {}
Speaker::~Speaker() {
  for (const auto& [name, link] : impl_->links) link->close();
}
Result<void> Speaker::apply(const std::vector<InstanceParams>& instances) {
  return impl_->apply(instances);
}
std::set<std::string> Speaker::masters_among(const std::vector<InstanceParams>& instances) const {
  std::set<std::string> names;
  for (const InstanceParams& params : instances) {
    const auto found = impl_->runners.find(key_of(params));
    const bool stays = found != impl_->runners.end() && found->second->instance.state() == State::kMaster;
    if (stays) names.insert(params.name);
  }
  return names;
}
std::vector<Speaker::HostAddress> Speaker::additions(const std::vector<InstanceParams>& instances) const {
  std::set<HostAddress> held;
  for (const auto& [key, runner] : impl_->runners) {
    if (runner->instance.state() != State::kMaster) continue;
    for (const IpPrefix& address : runner->instance.params().all_addresses()) held.emplace(key.interface, address);
  }
  std::vector<HostAddress> added;
  const auto masters = masters_among(instances);
  for (const InstanceParams& params : instances) {
    if (!masters.contains(params.name)) continue;
    for (const IpPrefix& address : params.all_addresses()) {
      if (held.emplace(params.interface, address).second) added.emplace_back(params.interface, address);
    }
  }
  return added;
}
void Speaker::interface_changed(const std::string& interface) {
  impl_->interface_changed(interface);
}
void Speaker::set_tracking(const std::string& instance, const TrackingState& tracking) {
  impl_->set_tracking(instance, tracking);
}
void Speaker::stop() {
  impl_->stop();
}
std::vector<GroupStatus> Speaker::groups() const {
  return impl_->group_status();
}
std::vector<InstanceStatus> Speaker::status() const {
  return impl_->status();
}

}  // namespace lbdp::vrrp
