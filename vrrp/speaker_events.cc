// SPDX-License-Identifier: BSD-2-Clause
// What arrives from the interfaces and the timers, and what the instances want done.
#include <spdlog/logger.h>

#include "vrrp/speaker_impl.h"

namespace lbdp::vrrp {
namespace {

constexpr size_t kDatagramsBeforeTimeout = 4096;

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
  }
  return spdlog::level::info;
}

}  // namespace

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
  run_alone(runner, std::move(actions));
  follow(runner->instance.params().sync_group);
}

void Speaker::Impl::run_alone(const RunnerPtr& runner, Actions actions) {
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

}  // namespace lbdp::vrrp
