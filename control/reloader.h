// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/load.h"
#include "config/types/asio.h"

namespace lbdp::control {

/// Reads and validates the configuration file on a thread of its own: a file of 10,000 real servers takes longer than
/// the reactor may be held.
class Reloader {
 public:
  using OnLoaded = std::function<void(config::LoadResult)>;

  Reloader(asio::io_context& io, std::string file, config::LoadOptions options);
  ~Reloader();  // waits for a load under way
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  /// Calls `on_loaded` on the reactor. False: a load is under way already.
  bool load(OnLoaded on_loaded);

 private:
  asio::io_context& io_;
  std::string file_;
  config::LoadOptions options_;
  std::shared_ptr<bool> busy_ = std::make_shared<bool>(false);  // outlives this object in what is posted back
  asio::thread_pool pool_{1};
};

/// The findings as text, one a line.
std::string describe(const std::vector<config::Diagnostic>& diagnostics, config::Severity least);

}  // namespace lbdp::control
