// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "config/types/asio.h"
#include "config/types/result.h"

namespace lbdp::control {

/// A UNIX stream socket with mode 0660 that takes requests of one line and gives answers of one line. Whatever a client
/// does (noise, no reading, no writing, hanging up), it costs bounded memory and no time of the reactor.
class ControlSocket {
 public:
  /// The answer's line, without the newline. `close`: hang up after it.
  struct Answer {
    std::string line;
    bool close = false;
  };
  using Reply = std::function<void(Answer)>;
  /// Called with a line (without the newline); calls `reply` once, now or later, on the reactor.
  using Handler = std::function<void(const std::string& line, Reply reply)>;

  struct Limits {
    size_t request_bytes = 64 * 1024;
    size_t clients = 32;
    std::chrono::milliseconds idle{10'000};  // to send a request, and to take an answer
  };

  /// Makes the socket, and its directory. The socket of a process that is gone is replaced; one that somebody listens
  /// on is an error. `too_long` is the answer to a request that is.
  static Result<std::unique_ptr<ControlSocket>> open(asio::io_context& io, const std::string& path, Handler handler,
                                                     std::string too_long, Limits limits);
  static Result<std::unique_ptr<ControlSocket>> open(asio::io_context& io, const std::string& path, Handler handler,
                                                     std::string too_long);
  /// Hangs up on all clients and removes the socket.
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

 private:
  struct Server;
  struct Session;
  explicit ControlSocket(std::shared_ptr<Server> server);
  std::shared_ptr<Server> server_;
};

}  // namespace lbdp::control
