// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "config/types/endpoint.h"

namespace lbdp::checks {

using Duration = std::chrono::microseconds;

/// When a checker runs and how many failures it takes; keepalived's words.
struct Timing {
  Duration delay_loop = std::chrono::seconds(60);  // between checks that succeed
  Duration connect_timeout =
      std::chrono::seconds(5);  // total deadline of one probe here, from connect to the last byte needed
  unsigned retry = 1;           // failures after the first one before the verdict is "down"
  Duration delay_before_retry = std::chrono::seconds(1);
  Duration warmup = std::chrono::seconds(60);  // first check after 1 s + random * warmup

  friend bool operator==(const Timing&, const Timing&) = default;
};

struct HttpUrl {
  struct StatusRange {
    uint16_t first = 200;
    uint16_t last = 299;
    friend bool operator==(const StatusRange&, const StatusRange&) = default;
  };
  std::string path = "/";
  std::vector<StatusRange> status_code{{}};
  std::string host{};  // the Host header's value, complete

  friend bool operator==(const HttpUrl&, const HttpUrl&) = default;
};

struct HttpGetParams {
  Timing timing{};
  Endpoint connect{};
  std::vector<HttpUrl> urls{};

  friend bool operator==(const HttpGetParams&, const HttpGetParams&) = default;
};

struct TcpCheckParams {
  Timing timing{};
  Endpoint connect{};

  friend bool operator==(const TcpCheckParams&, const TcpCheckParams&) = default;
};

using CheckerParams = std::variant<TcpCheckParams, HttpGetParams>;

/// A real server to be checked: it is up while none of its checkers has failed.
struct TargetParams {
  RealServerKey key{};
  bool alpha = false;  // down until the first success
  std::vector<CheckerParams> checkers{};

  friend bool operator==(const TargetParams&, const TargetParams&) = default;
};

}  // namespace lbdp::checks
