// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/types/asio.h"
#include "config/types/endpoint.h"

namespace lbdp::control {

/// One message as SMTP sees it.
struct SmtpMessage {
  Endpoint server;
  std::string helo_name;
  std::string from;             // envelope address
  std::vector<std::string> to;  // envelope addresses
  std::string data;             // of smtp_data()
  std::chrono::microseconds step_timeout = std::chrono::seconds(30);
};

struct SmtpResult {
  bool sent = false;
  bool permanent = false;              // not sent, and trying again is of no use
  std::string error{};                 // why it was not sent: one line with the step and the server's reply
  std::vector<std::string> refused{};  // "RCPT TO:<a@b>: 550 no such user", of a message that others got
};

/// One delivery over one connection: connect, HELO, MAIL, RCPT..., DATA, QUIT. Each step (a command and its reply, all
/// lines of it) has the whole of step_timeout and no more. `done` is called once from the reactor, unless cancel()
/// comes first. A server's reply is limited in size, and shown in errors without control characters.
class SmtpSession : public std::enable_shared_from_this<SmtpSession> {
 public:
  using OnDone = std::function<void(SmtpResult)>;

  SmtpSession(asio::io_context& io, SmtpMessage message, OnDone done);
  void start();
  void cancel();

 private:
  struct Command {
    std::string text;  // with CRLF; empty: wait for the greeting
    std::string name;  // for errors
    char wanted;       // first digit of the reply
  };

  void arm_deadline();
  void next_command();
  void write();
  void read_reply();
  void received(const boost::system::error_code& error);
  void reply_ended(const std::string& reply);
  void refused(const std::string& reply);
  void network_failed(const boost::system::error_code& error);
  void fail(bool permanent, const std::string& why);
  void finish(SmtpResult result);
  void close();
  [[nodiscard]] bool is_recipient() const;

  asio::ip::tcp::socket socket_;
  asio::steady_timer deadline_;
  SmtpMessage message_;
  OnDone done_;
  std::vector<Command> commands_;
  size_t current_ = 0;
  std::string input_;             // received and not yet taken as lines
  size_t reply_size_ = 0;         // of the reply being read
  std::string code_;              // its three digits
  size_t accepted_ = 0;           // recipients
  bool refused_for_good_ = true;  // all refusals of recipients so far were 5xx
  std::vector<std::string> refused_;
};

}  // namespace lbdp::control
