// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// Of speaker*.cc only: configuration and groups are in speaker.cc, what arrives and what is sent in speaker_events.cc.

#include <algorithm>
#include <compare>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "vrrp/counters.h"
#include "vrrp/instance.h"
#include "vrrp/link.h"
#include "vrrp/notice_limiter.h"
#include "vrrp/packet.h"
#include "vrrp/speaker.h"
#include "vrrp/sync_group.h"

namespace lbdp::vrrp {

using Clock = std::chrono::steady_clock;

/// What makes an instance the same one across a reload.
struct Key {
  std::string interface;
  uint8_t virtual_router_id = 0;
  Family family = Family::kIpv4;
  bool unicast = false;

  friend auto operator<=>(const Key&, const Key&) = default;
};

inline Key key_of(const InstanceParams& params) {
  return {params.interface, params.virtual_router_id, params.family(), params.unicast()};
}

/// An instance and what belongs to it alone.
struct Runner {
  Runner(asio::io_context& io, uint32_t its_id, const InstanceParams& params, std::shared_ptr<Link> its_link)
      : id(its_id), instance(params), link(std::move(its_link)), timer(io) {}

  enum Notice : size_t { kAddressList = kRejectReasons, kSendError, kHostError, kChecksumKind, kNotices };

  uint32_t id;  // owner of its announcements

  Instance instance;
  std::shared_ptr<Link> link;
  asio::steady_timer timer;
  std::optional<TimePoint> armed;
  uint16_t ip_id = 0;
  InstanceCounters counters;
  NoticeLimiter<kNotices> notices;
  std::chrono::system_clock::time_point last_transition;
  std::string last_cause;
  unsigned became_master = 0;
};

using RunnerPtr = std::shared_ptr<Runner>;

/// Ties instances, links and host together. Handlers hold weak pointers only: what is gone is not called.
struct Speaker::Impl : public std::enable_shared_from_this<Speaker::Impl>, public Link::Observer {
  Impl(asio::io_context& its_io, Host& its_host, spdlog::logger& its_log) : io(its_io), host(its_host), log(its_log) {}

  using Plan = std::vector<std::pair<RunnerPtr, Action>>;

  Result<void> apply(const std::vector<InstanceParams>& instances);
  void interface_changed(const std::string& interface);
  void stop();
  void set_tracking(const std::string& instance, const TrackingState& state);
  [[nodiscard]] std::vector<InstanceStatus> status() const;
  [[nodiscard]] std::vector<GroupStatus> group_status() const;

  void on_message(Link& link, const std::optional<Message>& message) override;
  void on_garp(Link& link, uint32_t owner, std::error_code error) override;

  void remove_missing(const std::vector<InstanceParams>& wanted);
  void reconfigure_present(const std::vector<InstanceParams>& wanted);
  void add_new(const std::vector<InstanceParams>& wanted);
  [[nodiscard]] RunnerPtr addressee(const Link& link, const Message& message) const;
  void take(const RunnerPtr& runner, const Advertisement& advertisement);
  [[nodiscard]] LinkState link_state(const Runner& runner) const;
  void refresh_link(Link& link);
  void refresh_links();
  void look_again();
  void regroup();
  void follow(const std::string& group);

  void run(const RunnerPtr& runner, Actions actions);
  void run_alone(const RunnerPtr& runner, Actions actions);
  void perform(const RunnerPtr& runner, Action& action);
  void perform_now(Runner& runner, const SendAdvertisement& send);
  void perform_now(Runner& runner, const AddAddresses& add);
  void perform_now(Runner& runner, const RemoveAddresses& remove);
  void perform_now(Runner& runner, const SendGarp& garp);
  void perform_now(Runner& runner, const CancelGarp& cancel);
  void perform_now(Runner& runner, const LogLine& line);
  void perform_now(Runner& runner, const Transition& transition);
  void arm(const RunnerPtr& runner);
  void on_timer(const RunnerPtr& runner);
  void notice_delay(Runner& runner);
  void reject(Runner& runner, const Rejection& rejection, const IpAddress& source);
  [[nodiscard]] std::error_code send_to(Runner& runner, const IpAddress& destination, uint8_t priority);
  void report(Runner& runner, Runner::Notice notice, const std::string& text);

  asio::io_context& io;
  Host& host;
  spdlog::logger& log;
  std::map<Key, RunnerPtr> runners;
  std::map<uint32_t, RunnerPtr> runners_by_id;
  uint32_t next_id = 0;
  std::map<std::string, std::shared_ptr<Link>> links;
  std::map<std::string, LinkCounters> link_counters;
  std::set<std::string> changed;  // interfaces to look at
  std::map<std::string, SyncGroup> groups;
  std::map<std::string, TrackingState> tracking;  // by instance
};

}  // namespace lbdp::vrrp
