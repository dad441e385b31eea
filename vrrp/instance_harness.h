// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <spdlog/fmt/fmt.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "vrrp/instance.h"

namespace lbdp::vrrp::testing {

using namespace std::chrono_literals;

inline IpAddress ip(const std::string& text) {
  return IpAddress::parse(text).value();
}

/// The reference set-up's instance: VRID 150, priority 100, PASS, one address.
inline InstanceParams reference_params(uint8_t priority = 100) {
  InstanceParams params;
  params.name = "VI_1";
  params.interface = "eth0";
  params.virtual_router_id = 150;
  params.priority = priority;
  params.auth_pass = "1111";
  params.multicast_group = ip("224.0.74.18");
  params.virtual_addresses = {IpPrefix::parse("172.18.250.99").value()};
  return params;
}

inline Advertisement advert(const std::string& source, uint8_t priority) {
  Advertisement advertisement;
  advertisement.source = ip(source);
  advertisement.virtual_router_id = 150;
  advertisement.priority = priority;
  advertisement.advert_int = 1s;
  advertisement.address_count = 1;
  return advertisement;
}

/// skew + 3 * advert_int of 1 s
inline std::chrono::microseconds down_interval(int priority) {
  return 3s + 1'000'000us * (256 - priority) / 256;
}

/// Drives one instance on virtual time. Actions become lines of text ("advert 100", "add 172.18.250.99/32",
/// "garp 5 x 172.18.250.99", "BACKUP -> MASTER"); log lines go to a list of their own.
class Harness {
 public:
  explicit Harness(InstanceParams params = reference_params()) : instance(std::move(params)) {}

  static LinkState up(const std::string& address = "172.18.250.75") { return {ip(address), {}}; }
  static LinkState down() { return {{}, "interface eth0 is down"}; }

  void start(const LinkState& link = up()) { note(instance.start(link, now)); }
  void receive(const std::string& source, uint8_t priority) { note(instance.receive(advert(source, priority), now)); }
  void set_link(const LinkState& link) { note(instance.set_link(link, now)); }
  void reconfigure(const InstanceParams& params) { note(instance.reconfigure(params, now)); }
  void set_tracking(int weight, std::vector<std::string> faults = {}) {
    note(instance.set_tracking({weight, std::move(faults)}, now));
  }
  void stop() { note(instance.stop(now)); }

  /// Lets time pass, and the instance do at each of its deadlines what it wants to do.
  void advance(std::chrono::microseconds by) {
    const TimePoint end = now + by;
    while (const auto deadline = instance.deadline()) {
      if (*deadline > end) break;
      now = std::max(now, *deadline);
      note(instance.expire(now));
    }
    now = end;
  }
  /// A stall: time passes, and nobody calls the instance until its end.
  void stall(std::chrono::microseconds by) { now += by; }
  void expire() { note(instance.expire(now)); }

  void start_as_backup() {
    start();
    forget();
  }
  /// Started, alone, MASTER, and its second gratuitous ARPs done.
  void start_as_master() {
    start();
    advance(4s + 6s);
    forget();
  }
  void forget() {
    actions.clear();
    logs.clear();
    transitions.clear();
  }
  [[nodiscard]] size_t count(const std::string& action) const {
    return static_cast<size_t>(std::count(actions.begin(), actions.end(), action));
  }
  /// Time until the timer of the state runs out.
  [[nodiscard]] std::chrono::microseconds remaining() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(instance.deadline().value() - now);
  }

  Instance instance;
  TimePoint now = TimePoint{} + 1000s;
  std::vector<std::string> actions;
  std::vector<std::string> logs;
  std::vector<Transition> transitions;

 private:
  void note(const Actions& done) {
    for (const Action& action : done) std::visit([this](const auto& what) { write(what); }, action);
  }
  void write(const SendAdvertisement& send) { actions.push_back(fmt::format("advert {}", send.priority)); }
  void write(const AddAddresses& add) {
    for (const auto& address : add.addresses) actions.push_back("add " + address.to_string());
  }
  void write(const RemoveAddresses& remove) {
    for (const auto& address : remove.addresses) actions.push_back("remove " + address.to_string());
  }
  void write(const SendGarp& garp) {
    for (const auto& address : garp.addresses) {
      actions.push_back(fmt::format("garp {} x {}", garp.rounds, address.to_string()));
    }
  }
  void write(const CancelGarp&) { actions.push_back("cancel garp"); }
  void write(const LogLine& line) {
    if (line.level != LogLevel::kDebug) logs.push_back(line.text);
  }
  void write(const Transition& transition) {
    actions.push_back(fmt::format("{} -> {}", to_string(transition.from), to_string(transition.to)));
    transitions.push_back(transition);
  }
};

}  // namespace lbdp::vrrp::testing
