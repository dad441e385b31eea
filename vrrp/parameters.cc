// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/parameters.h"

#include <algorithm>

namespace lbdp::vrrp {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Nothing, or what is wrong.
using Finding = std::string;

Finding check_interval(const InstanceParams& params) {
  const microseconds interval = params.advert_int;
  if (params.version == kVersion2) {
    const bool whole = interval % seconds(1) == microseconds(0);
    if (whole && interval >= seconds(1) && interval <= seconds(255)) return {};
    return "advert_int must be a whole number of seconds from 1 to 255 in VRRP version 2";
  }
  constexpr milliseconds kCentisecond(10);
  const bool whole = interval % kCentisecond == microseconds(0);
  if (whole && interval >= kCentisecond && interval <= milliseconds(40'950)) return {};
  return "advert_int must be from 0.01 to 40.95 s in steps of 0.01 in VRRP version 3";
}

Finding check_version(const InstanceParams& params) {
  if (params.version != kVersion2 && params.version != kVersion3) {
    return "version " + std::to_string(params.version) + ", must be 2 or 3";
  }
  if (params.version == kVersion2 && params.family() == Family::kIpv6) return "IPv6 needs VRRP version 3";
  if (params.version == kVersion3 && params.auth_pass) return "VRRP version 3 has no authentication";
  return {};
}

Finding check_addresses(const InstanceParams& params) {
  if (params.virtual_addresses.size() > kMaxAdvertisedAddresses) {
    return std::to_string(params.virtual_addresses.size()) + " virtual addresses, an advertisement holds 255";
  }
  const char* family = params.family() == Family::kIpv4 ? "IPv4" : "IPv6";
  const auto other = [&](const IpAddress& address) { return address.family() != params.family(); };
  const auto found = std::ranges::find_if(params.virtual_addresses, other, &IpPrefix::address);
  if (found != params.virtual_addresses.end()) {
    return found->address.to_string() + " is no " + family + " address, as the instance's others are";
  }
  const auto peer = std::ranges::find_if(params.unicast_peers, other, &UnicastPeer::address);
  if (peer != params.unicast_peers.end()) return "peer " + peer->address.to_string() + " is no " + family + " address";
  if (params.source && other(*params.source)) {
    return "source address " + params.source->to_string() + " is no " + family + " address";
  }
  return {};
}

Finding check_numbers(const InstanceParams& params) {
  if (params.interface.empty()) return "no interface";
  if (params.virtual_router_id == 0) return "virtual_router_id 0, must be from 1 to 255";
  if (params.priority == 0) return "priority 0, must be from 1 to 255";
  if (params.down_timer_adverts == 0) return "down_timer_adverts 0, must be from 1 to 100";
  if (!params.multicast_group.is_multicast()) return params.multicast_group.to_string() + " is not a multicast group";
  return {};
}

}  // namespace

std::vector<IpPrefix> InstanceParams::all_addresses() const {
  std::vector<IpPrefix> all = virtual_addresses;
  all.insert(all.end(), excluded_addresses.begin(), excluded_addresses.end());
  return all;
}

Result<void> validate(const InstanceParams& params) {
  for (const auto check : {check_numbers, check_version, check_interval, check_addresses}) {
    if (const Finding finding = check(params); !finding.empty()) {
      return fail("vrrp_instance " + params.name + ": " + finding);
    }
  }
  return {};
}

const char* to_string(State state) {
  switch (state) {
    case State::kInit: return "INIT";
    case State::kBackup: return "BACKUP";
    case State::kMaster: return "MASTER";
    case State::kFault: return "FAULT";
    case State::kStopped: return "STOPPED";
  }
  return "?";
}

}  // namespace lbdp::vrrp
