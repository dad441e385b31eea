// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What the checkers of a real server say.

#include <string>
#include <vector>

#include "config/model_checks.h"
#include "config/spec_common.h"

namespace lbdp::config {

/// What virtual server, real server and checker can each set, the inner before the outer.
struct CheckDefaultsSpec {
  Setting<Duration> delay_loop;
  Setting<Duration> connect_timeout;
  Setting<unsigned> retry;
  Setting<Duration> delay_before_retry;
  Setting<Duration> warmup;
  Setting<bool> alpha;
  Setting<std::string> virtualhost;
};

struct UrlSpec {
  Place place;
  Setting<std::string> path;
  std::vector<HttpUrl::StatusRange> status_code;
  Setting<std::string> virtualhost;
};

struct CheckerSpec : CheckDefaultsSpec {
  enum class Type : uint8_t { kTcp, kHttp };
  Type type = Type::kTcp;
  Place place;
  Setting<IpAddress> connect_ip;
  Setting<uint16_t> connect_port;
  std::vector<UrlSpec> urls;
};

}  // namespace lbdp::config
