// SPDX-License-Identifier: BSD-2-Clause
//
// Lists of any length: what a turn of the reactor costs, and what lbdp-cli keeps.

#include <gmock/gmock.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <thread>

#include "control/cli_commands.h"
#include "control/control_socket.h"
#include "control/fake_dataplane.h"
#include "control/requests.h"

namespace lbdp::control {
namespace {

using nlohmann::json;

constexpr uint32_t kConnections = 100'000;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

/// CPU time of this thread: other processes do not count.
std::chrono::nanoseconds cpu_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

class PagingTest : public testing::Test {
 protected:
  PagingTest() {
    char name[] = "/tmp/lbdp-paging-test-XXXXXX";
    directory = ::mkdtemp(name);
    dataplane.connection_list.reserve(kConnections);
    for (uint32_t i = 0; i < kConnections; ++i) {
      dataplane.connection_list.push_back(
          {.worker = {},
           .protocol = Protocol::kTcp,
           .client = {IpAddress::v4(Be<uint32_t>::from_host(0x0a000000 + i)), static_cast<uint16_t>(i % 50'000)},
           .virtual_server = Endpoint::parse("10.3.0.100:80").value(),
           .real_server = Endpoint::parse("10.3.0.21:80").value(),
           .state = "ESTABLISHED",
           .expires_in = std::chrono::seconds(900)});
    }
    socket = std::move(ControlSocket::open(
                           io, directory + "/s",
                           [this](const std::string& line, const ControlSocket::Reply& reply) { turn(line, reply); },
                           Requests::too_long())
                           .value());
    thread = std::thread([this] {
      const auto work = asio::make_work_guard(io);
      io.run();
    });
  }
  ~PagingTest() override {
    asio::post(io, [this] {
      socket.reset();
      io.stop();
    });
    thread.join();
    std::filesystem::remove_all(directory);
  }

  /// One request: its answer's size and cost are kept.
  void turn(const std::string& line, const ControlSocket::Reply& reply) {
    const auto begin = cpu_time();
    requests.handle(line, [&](ControlSocket::Answer answer) {
      turns.push_back(cpu_time() - begin);
      longest_answer = std::max(longest_answer, answer.line.size());
      reply(std::move(answer));
    });
  }

  /// Runs a command, keeps none of its output but counts lines, and watches the memory of the process meanwhile.
  void run(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "lbdp-cli");
    auto options = parse_cli_options(arguments).value();
    options.socket = directory + "/s";
    const auto done = perform(options, [&](std::string_view text) {
      lines += static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
      const size_t now = ::mallinfo2().uordblks;
      if (first_memory == 0) first_memory = now;
      most_memory = std::max(most_memory, now);
      last = text;
      return true;
    });
    ASSERT_TRUE(done) << done.error().message;
  }

  std::string directory, last;
  size_t lines = 0, first_memory = 0, most_memory = 0, longest_answer = 0;
  std::vector<std::chrono::nanoseconds> turns;  // written by the reactor, read when a command is over
  ConfigStatus config;
  BackendSet backends;
  FakeDataplane dataplane;
  Requests requests{{.config = config,
                     .backends = backends,
                     .dataplane = dataplane,
                     .vrrp = [] { return std::vector<vrrp::InstanceStatus>(); },
                     .checks = [] { return std::vector<checks::CheckerStatus>(); },
                     .neighbours = [] { return std::vector<NeighbourStatus>(); }},
                    [](bool, const auto& reply) { reply({.ok = true, .message = "reloaded"}); }};
  asio::io_context io;
  std::unique_ptr<ControlSocket> socket;
  std::thread thread;
};

TEST_F(PagingTest, AHundredThousandConnectionsPassInConstantMemoryAndShortTurns) {
  for (const auto& arguments : std::vector<std::vector<const char*>>{
           {"show", "connections"}, {"-j", "show", "connections"}, {"ipvs", "-Lnc"}}) {
    lines = first_memory = most_memory = 0;
    turns.clear();
    run(arguments);
    EXPECT_GE(lines, kConnections);
    EXPECT_LE(lines, kConnections + 5);
    EXPECT_GE(turns.size(), kConnections / 100);
    EXPECT_LT(longest_answer, 64U * 1024U);
    if (!kSanitized) {
      EXPECT_LT(most_memory - first_memory, 1U << 20U) << "100,000 rows would be over 10 MiB";
    }
    // A single turn may have met an interrupt or a page fault: 99 of 100 tell what a turn costs.
    const auto most = turns.begin() + static_cast<std::ptrdiff_t>(turns.size() * 99 / 100);
    std::nth_element(turns.begin(), most, turns.end());
    RecordProperty("turn_us", static_cast<int>(most->count() / 1000));
    EXPECT_LT(*most, std::chrono::milliseconds(kSanitized ? 50 : 1));
  }
}

TEST_F(PagingTest, AFilterThatFindsOneIsAskedForWithBoundedTurns) {
  dataplane.places_per_page = 1000;
  run({"show", "connections", "--client", "10.0.0.0/8:49999"});
  EXPECT_EQ(lines, 4U);
  EXPECT_THAT(last, testing::HasSubstr("2 connections\n"));
  EXPECT_EQ(turns.size(), kConnections / 1000);
}

}  // namespace
}  // namespace lbdp::control
