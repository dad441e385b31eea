// SPDX-License-Identifier: BSD-2-Clause
#include "control/neighbour_table.h"

#include <algorithm>
#include <utility>

namespace lbdp::control {
namespace {

constexpr auto kLieMemory = std::chrono::seconds(3);

bool is_static(KernelNeighbourState state) {
  return state == KernelNeighbourState::kPermanent || state == KernelNeighbourState::kNoArp;
}

}  // namespace

std::string_view to_string(NeighbourStatus::State state) {
  switch (state) {
    case NeighbourStatus::State::kUnresolved: return "UNRESOLVED";
    case NeighbourStatus::State::kResolved: return "RESOLVED";
    case NeighbourStatus::State::kStatic: return "STATIC";
  }
  return "?";
}

void NeighbourTable::set_addresses(const std::vector<IpAddress>& addresses, TimePoint now) {
  const std::set<IpAddress> wanted(addresses.begin(), addresses.end());
  std::erase_if(queue_, [&](const auto& item) { return !wanted.contains(item.second); });
  std::erase_if(entries_, [&](const auto& item) { return !wanted.contains(item.first); });
  std::erase_if(changed_, [&](const auto& address) { return !wanted.contains(address); });
  for (const auto& address : wanted) {
    auto [found, fresh] = entries_.try_emplace(address);
    if (!fresh) continue;
    found->second.status.address = address;
    found->second.status.reason = "not looked up yet";
    found->second.probe_time = now;
  }
}

bool NeighbourTable::set_on_link(const IpAddress& address, const LinkPath& path, TimePoint now) {
  Entry* entry = find_entry(address);
  if (entry == nullptr) return false;
  if (entry->on_link && entry->status.path.interface == path.interface) {
    if (std::exchange(entry->status.path, path) != path) changed_.insert(address);
    return false;
  }
  const NeighbourStatus old = entry->status;
  const TimePoint queued = entry->due;
  *entry = Entry{};
  entry->due = queued;
  entry->probe_time = now;
  entry->status.address = address;
  entry->status.probes = old.probes;
  entry->status.answers = old.answers;
  entry->status.rejected = old.rejected;
  entry->status.path = path;
  entry->on_link = true;
  drop_mac(*entry, "no answer on " + path.name + " yet");
  schedule(*entry, now);
  return true;
}

void NeighbourTable::set_unreachable(const IpAddress& address, std::string reason) {
  Entry* entry = find_entry(address);
  if (entry == nullptr || (!entry->on_link && entry->status.reason == reason)) return;
  entry->on_link = false;
  entry->status.searching = false;
  entry->status.path = {};
  drop_mac(*entry, std::move(reason));
  schedule(*entry, TimePoint::max());
}

void NeighbourTable::on_kernel(const NeighbourEvent& event, TimePoint now) {
  Entry* entry = find_entry(event.address);
  if (entry == nullptr || !entry->on_link || entry->status.path.interface != event.interface) return;
  // IPv6's failed entries take no answer until the kernel looks again.
  entry->kernel_knows = !event.removed && event.state != KernelNeighbourState::kFailed;
  entry->status.kernel_state = event.removed ? KernelNeighbourState::kNone : event.state;
  entry->kernel_mac = event.mac;
  if (!event.mac) {
    // Our own probes tell a forgotten entry from a silent server; a static one is not probed.
    const bool believed = entry->status.state == NeighbourStatus::State::kStatic;
    if (believed || (entry->status.searching && event.state == KernelNeighbourState::kFailed)) {
      entry->status.searching = false;
      drop_mac(*entry, "no answer on " + entry->status.path.name);
    }
    schedule(*entry, std::min(entry->due, now + kUnicastPatience));
    return;
  }
  const bool is_known_lie = entry->lie == event.mac && now - entry->lie_time < kLieMemory;
  if (is_known_lie || !lie_in(*event.mac).empty()) {
    reject(*entry, *event.mac, now);
    return;
  }
  const bool reachable = event.state == KernelNeighbourState::kReachable;
  if (entry->silent && !reachable && !is_static(event.state)) {
    schedule(*entry, now);  // hearsay: ask
    return;
  }
  if (reachable || entry->status.mac != event.mac) confirm(*entry, now);
  take_mac(*entry, *event.mac);
  schedule(*entry, std::min<TimePoint>(entry->due, now + period()));
}

std::optional<std::string> NeighbourTable::on_claim(InterfaceIndex interface, const NeighbourClaim& claim,
                                                    TimePoint now) {
  Entry* entry = find_entry(claim.address);
  if (entry == nullptr || !entry->on_link || entry->status.path.interface != interface) return std::nullopt;
  if (std::string lie = lie_in(claim); !lie.empty()) {
    reject(*entry, claim.mac, now);
    return lie;
  }
  ++entry->status.answers;
  // Another MAC than the kernel's: the kernel gets this packet too and tells us what it makes of it.
  if (entry->kernel_mac != claim.mac) return std::nullopt;
  confirm(*entry, now);
  take_mac(*entry, claim.mac);
  return std::nullopt;
}

std::vector<NeighbourTable::Probe> NeighbourTable::take_due(TimePoint now, size_t limit) {
  std::vector<Probe> probes;
  while (!queue_.empty() && queue_.begin()->first <= now && probes.size() < limit) {
    Entry& entry = entries_.at(queue_.begin()->second);
    if (entry.status.state == NeighbourStatus::State::kStatic) {
      schedule(entry, now + period());
      continue;
    }
    check_silence(entry, now);
    probes.push_back(make_probe(entry, now));
  }
  return probes;
}

std::optional<NeighbourTable::TimePoint> NeighbourTable::next_due() const {
  if (queue_.empty()) return std::nullopt;
  return queue_.begin()->first;
}

std::vector<IpAddress> NeighbourTable::take_changed() {
  std::vector<IpAddress> out(changed_.begin(), changed_.end());
  changed_.clear();
  return out;
}

const NeighbourStatus* NeighbourTable::find(const IpAddress& address) const {
  const auto found = entries_.find(address);
  return found == entries_.end() ? nullptr : &found->second.status;
}

std::vector<NeighbourStatus> NeighbourTable::status() const {
  std::vector<NeighbourStatus> out;
  out.reserve(entries_.size());
  for (const auto& [address, entry] : entries_) out.push_back(entry.status);
  return out;
}

NeighbourTable::Entry* NeighbourTable::find_entry(const IpAddress& address) {
  const auto found = entries_.find(address);
  return found == entries_.end() ? nullptr : &found->second;
}

std::chrono::microseconds NeighbourTable::period() const {
  const auto paced = kProbeSpacing * static_cast<int64_t>(entries_.size());
  return std::max<std::chrono::microseconds>(kProbePeriod, paced);
}

std::string NeighbourTable::lie_in(const MacAddress& mac) const {
  if (mac == MacAddress{}) return "claims the MAC 00:00:00:00:00:00";
  if (mac.is_group()) return "claims the group address " + mac.to_string();
  if (own_macs_.contains(mac)) return "claims our own MAC " + mac.to_string();
  return {};
}

std::string NeighbourTable::lie_in(const NeighbourClaim& claim) const {
  if (std::string lie = lie_in(claim.mac); !lie.empty()) return lie;
  if (claim.frame_source == claim.mac) return {};
  return "claims " + claim.mac.to_string() + " in a frame from " + claim.frame_source.to_string();
}

void NeighbourTable::schedule(Entry& entry, TimePoint due) {
  queue_.erase({entry.due, entry.status.address});
  entry.due = due;
  if (due != TimePoint::max()) queue_.emplace(due, entry.status.address);
}

void NeighbourTable::take_mac(Entry& entry, const MacAddress& mac) {
  entry.status.state =
      is_static(entry.status.kernel_state) ? NeighbourStatus::State::kStatic : NeighbourStatus::State::kResolved;
  entry.silent = false;
  entry.status.searching = false;
  if (entry.status.mac == mac) return;
  entry.status.mac = mac;
  entry.status.reason.clear();
  changed_.insert(entry.status.address);
}

void NeighbourTable::drop_mac(Entry& entry, std::string reason) {
  entry.status.state = NeighbourStatus::State::kUnresolved;
  if (!entry.status.mac && entry.status.reason == reason) return;
  entry.status.mac.reset();
  entry.status.reason = std::move(reason);
  changed_.insert(entry.status.address);
}

void NeighbourTable::confirm(Entry& entry, TimePoint now) {
  entry.status.last_answer = now;
  entry.unanswered = 0;
  if (!entry.awaiting) return;
  entry.awaiting = false;
  schedule(entry, std::max(now, entry.probe_time + period()));
}

void NeighbourTable::reject(Entry& entry, const MacAddress& mac, TimePoint now) {
  ++entry.status.rejected;
  entry.lie = mac;
  entry.lie_time = now;
  entry.awaiting = true;  // the next probe is a broadcast: whoever really has the address sets the kernel right
  schedule(entry, std::clamp(entry.due, now, now + kUnicastPatience));
}

void NeighbourTable::check_silence(Entry& entry, TimePoint now) {
  if (!entry.status.mac || !entry.awaiting) return;
  ++entry.unanswered;
  const auto heard = entry.status.last_answer.value_or(entry.probe_time);
  if (entry.unanswered < kSilentProbes || now - heard < kSilentAfter) return;
  entry.silent = true;
  drop_mac(entry, "no " + std::string(neighbour_protocol(entry.status.address.family()).name()) + " answer on " +
                      entry.status.path.name + " for " +
                      std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now - heard).count()) + " s");
}

NeighbourTable::Probe NeighbourTable::make_probe(Entry& entry, TimePoint now) {
  Probe probe{.address = entry.status.address, .interface = entry.status.path.interface, .at = {}};
  ++entry.status.probes;
  const bool unicast = entry.status.mac && !entry.awaiting && entry.kernel_knows;
  const auto patient = entry.status.mac ? period() : std::max<std::chrono::microseconds>(period(), kSilentPeriod);
  if (!entry.kernel_knows) {
    probe.ask_kernel = true;
    entry.kernel_knows = true;
  } else if (unicast) {
    probe.at = entry.status.mac;
  }
  entry.awaiting = true;
  entry.probe_time = now;
  schedule(entry, now + (unicast ? std::chrono::microseconds(kUnicastPatience) : patient));
  return probe;
}

}  // namespace lbdp::control
