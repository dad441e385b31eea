// SPDX-License-Identifier: BSD-2-Clause
// Real pipes and programs.
#include "control/notifier.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "control/notify_fifo.h"

namespace lbdp::control {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

struct Directory {
  Directory() {
    char name[] = "/tmp/notify-XXXXXX";
    path = mkdtemp(name);
  }
  ~Directory() { std::filesystem::remove_all(path); }
  [[nodiscard]] std::string file(const std::string& name) const { return path + "/" + name; }
  [[nodiscard]] std::vector<std::string> lines(const std::string& name) const {
    std::ifstream in(file(name));
    std::vector<std::string> all;
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
  }
  std::string path;
};

/// The reading end, which never waits.
class Reader {
 public:
  explicit Reader(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_NONBLOCK)) {}
  ~Reader() { ::close(fd_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  std::string all() {
    std::string text;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(fd_, buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<size_t>(got));
    }
    return text;
  }

 private:
  int fd_;
};

TEST(NotifyFifo, IsMadeWrittenAndRemoved) {
  const Directory directory;
  const std::string path = directory.file("fifo");
  {
    auto fifo = NotifyFifo::open(path, "nobody", "");
    ASSERT_TRUE(fifo) << fifo.error().message;
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_TRUE(S_ISFIFO(status.st_mode));
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    EXPECT_NE(status.st_uid, 0u);
    Reader reader(path);
    EXPECT_TRUE(fifo->write("a line"));
    EXPECT_EQ(reader.all(), "a line\n");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(NotifyFifo, AnOldOneIsTakenAndLeft) {
  const Directory directory;
  const std::string path = directory.file("fifo");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  { ASSERT_TRUE(NotifyFifo::open(path, "", "")); }
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST(NotifyFifo, RefusesWhatIsNoFifo) {
  const Directory directory;
  std::ofstream(directory.file("plain")) << "precious\n";
  const auto plain = NotifyFifo::open(directory.file("plain"), "", "");
  ASSERT_FALSE(plain);
  EXPECT_THAT(plain.error().message, HasSubstr("not a FIFO"));
  EXPECT_THAT(directory.lines("plain"), ElementsAre("precious"));
  const auto nowhere = NotifyFifo::open(directory.file("no/where"), "", "");
  ASSERT_FALSE(nowhere);
  EXPECT_THAT(nowhere.error().message, HasSubstr("No such file"));
  const auto stranger = NotifyFifo::open(directory.file("fifo"), "no-such-user", "");
  ASSERT_FALSE(stranger);
  EXPECT_THAT(stranger.error().message, HasSubstr("there is no user 'no-such-user'"));
  EXPECT_FALSE(std::filesystem::exists(directory.file("fifo")));
}

TEST(NotifyFifo, NobodyReadingCostsLinesAndNoTime) {
  const Directory directory;
  auto fifo = NotifyFifo::open(directory.file("fifo"), "", "");
  ASSERT_TRUE(fifo);
  const std::string line(1000, 'x');
  const auto begin = std::chrono::steady_clock::now();
  unsigned written = 0;
  while (fifo->write(line)) ASSERT_LT(++written, 10'000u);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
  EXPECT_GT(written, 10u);
  EXPECT_EQ(fifo->dropped(), 1u);
  Reader reader(directory.file("fifo"));
  EXPECT_EQ(reader.all().size(), written * 1001);
  EXPECT_TRUE(fifo->write("again"));
}

struct Notifications : testing::Test {
  /// A program that adds its arguments as a line to a file.
  ChildCommand recorder(const std::string& name) {
    return {{"sh", "-c", "echo \"$*\" >> " + directory.file(name), "record"}, {}, {}};
  }
  void run_programs() {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (children.running() > 0 && std::chrono::steady_clock::now() < deadline) {
      io.restart();
      io.run_one_for(50ms);
    }
    EXPECT_EQ(children.running(), 0u);
  }

  const Directory directory;
  std::ostringstream text;
  spdlog::logger log{"test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text)};
  asio::io_context io;
  ChildProcesses children{io};
  Notifier notifier{children, log};
};

TEST_F(Notifications, ProgramsGetKeepalivedsArguments) {
  NotifierParams params;
  params.instances["VI_1"].master = recorder("master");
  params.instances["VI_1"].any = recorder("any");
  params.groups["VG"].any = recorder("any");
  notifier.configure(params);
  notifier.instance("VI_1", "MASTER", 100);
  run_programs();
  notifier.instance("VI_1", "BACKUP", 90);
  run_programs();
  notifier.group("VG", "FAULT");
  notifier.instance("another", "MASTER", 1);
  run_programs();
  EXPECT_THAT(directory.lines("master"), ElementsAre(""));
  EXPECT_THAT(directory.lines("any"),
              ElementsAre("INSTANCE VI_1 MASTER 100", "INSTANCE VI_1 BACKUP 90", "GROUP VG FAULT 0"));
  EXPECT_EQ(text.str(), "");
}

TEST_F(Notifications, EachStateHasItsProgram) {
  NotifierParams params;
  TransitionPrograms& programs = params.instances["VI"];
  programs.master = recorder("MASTER");
  programs.backup = recorder("BACKUP");
  programs.fault = recorder("FAULT");
  programs.stop = recorder("STOP");
  programs.deleted = recorder("DELETED");
  programs.master_rx_lower_pri = recorder("LOWER");
  notifier.configure(params);
  for (const char* state : {"MASTER", "BACKUP", "FAULT", "STOP", "DELETED"}) notifier.instance("VI", state, 1);
  notifier.master_rx_lower_pri("VI", "MASTER", 1);
  run_programs();
  for (const char* state : {"MASTER", "BACKUP", "FAULT", "STOP", "DELETED"}) {
    EXPECT_THAT(directory.lines(state), ElementsAre("")) << state;
  }
  EXPECT_THAT(directory.lines("LOWER"), ElementsAre("INSTANCE VI MASTER 1"));
}

TEST_F(Notifications, AFailingProgramIsLogged) {
  NotifierParams params;
  params.instances["VI"].master = ChildCommand{{"false"}, {}, {}};
  params.instances["VI"].any = ChildCommand{{"/no/such"}, {}, {}};
  notifier.configure(params);
  notifier.instance("VI", "MASTER", 1);
  run_programs();
  io.restart();
  io.poll();
  EXPECT_THAT(text.str(), HasSubstr("notify of VI MASTER: false exited with status 1"));
  EXPECT_THAT(text.str(), HasSubstr("notify of VI MASTER: /no/such could not be started: No such file or directory"));
}

TEST_F(Notifications, PipesGetKeepalivedsLines) {
  NotifierParams params;
  params.fifos = {{.path = directory.file("all")},
                  {.path = directory.file("vrrp"), .services = false},
                  {.path = directory.file("lvs"), .vrrp = false}};
  params.instances["VI_1"].priority_changes = true;
  notifier.configure(params);
  Reader all(directory.file("all")), vrrp(directory.file("vrrp")), lvs(directory.file("lvs"));
  notifier.instance("VI_1", "MASTER", 100);
  notifier.group("VG", "BACKUP");
  notifier.priority("VI_1", "MASTER", 70);
  notifier.priority("VI_2", "MASTER", 70);
  const auto service = ServiceKey::parse("tcp/1.2.3.4:80").value();
  notifier.virtual_server(service, true);
  notifier.real_server(Endpoint{IpAddress::parse("2001:db8::1").value(), 8080}, service, false);
  const std::string of_vrrp =
      "INSTANCE \"VI_1\" MASTER 100\nGROUP \"VG\" BACKUP 0\nINSTANCE \"VI_1\" MASTER_PRIORITY 70\n";
  const std::string of_lvs = "VS [1.2.3.4]:tcp:80 UP\nRS [2001:db8::1]:tcp:8080 [1.2.3.4]:tcp:80 DOWN\n";
  EXPECT_EQ(all.all(), of_vrrp + of_lvs);
  EXPECT_EQ(vrrp.all(), of_vrrp);
  EXPECT_EQ(lvs.all(), of_lvs);
}

TEST_F(Notifications, ThePipesReaderIsStartedOnce) {
  NotifierParams params;
  params.fifos = {{.path = directory.file("fifo"), .script = recorder("started")}};
  notifier.configure(params);
  notifier.configure(params);
  run_programs();
  EXPECT_THAT(directory.lines("started"), ElementsAre(directory.file("fifo")));
  notifier.configure({});
  EXPECT_FALSE(std::filesystem::exists(directory.file("fifo")));
}

TEST_F(Notifications, APipeThatNobodyReadsIsToldOnce) {
  NotifierParams params;
  params.fifos = {{.path = directory.file("fifo")}};
  notifier.configure(params);
  for (int i = 0; i < 10'000; ++i) notifier.group("a-name-of-some-length", "BACKUP");
  const std::string said = text.str();
  EXPECT_THAT(said, HasSubstr("full, nobody reads it"));
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1);
}

}  // namespace
}  // namespace lbdp::control
