// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/neighbour_protocol.h"
#include "control/netlink.h"

namespace lbdp::control {

/// Where a neighbour is on link, and what a frame to it needs.
struct LinkPath {
  InterfaceIndex interface {};  // where it is asked for: a port's tap, or a VLAN on top of one
  std::string name;
  InterfaceIndex port{};  // the tap
  uint16_t vlan = 0;      // 0: untagged
  uint16_t mtu = 1500;    // bytes of IP

  friend bool operator==(const LinkPath&, const LinkPath&) = default;
};

/// What is known about one neighbour: a row of `show neighbors`.
struct NeighbourStatus {
  enum class State : uint8_t { kUnresolved, kResolved, kStatic };
  using Clock = std::chrono::steady_clock;

  IpAddress address;
  State state = State::kUnresolved;
  std::optional<MacAddress> mac;
  LinkPath path;          // its name is empty: not known
  std::string reason;     // of kUnresolved
  bool searching = true;  // it was not resolved yet, and there is still hope: no news for a log
  KernelNeighbourState kernel_state = KernelNeighbourState::kNone;
  std::optional<Clock::time_point> last_answer;
  uint64_t probes = 0, answers = 0, rejected = 0;
};
std::string_view to_string(NeighbourStatus::State state);

/// Decides which MAC each real server has, and when to ask for it. The kernel's table is where a MAC comes from; the
/// table here adds what the kernel lacks: it asks every server a few times a second, so that a MAC that changes
/// silently is followed within a second; it refuses answers that cannot be true; and it declares a silent server
/// unresolved. No clock and no I/O: events in, probes out.
class NeighbourTable {
 public:
  using Clock = NeighbourStatus::Clock;
  using TimePoint = Clock::time_point;

  static constexpr auto kProbePeriod = std::chrono::milliseconds(300);
  static constexpr auto kProbeSpacing = std::chrono::microseconds(400);  // on average: 2,500 probes a second
  static constexpr auto kUnicastPatience = std::chrono::milliseconds(150);
  static constexpr auto kSilentPeriod = std::chrono::seconds(1);
  static constexpr auto kSilentAfter = std::chrono::seconds(5);
  static constexpr unsigned kSilentProbes = 8;

  struct Probe {
    IpAddress address;
    InterfaceIndex interface {};
    std::optional<MacAddress> at;  // asked there only; empty: everybody is asked
    bool ask_kernel = false;       // make the kernel look instead: it has no entry that an answer could update
  };

  /// Our own MACs; nobody else can have them.
  void set_own_macs(std::set<MacAddress> macs) { own_macs_ = std::move(macs); }
  /// Drops what is not in `addresses`, adds what is new.
  void set_addresses(const std::vector<IpAddress>& addresses, TimePoint now);
  /// The address is on link at an interface of ours. True if the interface is news: the kernel may have an entry
  /// already, and does not tell again; give it to on_kernel().
  bool set_on_link(const IpAddress& address, const LinkPath& path, TimePoint now);
  /// It is not, for a reason.
  void set_unreachable(const IpAddress& address, std::string reason);

  void on_kernel(const NeighbourEvent& event, TimePoint now);
  /// Somebody says who he is. Returns the reason if it is a lie about one of our neighbours.
  std::optional<std::string> on_claim(InterfaceIndex interface, const NeighbourClaim& claim, TimePoint now);

  /// Takes at most `limit` probes that are due.
  std::vector<Probe> take_due(TimePoint now, size_t limit);
  [[nodiscard]] std::optional<TimePoint> next_due() const;
  /// Takes the addresses whose MAC, path or reason has changed.
  std::vector<IpAddress> take_changed();

  [[nodiscard]] const NeighbourStatus* find(const IpAddress& address) const;
  [[nodiscard]] std::vector<NeighbourStatus> status() const;

 private:
  struct Entry {
    NeighbourStatus status;
    bool on_link = false;
    bool kernel_knows = false;  // and an answer updates its entry
    bool awaiting = false;      // a probe is out, without an answer
    bool silent = false;        // was declared unresolved: takes more than a stale entry of the kernel's to come back
    unsigned unanswered = 0;
    std::optional<MacAddress> kernel_mac;
    std::optional<MacAddress> lie;  // the kernel may believe this; we do not
    TimePoint lie_time;
    TimePoint probe_time;
    TimePoint due = TimePoint::max();
  };

  Entry* find_entry(const IpAddress& address);
  [[nodiscard]] std::chrono::microseconds period() const;
  [[nodiscard]] std::string lie_in(const NeighbourClaim& claim) const;
  [[nodiscard]] std::string lie_in(const MacAddress& mac) const;
  void schedule(Entry& entry, TimePoint due);
  void take_mac(Entry& entry, const MacAddress& mac);
  void drop_mac(Entry& entry, std::string reason);
  void confirm(Entry& entry, TimePoint now);
  void reject(Entry& entry, const MacAddress& mac, TimePoint now);
  void check_silence(Entry& entry, TimePoint now);
  Probe make_probe(Entry& entry, TimePoint now);

  std::set<MacAddress> own_macs_;
  std::map<IpAddress, Entry> entries_;
  std::set<std::pair<TimePoint, IpAddress>> queue_;
  std::set<IpAddress> changed_;
};

}  // namespace lbdp::control
