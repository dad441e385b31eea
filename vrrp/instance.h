// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "vrrp/notice_limiter.h"
#include "vrrp/packet.h"
#include "vrrp/parameters.h"

namespace lbdp::vrrp {

using TimePoint = std::chrono::steady_clock::time_point;

/// What an instance knows about its interface.
struct LinkState {
  std::optional<IpAddress> address;  // the primary address, source of the advertisements; nothing: not usable
  std::string problem;               // why it is not usable: "interface eth0 is down"

  [[nodiscard]] bool usable() const { return address.has_value(); }
  friend bool operator==(const LinkState&, const LinkState&) = default;
};

/// What the trackers of an instance say, and whatever else decides whether it may be MASTER.
struct TrackingState {
  int weight = 0;                   // added to the priority
  std::vector<std::string> faults;  // why it must not be MASTER, one line each: "script chk_nginx failed"

  friend bool operator==(const TrackingState&, const TrackingState&) = default;
};

/// The actions that an instance asks for, to be done in the order given.
struct SendAdvertisement {
  uint8_t priority = 0;
};
struct AddAddresses {
  std::vector<IpPrefix> addresses;
};
struct RemoveAddresses {
  std::vector<IpPrefix> addresses;
};
/// `rounds` gratuitous ARPs or unsolicited neighbour advertisements for each address, round by round.
struct SendGarp {
  std::vector<IpAddress> addresses;
  unsigned rounds = 0;
};
/// Forget gratuitous ARPs that are still queued: the addresses are no longer ours.
struct CancelGarp {};
enum class LogLevel : uint8_t { kDebug, kInfo, kWarning };
struct LogLine {
  LogLevel level = LogLevel::kInfo;
  std::string text;
};
using Action =
    std::variant<SendAdvertisement, AddAddresses, RemoveAddresses, SendGarp, CancelGarp, LogLine, Transition>;
using Actions = std::vector<Action>;

/// One virtual router (RFC 3768 section 6, RFC 5798 section 6) as keepalived runs it: a pure state machine. Events and
/// the time go in, actions come out; deadline() says when to call expire(). No I/O, no clock of its own; not
/// thread-safe.
class Instance {
 public:
  explicit Instance(InstanceParams params);

  /// Leaves INIT. To be called once, first.
  [[nodiscard]] Actions start(const LinkState& link, TimePoint now);
  /// An advertisement for this instance that passed all checks.
  [[nodiscard]] Actions receive(const Advertisement& advertisement, TimePoint now);
  /// The time has come to `now`: does what is due. Harmless when nothing is.
  [[nodiscard]] Actions expire(TimePoint now);
  /// The interface came, went, or changed its address.
  [[nodiscard]] Actions set_link(const LinkState& link, TimePoint now);
  /// New parameters for the same virtual router. The state stays, and addresses are changed by their difference.
  [[nodiscard]] Actions reconfigure(InstanceParams params, TimePoint now);
  /// Trackers changed. The effective priority is clamped to 1..254, an owner's never changes; a fault is FAULT for an
  /// owner too.
  [[nodiscard]] Actions set_tracking(const TrackingState& tracking, TimePoint now);
  /// Its sync group says why it must not be MASTER; empty: it may.
  [[nodiscard]] Actions set_group_fault(const std::string& reason, TimePoint now);
  /// Its sync group goes where all its members go: BACKUP to MASTER, or MASTER to BACKUP.
  [[nodiscard]] Actions sync_to_master(const std::string& group, TimePoint now);
  [[nodiscard]] Actions sync_to_backup(const std::string& group, TimePoint now);
  /// Orderly end; no event is taken after it.
  [[nodiscard]] Actions stop(TimePoint now);

  /// When expire() wants to be called; nothing: not at all.
  [[nodiscard]] std::optional<TimePoint> deadline() const;

  [[nodiscard]] const InstanceParams& params() const { return params_; }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] uint8_t effective_priority() const { return priority_; }
  [[nodiscard]] const LinkState& link() const { return link_; }
  /// Why it is in FAULT or would be: the interface, then the trackers. Empty: for no reason of its own.
  [[nodiscard]] std::string own_problem() const;
  [[nodiscard]] const TrackingState& tracking() const { return tracking_; }
  /// All of these reasons, its sync group's too.
  [[nodiscard]] std::vector<std::string> problems() const;
  /// Member of a sync group: its down timer ran out, and it waits for the others.
  [[nodiscard]] bool wants_master() const { return wants_master_ || state_ == State::kMaster; }
  /// Who was last heard as master; ourselves while MASTER.
  [[nodiscard]] std::optional<IpAddress> master_address() const;
  [[nodiscard]] uint8_t master_priority() const;
  /// What decode() is to check received datagrams against.
  [[nodiscard]] const Expectation& expectation() const { return expectation_; }

 private:
  enum Notice : size_t {
    kLowerDiscarded,
    kLowerReceived,
    kOwnAddress,
    kPriorityZero,
    kOtherInterval,
    kOwnerIgnores,
    kNotices
  };

  void receive_as_backup(const Advertisement& advertisement, TimePoint now, Actions& out);
  void receive_as_master(const Advertisement& advertisement, TimePoint now, Actions& out);
  void defend(const Advertisement& advertisement, TimePoint now, Actions& out);
  void yield_to(const Advertisement& advertisement, TimePoint now, Actions& out);
  bool holds_back(TimePoint now, Actions& out);

  void become_master(std::string cause, TimePoint now, Actions& out);
  void become_backup(std::string cause, std::string_view log_suffix, TimePoint now, Actions& out);
  void become_fault(std::string_view log_suffix, Actions& out);
  template <class Change>
  [[nodiscard]] Actions change_usability(TimePoint now, Change change);
  [[nodiscard]] bool usable() const { return link_.usable() && tracking_.faults.empty() && group_fault_.empty(); }
  [[nodiscard]] uint8_t wanted_priority() const;
  void give_up_addresses(Actions& out);
  void enter(State state, std::string cause, Actions& out);

  void send_advertisement(TimePoint now, Actions& out);
  void send_at_once(TimePoint now, Actions& out);
  void learn_interval(const Advertisement& advertisement, TimePoint now, Actions& out);
  void announce_due(TimePoint now, Actions& out);
  void send_garp(std::vector<IpAddress> addresses, unsigned rounds, Actions& out);
  void send_garp_on_takeover(std::vector<IpAddress> addresses, TimePoint now, Actions& out);
  void change_addresses(const std::vector<IpPrefix>& before, TimePoint now, Actions& out);
  void change_interval(TimePoint now);
  void change_priority(uint8_t priority, Actions& out);
  void adopt(InstanceParams params);
  void warn_of_contradictions(Actions& out) const;
  void log(Actions& out, LogLevel level, std::string_view text) const;

  [[nodiscard]] std::chrono::microseconds skew() const;
  [[nodiscard]] std::chrono::microseconds down_interval() const;
  [[nodiscard]] std::string timeout_cause() const;

  InstanceParams params_;
  Expectation expectation_;
  State state_ = State::kInit;
  uint8_t priority_ = 0;
  LinkState link_;
  TrackingState tracking_;
  std::string group_fault_;
  bool wants_master_ = false;
  std::optional<IpAddress> heard_address_;  // of the last accepted or discarded advertisement
  uint8_t heard_priority_ = 0;
  std::chrono::microseconds master_interval_{
      0};                      // Master_Adver_Interval of RFC 5798 section 6.1; ours until one is heard
  bool preempting_ = false;    // the last advertisement was discarded, the down timer runs on
  std::string contradiction_;  // keywords of params_ that exclude each other, and which one lost

  std::optional<TimePoint> timer_;       // BACKUP: the master is down; MASTER: the next advertisement
  std::optional<TimePoint> garp_again_;  // the second set of gratuitous ARPs
  unsigned garp_again_rounds_ = 0;
  std::optional<TimePoint> garp_refresh_;  // the next refresh
  std::optional<TimePoint> preempt_at_;    // before it, a lower-priority master is left alone
  std::optional<TimePoint> last_sent_;     // advertisement
  std::optional<TimePoint> last_defence_;  // gratuitous ARPs against a lower-priority master
  NoticeLimiter<kNotices> notices_;
};

/// The addresses alone, without their prefix lengths.
[[nodiscard]] std::vector<IpAddress> addresses_of(const std::vector<IpPrefix>& prefixes);

}  // namespace lbdp::vrrp
