// SPDX-License-Identifier: BSD-2-Clause
#include "checks/tcp_check.h"

#include <utility>

#include "checks/connection.h"

namespace lbdp::checks {
namespace {

class TcpCheck : public Connection {
 public:
  using Connection::Connection;

 private:
  void connected() override { succeed("connected"); }
};

}  // namespace

std::unique_ptr<Probe> start_tcp_check(asio::io_context& io, const TcpCheckParams& params, OnProbeDone done) {
  return run_probe(std::make_shared<TcpCheck>(io, params.connect, params.timing.connect_timeout, std::move(done)));
}

}  // namespace lbdp::checks
