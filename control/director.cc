// SPDX-License-Identifier: BSD-2-Clause
#include "control/director.h"

#include <spdlog/spdlog.h>

#include <csignal>
#include <set>

#include "control/translate.h"
#include "control/unsupported.h"

namespace lbdp::control {
namespace {

constexpr auto kCollectPeriod = std::chrono::milliseconds(100);
// From the kernel through tap, ring and worker to the wire takes well under a millisecond; the last advertisements get
// more than that before the workers stop.
constexpr auto kLastFrames = std::chrono::milliseconds(50);

}  // namespace

Director::Director(asio::io_context& io, const Options& options, config::Model model, spdlog::logger& log)
    : io_(io),
      log_(log),
      model_(std::move(model)),
      mailer_(io, log),
      signals_(io, SIGHUP, SIGTERM, SIGINT),
      collect_timer_(io) {
  config_.file = options.config_file;
  config_.config_id = options.config_id;
  config_.started = config_.loaded = std::chrono::system_clock::now();
  reloader_ = std::make_unique<Reloader>(
      io, options.config_file, config::LoadOptions{.lenient = options.lenient, .config_id = options.config_id});
}

Result<std::unique_ptr<Director>> Director::start(asio::io_context& io, const Options& options,
                                                  const config::Model& model, const MakeDataplane& make_dataplane,
                                                  spdlog::logger& log) {
  std::unique_ptr<Director> director(new Director(io, options, model, log));
  const auto outcome = director->open_control_socket(options.control_socket)
                           .and_then([&] { return director->start_dataplane(make_dataplane); })
                           .and_then([&] { return director->start_neighbours(); })
                           .and_then([&] { return director->start_services(); });
  if (!outcome) return tl::unexpected(outcome.error());
  director->wait_for_signal();
  director->collect_later();
  log.info("lbdp {} is up: {} virtual servers, {} VRRP instances, control socket {}", LBDP_VERSION,
           model.virtual_servers.size(), model.vrrp_instances.size(), options.control_socket);
  return director;
}

Result<void> Director::open_control_socket(const std::string& path) {
  // First of all: it is also what keeps a second lbdp from starting on top of this one.
  auto socket = ControlSocket::open(
      io_, path,
      [this](const std::string& line, const ControlSocket::Reply& reply) {
        if (!stopping_) requests_->handle(line, reply);
      },
      Requests::too_long());
  if (!socket) return tl::unexpected(socket.error());
  control_socket_ = std::move(*socket);
  return {};
}

Result<void> Director::start_dataplane(const MakeDataplane& make_dataplane) {
  auto netlink = Netlink::open();
  if (!netlink) return tl::unexpected(netlink.error());
  netlink_ = std::move(*netlink);
  const auto startup = to_startup_params(model_);
  config_.timeouts = startup.timeouts;
  auto dataplane = make_dataplane(startup);
  if (!dataplane) return tl::unexpected(dataplane.error());
  dataplane_ = std::move(*dataplane);
  for (const auto& note : dataplane_->startup_notes()) log_.info("{}", note);
  publisher_ = std::make_unique<TablePublisher>(io_, backends_, *dataplane_, log_);
  return set_up_taps(startup);
}

Result<void> Director::set_up_taps(const dataplane::StartupParams& startup) {
  std::map<std::string, InterfaceIndex> taps;
  for (const auto& port : dataplane_->ports()) {
    const InterfaceIndex index{port.interface_index};
    ports_[index] = port.id;
    taps[port.interface] = index;
    log_.info("port {} ({}, {}) is {} here, MAC {}", static_cast<unsigned>(port.id), port.device, port.driver,
              port.interface, port.mac.to_string());
    if (auto up = netlink_->set_link_up(index); !up) return fail(port.interface + ": " + up.error().message);
  }
  for (const auto& [interface, address] : to_tap_addresses(model_, startup)) {
    const auto tap = taps.find(interface);
    if (tap == taps.end()) return fail(interface + ": no port has this tap, address " + address.to_string());
    if (auto added = netlink_->add_address(tap->second, address); !added) {
      return fail(interface + ": " + added.error().message);
    }
  }
  return {};
}

Result<void> Director::start_neighbours() {
  std::vector<InterfaceIndex> taps;
  for (const auto& [tap, port] : ports_) taps.push_back(tap);
  auto neighbours = Neighbours::open(
      io_, *netlink_, taps, [this](const NeighbourStatus& neighbour) { on_neighbour(neighbour); }, log_);
  if (!neighbours) return tl::unexpected(neighbours.error());
  neighbours_ = std::move(*neighbours);
  auto events =
      NetlinkEvents::open(io_, {.on_neighbour = [this](const NeighbourEvent& event) { neighbours_->on_kernel(event); },
                                .on_interface = [this](InterfaceIndex, const std::string& name) { on_interface(name); },
                                .on_route = [this] { neighbours_->routes_changed(); },
                                .on_resync = [this] { on_interface({}); }});
  if (!events) return tl::unexpected(events.error());
  events_ = std::move(*events);
  return {};
}

Result<void> Director::start_services() {
  speaker_ = std::make_unique<vrrp::Speaker>(io_, *this, log_);
  runner_ = std::make_unique<checks::Runner>(
      io_, [this](const checks::Verdict& verdict) { on_verdict(verdict); }, log_);
  requests_ = std::make_unique<Requests>(Requests::Sources{.config = config_,
                                                           .backends = backends_,
                                                           .dataplane = *dataplane_,
                                                           .vrrp = [this] { return speaker_->status(); },
                                                           .checks = [this] { return runner_->status(); },
                                                           .neighbours = [this] { return neighbours_->status(); }},
                                         [this](const ReloadReply& reply) { reload(reply); });
  return apply(model_);
}

// --- configuration

Result<void> Director::apply(const config::Model& model) {
  // What can refuse goes first, so that nothing has changed then: the dataplane is asked, and VRRP takes all or
  // nothing.
  if (auto supported = check_supported(model); !supported) return supported;
  auto inputs = to_backend_inputs(model);
  if (auto taken = dataplane::Dataplane::check(outline(inputs)); !taken) return taken;
  if (auto applied = speaker_->apply(to_vrrp_instances(model)); !applied) return applied;
  std::set<std::string> masters;
  for (const auto& instance : speaker_->status()) {
    if (instance.state == vrrp::State::kMaster) masters.insert(instance.params.name);
  }
  backends_.set_masters(masters);
  runner_->apply(to_check_targets(model));
  backends_.configure(std::move(inputs), [this](const RealServerKey& key) { return runner_->is_up(key); });
  neighbours_->set_addresses(backends_.addresses());
  mailer_.configure(to_mail_params(model));
  return publisher_->flush();
}

void Director::reload(const ReloadReply& reply) {
  const bool started = reloader_->load([this, reply](config::LoadResult loaded) {
    if (stopping_) return reply(fail("lbdp is stopping"));
    auto outcome = take_loaded(std::move(loaded));
    config_.last_reload = {.time = std::chrono::system_clock::now(),
                           .ok = outcome.has_value(),
                           .message = outcome ? *outcome : outcome.error().message};
    log_.log(outcome ? spdlog::level::info : spdlog::level::err, "{}", config_.last_reload->message);
    reply(std::move(outcome));
  });
  if (!started) reply(fail("a reload is under way"));
}

Result<std::string> Director::take_loaded(config::LoadResult loaded) {
  const std::string refused = config_.file + " not taken, nothing has changed: ";
  if (!loaded.ok()) return fail(refused + "\n" + describe(loaded.diagnostics, config::Severity::kError));
  if (const auto lacking = unsupported_checks(*loaded.model); !lacking.empty()) {
    std::string text = refused;
    for (const auto& reason : lacking) text += "\n" + reason;
    return fail(text);
  }
  const auto reasons = restart_reasons(model_, *loaded.model);
  if (!reasons.empty()) {
    std::string text = refused + "this needs a restart:";
    for (const auto& reason : reasons) text += " " + reason + ";";
    text.back() = '.';
    return fail(text);
  }
  if (auto applied = apply(*loaded.model); !applied) return fail(refused + applied.error().message);
  model_ = std::move(*loaded.model);
  config_.loaded = std::chrono::system_clock::now();
  ++config_.generation;
  std::string text = config_.file + " reloaded: " + std::to_string(model_.virtual_servers.size()) +
                     " virtual servers, " + std::to_string(model_.vrrp_instances.size()) + " VRRP instances";
  const std::string warnings = describe(loaded.diagnostics, config::Severity::kWarning);
  return warnings.empty() ? text : text + "\n" + warnings;
}

// --- what the parts report

void Director::on_verdict(const checks::Verdict& verdict) {
  const auto change = backends_.set_health(verdict.key, verdict.up, verdict.reason);
  if (change == HealthChange::kNone) return;
  log_.info("{} ({})", describe(change, verdict.key, backends_.service_name(verdict.key)), verdict.reason);
  publisher_->touch();
  if (backends_.wants_mail(verdict.key)) {
    mailer_.send(real_server_mail(router_id(model_), verdict.key, verdict.up, verdict.type, verdict.reason));
  }
}

void Director::on_neighbour(const NeighbourStatus& neighbour) {
  if (neighbour.mac) {
    log_.info("Real server {} is at {} on {}, MTU {}", neighbour.address.to_string(), neighbour.mac->to_string(),
              neighbour.path.name, neighbour.path.mtu);
  } else if (!neighbour.searching) {
    log_.warn("Real server {} is unresolved: {}", neighbour.address.to_string(), neighbour.reason);
  }
  const auto port = ports_.find(neighbour.path.port);
  backends_.set_location(neighbour.address, {.mac = neighbour.mac,
                                             .egress = port == ports_.end() ? dataplane::PortId{} : port->second,
                                             .vlan = neighbour.path.vlan,
                                             .mtu = neighbour.path.mtu,
                                             .interface = neighbour.path.name,
                                             .reason = neighbour.reason});
  publisher_->touch();
}

void Director::on_interface(const std::string& name) {
  neighbours_->routes_changed();
  if (!speaker_) return;
  if (!name.empty()) return speaker_->interface_changed(name);
  for (const auto& instance : model_.vrrp_instances) speaker_->interface_changed(instance.interface);
}

Result<void> Director::add_address(const std::string& interface, const IpPrefix& address) {
  const auto index = interface_index(interface);
  if (!index) return fail("there is no interface " + interface);
  return netlink_->add_address(*index, address);
}

Result<void> Director::remove_address(const std::string& interface, const IpPrefix& address) {
  const auto index = interface_index(interface);
  if (!index) return {};  // gone, and its addresses with it
  return netlink_->remove_address(*index, address);
}

// Notify scripts and FIFOs tell of these; the log has been told.
void Director::on_group_transition(const std::string& /*group*/, vrrp::State /*state*/) {}
void Director::on_priority_change(const std::string& /*instance*/, uint8_t /*priority*/) {}

void Director::on_transition(const vrrp::Transition& transition) {
  backends_.set_master(transition.instance, transition.to == vrrp::State::kMaster);
  publisher_->touch();
  if (wants_vrrp_mail(model_, transition.instance, transition.to)) {
    mailer_.send(vrrp_mail(router_id(model_), transition.instance, vrrp::to_string(transition.to)));
  }
}

// --- life

void Director::wait_for_signal() {
  signals_.async_wait([this](const boost::system::error_code& cancelled, int signal) {
    if (cancelled || stopping_) return;
    if (signal == SIGHUP) {
      reload([](const Result<std::string>&) {});
      return wait_for_signal();
    }
    log_.info("stopping: {} received", signal == SIGTERM ? "SIGTERM" : "SIGINT");
    io_.stop();
  });
}

void Director::collect_later() {
  collect_timer_.expires_after(kCollectPeriod);
  collect_timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled || stopping_) return;
    dataplane_->collect();
    requests_->tick(Rates::Clock::now());
    collect_later();
  });
}

void Director::run_dry() {
  io_.restart();
  io_.poll();
}

Director::~Director() {
  stopping_ = true;
  boost::system::error_code ignored;
  signals_.cancel(ignored);
  collect_timer_.cancel(ignored);
  // VRRP first, so that the other director takes over while this one tidies up.
  if (speaker_) {
    speaker_->stop();
    backends_.set_masters({});
    if (auto published = publisher_->flush(); !published) log_.error("{}", published.error().message);
    io_.restart();
    io_.run_for(kLastFrames);
  }
  control_socket_.reset();
  reloader_.reset();
  requests_.reset();
  runner_.reset();
  speaker_.reset();
  events_.reset();
  neighbours_.reset();
  publisher_.reset();
  run_dry();  // cancelled handlers end while what they refer to is still there
  const bool was_up = dataplane_ != nullptr;
  dataplane_.reset();
  if (was_up) log_.info("stopped");
}

}  // namespace lbdp::control
