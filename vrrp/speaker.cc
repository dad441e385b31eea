// SPDX-License-Identifier: BSD-2-Clause
#include "vrrp/speaker.h"

#include <spdlog/logger.h>

#include <algorithm>
#include <compare>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "vrrp/counters.h"
#include "vrrp/instance.h"
#include "vrrp/link.h"
#include "vrrp/notice_limiter.h"
#include "vrrp/packet.h"

namespace lbdp::vrrp {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kDatagramsBeforeTimeout = 4096;

/// What makes an instance the same one across a reload.
struct Key {
  std::string interface;
  uint8_t virtual_router_id = 0;
  Family family = Family::kIpv4;
  bool unicast = false;

  friend auto operator<=>(const Key&, const Key&) = default;
};

Key key_of(const InstanceParams& params) {
  return {params.interface, params.virtual_router_id, params.family(), params.unicast()};
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
  }
  return spdlog::level::info;
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

/// Ties instances, links and host together. Handlers hold weak pointers only: what is gone is not called.
struct Speaker::Impl : public std::enable_shared_from_this<Speaker::Impl>, public Link::Observer {
  Impl(asio::io_context& its_io, Host& its_host, spdlog::logger& its_log) : io(its_io), host(its_host), log(its_log) {}

  using Plan = std::vector<std::pair<RunnerPtr, Action>>;

  Result<void> apply(const std::vector<InstanceParams>& instances);
  void interface_changed(const std::string& interface);
  void stop();
  [[nodiscard]] std::vector<InstanceStatus> status() const;

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

  void run(const RunnerPtr& runner, Actions actions);
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
};

// --- configuration

Result<void> Speaker::Impl::apply(const std::vector<InstanceParams>& instances) {
  std::set<Key> seen;
  for (const InstanceParams& params : instances) {
    if (auto valid = validate(params); !valid) return valid;
    if (!seen.insert(key_of(params)).second) {
      return fail("vrrp_instance " + params.name + ": virtual_router_id " + std::to_string(params.virtual_router_id) +
                  " is already used on interface " + params.interface + " for the same address family");
    }
  }
  remove_missing(instances);
  reconfigure_present(instances);
  add_new(instances);
  refresh_links();
  return {};
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
  Link::Groups groups;
  std::vector<RunnerPtr> users;
  for (const auto& [key, runner] : runners) {
    if (key.interface != link.name()) continue;
    const InstanceParams& params = runner->instance.params();
    auto& joined = groups[params.family()];
    if (!params.unicast()) joined.insert(params.multicast_group);
    users.push_back(runner);
  }
  link.refresh(groups);
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

// --- what arrives

/// Whose message this is. One for the other mode (unicast, multicast) goes to the instance too: it says what is wrong.
RunnerPtr Speaker::Impl::addressee(const Link& link, const Message& message) const {
  const auto virtual_router_id = peek_virtual_router_id(message.bytes);
  if (!virtual_router_id) return nullptr;
  const bool unicast = !message.destination.is_multicast();
  for (const bool mode : {unicast, !unicast}) {
    const auto found = runners.find(Key{link.name(), *virtual_router_id, message.source.family(), mode});
    if (found != runners.end()) return found->second;
  }
  return nullptr;
}

void Speaker::Impl::on_message(Link& link, const std::optional<Message>& message) {
  if (!message || !peek_virtual_router_id(message->bytes)) {
    ++link_counters[link.name()].unreadable;
    return;
  }
  const RunnerPtr runner = addressee(link, *message);
  if (!runner) {
    ++link_counters[link.name()].other_virtual_router;
    return;
  }
  const auto advertisement = decode(*message, runner->instance.expectation());
  if (!advertisement) return reject(*runner, advertisement.error(), message->source);
  take(runner, *advertisement);
}

void Speaker::Impl::take(const RunnerPtr& runner, const Advertisement& advertisement) {
  const InstanceParams& params = runner->instance.params();
  const std::string from = advertisement.source.to_string();
  ++runner->counters.rx_advertisements;
  if (advertisement.priority == kPriorityStop) ++runner->counters.rx_priority_zero;
  if (!advertisement.addresses_match) {
    ++runner->counters.address_list_mismatch;
    report(*runner, Runner::kAddressList,
           "the " + std::to_string(advertisement.address_count) + " addresses in the advert from " + from +
               " are not our " + std::to_string(params.virtual_addresses.size()) + " virtual addresses");
  }
  if (params.version == kVersion3 && params.family() == Family::kIpv4 &&
      advertisement.plain_checksum != params.plain_checksum) {
    ++runner->counters.other_checksum;
    report(*runner, Runner::kChecksumKind,
           "the checksum in the advert from " + from + (advertisement.plain_checksum ? " leaves out" : " covers") +
               " the pseudo-header, ours does not do so; accepted (see v3_checksum_as_v2)");
  }
  notice_delay(*runner);
  run(runner, runner->instance.receive(advertisement, Clock::now()));
}

void Speaker::Impl::reject(Runner& runner, const Rejection& rejection, const IpAddress& source) {
  const auto reason = static_cast<size_t>(rejection.reason);
  ++runner.counters.rejected.at(reason);
  report(runner, static_cast<Runner::Notice>(reason),
         rejection.detail + " - advert from " + source.to_string() + " dropped (" +
             std::string(to_string(rejection.reason)) + ")");
}

/// A warning, once per state.
void Speaker::Impl::report(Runner& runner, Runner::Notice notice, const std::string& text) {
  if (!runner.notices.news(notice, Clock::now())) return;
  log.warn("({}) {}", runner.instance.params().name, text);
}

void Speaker::Impl::on_garp(Link& /*link*/, uint32_t owner, std::error_code error) {
  const auto found = runners_by_id.find(owner);
  if (found == runners_by_id.end()) return;
  Runner& runner = *found->second;
  ++(error ? runner.counters.tx_garp_errors : runner.counters.tx_garp);
  if (error) report(runner, Runner::kSendError, "send gratuitous ARP error: " + error.message());
}

// --- timers

void Speaker::Impl::arm(const RunnerPtr& runner) {
  const auto deadline = runner->instance.deadline();
  if (deadline == runner->armed) return;
  runner->armed = deadline;
  if (!deadline) {
    runner->timer.cancel();
    return;
  }
  runner->timer.expires_at(*deadline);
  runner->timer.async_wait(
      [weak = weak_from_this(), weak_runner = std::weak_ptr(runner)](boost::system::error_code error) {
        const auto self = weak.lock();
        const auto its_runner = weak_runner.lock();
        if (!error && self && its_runner) self->on_timer(its_runner);
      });
}

/// Says so if our own reactor was too late for a deadline of this instance: the cause of many a false failover.
void Speaker::Impl::notice_delay(Runner& runner) {
  const TimePoint now = Clock::now();
  if (!runner.armed || now - *runner.armed <= runner.instance.params().advert_int) return;
  ++runner.counters.late_timers;
  log.warn("({}) our own timer came {} ms late: something held up the control thread", runner.instance.params().name,
           std::chrono::duration_cast<std::chrono::milliseconds>(now - *runner.armed).count());
  runner.armed.reset();  // noticed once; it is armed again after this event
}

void Speaker::Impl::on_timer(const RunnerPtr& runner) {
  notice_delay(*runner);
  runner->armed.reset();
  // If we are late, the master's advertisements wait in the socket. They were in time: take them first.
  const std::shared_ptr<Link> link = runner->link;
  link->drain(kDatagramsBeforeTimeout);
  run(runner, runner->instance.expire(Clock::now()));
}

// --- actions

void Speaker::Impl::run(const RunnerPtr& runner, Actions actions) {
  for (Action& action : actions) perform(runner, action);
  arm(runner);
}

void Speaker::Impl::perform(const RunnerPtr& runner, Action& action) {
  std::visit([&](auto& what) { perform_now(*runner, what); }, action);
}

std::error_code Speaker::Impl::send_to(Runner& runner, const IpAddress& destination, uint8_t priority) {
  const InstanceParams& params = runner.instance.params();
  ++runner.ip_id;
  if (runner.ip_id == 0) ++runner.ip_id;  // 0 would make the kernel choose one
  // Without an address (the interface is going down) the kernel may still find one.
  const IpAddress unspecified =
      params.family() == Family::kIpv4 ? IpAddress{} : IpAddress::v6(std::array<uint8_t, 16>{});
  return runner.link->send({.version = params.version,
                            .source = runner.instance.link().address.value_or(unspecified),
                            .destination = destination,
                            .ttl = params.unicast() ? params.unicast_ttl : kVrrpTtl,
                            .ip_id = runner.ip_id,
                            .virtual_router_id = params.virtual_router_id,
                            .priority = priority,
                            .advert_int = params.advert_int,
                            .auth_pass = params.auth_pass,
                            .plain_checksum = params.plain_checksum,
                            .addresses = runner.instance.expectation().addresses});
}

void Speaker::Impl::perform_now(Runner& runner, const SendAdvertisement& send) {
  const InstanceParams& params = runner.instance.params();
  std::vector<IpAddress> destinations;
  for (const UnicastPeer& peer : params.unicast_peers) destinations.push_back(peer.address);
  if (destinations.empty()) destinations.push_back(params.multicast_group);
  for (const IpAddress& destination : destinations) {
    if (const auto error = send_to(runner, destination, send.priority)) {
      ++runner.counters.tx_errors;
      report(runner, Runner::kSendError,
             "send advert error " + std::to_string(error.value()) + " (" + error.message() + ")");
      continue;
    }
    ++runner.counters.tx_advertisements;
    if (send.priority == kPriorityStop) ++runner.counters.tx_priority_zero;
  }
}

void Speaker::Impl::perform_now(Runner& runner, const AddAddresses& add) {
  const std::string& interface = runner.instance.params().interface;
  for (const IpPrefix& address : add.addresses) {
    if (auto added = host.add_address(interface, address); !added) {
      log.error("({}) cannot add {} to {}: {}", runner.instance.params().name, address.to_string(), interface,
                added.error().message);
    }
  }
}

void Speaker::Impl::perform_now(Runner& runner, const RemoveAddresses& remove) {
  const std::string& interface = runner.instance.params().interface;
  for (const IpPrefix& address : remove.addresses) {
    if (auto removed = host.remove_address(interface, address); !removed) {
      log.error("({}) cannot remove {} from {}: {}", runner.instance.params().name, address.to_string(), interface,
                removed.error().message);
    }
  }
}

void Speaker::Impl::perform_now(Runner& runner, const SendGarp& garp) {
  const InstanceParams& params = runner.instance.params();
  std::map<Family, std::vector<IpAddress>> by_family;
  for (const IpAddress& address : garp.addresses) by_family[address.family()].push_back(address);
  for (const auto& [family, addresses] : by_family) {
    const bool arp = family == Family::kIpv4;
    log.info("({}) Sending/queueing {} on {} for {}", params.name,
             arp ? "gratuitous ARPs" : "Unsolicited Neighbour Adverts", params.interface,
             addresses.size() == 1 ? addresses.front().to_string() : std::to_string(addresses.size()) + " addresses");
    runner.link->queue_garp(runner.id, addresses, garp.rounds,
                            arp ? params.announcements.garp_interval : params.announcements.gna_interval);
  }
}

void Speaker::Impl::perform_now(Runner& runner, const CancelGarp& /*cancel*/) {
  runner.link->cancel_garp(runner.id);
}

void Speaker::Impl::perform_now(Runner& /*runner*/, const LogLine& line) {
  log.log(to_spdlog(line.level), "{}", line.text);
}

void Speaker::Impl::perform_now(Runner& runner, const Transition& transition) {
  runner.last_transition = std::chrono::system_clock::now();
  runner.last_cause = transition.cause;
  runner.notices.reset();
  if (transition.to == State::kMaster) ++runner.became_master;
  log.info("({}) {} -> {}: {}", transition.instance, to_string(transition.from), to_string(transition.to),
           transition.cause);
  host.on_transition(transition);
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
         .counters = to_list(runner->counters, shared != link_counters.end() ? shared->second : LinkCounters{})});
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
void Speaker::interface_changed(const std::string& interface) {
  impl_->interface_changed(interface);
}
void Speaker::stop() {
  impl_->stop();
}
std::vector<InstanceStatus> Speaker::status() const {
  return impl_->status();
}

}  // namespace lbdp::vrrp
