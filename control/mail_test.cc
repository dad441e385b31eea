// SPDX-License-Identifier: BSD-2-Clause
#include "control/mail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <deque>
#include <functional>
#include <sstream>
#include <utility>

namespace lbdp::control {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

/// A mail server on loopback, on the reactor of the code under test. `reply` answers each command line (and "GREETING"
/// on connect, "." for the end of data); an empty answer is silence, "CLOSE" closes.
class SmtpSink {
 public:
  using Reply = std::function<std::string(const std::string& command)>;

  explicit SmtpSink(asio::io_context& io, Reply reply = polite)
      : io_(io), acceptor_(io, {asio::ip::address_v4::loopback(), 0}), reply_(std::move(reply)) {
    accept();
  }

  static std::string polite(const std::string& command) {
    if (command == "GREETING") return "220 sink\r\n";
    if (command == "DATA") return "354 go on\r\n";
    if (command == "QUIT") return "221 bye\r\n";
    return "250 ok\r\n";
  }

  [[nodiscard]] Endpoint endpoint() const {
    return *Endpoint::parse("127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()));
  }
  void stop_listening() { acceptor_.close(); }
  void set_reply(Reply reply) { reply_ = std::move(reply); }

  std::vector<std::string> commands;
  std::vector<std::string> messages;
  size_t connections = 0;
  size_t open = 0, most_open = 0;

 private:
  struct Peer {
    explicit Peer(asio::ip::tcp::socket s) : socket(std::move(s)) {}
    asio::ip::tcp::socket socket;
    std::string input;
    bool in_data = false;
    std::string message;
  };

  void accept() {
    acceptor_.async_accept([this](const boost::system::error_code& error, asio::ip::tcp::socket socket) {
      if (error) return;
      ++connections;
      most_open = std::max(most_open, ++open);
      auto peer = std::make_shared<Peer>(std::move(socket));
      answer(peer, "GREETING");
      read(peer);
      accept();
    });
  }

  void answer(const std::shared_ptr<Peer>& peer, const std::string& command) {
    const auto text = std::make_shared<std::string>(reply_(command));
    if (*text == "CLOSE") {
      peer->socket.shutdown(asio::ip::tcp::socket::shutdown_both);
      return;
    }
    asio::async_write(peer->socket, asio::buffer(*text), [text, peer](auto, auto) {});
  }

  void read(const std::shared_ptr<Peer>& peer) {
    asio::async_read_until(peer->socket, asio::dynamic_buffer(peer->input), "\r\n", [this, peer](auto error, auto end) {
      if (error) {
        --open;
        return;
      }
      const auto line = peer->input.substr(0, end - 2);
      peer->input.erase(0, end);
      take(peer, line);
      read(peer);
    });
  }

  void take(const std::shared_ptr<Peer>& peer, const std::string& line) {
    if (peer->in_data && line != ".") {
      peer->message += line + "\n";
      return;
    }
    commands.push_back(line);
    if (peer->in_data) {
      messages.push_back(std::exchange(peer->message, {}));
    }
    peer->in_data = line == "DATA" && reply_(line)[0] == '3';
    answer(peer, line);
  }

  asio::io_context& io_;
  asio::ip::tcp::acceptor acceptor_;
  Reply reply_;
};

/// Polite but for one command's answer.
SmtpSink::Reply except(const std::string& prefix, const std::string& answer) {
  return [=](const std::string& command) { return command.starts_with(prefix) ? answer : SmtpSink::polite(command); };
}

class MailerTest : public testing::Test {
 protected:
  /// Runs the reactor until the condition holds; fails after ten seconds.
  template <class Condition>
  void run_until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << log_text.str();
      io.restart();
      io.run_one_for(50ms);
    }
  }

  MailParams params_for(const SmtpSink& sink) const {
    return {.smtp_server = sink.endpoint(),
            .helo_name = "lb1.example.org",
            .from = "admin@example.org",
            .to = {"root@localhost", "ops@example.org"},
            .smtp_connect_timeout = 200ms,
            .retry_after = 10ms};
  }

  /// Sends one message through a sink with this behaviour, until it is sent or given up.
  MailStatus deliver(SmtpSink::Reply reply) {
    SmtpSink sink(io, std::move(reply));
    Mailer mailer(io, log);
    mailer.configure(params_for(sink));
    mailer.send({"subject", "body\n"});
    run_until([&] { return mailer.status().pending == 0; });
    connections = sink.connections;
    messages = sink.messages;
    return mailer.status();
  }

  void expect_refused_at_once(const std::string& prefix, const std::string& answer, const std::string& error) {
    const auto status = deliver(except(prefix, answer));
    EXPECT_EQ(status.failed, 1U);
    EXPECT_EQ(connections, 1U) << "a 5xx must not be tried again";
    EXPECT_EQ(status.last_error, error);
    EXPECT_THAT(log_text.str(), HasSubstr(error));
  }

  void expect_retried(SmtpSink::Reply reply, const std::string& error) {
    const auto status = deliver(std::move(reply));
    EXPECT_EQ(status.failed, 1U);
    EXPECT_EQ(status.sent, 0U);
    EXPECT_EQ(connections, size_t{Mailer::kAttempts});
    EXPECT_THAT(status.last_error, HasSubstr(error));
  }

  asio::io_context io;
  std::ostringstream log_text;
  spdlog::logger log{"test", std::make_shared<spdlog::sinks::ostream_sink_st>(log_text)};
  size_t connections = 0;
  std::vector<std::string> messages;
};

TEST_F(MailerTest, SpeaksSmtp) {
  SmtpSink sink(io);
  Mailer mailer(io, log);
  mailer.configure(params_for(sink));
  mailer.send({"the subject", "the body\n.\n"});
  run_until([&] { return sink.commands.size() == 7; });
  EXPECT_THAT(sink.commands, ElementsAre("HELO lb1.example.org", "MAIL FROM:<admin@example.org>",
                                         "RCPT TO:<root@localhost>", "RCPT TO:<ops@example.org>", "DATA", ".", "QUIT"));
  ASSERT_EQ(sink.messages.size(), 1U);
  EXPECT_THAT(sink.messages[0], HasSubstr("\nTo: root@localhost, ops@example.org\nSubject: the subject\n"));
  EXPECT_TRUE(sink.messages[0].ends_with("\n\nthe body\n..\n")) << sink.messages[0];
  EXPECT_EQ(mailer.status().sent, 1U);
}

TEST_F(MailerTest, KeepsOrderWithOneConnectionAtATime) {
  SmtpSink sink(io);
  Mailer mailer(io, log);
  mailer.configure(params_for(sink));
  for (int i = 0; i < 50; ++i) mailer.send({"number " + std::to_string(i), ""});
  run_until([&] { return mailer.status().sent == 50; });
  for (size_t i = 0; i < 50; ++i) EXPECT_THAT(sink.messages[i], HasSubstr("number " + std::to_string(i) + "\n"));
  EXPECT_EQ(sink.connections, 50U);
}

TEST_F(MailerTest, TakesRepliesOfManyLinesAndInPieces) {
  const auto status = deliver([](const std::string& command) {
    return command == "GREETING" ? std::string("220-one\r\n220-two\r\n220\r\n") : SmtpSink::polite(command);
  });
  EXPECT_EQ(status.sent, 1U);
}

TEST_F(MailerTest, GreetingRefused) {
  expect_refused_at_once("GREETING", "554 no service\r\n", "greeting: 554 no service");
}
TEST_F(MailerTest, HeloRefused) {
  expect_refused_at_once("HELO", "501 who?\r\n", "HELO: 501 who?");
}
TEST_F(MailerTest, SenderRefused) {
  expect_refused_at_once("MAIL", "553 not you\r\n", "MAIL FROM:<admin@example.org>: 553 not you");
}
TEST_F(MailerTest, AllRecipientsRefused) {
  expect_refused_at_once("RCPT", "550 nobody\x1b[31m here\r\n",
                         "no recipient accepted; RCPT TO:<ops@example.org>: 550 nobody [31m here");
}
TEST_F(MailerTest, DataRefused) {
  expect_refused_at_once("DATA", "554 no\r\n", "DATA: 554 no");
}
TEST_F(MailerTest, MessageRefused) {
  expect_refused_at_once(".", "552 too big\r\n", "end of data: 552 too big");
}

TEST_F(MailerTest, OneRecipientRefusedIsLoggedAndTheOtherGetsIt) {
  const auto status = deliver(except("RCPT TO:<root@", "550 no root\r\n"));
  EXPECT_EQ(status.sent, 1U);
  EXPECT_EQ(messages.size(), 1U);
  EXPECT_THAT(log_text.str(), HasSubstr("RCPT TO:<root@localhost>: 550 no root"));
}

TEST_F(MailerTest, TemporaryRefusalIsTriedAgain) {
  expect_retried(except("MAIL", "451 later\r\n"), "451 later");
}
TEST_F(MailerTest, ClosedAtOnceIsTriedAgain) {
  expect_retried(except("GREETING", "CLOSE"), "connection closed");
}
TEST_F(MailerTest, ClosedInTheMiddleIsTriedAgain) {
  expect_retried(except("DATA", "CLOSE"), "DATA: connection closed");
}
TEST_F(MailerTest, SilenceEndsAtTheDeadline) {
  expect_retried(except("GREETING", ""), "no answer within 0.2 s");
}
TEST_F(MailerTest, SilenceInTheMiddleEndsAtTheDeadline) {
  expect_retried(except(".", ""), "end of data: no answer within 0.2 s");
}
TEST_F(MailerTest, GarbageIsNoReply) {
  expect_retried(except("GREETING", "\x16\x03\x01 TLS?\r\n"), "not an SMTP reply: '    TLS?'");
}
TEST_F(MailerTest, MixedCodesAreNoReply) {
  expect_retried(except("HELO", "250-a\r\n550 b\r\n"), "not an SMTP reply");
}
TEST_F(MailerTest, EndlessLineIsCutOff) {
  expect_retried(except("HELO", std::string(100000, '2')), "more than 8192 bytes");
}
TEST_F(MailerTest, EndlessReplyIsCutOff) {
  std::string reply;
  for (int i = 0; i < 10000; ++i) reply += "250-more\r\n";
  expect_retried(except("HELO", reply), "more than 8192 bytes");
}

TEST_F(MailerTest, RecoversWhenTheServerDoes) {
  SmtpSink sink(io, except("GREETING", "421 busy\r\n"));
  Mailer mailer(io, log);
  mailer.configure(params_for(sink));
  mailer.send({"subject", ""});
  run_until([&] { return sink.connections == 1; });
  sink.set_reply(SmtpSink::polite);
  run_until([&] { return mailer.status().sent == 1; });
  EXPECT_EQ(mailer.status().failed, 0U);
}

TEST_F(MailerTest, NobodyListens) {
  SmtpSink sink(io);
  Mailer mailer(io, log);
  mailer.configure(params_for(sink));
  sink.stop_listening();
  mailer.send({"subject", ""});
  run_until([&] { return mailer.status().failed == 1; });
  EXPECT_EQ(mailer.status().last_error, "connect: Connection refused");
}

TEST_F(MailerTest, QueueIsBoundedAndOverflowLoggedOnce) {
  SmtpSink sink(io, except("GREETING", ""));
  Mailer mailer(io, log);
  mailer.configure(params_for(sink));
  for (size_t i = 0; i < Mailer::kMaxPending + 7; ++i) mailer.send({"subject", ""});
  EXPECT_EQ(mailer.status().pending, Mailer::kMaxPending);
  EXPECT_EQ(mailer.status().overflowed, 7U);
  const auto text = log_text.str();
  EXPECT_THAT(text, HasSubstr("dropped"));
  EXPECT_EQ(text.find("dropped"), text.rfind("dropped"));
}

TEST_F(MailerTest, WithoutServerOrRecipientsNothingIsQueued) {
  Mailer mailer(io, log);
  mailer.send({"subject", ""});
  EXPECT_FALSE(mailer.enabled());
  SmtpSink sink(io);
  auto params = params_for(sink);
  params.to = {"not an address"};
  mailer.configure(params);
  EXPECT_FALSE(mailer.enabled());
  EXPECT_THAT(log_text.str(), HasSubstr("'not an address'"));
  mailer.send({"subject", ""});
  EXPECT_EQ(mailer.status().pending, 0U);
}

TEST_F(MailerTest, ServerTakenAwayByAReload) {
  SmtpSink sink(io, except("GREETING", "421 busy\r\n"));
  Mailer mailer(io, log);
  mailer.configure(params_for(sink));
  mailer.send({"subject", ""});
  run_until([&] { return sink.connections == 1; });
  mailer.configure({});
  run_until([&] { return mailer.status().pending == 0; });
  EXPECT_EQ(mailer.status().failed, 1U);
}

TEST_F(MailerTest, DestroyedDuringADelivery) {
  SmtpSink sink(io, except("DATA", ""));
  {
    Mailer mailer(io, log);
    mailer.configure(params_for(sink));
    mailer.send({"subject", ""});
    run_until([&] { return !sink.commands.empty() && sink.commands.back() == "DATA"; });
  }
  run_until([&] { return sink.open == 0; });
  EXPECT_THAT(log_text.str(), HasSubstr("still waiting"));
}

}  // namespace
}  // namespace lbdp::control
