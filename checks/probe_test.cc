// SPDX-License-Identifier: BSD-2-Clause
// TCP_CHECK and HTTP_GET against a server that misbehaves: each probe ends in time, with the right verdict.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>
#include <optional>
#include <vector>

#include "checks/hostile_server.h"
#include "checks/http_get.h"
#include "checks/tcp_check.h"

namespace lbdp::checks {
namespace {

using namespace std::chrono_literals;
using Outcome = ProbeResult::Outcome;
using Script = HostileServer::Script;

constexpr auto kTimeout = 300ms;

size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  size_t total = 0;
  size_t resident = 0;
  statm >> total >> resident;
  return resident * 4096;
}

/// Runs the reactor until the probe ends and checks that it does so once.
class ProbeRun {
 public:
  explicit ProbeRun(asio::io_context& io) : io_(io) {}

  OnProbeDone on_done() {
    began_ = std::chrono::steady_clock::now();
    return [this](const ProbeResult& r) {
      EXPECT_FALSE(result.has_value()) << "ended twice";
      duration = std::chrono::steady_clock::now() - began_;
      result = r;
    };
  }

  ProbeResult wait() {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!result && std::chrono::steady_clock::now() < deadline) {
      io_.restart();
      io_.run_one_for(50ms);
    }
    EXPECT_TRUE(result.has_value()) << "did not end";
    return result.value_or(ProbeResult{});
  }

  std::optional<ProbeResult> result;
  std::chrono::steady_clock::duration duration{};

 private:
  asio::io_context& io_;
  std::chrono::steady_clock::time_point began_;
};

HttpGetParams http_params(const Endpoint& endpoint) {
  HttpGetParams params;
  params.connect = endpoint;
  params.timing.connect_timeout = kTimeout;
  params.urls.push_back({.path = "/index.html", .status_code = {{200, 200}}, .host = "172.18.250.77"});
  return params;
}

TcpCheckParams tcp_params(const Endpoint& endpoint) {
  TcpCheckParams params;
  params.connect = endpoint;
  params.timing.connect_timeout = kTimeout;
  return params;
}

struct Row {
  std::string name;
  Script script;
  Outcome outcome;
  std::string reason;
  bool until_deadline = false;
};

const std::string kInterim = "HTTP/1.1 102 Processing\r\n\r\n";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

const std::vector<Row> kRows = {
    {"Ok", {.answer = kOk, .close = true}, Outcome::kSuccess, "HTTP 200"},
    {"OkAndNeverCloses", {.answer = kOk}, Outcome::kSuccess, "HTTP 200"},
    {"AnswersBeforeTheRequest", {.answer = kOk, .read_request = false}, Outcome::kSuccess, "HTTP 200"},
    {"OtherStatus",
     {.answer = "HTTP/1.1 503 Service Unavailable\r\n\r\n", .close = true},
     Outcome::kFailure,
     "HTTP 503, wanted 200"},
    {"NeverAnswers", {}, Outcome::kFailure, "no answer within 0.3 s", true},
    {"Dribbles",
     {.answer = "HTTP/1.1 200 OK and a long way to go and more and more and more", .dribble = true},
     Outcome::kFailure,
     "no complete response header within 0.3 s",
     true},
    {"StallsInTheHeader",
     {.answer = "HTTP/1.1 200 OK\r\nServer: x\r\n"},
     Outcome::kFailure,
     "no complete response header within 0.3 s",
     true},
    {"EndlessHeader",
     {.answer = "HTTP/1.1 200 OK\r\n", .endless = "Field: value\r\n"},
     Outcome::kFailure,
     "response header larger than 16384 bytes"},
    {"EndlessStatusLine",
     {.answer = "HTTP/1.1 200 ", .endless = "OKOKOKOKOK"},
     Outcome::kFailure,
     "response header larger than 16384 bytes"},
    {"InterimStorm", {.endless = kInterim}, Outcome::kFailure, "response header larger than 16384 bytes"},
    {"InterimThenOk", {.answer = kInterim + kInterim + kOk}, Outcome::kSuccess, "HTTP 200"},
    {"EndlessBody", {.answer = kOk, .endless = std::string(65536, 'x')}, Outcome::kSuccess, "HTTP 200"},
    {"ResetInTheHeader",
     {.answer = "HTTP/1.1 200 OK\r\nServ", .reset = true},
     Outcome::kFailure,
     "receive: connection reset by peer"},
    {"ClosesInTheHeader",
     {.answer = "HTTP/1.1 200 OK\r\nServ", .close = true},
     Outcome::kFailure,
     "connection closed within the response header"},
    {"ClosesAfterTheRequest", {.close = true}, Outcome::kFailure, "connection closed without an answer"},
    {"ContentLengthTooLong",
     {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhi", .close = true},
     Outcome::kSuccess,
     "HTTP 200"},
    {"ContentLengthNoNumber",
     {.answer = "HTTP/1.1 200 OK\r\nContent-Length: -x\r\n\r\nhi", .close = true},
     Outcome::kSuccess,
     "HTTP 200"},
    {"Tls", {.answer = std::string("\x15\x03\x01\x00\x02\x02\x0a", 7)}, Outcome::kFailure, "not an HTTP response"},
    {"EndlessNoise",
     {.endless = std::string(4096, '\0'), .read_request = false},
     Outcome::kFailure,
     "not an HTTP response"},
};

class HostileHttp : public testing::TestWithParam<Row> {};

TEST_P(HostileHttp, EndsInTimeWithTheRightVerdict) {
  const auto& row = GetParam();
  asio::io_context io;
  HostileServer server(io, row.script);
  ProbeRun run(io);
  const auto probe = start_http_get(io, http_params(server.endpoint()), 0, run.on_done());
  const auto result = run.wait();
  EXPECT_EQ(result.outcome, row.outcome);
  EXPECT_EQ(result.reason, row.reason);
  if (row.until_deadline) {
    EXPECT_GE(run.duration, kTimeout);
  }
  EXPECT_LT(run.duration, kTimeout + 200ms);
}

INSTANTIATE_TEST_SUITE_P(Servers, HostileHttp, testing::ValuesIn(kRows),
                         [](const auto& param_info) { return param_info.param.name; });

TEST(HttpGet, SendsWhatKeepalivedSends) {
  asio::io_context io;
  HostileServer server(io, {.answer = kOk, .close = true});
  ProbeRun run(io);
  const auto probe = start_http_get(io, http_params(server.endpoint()), 0, run.on_done());
  run.wait();
  EXPECT_EQ(server.last_request,
            "GET /index.html HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 172.18.250.77\r\n\r\n");
}

TEST(HttpGet, StatusRanges) {
  EXPECT_EQ(to_string({{200, 200}}), "200");
  EXPECT_EQ(to_string({{200, 299}, {301, 302}, {404, 404}}), "200-299, 301-302, 404");
  asio::io_context io;
  HostileServer server(io, {.answer = "HTTP/1.0 302 Found\r\nLocation: /\r\n\r\n", .close = true});
  auto params = http_params(server.endpoint());
  params.urls[0].status_code = {{200, 200}, {300, 303}};
  ProbeRun run(io);
  const auto probe = start_http_get(io, params, 0, run.on_done());
  EXPECT_EQ(run.wait().outcome, Outcome::kSuccess);
}

TEST(HttpGet, ReadsNoBody) {
  asio::io_context io;
  HostileServer server(io, {.answer = kOk, .endless = std::string(1 << 20, 'x')});
  const auto before = resident_bytes();
  for (int i = 0; i < 50; ++i) {
    ProbeRun run(io);
    const auto probe = start_http_get(io, http_params(server.endpoint()), 0, run.on_done());
    EXPECT_EQ(run.wait().outcome, Outcome::kSuccess);
  }
  EXPECT_LT(server.bytes_sent, size_t{50} * (1 << 24)) << "more than the sockets' buffers was taken";
  EXPECT_LT(resident_bytes(), before + (size_t{64} << 20));
}

TEST(HttpGet, Refused) {
  asio::io_context io;
  HostileServer server(io, {});
  server.stop_listening();
  ProbeRun run(io);
  const auto probe = start_http_get(io, http_params(server.endpoint()), 0, run.on_done());
  EXPECT_EQ(run.wait().reason, "connect: connection refused");
  EXPECT_EQ(run.result->outcome, Outcome::kFailure);
}

TEST(HttpGet, CancelledAtAnyMomentReportsNothing) {
  asio::io_context io;
  HostileServer server(io, {.answer = kOk, .close = true});
  for (int handlers = 0; handlers < 12; ++handlers) {
    ProbeRun run(io);
    auto probe = start_http_get(io, http_params(server.endpoint()), 0, run.on_done());
    for (int i = 0; i < handlers && !run.result; ++i) {
      io.restart();
      io.run_one_for(20ms);
    }
    const bool ended = run.result.has_value();
    probe.reset();
    io.restart();
    io.run_for(2ms);
    EXPECT_EQ(run.result.has_value(), ended);
  }
}

TEST(TcpCheck, Connects) {
  asio::io_context io;
  HostileServer server(io, {});
  ProbeRun run(io);
  const auto probe = start_tcp_check(io, tcp_params(server.endpoint()), run.on_done());
  EXPECT_EQ(run.wait().outcome, Outcome::kSuccess);
}

TEST(TcpCheck, Refused) {
  asio::io_context io;
  HostileServer server(io, {});
  server.stop_listening();
  ProbeRun run(io);
  const auto probe = start_tcp_check(io, tcp_params(server.endpoint()), run.on_done());
  EXPECT_EQ(run.wait().reason, "connect: connection refused");
}

TEST(TcpCheck, NoAnswerToTheSyn) {
  asio::io_context io;
  asio::ip::tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
  acceptor.listen(0);  // the kernel drops SYNs once the backlog is full
  std::vector<asio::ip::tcp::socket> fillers;
  for (int i = 0; i < 4; ++i) {
    fillers.emplace_back(io).open(asio::ip::tcp::v4());
    fillers.back().async_connect(acceptor.local_endpoint(), [](const boost::system::error_code&) {});
  }
  const auto endpoint = *Endpoint::parse("127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()));
  ProbeRun run(io);
  const auto probe = start_tcp_check(io, tcp_params(endpoint), run.on_done());
  EXPECT_EQ(run.wait().reason, "connect: no answer within 0.3 s");
  EXPECT_EQ(run.result->outcome, Outcome::kFailure);
  EXPECT_GE(run.duration, kTimeout);
}

TEST(TcpCheck, WithoutDescriptorsItSaysNothingAboutTheServer) {
  asio::io_context io;
  HostileServer server(io, {});
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  ProbeRun run(io);
  const auto probe = start_tcp_check(io, tcp_params(server.endpoint()), run.on_done());
  EXPECT_FALSE(run.result.has_value()) << "reported from within its start";
  const auto result = run.wait();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(result.outcome, Outcome::kNotRun);
  EXPECT_EQ(result.reason, "connect: too many open files");
}

}  // namespace
}  // namespace lbdp::checks
