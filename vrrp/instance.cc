// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/instance.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <ranges>
#include <utility>

namespace lbdp::vrrp {
namespace {

using std::chrono::microseconds;

/// Answers that an advertisement provokes are at least this part of advert_int apart, so that a flood is not
/// amplified.
constexpr int kAnswersPerInterval = 64;

/// What a version 3 master can say; the 0 of a broken one would make every pause a failure.
constexpr microseconds kLeastInterval{10'000};

std::vector<IpPrefix> missing_in(const std::vector<IpPrefix>& from, const std::vector<IpPrefix>& other) {
  std::vector<IpPrefix> missing;
  std::ranges::copy_if(from, std::back_inserter(missing),
                       [&](const IpPrefix& p) { return std::ranges::find(other, p) == other.end(); });
  return missing;
}

double seconds(microseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

/// keepalived's rules for keywords that contradict each other.
InstanceParams resolve(InstanceParams params) {
  if (params.initial_master) {
    params.nopreempt = false;
    params.preempt_delay = microseconds{0};
  }
  if (params.priority == kPriorityOwner) params.nopreempt = false;
  return params;
}

std::string contradictions(const InstanceParams& params) {
  if (params.initial_master && params.nopreempt) return "nopreempt will not work with initial state MASTER - clearing";
  if (params.initial_master && params.preempt_delay.count() > 0) {
    return "preempt delay will not work with initial state MASTER - clearing";
  }
  if (params.priority == kPriorityOwner && params.nopreempt) return "nopreempt is incompatible with priority 255";
  return {};
}

}  // namespace

std::vector<IpAddress> addresses_of(const std::vector<IpPrefix>& prefixes) {
  std::vector<IpAddress> addresses;
  std::ranges::transform(prefixes, std::back_inserter(addresses), &IpPrefix::address);
  return addresses;
}

Instance::Instance(InstanceParams params) {
  adopt(std::move(params));
  priority_ = params_.priority;
}

// --- events

Actions Instance::start(const LinkState& link, TimePoint now) {
  Actions out;
  link_ = link;
  priority_ = wanted_priority();
  warn_of_contradictions(out);
  // What a crashed predecessor left behind. An owner's addresses may be the interface's own: those stay.
  if (priority_ != kPriorityOwner) out.emplace_back(RemoveAddresses{params_.all_addresses()});
  if (!usable()) {
    become_fault(" (init)", out);
  } else if (priority_ == kPriorityOwner && params_.initial_master) {
    become_master("start as owner of the addresses", now, out);
  } else {
    become_backup("start", " (init)", now, out);
  }
  return out;
}

Actions Instance::receive(const Advertisement& advertisement, TimePoint now) {
  Actions out;
  if (state_ == State::kBackup) receive_as_backup(advertisement, now, out);
  if (state_ == State::kMaster) receive_as_master(advertisement, now, out);
  return out;
}

Actions Instance::expire(TimePoint now) {
  Actions out;
  announce_due(now, out);
  if (!timer_ || now < *timer_) return out;
  if (state_ == State::kBackup) {
    log(out, LogLevel::kDebug, "Receive advertisement timeout");
    if (params_.sync_group.empty()) {
      become_master(timeout_cause(), now, out);
    } else {
      wants_master_ = true;  // the group decides; if it does not, we ask again
      timer_ = now + down_interval();
    }
  } else if (state_ == State::kMaster) {
    const TimePoint due = *timer_;
    send_advertisement(now, out);
    // Keep the beat; after a stall longer than an interval start a new one instead of catching up.
    if (now - due < params_.advert_int) timer_ = due + params_.advert_int;
  }
  return out;
}

/// `change` alters what decides whether the instance may run; then it follows.
template <class Change>
Actions Instance::change_usability(TimePoint now, Change change) {
  Actions out;
  const bool was_usable = usable();
  const std::string problem_before = was_usable ? std::string() : problems().front();
  change();
  if (state_ == State::kInit || state_ == State::kStopped) return out;
  if (was_usable && !usable()) become_fault("", out);
  if (!was_usable && usable()) become_backup("usable again: no more '" + problem_before + "'", "", now, out);
  return out;
}

Actions Instance::set_link(const LinkState& link, TimePoint now) {
  return change_usability(now, [&] { link_ = link; });
}

Actions Instance::set_tracking(const TrackingState& tracking, TimePoint now) {
  Actions out = change_usability(now, [&] { tracking_ = tracking; });
  // An owner that gave in to another one (254) stays so.
  if (state_ != State::kInit && params_.priority != kPriorityOwner) change_priority(wanted_priority(), out);
  return out;
}

Actions Instance::set_group_fault(const std::string& reason, TimePoint now) {
  return change_usability(now, [&] { group_fault_ = reason; });
}

Actions Instance::sync_to_master(const std::string& group, TimePoint now) {
  Actions out;
  if (state_ == State::kBackup) become_master("all of VRRP_Group(" + group + ") can be MASTER", now, out);
  return out;
}

Actions Instance::sync_to_backup(const std::string& group, TimePoint now) {
  Actions out;
  if (state_ != State::kMaster) return out;
  // The other director shall not wait for three intervals: it is MASTER of another member already.
  out.emplace_back(SendAdvertisement{kPriorityStop});
  give_up_addresses(out);
  become_backup("another of VRRP_Group(" + group + ") is no longer MASTER", "", now, out);
  return out;
}

Actions Instance::reconfigure(InstanceParams params, TimePoint now) {
  Actions out;
  const InstanceParams before = params_;
  const bool stated_priority_changed = params.priority != before.priority;
  adopt(std::move(params));
  warn_of_contradictions(out);
  if (stated_priority_changed) change_priority(wanted_priority(), out);
  if (before.advert_int != params_.advert_int || before.down_timer_adverts != params_.down_timer_adverts) {
    change_interval(now);
  }
  if (state_ == State::kMaster) {
    change_addresses(before.all_addresses(), now, out);
    const auto refresh = params_.announcements.refresh;
    if (refresh != before.announcements.refresh) {
      garp_refresh_ = refresh.count() > 0 ? std::optional(now + refresh) : std::nullopt;
    }
  }
  return out;
}

Actions Instance::stop(TimePoint /*now*/) {
  Actions out;
  if (state_ == State::kMaster) {
    out.emplace_back(SendAdvertisement{kPriorityStop});
    log(out, LogLevel::kInfo, "sent 0 priority");
    give_up_addresses(out);
  }
  enter(State::kStopped, "stop", out);
  return out;
}

// --- received advertisements

void Instance::receive_as_backup(const Advertisement& advertisement, TimePoint now, Actions& out) {
  if (advertisement.priority == kPriorityStop) {
    if (notices_.news(kPriorityZero, now)) log(out, LogLevel::kInfo, "Backup received priority 0 advertisement");
    timer_ = now + skew();
    return;
  }
  heard_address_ = advertisement.source;
  heard_priority_ = advertisement.priority;
  learn_interval(advertisement, now, out);
  const bool lower = advertisement.priority < priority_;
  if (!lower) preempt_at_.reset();
  preempting_ = lower && !holds_back(now, out);
  if (!preempting_) {
    wants_master_ = false;
    timer_ = now + down_interval();
    return;
  }
  if (notices_.news(kLowerDiscarded, now)) {
    log(out, LogLevel::kInfo,
        fmt::format("received lower priority ({}) advert from {} - discarding", advertisement.priority,
                    advertisement.source.to_string()));
  }
}

/// Whether a master with a lower priority is left alone, for good or for now.
bool Instance::holds_back(TimePoint now, Actions& out) {
  if (params_.nopreempt) return true;
  if (params_.preempt_delay.count() == 0) return false;
  if (!preempt_at_) {
    preempt_at_ = now + params_.preempt_delay;
    log(out, LogLevel::kInfo, fmt::format("start preempt delay ({:.6f})", seconds(params_.preempt_delay)));
  }
  return now < *preempt_at_;
}

void Instance::receive_as_master(const Advertisement& advertisement, TimePoint now, Actions& out) {
  if (advertisement.priority == kPriorityStop) {
    if (notices_.news(kPriorityZero, now)) log(out, LogLevel::kInfo, "Master received priority 0 message");
    send_at_once(now, out);
    return;
  }
  const auto by_address = advertisement.source <=> *link_.address;
  if (advertisement.priority == priority_ && by_address == 0) {
    if (notices_.news(kOwnAddress, now)) {
      log(out, LogLevel::kWarning, "WARNING - equal priority advert received from remote host with our IP address.");
    }
    return;
  }
  const bool lower = advertisement.priority < priority_ || (advertisement.priority == priority_ && by_address < 0);
  if (lower) return defend(advertisement, now, out);
  if (priority_ == kPriorityOwner && params_.owner_ignore_adverts) {
    if (notices_.news(kOwnerIgnores, now)) {
      log(out, LogLevel::kWarning,
          fmt::format("another owner advertises from {}; ignored, as owner_ignore_adverts says",
                      advertisement.source.to_string()));
    }
    return;
  }
  yield_to(advertisement, now, out);
}

void Instance::defend(const Advertisement& advertisement, TimePoint now, Actions& out) {
  if (notices_.news(kLowerReceived, now)) {
    log(out, LogLevel::kInfo,
        fmt::format("Received advert from {} with lower priority {}, ours {}, forcing new election",
                    advertisement.source.to_string(), advertisement.priority, priority_));
  }
  if (!params_.lower_prio_no_advert) send_at_once(now, out);
  // The other one announced the addresses too: take them back, but let a flood of adverts not become one of ARPs.
  if (last_defence_ && now - *last_defence_ < params_.advert_int) return;
  last_defence_ = now;
  const Announcements& how = params_.announcements;
  if (how.lower_prio_repeat == 0) return;
  send_garp(addresses_of(params_.all_addresses()), how.lower_prio_repeat, out);
  if (garp_again_ || how.lower_prio_delay.count() == 0) return;
  garp_again_ = now + how.lower_prio_delay;
  garp_again_rounds_ = how.lower_prio_repeat;
}

void Instance::yield_to(const Advertisement& advertisement, TimePoint now, Actions& out) {
  const std::string from = advertisement.source.to_string();
  if (priority_ == kPriorityOwner) {
    log(out, LogLevel::kWarning,
        "CONFIGURATION ERROR: local instance and a remote instance are both configured as address owner, please fix - "
        "reducing local priority");
    priority_ = kPriorityOwner - 1;
  }
  const std::string found = advertisement.priority == priority_
                                ? fmt::format("with same priority {} but higher IP address than ours", priority_)
                                : fmt::format("with higher priority {}, ours {}", advertisement.priority, priority_);
  log(out, LogLevel::kInfo, fmt::format("Master received advert from {} {}", from, found));
  if (params_.higher_prio_send_advert) send_at_once(now, out);
  heard_address_ = advertisement.source;
  heard_priority_ = advertisement.priority;
  give_up_addresses(out);
  // Before the down timer is set: it is the new master's interval that counts from here on.
  if (params_.version == kVersion3) master_interval_ = std::max(advertisement.advert_int, kLeastInterval);
  become_backup(fmt::format("advertisement from {} {}", from, found), "", now, out);
}

/// RFC 5798 section 6.4.2: a backup takes over its master's interval. Version 2 refuses another one before.
void Instance::learn_interval(const Advertisement& advertisement, TimePoint now, Actions& out) {
  if (params_.version != kVersion3) return;
  if (advertisement.advert_int != params_.advert_int && notices_.news(kOtherInterval, now)) {
    log(out, LogLevel::kInfo,
        fmt::format("advertisement interval of {} is {:.2f} s, ours is {:.2f} s: the master's counts",
                    advertisement.source.to_string(), seconds(advertisement.advert_int), seconds(params_.advert_int)));
  }
  master_interval_ = std::max(advertisement.advert_int, kLeastInterval);
}

// --- transitions

void Instance::become_master(std::string cause, TimePoint now, Actions& out) {
  send_advertisement(now, out);
  log(out, LogLevel::kInfo, "Entering MASTER STATE");
  log(out, LogLevel::kDebug, "setting VIPs.");
  out.emplace_back(AddAddresses{params_.all_addresses()});
  // Before the gratuitous ARPs: whoever serves the addresses should do so when the first client is told.
  enter(State::kMaster, std::move(cause), out);
  timer_ = now + params_.advert_int;
  master_interval_ = params_.advert_int;
  send_garp_on_takeover(addresses_of(params_.all_addresses()), now, out);
  if (params_.announcements.refresh.count() > 0) garp_refresh_ = now + params_.announcements.refresh;
}

void Instance::become_backup(std::string cause, std::string_view log_suffix, TimePoint now, Actions& out) {
  log(out, LogLevel::kInfo, fmt::format("Entering BACKUP STATE{}", log_suffix));
  enter(State::kBackup, std::move(cause), out);
  timer_ = now + down_interval();
}

void Instance::become_fault(std::string_view log_suffix, Actions& out) {
  if (state_ == State::kMaster) {
    out.emplace_back(SendAdvertisement{kPriorityStop});
    out.emplace_back(SendAdvertisement{kPriorityStop});
    give_up_addresses(out);
  }
  const std::string problem = problems().front();
  log(out, LogLevel::kInfo, problem);
  log(out, LogLevel::kInfo, fmt::format("Entering FAULT STATE{}", log_suffix));
  heard_address_.reset();
  heard_priority_ = 0;
  master_interval_ = params_.advert_int;
  enter(State::kFault, problem, out);
}

void Instance::give_up_addresses(Actions& out) {
  out.emplace_back(CancelGarp{});
  log(out, LogLevel::kDebug, "removing VIPs.");
  out.emplace_back(RemoveAddresses{params_.all_addresses()});
}

/// Nothing that the old state had planned survives into the new one.
void Instance::enter(State state, std::string cause, Actions& out) {
  const State from = std::exchange(state_, state);
  timer_.reset();
  garp_again_.reset();
  garp_refresh_.reset();
  preempt_at_.reset();
  preempting_ = false;
  wants_master_ = false;
  last_defence_.reset();
  notices_.reset();
  out.emplace_back(Transition{params_.name, from, state, priority_, std::move(cause)});
}

// --- sending

void Instance::send_advertisement(TimePoint now, Actions& out) {
  out.emplace_back(SendAdvertisement{priority_});
  last_sent_ = now;
  timer_ = now + params_.advert_int;
}

/// An advertisement between two regular ones, whose beat it does not change.
void Instance::send_at_once(TimePoint now, Actions& out) {
  if (last_sent_ && now - *last_sent_ < params_.advert_int / kAnswersPerInterval) return;
  out.emplace_back(SendAdvertisement{priority_});
  last_sent_ = now;
}

void Instance::announce_due(TimePoint now, Actions& out) {
  if (garp_again_ && now >= *garp_again_) {
    send_garp(addresses_of(params_.all_addresses()), garp_again_rounds_, out);
    garp_again_.reset();
  }
  if (garp_refresh_ && now >= *garp_refresh_) {
    send_garp(addresses_of(params_.all_addresses()), params_.announcements.refresh_repeat, out);
    garp_refresh_ = now + params_.announcements.refresh;
  }
}

void Instance::send_garp(std::vector<IpAddress> addresses, unsigned rounds, Actions& out) {
  if (addresses.empty() || rounds == 0) return;
  out.emplace_back(SendGarp{std::move(addresses), rounds});
}

void Instance::send_garp_on_takeover(std::vector<IpAddress> addresses, TimePoint now, Actions& out) {
  const Announcements& how = params_.announcements;
  send_garp(std::move(addresses), how.master_repeat, out);
  if (how.master_delay.count() == 0 || how.master_repeat == 0) return;
  garp_again_ = now + how.master_delay;
  garp_again_rounds_ = how.master_repeat;
}

// --- changes of parameters

void Instance::adopt(InstanceParams params) {
  contradiction_ = contradictions(params);
  params_ = resolve(std::move(params));
  // What an other master taught stays: it goes on with its own interval.
  if (master_interval_.count() == 0 || state_ == State::kMaster || params_.version == kVersion2) {
    master_interval_ = params_.advert_int;
  }
  expectation_ = Expectation{.version = params_.version,
                             .advert_int = params_.advert_int,
                             .auth_pass = params_.auth_pass,
                             .multicast_group = params_.multicast_group,
                             .unicast_peers = params_.unicast_peers,
                             .check_unicast_src = params_.check_unicast_src,
                             .addresses = addresses_of(params_.virtual_addresses)};
}

void Instance::warn_of_contradictions(Actions& out) const {
  if (!contradiction_.empty()) log(out, LogLevel::kWarning, "Warning - " + contradiction_);
}

void Instance::change_addresses(const std::vector<IpPrefix>& before, TimePoint now, Actions& out) {
  const auto wanted = params_.all_addresses();
  auto removed = missing_in(before, wanted);
  auto added = missing_in(wanted, before);
  if (!removed.empty()) out.emplace_back(RemoveAddresses{std::move(removed)});
  if (added.empty()) return;
  const auto announced = addresses_of(added);
  out.emplace_back(AddAddresses{std::move(added)});
  send_garp_on_takeover(announced, now, out);
}

void Instance::change_interval(TimePoint now) {
  if (!timer_) return;
  if (state_ == State::kBackup) timer_ = now + down_interval();
  if (state_ == State::kMaster) timer_ = std::min(*timer_, now + params_.advert_int);
}

void Instance::change_priority(uint8_t priority, Actions& out) {
  if (priority == priority_) return;
  log(out, LogLevel::kInfo, fmt::format("Changing effective priority from {} to {}", priority_, priority));
  const auto skew_before = skew();
  priority_ = priority;
  if (state_ == State::kBackup && timer_) *timer_ += skew() - skew_before;
}

// --- what others may know

std::optional<TimePoint> Instance::deadline() const {
  std::optional<TimePoint> first = timer_;
  for (const auto& other : {garp_again_, garp_refresh_}) {
    if (other && (!first || *other < *first)) first = other;
  }
  return first;
}

std::string Instance::own_problem() const {
  if (!link_.usable()) return link_.problem;
  return tracking_.faults.empty() ? std::string() : tracking_.faults.front();
}

std::vector<std::string> Instance::problems() const {
  std::vector<std::string> all;
  if (!link_.usable()) all.push_back(link_.problem);
  all.insert(all.end(), tracking_.faults.begin(), tracking_.faults.end());
  if (!group_fault_.empty()) all.push_back(group_fault_);
  return all;
}

uint8_t Instance::wanted_priority() const {
  if (params_.priority == kPriorityOwner) return kPriorityOwner;
  return static_cast<uint8_t>(std::clamp(params_.priority + tracking_.weight, 1, kPriorityOwner - 1));
}

std::optional<IpAddress> Instance::master_address() const {
  return state_ == State::kMaster ? link_.address : heard_address_;
}

uint8_t Instance::master_priority() const {
  return state_ == State::kMaster ? priority_ : heard_priority_;
}

/// The higher the priority, the sooner: RFC 3768 section 6.1 counts in seconds, RFC 5798 in the master's intervals.
microseconds Instance::skew() const {
  const microseconds unit = params_.version == kVersion3 ? master_interval_ : microseconds{std::chrono::seconds{1}};
  return unit * (256 - priority_) / 256;
}

microseconds Instance::down_interval() const {
  return master_interval_ * params_.down_timer_adverts + skew();
}

std::string Instance::timeout_cause() const {
  if (!heard_address_) return "no advertisement received";
  if (preempting_) {
    return fmt::format("preempting {}, priority {}, ours {}", heard_address_->to_string(), heard_priority_, priority_);
  }
  return fmt::format("no more advertisements from {}, priority {}", heard_address_->to_string(), heard_priority_);
}

void Instance::log(Actions& out, LogLevel level, std::string_view text) const {
  out.emplace_back(LogLine{level, fmt::format("({}) {}", params_.name, text)});
}

}  // namespace lbdp::vrrp
