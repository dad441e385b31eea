// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <memory>

#include "checks/probe.h"

namespace lbdp::checks {

/// TCP_CHECK: success when connect() completes within connect_timeout; the connection is closed at once.
[[nodiscard]] std::unique_ptr<Probe> start_tcp_check(asio::io_context& io, const TcpCheckParams& params,
                                                     OnProbeDone done);

}  // namespace lbdp::checks
