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
      load_options_{.lenient = options.lenient, .config_id = options.config_id},
      model_(std::make_shared<const config::Model>(std::move(model))),
      mailer_(io, log),
      signals_(io, SIGHUP, SIGTERM, SIGINT),
      collect_timer_(io),
      health_timer_(io) {
  config_.file = options.config_file;
  config_.config_id = options.config_id;
  config_.started = config_.loaded = std::chrono::system_clock::now();
  reloader_ = std::make_unique<Reloader>(
      io, options.config_file, [this] { return load_job(); }, [this](Candidate& candidate) { return take(candidate); });
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
  const auto startup = to_startup_params(*model_);
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
  for (const auto& [interface, address] : to_tap_addresses(*model_, startup)) {
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
  support_ =
      std::make_unique<VrrpSupport>(io_, log_, [this](const std::string& instance, const vrrp::TrackingState& state) {
        if (speaker_) speaker_->set_tracking(instance, state);
      });
  speaker_ = std::make_unique<vrrp::Speaker>(io_, *this, log_);
  runner_ = std::make_unique<checks::Runner>(
      io_, [this](const checks::Verdict& verdict) { on_verdict(verdict); }, log_);
  requests_ = std::make_unique<Requests>(Requests::Sources{.config = config_,
                                                           .backends = backends_,
                                                           .dataplane = *dataplane_,
                                                           .vrrp = [this] { return speaker_->status(); },
                                                           .checks = [this] { return runner_->status(); },
                                                           .neighbours = [this] { return neighbours_->status(); }},
                                         [this](bool dry_run, const Reloader::Reply& reply) {
                                           dry_run ? reloader_->request(true, reply) : reload(reply);
                                         });
  config::LoadResult loaded;
  loaded.model = *model_;
  Candidate first = prepare(std::move(loaded), *model_);
  first.few.reset();  // compared with itself
  if (!first.refusal.empty()) return fail(first.refusal);
  if (auto applied = apply(first); !applied) return applied;
  look_at_dataplane();
  return {};
}

// --- configuration

/// Reads the file and prepares what it says; on the loader's thread.
Reloader::Job Director::load_job() const {
  return [file = config_.file, options = load_options_, running = model_] {
    return prepare(config::load_file(file, options), *running);
  };
}

void Director::reload(const Reloader::Reply& reply) {
  reloader_->request(false, [this, reply](const ReloadReport& report) {
    note_reload(report);
    reply(report);
  });
}

void Director::note_reload(const ReloadReport& report) {
  config_.last_reload = {.time = std::chrono::system_clock::now(), .ok = report.ok, .message = report.message};
  for (const auto& line : to_lines(report)) {
    log_.log(report.ok ? spdlog::level::info : spdlog::level::err, "{}", line);
  }
}

Result<void> Director::take(Candidate& candidate) {
  if (candidate.same) {
    model_ = candidate.model;  // its places in the file may be others
  } else if (auto applied = apply(candidate); !applied) {
    return applied;
  }
  config_.loaded = std::chrono::system_clock::now();
  ++config_.generation;
  return {};
}

/// All or nothing. First comes what can fail, and is undone if it does: addresses are given to the kernel, tables to
/// the workers. What is left, VRRP's instances and the checkers, takes anything that prepare() has let through.
Result<void> Director::apply(Candidate& candidate) {
  if (auto added = add_addresses_of(candidate); !added) return added;
  if (auto published = publish(candidate); !published) {
    remove_addresses(speaker_->additions(candidate.instances));
    return published;
  }
  model_ = candidate.model;
  mailer_.configure(std::move(candidate.mail));
  support_->configure(*model_);
  support_->look(true, dataplane_->workers(), dataplane_->ports());  // before an instance starts
  auto applied = speaker_->apply(candidate.instances);
  support_->configured();
  if (!applied) return applied;
  backends_.set_masters(speaker_->masters_among(candidate.instances));
  apply_checks(candidate);
  publisher_->touch();  // VRRP may have changed who owns what
  return {};
}

/// The addresses that a MASTER gets by this candidate; VRRP then finds them there.
Result<void> Director::add_addresses_of(const Candidate& candidate) {
  std::vector<vrrp::Speaker::HostAddress> done;
  for (const auto& [interface, address] : speaker_->additions(candidate.instances)) {
    if (auto added = add_address(interface, address); !added) {
      remove_addresses(done);
      return fail(interface + ": " + added.error().message);
    }
    done.emplace_back(interface, address);
  }
  return {};
}

void Director::remove_addresses(const std::vector<vrrp::Speaker::HostAddress>& addresses) {
  for (const auto& [interface, address] : addresses) {
    if (auto removed = remove_address(interface, address); !removed) log_.error("{}", removed.error().message);
  }
}

/// The candidate's tables, as VRRP and the checkers will have them when they have taken it.
Result<void> Director::publish(Candidate& candidate) {
  const auto masters = backends_.masters();
  backends_.set_masters(speaker_->masters_among(candidate.instances));
  candidate.few ? configure_few(candidate) : configure_all(candidate);
  auto published = publisher_->flush();
  if (published) return published;
  backends_.set_masters(masters);
  backends_.configure(to_backend_inputs(*model_), [this](const RealServerKey& key) { return runner_->is_up(key); });
  return published;
}

void Director::configure_few(Candidate& candidate) {
  for (const uint32_t place : candidate.few->targets) {
    const auto& target = candidate.targets[place];
    const bool up = runner_->is_up_with(target);
    if (up == runner_->is_up(target.key)) continue;
    (void)backends_.set_health(target.key, up,
                               up ? "what failed is not checked any more" : "waits for its first good check");
  }
  backends_.reconfigure(candidate.few->services, std::move(candidate.backends));
}

void Director::configure_all(Candidate& candidate) {
  std::map<RealServerKey, bool> up;
  for (const auto& target : candidate.targets) up.try_emplace(target.key, runner_->is_up_with(target));
  backends_.configure(std::move(candidate.backends), [&up](const RealServerKey& key) {
    const auto found = up.find(key);
    return found == up.end() || found->second;
  });
}

void Director::apply_checks(const Candidate& candidate) {
  if (!candidate.few) {
    runner_->apply(candidate.targets);
    neighbours_->set_addresses(backends_.addresses());
    return;
  }
  std::vector<const checks::TargetParams*> changed;
  for (const uint32_t place : candidate.few->targets) changed.push_back(&candidate.targets[place]);
  runner_->apply_to(changed);
}

// --- what the parts report

void Director::on_verdict(const checks::Verdict& verdict) {
  const auto change = backends_.set_health(verdict.key, verdict.up, verdict.reason);
  if (change == HealthChange::kNone) return;
  log_.info("{} ({})", describe(change, verdict.key, backends_.service_name(verdict.key)), verdict.reason);
  support_->real_server(verdict.key, verdict.up);
  publisher_->touch();
  if (backends_.wants_mail(verdict.key)) {
    mailer_.send(real_server_mail(router_id(*model_), verdict.key, verdict.up, verdict.type, verdict.reason));
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
  if (!name.empty()) {
    support_->interface_changed(name);
    return speaker_->interface_changed(name);
  }
  for (const auto& instance : model_->vrrp_instances) speaker_->interface_changed(instance.interface);
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

void Director::on_group_transition(const std::string& group, vrrp::State state) {
  support_->group_transition(group, state);
}

void Director::on_priority_change(const std::string& instance, uint8_t /*priority*/) {
  for (const auto& known : speaker_->status()) {
    if (known.params.name == instance) support_->priority_change(known);
  }
}

/// Again and again: a director that cannot forward must not be MASTER.
void Director::look_at_dataplane() {
  support_->look(true, dataplane_->workers(), dataplane_->ports());
  health_timer_.expires_after(support_->health_period());
  health_timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled && !stopping_) look_at_dataplane();
  });
}

void Director::on_transition(const vrrp::Transition& transition) {
  support_->transition(transition);
  backends_.set_master(transition.instance, transition.to == vrrp::State::kMaster);
  publisher_->touch();
  if (wants_vrrp_mail(*model_, transition.instance, transition.to)) {
    mailer_.send(vrrp_mail(router_id(*model_), transition.instance, vrrp::to_string(transition.to)));
  }
}

// --- life

void Director::wait_for_signal() {
  signals_.async_wait([this](const boost::system::error_code& cancelled, int signal) {
    if (cancelled || stopping_) return;
    if (signal == SIGHUP) {
      reload([](const ReloadReport&) {});
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
  health_timer_.cancel(ignored);
  reloader_->stop();
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
