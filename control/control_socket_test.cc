// SPDX-License-Identifier: BSD-2-Clause
#include "control/control_socket.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace lbdp::control {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Unix = asio::local::stream_protocol;

class ControlSocketTest : public testing::Test {
 protected:
  ControlSocketTest() {
    char name[] = "/tmp/lbdp-control-test-XXXXXX";
    directory = ::mkdtemp(name);
    path = directory + "/deep/lbdp.sock";
  }
  ~ControlSocketTest() override {
    stop();
    std::filesystem::remove_all(directory);
  }

  void start(ControlSocket::Limits limits = {}) {
    auto opened = ControlSocket::open(
        io, path,
        [this](const std::string& line, ControlSocket::Reply reply) {
          ++requests;
          if (line == "big") return reply({std::string(1U << 20U, 'x'), false});
          reply({"echo " + line, line == "bye"});
        },
        "too long", limits);
    ASSERT_TRUE(opened) << opened.error().message;
    socket = std::move(*opened);
    thread = std::thread([this] {
      auto work = asio::make_work_guard(io);
      io.run();
    });
  }

  void stop() {
    if (!thread.joinable()) return;
    asio::post(io, [this] {
      socket.reset();
      io.stop();
    });
    thread.join();
  }

  Unix::socket connect() {
    Unix::socket client(client_io);
    client.connect(Unix::endpoint(path));
    const timeval patience{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(client.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(client.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return client;
  }

  static void send(Unix::socket& client, const std::string& text) {
    boost::system::error_code ignored;  // the other side may hang up meanwhile: the tests look at what comes back
    asio::write(client, asio::buffer(text), ignored);
  }

  /// Reads up to a newline, or to the end ("" after nothing).
  static std::string read_line(Unix::socket& client) {
    std::string line;
    char byte = 0;
    while (::recv(client.native_handle(), &byte, 1, 0) == 1) {
      if (byte == '\n') return line;
      line.push_back(byte);
    }
    return line + "<end>";
  }

  std::string ask(const std::string& text) {
    auto client = connect();
    send(client, text + "\n");
    return read_line(client);
  }

  /// Clients that have gone may take a moment to be noticed; until then the limit may turn a new one away.
  bool answers_in_time() {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (std::chrono::steady_clock::now() < deadline) {
      if (ask("again") == "echo again") return true;
    }
    return false;
  }

  std::string directory, path;
  asio::io_context io, client_io;
  std::unique_ptr<ControlSocket> socket;
  std::thread thread;
  std::atomic<unsigned> requests = 0;
};

TEST_F(ControlSocketTest, AnswersLineByLine) {
  start();
  auto client = connect();
  send(client, "one\ntw");
  EXPECT_EQ(read_line(client), "echo one");
  send(client, "o\nthree\n");
  EXPECT_EQ(read_line(client), "echo two");
  EXPECT_EQ(read_line(client), "echo three");
  send(client, "bye\n");
  EXPECT_EQ(read_line(client), "echo bye");
  EXPECT_EQ(read_line(client), "<end>");
}

TEST_F(ControlSocketTest, ModeIs0660) {
  start();
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0660U);
}

TEST_F(ControlSocketTest, TenMegabytesOfNoiseAreCutOff) {
  start();
  std::string noise(10U << 20U, '\0');
  for (size_t i = 0; i < noise.size(); ++i) noise[i] = static_cast<char>((i * 131U) % 251U | 0x80U);
  auto client = connect();
  send(client, noise);
  EXPECT_EQ(read_line(client), "too long");
  EXPECT_EQ(read_line(client), "<end>");
  EXPECT_EQ(ask("still there"), "echo still there");
  EXPECT_EQ(requests, 1U);
}

TEST_F(ControlSocketTest, ALongLineIsRefusedEvenWithItsNewline) {
  start();
  EXPECT_EQ(ask(std::string(64U * 1024U, 'a')).size(), 64U * 1024U + 5U);
  EXPECT_EQ(ask(std::string(64U * 1024U + 1, 'a')), "too long");
}

TEST_F(ControlSocketTest, SilentAndSlowClientsAreCutOffAndHoldUpNobody) {
  start({.idle = 300ms});
  auto silent = connect();
  auto half = connect();
  send(half, "half a requ");
  auto slow = connect();
  send(slow, "big\n");  // and does not read
  EXPECT_EQ(ask("meanwhile"), "echo meanwhile");
  EXPECT_EQ(read_line(silent), "<end>");
  EXPECT_EQ(read_line(half), "<end>");
  EXPECT_THAT(read_line(slow), HasSubstr("<end>")) << "cut off in the middle of the answer";
}

TEST_F(ControlSocketTest, ClientsAreLimitedAndComeAgainLater) {
  start({.clients = 2});
  auto first = connect();
  auto second = connect();
  send(second, "x\n");
  EXPECT_EQ(read_line(second), "echo x");
  EXPECT_EQ(ask("too many"), "<end>");
  first.close();
  EXPECT_TRUE(answers_in_time());
}

TEST_F(ControlSocketTest, AClientThatHangsUpIsForgotten) {
  start();
  for (int i = 0; i < 200; ++i) {
    auto client = connect();
    send(client, "big\n");
    client.close();
  }
  EXPECT_TRUE(answers_in_time());
}

TEST_F(ControlSocketTest, APlaceWhereNoSocketCanBeIsNamed) {
  { std::ofstream file(directory + "/file"); }
  const auto in_file = ControlSocket::open(io, directory + "/file/lbdp.sock", {}, "");
  ASSERT_FALSE(in_file);
  EXPECT_THAT(in_file.error().message, HasSubstr("cannot make the directory " + directory + "/file: "));
  const auto on_file = ControlSocket::open(io, directory + "/file", {}, "");
  ASSERT_FALSE(on_file);
  EXPECT_THAT(on_file.error().message, HasSubstr("something else of that name"));
}

TEST_F(ControlSocketTest, ALiveSocketIsAnErrorAndAStaleOneIsReplaced) {
  start();
  const auto another = ControlSocket::open(client_io, path, {}, "");
  ASSERT_FALSE(another);
  EXPECT_THAT(another.error().message, HasSubstr("another lbdp listens there"));
  stop();
  EXPECT_FALSE(std::filesystem::exists(path)) << "an orderly stop removes it";
  {
    Unix::acceptor killed(client_io, Unix::endpoint(path));  // a process that died leaves its socket behind
  }
  ASSERT_TRUE(std::filesystem::exists(path));
  io.restart();
  start();
  EXPECT_EQ(ask("new"), "echo new");
}

TEST_F(ControlSocketTest, APathThatCannotBeIsAnError) {
  const std::string file = directory + "/file";
  std::ofstream(file) << "precious";
  for (const std::string& bad : {file, file + "/below/x.sock", "/tmp/" + std::string(200, 'x')}) {
    const auto opened = ControlSocket::open(client_io, bad, {}, "");
    ASSERT_FALSE(opened) << bad;
    EXPECT_THAT(opened.error().message, HasSubstr("control socket " + bad));
  }
  EXPECT_TRUE(std::filesystem::exists(file));
}

}  // namespace
}  // namespace lbdp::control
