// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <algorithm>

#include "config/types/asio.h"
#include "config/types/endpoint.h"

namespace lbdp {

/// The endpoint as Asio has it.
[[nodiscard]] inline asio::ip::tcp::endpoint to_tcp_endpoint(const Endpoint& endpoint) {
  const auto bytes = endpoint.address.bytes();
  if (endpoint.address.is_v4()) {
    asio::ip::address_v4::bytes_type address{};
    std::copy(bytes.begin(), bytes.end(), address.begin());
    return {asio::ip::address_v4(address), endpoint.port};
  }
  asio::ip::address_v6::bytes_type address{};
  std::copy(bytes.begin(), bytes.end(), address.begin());
  return {asio::ip::address_v6(address), endpoint.port};
}

}  // namespace lbdp
