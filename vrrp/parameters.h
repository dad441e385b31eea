// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/types/ip_address.h"
#include "config/types/result.h"
#include "vrrp/packet.h"

namespace lbdp::vrrp {

/// How the addresses of an instance are announced: gratuitous ARP for IPv4, unsolicited neighbour advertisements for
/// IPv6. The keywords are keepalived's.
struct Announcements {
  unsigned master_repeat = 5;                             // rounds on becoming MASTER
  std::chrono::microseconds master_delay{5'000'000};      // then a second set; 0: none
  std::chrono::microseconds refresh{0};                   // while MASTER, again and again; 0: never
  unsigned refresh_repeat = 1;                            // rounds of each refresh
  unsigned lower_prio_repeat = 5;                         // rounds against a master of lower priority
  std::chrono::microseconds lower_prio_delay{5'000'000};  // then a second set; 0: none
  std::chrono::microseconds garp_interval{0};             // between two ARP frames; 0: the queue's own pace
  std::chrono::microseconds gna_interval{0};              // the same between neighbour advertisements

  friend bool operator==(const Announcements&, const Announcements&) = default;
};

/// One VRRP instance's configuration, as vrrp takes it.
struct InstanceParams {
  std::string name;
  std::string interface;
  uint8_t version = kVersion2;  // RFC 3768, or 3: RFC 5798; always 3 for IPv6
  uint8_t virtual_router_id = 0;
  uint8_t priority = 100;                           // 255: owner of the addresses
  bool initial_master = false;                      // `state MASTER`: matters only with priority 255
  std::chrono::microseconds advert_int{1'000'000};  // v2: whole seconds; v3: centiseconds, at most 40.95 s
  std::optional<std::string> auth_pass;             // v2: RFC 2338 simple text password; at most 8 bytes
  IpAddress multicast_group;                        // its family is the instance's
  std::vector<UnicastPeer> unicast_peers;           // any: unicast to these instead of the group
  uint8_t unicast_ttl = kVrrpTtl;
  bool check_unicast_src = false;
  std::optional<IpAddress> source;           // mcast_src_ip, unicast_src_ip; nothing: the interface's primary address
  bool plain_checksum = false;               // v3 over IPv4: v3_checksum_as_v2
  std::vector<IpPrefix> virtual_addresses;   // of the instance's family, in the advertisements
  std::vector<IpPrefix> excluded_addresses;  // of either family, not in the advertisements
  bool nopreempt = false;
  std::chrono::microseconds preempt_delay{0};
  unsigned down_timer_adverts = 3;
  Announcements announcements;
  bool lower_prio_no_advert = false;     // do not answer a master of lower priority with an advertisement
  bool higher_prio_send_advert = false;  // a last advertisement before yielding to a higher priority
  std::string sync_group;                // empty: none
  bool owner_ignore_adverts = false;     // priority 255: never yields

  [[nodiscard]] Family family() const { return multicast_group.family(); }
  [[nodiscard]] bool unicast() const { return !unicast_peers.empty(); }
  /// Virtual and excluded addresses, in this order.
  [[nodiscard]] std::vector<IpPrefix> all_addresses() const;

  friend bool operator==(const InstanceParams&, const InstanceParams&) = default;
};

/// What the protocol does not allow, with the instance's name, the value and what is wanted.
[[nodiscard]] Result<void> validate(const InstanceParams& params);

enum class State : uint8_t { kInit, kBackup, kMaster, kFault, kStopped };
[[nodiscard]] const char* to_string(State state);  // "MASTER"

/// Tells control what an instance did. `cause` is one line of text ("master down timer expired").
struct Transition {
  std::string instance;
  State from = State::kInit;
  State to = State::kInit;
  uint8_t priority = 0;
  std::string cause;
};

}  // namespace lbdp::vrrp
