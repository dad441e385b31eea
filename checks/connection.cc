// SPDX-License-Identifier: BSD-2-Clause
#include "checks/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "config/types/asio_endpoint.h"

namespace lbdp::checks {
namespace {

class ConnectionProbe : public Probe {
 public:
  explicit ConnectionProbe(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
  ~ConnectionProbe() override { connection_->cancel(); }

 private:
  std::shared_ptr<Connection> connection_;
};

}  // namespace

Connection::Connection(asio::io_context& io, Endpoint peer, Duration timeout, OnProbeDone done)
    : socket_(io), deadline_(io), peer_(peer), timeout_(timeout), done_(std::move(done)) {}

void Connection::start() {
  deadline_.expires_after(timeout_);
  deadline_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) {
      self->expired();
    }
  });
  connect();
}

void Connection::connect() {
  const auto endpoint = to_tcp_endpoint(peer_);
  boost::system::error_code error;
  if (socket_.open(endpoint.protocol(), error) || socket_.non_blocking(true, error)) {
    // The callback must not run inside start(), whose caller has no handle yet.
    asio::post(socket_.get_executor(), [self = shared_from_this(), error] { self->connect_ended(error); });
    return;
  }
  socket_.async_connect(endpoint,
                        [self = shared_from_this()](const boost::system::error_code& e) { self->connect_ended(e); });
}

void Connection::connect_ended(const boost::system::error_code& error) {
  if (done()) {
    return;
  }
  if (error) {
    const auto outcome = is_local_shortage(error) ? ProbeResult::Outcome::kNotRun : ProbeResult::Outcome::kFailure;
    finish({outcome, "connect: " + describe(error)});
    return;
  }
  is_connected_ = true;
  connected();
}

void Connection::expired() {
  if (!is_connected_) {
    fail(fmt::format("connect: no answer within {}", describe(timeout_)));
  } else {
    fail(fmt::format("{} within {}", progress(), describe(timeout_)));
  }
}

void Connection::succeed(std::string reason) {
  finish({ProbeResult::Outcome::kSuccess, std::move(reason)});
}

void Connection::fail(std::string reason) {
  finish({ProbeResult::Outcome::kFailure, std::move(reason)});
}

void Connection::finish(ProbeResult result) {
  if (done()) {
    return;
  }
  close();
  // The callback may destroy the Probe that holds us; handlers still hold `this`.
  std::exchange(done_, nullptr)(std::move(result));
}

void Connection::cancel() {
  done_ = nullptr;
  close();
}

void Connection::close() {
  deadline_.cancel();
  boost::system::error_code ignored;  // closing what never opened is no event
  socket_.close(ignored);
}

std::unique_ptr<Probe> run_probe(std::shared_ptr<Connection> connection) {
  connection->start();
  return std::make_unique<ConnectionProbe>(std::move(connection));
}

std::string describe(const boost::system::error_code& error) {
  std::string text = error.message();
  // "Connection refused" -> "connection refused"; leave acronyms alone.
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])) != 0) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

std::string describe(Duration duration) {
  return fmt::format("{:g} s", std::chrono::duration<double>(duration).count());
}

bool is_local_shortage(const boost::system::error_code& error) {
  using boost::system::errc::errc_t;
  constexpr errc_t kShortages[] = {
      errc_t::too_many_files_open, errc_t::too_many_files_open_in_system, errc_t::no_buffer_space,
      errc_t::not_enough_memory,   errc_t::address_not_available,         errc_t::resource_unavailable_try_again,
  };
  return std::any_of(std::begin(kShortages), std::end(kShortages), [&](errc_t e) { return error == e; });
}

}  // namespace lbdp::checks
