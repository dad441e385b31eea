// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "checks/probe.h"
#include "config/types/asio.h"

namespace lbdp::checks {

/// What every probe over TCP has: a socket, a total deadline that begins with the connect, and one report at the end.
/// Handlers hold it alive by shared_from_this(); after finish() or cancel() they do nothing.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(asio::io_context& io, Endpoint peer, Duration timeout, OnProbeDone done);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection() = default;

  /// Connects and arms the deadline; connected() follows on success.
  void start();
  /// Drops everything without a report.
  void cancel();

 protected:
  virtual void connected() = 0;
  /// What the deadline's message says about where the probe stood, such as "no answer"; only after connected().
  [[nodiscard]] virtual std::string progress() const { return "no answer"; }

  void succeed(std::string reason);
  void fail(std::string reason);
  [[nodiscard]] bool done() const { return !done_; }
  asio::ip::tcp::socket& socket() { return socket_; }

 private:
  void connect();
  void connect_ended(const boost::system::error_code& error);
  void expired();
  void finish(ProbeResult result);
  void close();

  asio::ip::tcp::socket socket_;
  asio::steady_timer deadline_;
  Endpoint peer_;
  Duration timeout_;
  OnProbeDone done_;
  bool is_connected_ = false;
};

/// Wraps a connection as a Probe: destruction cancels.
[[nodiscard]] std::unique_ptr<Probe> run_probe(std::shared_ptr<Connection> connection);

/// "connection refused": the system's words, in the middle of a sentence.
[[nodiscard]] std::string describe(const boost::system::error_code& error);
/// "3 s", "0.25 s".
[[nodiscard]] std::string describe(Duration duration);
/// Whether the error is for want of something on this host, and so no fault of the peer's.
[[nodiscard]] bool is_local_shortage(const boost::system::error_code& error);

}  // namespace lbdp::checks
