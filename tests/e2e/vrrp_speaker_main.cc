// SPDX-License-Identifier: BSD-2-Clause
// Test-only: vrrp::Speaker by itself on a plain kernel interface, with `ip addr` as its host. Lets VRRP meet keepalived
// without DPDK. Commands on standard input: "status" prints one JSON line, "reload PRIORITY ADDRESS..." changes the
// instance, "block MS" holds up the reactor, "stop" or the end of input ends it.
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "vrrp/speaker.h"

namespace {

using namespace lbdp;

/// Runs a program and waits; the reactor may stand still for that long in this test program.
int run(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    execvp(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class IpCommandHost : public vrrp::Host {
 public:
  Result<void> add_address(const std::string& interface, const IpPrefix& address) override {
    std::vector<std::string> command{"ip", "addr", "replace", address.to_string(), "dev", interface};
    if (!address.address.is_v4()) command.insert(command.end(), {"preferred_lft", "0", "nodad"});
    if (run(command) == 0) return {};
    return fail("ip addr replace failed");
  }
  Result<void> remove_address(const std::string& interface, const IpPrefix& address) override {
    // Exit code 2: it is not there.
    run({"sh", "-c", "exec 2>/dev/null; exec ip addr del " + address.to_string() + " dev " + interface});
    return {};
  }
  void on_transition(const vrrp::Transition&) override {}
  void on_group_transition(const std::string&, vrrp::State) override {}
  void on_priority_change(const std::string&, uint8_t) override {}
};

nlohmann::json to_json(const std::vector<vrrp::InstanceStatus>& instances) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& status : instances) {
    nlohmann::json counters;
    for (const auto& counter : status.counters) counters[std::string(counter.name)] = counter.count;
    list.push_back({{"name", status.params.name},
                    {"state", to_string(status.state)},
                    {"priority", status.effective_priority},
                    {"master_address", status.master_address ? status.master_address->to_string() : ""},
                    {"master_priority", status.master_priority},
                    {"became_master", status.became_master},
                    {"cause", status.last_cause},
                    {"counters", counters}});
  }
  return list;
}

/// The program's state, tied together on one reactor.
struct Program {
  asio::io_context io;
  IpCommandHost host;
  spdlog::logger log{"vrrp", std::make_shared<spdlog::sinks::stderr_sink_st>()};
  vrrp::Speaker speaker{io, host, log};
  std::vector<vrrp::InstanceParams> instances;
  asio::posix::stream_descriptor input{io, dup(STDIN_FILENO)};
  asio::streambuf line;
  asio::steady_timer look{io};
  asio::signal_set signals{io, SIGTERM, SIGINT};

  void end() {
    speaker.stop();
    io.stop();
  }

  void look_often() {
    for (const auto& instance : instances) speaker.interface_changed(instance.interface);
    look.expires_after(std::chrono::milliseconds(100));
    look.async_wait([this](boost::system::error_code) { look_often(); });
  }

  void reload(std::istringstream& words) {
    unsigned priority = 0;
    words >> priority;
    instances.front().priority = static_cast<uint8_t>(priority);
    instances.front().virtual_addresses.clear();
    for (std::string word; words >> word;) instances.front().virtual_addresses.push_back(IpPrefix::parse(word).value());
    const auto applied = speaker.apply(instances);
    std::cout << (applied ? "ok" : applied.error().message) << std::endl;
  }

  void obey(const std::string& text) {
    std::istringstream words(text);
    std::string command;
    words >> command;
    if (command == "status") std::cout << to_json(speaker.status()).dump() << std::endl;
    if (command == "reload") reload(words);
    if (command == "stop") end();
    if (command == "block") {
      unsigned ms = 0;
      words >> ms;
      std::this_thread::sleep_for(std::chrono::milliseconds(ms));
      std::cout << "ok" << std::endl;
    }
  }

  void read_commands() {
    asio::async_read_until(input, line, '\n', [this](boost::system::error_code error, size_t) {
      if (error) return end();
      std::istream stream(&line);
      std::string text;
      std::getline(stream, text);
      obey(text);
      read_commands();
    });
  }
};

/// The command line, before it becomes parameters.
struct Arguments {
  std::vector<std::string> addresses{"172.18.250.99"};
  std::vector<std::string> excluded;
  std::vector<std::string> peers;
  std::string group = "224.0.74.18";
  std::string password;
  std::string source;
  unsigned version = 2;
  unsigned priority = 100;
  double advert_int = 1;
  double preempt_delay = 0;
};

std::chrono::microseconds microseconds_of(double seconds) {
  return std::chrono::microseconds(std::llround(seconds * 1e6));
}

void read_addresses(const std::vector<std::string>& from, std::vector<IpPrefix>& to) {
  for (const std::string& address : from) to.push_back(IpPrefix::parse(address).value());
}

void fill(vrrp::InstanceParams& params, const Arguments& from) {
  params.version = static_cast<uint8_t>(from.version);
  params.priority = static_cast<uint8_t>(from.priority);
  params.advert_int = microseconds_of(from.advert_int);
  params.preempt_delay = microseconds_of(from.preempt_delay);
  params.multicast_group = IpAddress::parse(from.group).value();
  if (!from.password.empty()) params.auth_pass = from.password;
  if (!from.source.empty()) params.source = IpAddress::parse(from.source).value();
  for (const std::string& peer : from.peers) params.unicast_peers.push_back({IpAddress::parse(peer).value()});
  read_addresses(from.addresses, params.virtual_addresses);
  read_addresses(from.excluded, params.excluded_addresses);
}

void add_options(CLI::App& app, vrrp::InstanceParams& params, Arguments& arguments) {
  app.add_option("--interface", params.interface);
  app.add_option("--priority", arguments.priority);
  app.add_option("--version", arguments.version);
  app.add_option("--advert-int", arguments.advert_int);
  app.add_option("--address", arguments.addresses);
  app.add_option("--excluded", arguments.excluded);
  app.add_option("--group", arguments.group);
  app.add_option("--peer", arguments.peers);
  app.add_option("--source", arguments.source);
  app.add_option("--password", arguments.password);
  app.add_option("--preempt-delay", arguments.preempt_delay);
  app.add_flag("--check-unicast-src", params.check_unicast_src);
  app.add_flag("--checksum-as-v2", params.plain_checksum);
  app.add_flag("--nopreempt", params.nopreempt);
  app.add_flag("--master", params.initial_master);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"vrrp::Speaker alone, for tests"};
  vrrp::InstanceParams params;
  params.name = "VI_1";
  params.interface = "eth0";
  params.virtual_router_id = 150;
  Arguments given;
  add_options(app, params, given);
  CLI11_PARSE(app, argc, argv);
  fill(params, given);

  Program program;
  program.instances = {params};
  program.log.set_level(spdlog::level::debug);
  if (auto applied = program.speaker.apply(program.instances); !applied) {
    std::cerr << applied.error().message << "\n";
    return 1;
  }
  program.signals.async_wait([&](boost::system::error_code, int) { program.end(); });
  program.read_commands();
  program.look_often();
  program.io.run();
  return 0;
}
