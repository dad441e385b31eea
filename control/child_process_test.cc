// SPDX-License-Identifier: BSD-2-Clause
// Real programs.
#include "control/child_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

namespace lbdp::control {
namespace {

using namespace std::chrono_literals;
using End = ChildOutcome::End;

struct Child : testing::Test {
  Child() {
    char name[] = "/tmp/child-XXXXXX";
    directory = mkdtemp(name);
  }
  ~Child() override { std::filesystem::remove_all(directory); }

  ChildCommand shell(const std::string& script) { return {{"sh", "-c", "cd " + directory + "; " + script}, {}, {}}; }

  /// Runs it to its end.
  ChildOutcome outcome(const ChildCommand& command, std::optional<std::chrono::microseconds> timeout = {}) {
    std::optional<ChildOutcome> result;
    children.run(command, timeout, [&](const ChildOutcome& ended) { result = ended; });
    EXPECT_FALSE(result) << "never from within run()";
    run_until([&] { return result.has_value(); });
    return result.value_or(ChildOutcome{End::kExited, -1});
  }
  template <class Predicate>
  void run_until(Predicate predicate) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!predicate() && std::chrono::steady_clock::now() < deadline) {
      io.restart();
      io.run_one_for(50ms);
    }
    EXPECT_TRUE(predicate());
  }
  std::string read(const std::string& name) {
    std::ifstream file(directory + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string directory;
  asio::io_context io;
  ChildProcesses children{io};
};

TEST_F(Child, TellsHowItEnded) {
  EXPECT_TRUE(outcome(shell("exit 0")).success());
  const auto exited = outcome(shell("exit 3"));
  EXPECT_EQ(exited.end, End::kExited);
  EXPECT_EQ(exited.to_string(), "exited with status 3");
  const auto killed = outcome(shell("kill -USR1 $$"));
  EXPECT_EQ(killed.end, End::kSignalled);
  EXPECT_EQ(killed.number, SIGUSR1);
  EXPECT_EQ(children.running(), 0u);
}

TEST_F(Child, AProgramThatIsNotThereIsToldAsSuch) {
  const auto result = outcome({{"/no/such/program"}, {}, {}});
  EXPECT_EQ(result.end, End::kNotStarted);
  EXPECT_EQ(result.number, ENOENT);
}

TEST_F(Child, GetsItsArgumentsAsTheyAre) {
  outcome({{"sh", "-c", "printf '%s\\n' \"$@\" > " + directory + "/out", "x", "a b", "", "$HOME", "\"q\""}, {}, {}});
  EXPECT_EQ(read("out"), "a b\n\n$HOME\n\"q\"\n");
}

TEST_F(Child, HasNoDescriptorOfOursAndIsAGroupOfItsOwn) {
  int leak[2];
  ASSERT_EQ(pipe(leak), 0);  // without CLOEXEC
  outcome(shell("ls /proc/self/fd > fds; readlink /proc/self/fd/0 > stdin; ps -o pgid= -p $$ > group; echo $$ > pid"));
  close(leak[0]);
  close(leak[1]);
  EXPECT_EQ(read("fds"), "0\n1\n2\n3\n");  // 3 is ls's own, of the directory
  EXPECT_EQ(std::stoi(read("group")), std::stoi(read("pid")));
}

TEST_F(Child, BlockedSignalsOfOursAreNotBlockedThere) {
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const auto result = outcome(shell("kill -TERM $$; sleep 30"));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  EXPECT_EQ(result.number, SIGTERM);
}

TEST_F(Child, TimeIsUpForTheWholeGroup) {
  const auto begin = std::chrono::steady_clock::now();
  const auto result = outcome(shell("sleep 60 & echo $! > sleeper; wait"), 100ms);
  EXPECT_EQ(result.end, End::kTimedOut);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);
  const pid_t sleeper = std::stoi(read("sleeper"));
  run_until([&] { return ::kill(sleeper, 0) != 0 || !std::filesystem::exists("/proc/" + read("sleeper")); });
}

TEST_F(Child, WhoIgnoresSigtermIsKilled) {
  const auto begin = std::chrono::steady_clock::now();
  const auto result = outcome(shell("trap '' TERM; while :; do sleep 0.05; done"), 50ms);
  EXPECT_EQ(result.end, End::kTimedOut);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, ChildProcesses::kGrace);
}

TEST_F(Child, RunsUnderAnotherAccount) {
  ASSERT_EQ(geteuid(), 0u) << "the tests run as root";
  std::filesystem::permissions(directory, std::filesystem::perms::all);
  ChildCommand command = shell("id -un > user; id -gn > group");
  command.user = "nobody";
  command.group = "nogroup";
  EXPECT_TRUE(outcome(command).success());
  EXPECT_EQ(read("user"), "nobody\n");
  EXPECT_EQ(read("group"), "nogroup\n");
}

TEST_F(Child, ManyAtOnceAreAllReaped) {
  size_t ended = 0;
  for (int i = 0; i < 50; ++i) {
    children.run(shell("exit 0"), 10s, [&](const ChildOutcome& outcome) { ended += outcome.success() ? 1 : 0; });
  }
  EXPECT_EQ(children.running(), 50u);
  run_until([&] { return ended == 50; });
}

TEST(ChildProcesses, WithTimeoutsTheyEndWithTheirOwner) {
  asio::io_context io;
  char name[] = "/tmp/child-XXXXXX";
  const std::string directory = mkdtemp(name);
  bool called = false;
  {
    ChildProcesses children(io);
    children.run(
        {{"sh", "-c",
          "echo $$ > " + directory + "/pid.new; mv " + directory + "/pid.new " + directory + "/pid; exec sleep 60"},
         {},
         {}},
        60s, [&](const ChildOutcome&) { called = true; });
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!std::filesystem::exists(directory + "/pid") && std::chrono::steady_clock::now() < deadline) usleep(1000);
  }
  pid_t pid = 0;
  std::ifstream(directory + "/pid") >> pid;
  std::filesystem::remove_all(directory);
  ASSERT_GT(pid, 0);
  EXPECT_EQ(waitpid(pid, nullptr, 0), pid) << "killed, and ours to reap as the test's child";
  io.poll();
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace lbdp::control
