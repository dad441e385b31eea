// SPDX-License-Identifier: BSD-2-Clause
#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <nlohmann/json.hpp>

#include "config/dump.h"
#include "config/load.h"
#include "config/report.h"
#include "control/director.h"
#include "control/log.h"
#include "control/options.h"
#include "control/translate.h"
#include "control/unsupported.h"
#include "dataplane/dataplane.h"

namespace lbdp::control {
namespace {

/// Each health check in flight takes a descriptor: the usual soft limit of 1,024 is for programs that use select().
void raise_descriptor_limit() {
  constexpr rlim_t kEnough = 1U << 20;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, kEnough));
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// SIGHUP would end a process that does not listen to it yet, and the file may be written anew after it was read: until
/// the director listens, it waits.
void hold_hangups(bool hold) {
  sigset_t hangup;
  sigemptyset(&hangup);
  sigaddset(&hangup, SIGHUP);
  ::pthread_sigmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &hangup, nullptr);
}

ExitCode run(const Options& options, const config::LoadResult& loaded) {
  const auto start_log = make_logger(options.log_level, options.log_format);
  for (const std::string& line : config::remark_lines(loaded, config::Remark::Kind::kNoEffect)) {
    start_log->info("No effect: {}", line);
  }
  raise_descriptor_limit();
  auto eal = dataplane::Eal::start(options.eal_arguments);
  if (!eal) {
    start_log->error("{}", eal.error().message);
    return ExitCode::kRuntimeFailure;
  }
  AsyncLog log(options.log_level, options.log_format);  // after EAL: its thread stays on the main lcore
  asio::io_context io(1);
  auto director = Director::start(io, options, *loaded.model, dataplane::Dataplane::start, log.logger());
  if (!director) {
    start_log->error("{}", director.error().message);
    return ExitCode::kRuntimeFailure;
  }
  hold_hangups(false);
  io.run();
  director->reset();
  return ExitCode::kOk;
}

ExitCode dump(const config::Model& model, DumpFormat format) {
  if (format == DumpFormat::kJson) {
    std::cout << config::dump_json(model).dump(2) << '\n';
  } else {
    std::cout << config::dump_text(model);
  }
  return std::cout.flush() ? ExitCode::kOk : ExitCode::kRuntimeFailure;
}

/// False: the file is right, but needs what is not built yet; said.
bool can_run(const std::string& file, const config::Model& model) {
  if (const auto supported = check_supported(model); !supported) {
    std::cerr << file << ": not started: " << supported.error().message << '\n';
    return false;
  }
  const auto reasons = unsupported_checks(model);
  for (const auto& reason : reasons) std::cerr << file << ": not usable: " << reason << '\n';
  return reasons.empty();
}

ExitCode load_and_run(const Options& options) {
  if (options.action == Options::Action::kRun) hold_hangups(true);
  const auto loaded =
      config::load_file(options.config_file, {.lenient = options.lenient, .config_id = options.config_id});
  if (loaded.ok()) {
    if (const auto fits = dataplane::Dataplane::check(outline(to_backend_inputs(*loaded.model))); !fits) {
      std::cerr << options.config_file << ": not usable: " << fits.error().message << '\n';
      return ExitCode::kBadConfiguration;
    }
  }
  if (options.action == Options::Action::kTestConfig) {
    config::report_check(std::cout, std::cerr, options.config_file, loaded, {.verbose = options.verbose});
    return loaded.ok() ? ExitCode::kOk : ExitCode::kBadConfiguration;
  }
  config::print_diagnostics(std::cerr, loaded, {.verbose = options.verbose});
  if (!loaded.ok()) return ExitCode::kBadConfiguration;
  if (options.action == Options::Action::kDumpConfig) return dump(*loaded.model, options.dump_format);
  return can_run(options.config_file, *loaded.model) ? run(options, loaded) : ExitCode::kBadConfiguration;
}

ExitCode guarded_main(std::span<const char* const> arguments) {
  const auto options = parse_options(arguments);
  if (!options) {
    std::cerr << options.error().message << '\n';
    return ExitCode::kUsage;
  }
  switch (options->action) {
    case Options::Action::kHelp: std::cout << help_text(); return ExitCode::kOk;
    case Options::Action::kVersion: std::cout << "lbdp " << LBDP_VERSION << '\n'; return ExitCode::kOk;
    default: return load_and_run(*options);
  }
}

}  // namespace
}  // namespace lbdp::control

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // whoever read our log may go: that ends no service
  try {
    const std::span<const char* const> arguments(argv, static_cast<size_t>(argc));
    return static_cast<int>(lbdp::control::guarded_main(arguments));
  } catch (const std::exception& error) {
    std::cerr << "lbdp: " << error.what() << '\n';
    return static_cast<int>(lbdp::control::ExitCode::kRuntimeFailure);
  }
}
