// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The one way to Boost.Asio: under g++ 12 its coroutine headers need <utility> first.
// clang-format off
#include <utility>
#include <boost/asio.hpp>
// clang-format on

namespace lbdp {
namespace asio = boost::asio;
}
