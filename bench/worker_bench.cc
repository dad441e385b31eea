// SPDX-License-Identifier: BSD-2-Clause
// lbdp_worker_bench [EAL options --] MODE [options]: drives the real worker over a net_null port in one process, and
// prints one JSON line. Exit: 0 measured, 1 not all of the work was done or it cannot be measured here, 2 usage.
#include <rte_eal.h>
#include <rte_errno.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "bench/worker/modes.h"
#include "bench/worker/rig.h"

namespace lbdp::bench {
namespace {

constexpr Mode kModes[] = {
    {"mac", "no worker: receive, rewrite both MAC addresses, transmit; the yardstick", run_mac},
    {"established", "packets of established flows, in random order", run_established},
    {"new", "a new flow on every packet, while old ones expire", run_new},
    {"flood", "established flows amid a flood of new ones, with the table full", run_flood},
    {"memory", "bytes of table a connection, at 60 % load", run_memory},
    {"publish", "publications beside a forwarding worker (two lcores)", run_publish},
    {"list", "reading all connections beside a forwarding worker (two lcores)", run_list},
};

/// EAL from construction to destruction, with nothing left behind in its runtime directory.
class Eal {
 public:
  explicit Eal(std::vector<std::string> options) {
    const bool huge = std::find(options.begin(), options.end(), "--no-huge") == options.end();
    std::vector<std::string> arguments{"lbdp_worker_bench",
                                       "--no-pci",
                                       "--no-telemetry",
                                       "--log-level=error",
                                       "--file-prefix=lbdp_worker_bench_" + std::to_string(getpid()),
                                       huge ? "--in-memory" : "--no-shconf"};
    std::move(options.begin(), options.end(), std::back_inserter(arguments));
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    if (rte_eal_init(static_cast<int>(arguments.size()), argv.data()) < 0)
      throw BenchError(std::string("EAL does not start: ") + rte_strerror(rte_errno));
  }
  ~Eal() {
    const std::string runtime_directory = rte_eal_get_runtime_dir();
    rte_eal_cleanup();
    std::error_code ignored;
    std::filesystem::remove_all(runtime_directory, ignored);
  }
  Eal(const Eal&) = delete;
  Eal& operator=(const Eal&) = delete;
};

/// What is before "--" is EAL's; without one, everything is ours.
std::pair<std::vector<std::string>, std::vector<std::string>> split(int argc, char** argv) {
  const std::vector<std::string> all(argv + 1, argv + argc);
  const auto dashes = std::find(all.begin(), all.end(), "--");
  if (dashes == all.end()) return {{}, all};
  return {{all.begin(), dashes}, {dashes + 1, all.end()}};
}

void add_options(CLI::App& app, Options& o) {
  app.add_option("--flows", o.flows, "established flows, over all workers")->check(CLI::Range(1U, kMaxFlows));
  app.add_option("--connections", o.connections, "of each worker's table, as in lb.conf (default: the flows)");
  app.add_option("--workers", o.workers, "lcores that forward")->check(CLI::Range(1U, 64U));
  app.add_option("--seconds", o.seconds, "of each measurement")->check(CLI::PositiveNumber);
  app.add_option("--warm-up", o.warm_up_s, "seconds before it")->check(CLI::NonNegativeNumber);
  app.add_flag_callback(
      "--ipv6", [&o] { o.family = Family::kIpv6; }, "IPv6 flows, in frames of 62 bytes");
  app.add_option("--udp-timeout", o.udp_timeout_s, "new: seconds that a connection lives")->check(CLI::Range(1U, 300U));
  app.add_option("--persistence", o.persistence_s, "new: the virtual server's persistence timeout, in seconds");
  app.add_option("--clients", o.clients, "new: clients that come again, with persistence")
      ->check(CLI::Range(1U, 1U << 24));
  app.add_option("--services", o.services, "publish: virtual servers")->check(CLI::Range(1U, 60000U));
  app.add_option("--servers", o.servers, "real servers a virtual server")->check(CLI::Range(2U, 60000U));
  app.add_option("--publications", o.publications, "publish: full ones; twice as many of one server")
      ->check(CLI::Range(1U, 10000U));
  app.add_option("--cold", o.cold, "frames between a frame's writing and its arrival, so that it is in no near cache")
      ->check(CLI::Range(0U, 1U << 20));
  app.add_flag("--verify", o.verify, "look at each frame that is sent (slow)");
}

// Not measured: what the worker does not do yet would look like a splendid rate.
int run(int argc, char** argv) {
  auto [eal_options, own] = split(argc, argv);
  CLI::App app("Drives lbdp's worker over a net_null port: lbdp_worker_bench [EAL options --] MODE [options]");
  Options options;
  add_options(app, options);
  const Mode* chosen = nullptr;
  app.require_subcommand(1);
  app.fallthrough();
  for (const Mode& mode : modes()) {
    app.add_subcommand(std::string(mode.name), std::string(mode.what))->callback([&chosen, &mode] { chosen = &mode; });
  }
  std::reverse(own.begin(), own.end());  // as CLI11 wants it
  try {
    app.parse(own);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const Eal eal(std::move(eal_options));
  std::cout << chosen->run(options).dump() << std::endl;
  return 0;
}

}  // namespace

std::span<const Mode> modes() {
  return kModes;
}

}  // namespace lbdp::bench

int main(int argc, char** argv) {
  try {
    return lbdp::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "lbdp_worker_bench: " << error.what() << std::endl;
    return 1;
  }
}
