// SPDX-License-Identifier: BSD-2-Clause
#include "control/reloader.h"

#include <sys/resource.h>
#include <unistd.h>

#include <memory>
#include <utility>

namespace lbdp::control {
namespace {

config::LoadResult load_gently(const std::string& file, const config::LoadOptions& options) {
  // This thread shares the reactor's core: the reactor goes first. (For Linux a thread has a nice value of its own.)
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 10);
  return config::load_file(file, options);
}

}  // namespace

Reloader::Reloader(asio::io_context& io, std::string file, config::LoadOptions options)
    : io_(io), file_(std::move(file)), options_(std::move(options)) {}

Reloader::~Reloader() {
  pool_.join();
}

bool Reloader::load(OnLoaded on_loaded) {
  if (std::exchange(*busy_, true)) return false;
  asio::post(pool_, [file = file_, options = options_, &io = io_, busy = busy_, done = std::move(on_loaded)]() mutable {
    auto loaded = std::make_shared<config::LoadResult>(load_gently(file, options));
    asio::post(io, [busy, done = std::move(done), loaded] {
      *busy = false;
      done(std::move(*loaded));
    });
  });
  return true;
}

std::string describe(const std::vector<config::Diagnostic>& diagnostics, config::Severity least) {
  std::string out;
  for (const auto& diagnostic : diagnostics) {
    if (diagnostic.severity > least) continue;  // kError is the lowest value
    if (!out.empty()) out += "\n";
    out += diagnostic.to_string();
  }
  return out;
}

}  // namespace lbdp::control
