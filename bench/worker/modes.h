// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "config/types/ip_address.h"

namespace lbdp::bench {

/// The command line.
struct Options {
  uint32_t flows = 1000;
  uint32_t connections = 0;  // 0: as many as flows
  unsigned workers = 1;
  double seconds = 2;
  double warm_up_s = -1;  // negative: what the mode needs
  Family family = Family::kIpv4;
  unsigned udp_timeout_s = 300;
  unsigned services = 1000;  // of mode publish
  unsigned servers = 10;     // a service
  unsigned publications = 30;
  unsigned persistence_s = 0;
  uint32_t clients = 65536;  // of mode new with persistence
  uint32_t cold = 0;         // frames between a frame's writing and its arrival; 0: warm
  bool verify = false;       // look at each frame that is sent, too
};

/// A mode: runs, checks the counters, and returns its line. Throws BenchError if the work was not done.
struct Mode {
  std::string_view name;
  std::string_view what;
  nlohmann::json (*run)(const Options&);
};
[[nodiscard]] std::span<const Mode> modes();

// Steady forwarding; modes_forwarding.cc
nlohmann::json run_mac(const Options& options);
nlohmann::json run_established(const Options& options);
nlohmann::json run_new(const Options& options);
nlohmann::json run_flood(const Options& options);
nlohmann::json run_memory(const Options& options);
// With control at work beside the workers; modes_control.cc
nlohmann::json run_publish(const Options& options);
nlohmann::json run_list(const Options& options);

}  // namespace lbdp::bench
