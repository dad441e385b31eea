// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "checks/runner.h"
#include "config/load.h"
#include "config/types/asio.h"
#include "control/backend_set.h"
#include "control/control_socket.h"
#include "control/mail.h"
#include "control/neighbours.h"
#include "control/netlink.h"
#include "control/options.h"
#include "control/reloader.h"
#include "control/requests.h"
#include "control/table_publisher.h"
#include "control/vrrp_support.h"
#include "dataplane/dataplane.h"
#include "vrrp/speaker.h"

namespace lbdp::control {

/// The composition root: makes all parts of a running director on one reactor, wires them, and takes them down in
/// reverse.
class Director : public vrrp::Host {
 public:
  using MakeDataplane = std::function<Result<std::unique_ptr<dataplane::Dataplane>>(const dataplane::StartupParams&)>;

  /// Brings everything up: control socket, ports and taps, tables, VRRP, checks. On error all is undone. SIGHUP
  /// reloads; SIGTERM and SIGINT stop the reactor, and the destructor then stops the director in order: VRRP first.
  static Result<std::unique_ptr<Director>> start(asio::io_context& io, const Options& options,
                                                 const config::Model& model, const MakeDataplane& make_dataplane,
                                                 spdlog::logger& log);
  ~Director() override;
  Director(const Director&) = delete;
  Director& operator=(const Director&) = delete;

  // What the VRRP instances need from this host.
  Result<void> add_address(const std::string& interface, const IpPrefix& address) override;
  Result<void> remove_address(const std::string& interface, const IpPrefix& address) override;
  void on_transition(const vrrp::Transition& transition) override;
  void on_group_transition(const std::string& group, vrrp::State state) override;
  void on_priority_change(const std::string& instance, uint8_t priority) override;

 private:
  Director(asio::io_context& io, const Options& options, config::Model model, spdlog::logger& log);
  Result<void> open_control_socket(const std::string& path);
  Result<void> start_dataplane(const MakeDataplane& make_dataplane);
  Result<void> set_up_taps(const dataplane::StartupParams& startup);
  Result<void> start_neighbours();
  Result<void> start_services();
  void wait_for_signal();
  void collect_later();

  void run_dry();

  [[nodiscard]] Reloader::Job load_job() const;
  void reload(const Reloader::Reply& reply);
  void note_reload(const ReloadReport& report);
  Result<void> take(Candidate& candidate);
  Result<void> apply(Candidate& candidate);
  Result<void> add_addresses_of(const Candidate& candidate);
  void remove_addresses(const std::vector<vrrp::Speaker::HostAddress>& addresses);
  Result<void> publish(Candidate& candidate);
  void configure_few(Candidate& candidate);
  void configure_all(Candidate& candidate);
  void apply_checks(const Candidate& candidate);

  void on_verdict(const checks::Verdict& verdict);
  void on_neighbour(const NeighbourStatus& neighbour);
  void on_interface(const std::string& name);
  void look_at_dataplane();

  asio::io_context& io_;
  spdlog::logger& log_;
  const config::LoadOptions load_options_;
  std::shared_ptr<const config::Model> model_;  // in force
  ConfigStatus config_;
  BackendSet backends_;

  // In the order of their making: what stands below may use what stands above, and goes first.
  std::unique_ptr<ControlSocket> control_socket_;
  std::unique_ptr<dataplane::Dataplane> dataplane_;
  std::map<InterfaceIndex, dataplane::PortId> ports_;  // by their taps
  std::unique_ptr<Netlink> netlink_;
  std::unique_ptr<TablePublisher> publisher_;
  Mailer mailer_;
  std::unique_ptr<Neighbours> neighbours_;
  std::unique_ptr<NetlinkEvents> events_;
  std::unique_ptr<VrrpSupport> support_;
  std::unique_ptr<vrrp::Speaker> speaker_;
  std::unique_ptr<checks::Runner> runner_;
  std::unique_ptr<Reloader> reloader_;
  std::unique_ptr<Requests> requests_;
  asio::signal_set signals_;
  asio::steady_timer collect_timer_;
  asio::steady_timer health_timer_;
  bool stopping_ = false;
};

}  // namespace lbdp::control
