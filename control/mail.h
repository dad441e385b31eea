// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/types/asio.h"
#include "config/types/endpoint.h"
#include "control/mail_text.h"

namespace spdlog {
class logger;
}

namespace lbdp::control {

struct MailParams {
  std::optional<Endpoint> smtp_server{};  // none: no mail is sent
  std::string helo_name{};                // empty: the host's name
  std::string from{};
  std::vector<std::string> to{};                                              // none: no mail is sent
  std::chrono::microseconds smtp_connect_timeout = std::chrono::seconds(30);  // for each step of a delivery

  std::chrono::microseconds retry_after = std::chrono::seconds(10);

  friend bool operator==(const MailParams&, const MailParams&) = default;
};

struct MailStatus {
  size_t pending = 0;       // queued, the one being delivered included
  uint64_t sent = 0;        // accepted by the server for at least one recipient
  uint64_t failed = 0;      // given up
  uint64_t overflowed = 0;  // dropped because the queue was full
  std::string last_error;   // empty: none yet
};

/// Sends alerts through one SMTP server (RFC 5321), one connection at a time, from a bounded queue, on the reactor.
/// Nothing waits for it. What the server may yet accept (no connection, no answer, 4xx) is tried kAttempts times,
/// retry_after apart; what it refuses (5xx) is given up at once.
class Mailer {
 public:
  static constexpr size_t kMaxPending = 1000;
  static constexpr unsigned kAttempts = 3;

  Mailer(asio::io_context& io, spdlog::logger& log);
  /// Drops what is pending.
  ~Mailer();

  /// Takes effect with the next delivery; the one under way ends with the old parameters. An address that cannot stand
  /// in an SMTP command is left out with a log line.
  void configure(MailParams params);
  /// Whether there is a server and someone to write to.
  [[nodiscard]] bool enabled() const;
  /// Queues a message; without a server or recipients it does nothing.
  void send(MailText text);
  [[nodiscard]] MailStatus status() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace lbdp::control
