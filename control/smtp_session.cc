// SPDX-License-Identifier: BSD-2-Clause
#include "control/smtp_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/types/asio_endpoint.h"

namespace lbdp::control {
namespace {

constexpr size_t kMaxReply = 8192;  // octets of one reply, all its lines; RFC 5321 asks for 512 a line
constexpr size_t kMaxShown = 200;

/// What a server said, fit for one log line.
std::string printable(std::string_view text) {
  std::string shown(text.substr(0, kMaxShown));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return c < 0x20 || c == 0x7f; }, ' ');  // bytes over 0x7f are negative
  return shown;
}

bool is_reply_line(std::string_view line) {
  return line.size() >= 3 && line[0] >= '2' && line[0] <= '5' &&
         std::all_of(line.begin(), line.begin() + 3, [](char c) { return c >= '0' && c <= '9'; }) &&
         (line.size() == 3 || line[3] == ' ' || line[3] == '-');
}

}  // namespace

SmtpSession::SmtpSession(asio::io_context& io, SmtpMessage message, OnDone done)
    : socket_(io), deadline_(io), message_(std::move(message)), done_(std::move(done)) {
  commands_.push_back({"", "greeting", '2'});
  commands_.push_back({fmt::format("HELO {}\r\n", printable(message_.helo_name)), "HELO", '2'});
  commands_.push_back(
      {fmt::format("MAIL FROM:<{}>\r\n", message_.from), fmt::format("MAIL FROM:<{}>", message_.from), '2'});
  for (const auto& to : message_.to) {
    commands_.push_back({fmt::format("RCPT TO:<{}>\r\n", to), fmt::format("RCPT TO:<{}>", to), '2'});
  }
  commands_.push_back({"DATA\r\n", "DATA", '3'});
  commands_.push_back({message_.data, "end of data", '2'});
}

void SmtpSession::start() {
  arm_deadline();
  const auto endpoint = to_tcp_endpoint(message_.server);
  boost::system::error_code error;
  if (socket_.open(endpoint.protocol(), error) || socket_.non_blocking(true, error)) {
    asio::post(socket_.get_executor(), [self = shared_from_this(), error] { self->network_failed(error); });
    return;
  }
  socket_.async_connect(endpoint, [self = shared_from_this()](const boost::system::error_code& e) {
    if (e) {
      self->network_failed(e);
    } else {
      self->write();
    }
  });
}

void SmtpSession::cancel() {
  done_ = nullptr;
  close();
}

/// Setting a new expiry cancels the earlier wait; one that has fired already compares the expiry and goes away.
void SmtpSession::arm_deadline() {
  deadline_.expires_after(message_.step_timeout);
  deadline_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error && self->deadline_.expiry() <= std::chrono::steady_clock::now()) {
      self->fail(false, fmt::format("no answer within {:g} s",
                                    std::chrono::duration<double>(self->message_.step_timeout).count()));
    }
  });
}

void SmtpSession::next_command() {
  ++current_;
  arm_deadline();
  write();
}

void SmtpSession::write() {
  if (!done_) {
    return;
  }
  const auto& text = commands_[current_].text;
  if (text.empty()) {
    read_reply();
    return;
  }
  asio::async_write(socket_, asio::buffer(text),
                    [self = shared_from_this()](const boost::system::error_code& error, size_t /*length*/) {
                      if (error) {
                        self->network_failed(error);
                      } else {
                        self->read_reply();
                      }
                    });
}

void SmtpSession::read_reply() {
  if (!done_) {
    return;
  }
  asio::async_read_until(socket_, asio::dynamic_buffer(input_, kMaxReply), '\n',
                         [self = shared_from_this()](const boost::system::error_code& error, size_t /*length*/) {
                           self->received(error);
                         });
}

void SmtpSession::received(const boost::system::error_code& error) {
  if (!done_) {
    return;
  }
  if (error == asio::error::not_found) {
    fail(false, fmt::format("a reply of more than {} bytes", kMaxReply));
    return;
  }
  if (error) {
    network_failed(error);
    return;
  }
  const auto end = input_.find('\n');
  std::string line = input_.substr(0, end);
  input_.erase(0, end + 1);
  reply_size_ += line.size();
  if (line.ends_with('\r')) {
    line.pop_back();
  }
  if (!is_reply_line(line) || (!code_.empty() && line.substr(0, 3) != code_)) {
    fail(false, fmt::format("not an SMTP reply: '{}'", printable(line)));
  } else if (reply_size_ > kMaxReply) {
    fail(false, fmt::format("a reply of more than {} bytes", kMaxReply));
  } else if (line.size() > 3 && line[3] == '-') {
    code_ = line.substr(0, 3);
    read_reply();  // RFC 5321 section 4.2.1: more lines of the same reply
  } else {
    reply_size_ = 0;
    code_.clear();
    reply_ended(line);
  }
}

void SmtpSession::reply_ended(const std::string& reply) {
  const auto& command = commands_[current_];
  if (reply[0] != command.wanted) {
    refused(reply);
    return;
  }
  accepted_ += is_recipient() ? 1 : 0;
  if (current_ + 1 < commands_.size()) {
    next_command();
    return;
  }
  // Delivered. QUIT is a courtesy whose answer nobody needs; 6 bytes always fit into the socket's buffer.
  boost::system::error_code ignored;
  socket_.write_some(asio::buffer("QUIT\r\n", 6), ignored);
  finish({.sent = true, .refused = std::move(refused_)});
}

/// A refused recipient stops nothing as long as another one is accepted; anything else ends the delivery.
void SmtpSession::refused(const std::string& reply) {
  const auto text = fmt::format("{}: {}", commands_[current_].name, printable(reply));
  const bool permanent = reply[0] == '5';
  if (!is_recipient()) {
    finish({.permanent = permanent, .error = text});
    return;
  }
  refused_.push_back(text);
  refused_for_good_ = refused_for_good_ && permanent;
  if (commands_[current_ + 1].wanted == '3' && accepted_ == 0) {  // that was the last one
    finish({.permanent = refused_for_good_, .error = fmt::format("no recipient accepted; {}", text)});
    return;
  }
  next_command();
}

bool SmtpSession::is_recipient() const {
  return commands_[current_].name.starts_with("RCPT");
}

void SmtpSession::network_failed(const boost::system::error_code& error) {
  fail(false, error == asio::error::eof ? "connection closed by the server" : error.message());
}

void SmtpSession::fail(bool permanent, const std::string& why) {
  const bool connecting = current_ == 0;
  finish(
      {.permanent = permanent, .error = fmt::format("{}: {}", connecting ? "connect" : commands_[current_].name, why)});
}

void SmtpSession::finish(SmtpResult result) {
  if (!done_) {
    return;
  }
  close();
  std::exchange(done_, nullptr)(std::move(result));
}

void SmtpSession::close() {
  deadline_.cancel();
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  socket_.close(ignored);
}

}  // namespace lbdp::control
