// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The part of the model that the checkers of a real server make.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "config/model_common.h"
#include "config/types/endpoint.h"

namespace lbdp::config {

/// What HTTP_GET and TCP_CHECK have in common; inherited virtual server -> real server -> checker, resolved by the
/// parser.
struct CheckTiming {
  Duration delay_loop = std::chrono::seconds(60);
  Duration connect_timeout = std::chrono::seconds(5);
  unsigned retry = 1;
  Duration delay_before_retry = std::chrono::seconds(1);
  Duration warmup = std::chrono::seconds(60);  // the first check comes after 1 s + random * warmup

  friend bool operator==(const CheckTiming&, const CheckTiming&) = default;
};

struct HttpUrl {
  struct StatusRange {
    uint16_t first = 200;
    uint16_t last = 299;
    friend bool operator==(const StatusRange&, const StatusRange&) = default;
  };
  std::string path = "/";
  std::vector<StatusRange> status_code;  // empty: 200-299
  std::string virtualhost;  // empty: the checker's, the real server's, the virtual server's; then the address

  friend bool operator==(const HttpUrl&, const HttpUrl&) = default;
};

struct HttpGet {
  CheckTiming timing;
  Endpoint connect;  // connect_ip and connect_port, by default the real server's
  std::vector<HttpUrl> urls;

  friend bool operator==(const HttpGet&, const HttpGet&) = default;
};

struct TcpCheck {
  CheckTiming timing;
  Endpoint connect;

  friend bool operator==(const TcpCheck&, const TcpCheck&) = default;
};

using Checker = std::variant<TcpCheck, HttpGet>;

}  // namespace lbdp::config
