// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// The one way to Boost.Asio: under g++ 12 its coroutine headers need <utility> first.
#include <boost/asio.hpp>
#include <utility>

namespace lbdp {
namespace asio = boost::asio;
}
