// SPDX-License-Identifier: BSD-2-Clause
// Real scripts and files.
#include "control/trackers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace lbdp::control {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = TrackLine::Kind;

struct Tracking : testing::Test {
  Tracking() {
    char name[] = "/tmp/track-XXXXXX";
    directory = mkdtemp(name);
  }
  ~Tracking() override { std::filesystem::remove_all(directory); }

  [[nodiscard]] std::string file(const std::string& name) const { return directory + "/" + name; }
  void write(const std::string& name, const std::string& content) {
    std::ofstream(file(name + ".new")) << content;
    std::filesystem::rename(file(name + ".new"), file(name));
  }
  /// Succeeds while the file "good" is there, and notes each start.
  TrackedScript script() {
    TrackedScript script;
    script.name = "chk";
    script.command = {{"sh", "-c", "echo >> " + file("starts") + "; test -e " + file("good")}, {}, {}};
    script.interval = 20ms;
    script.timeout = 10s;
    return script;
  }
  [[nodiscard]] size_t starts() const {
    std::ifstream in(file("starts"));
    return static_cast<size_t>(std::count(std::istreambuf_iterator<char>(in), {}, '\n'));
  }
  static TrackersParams with(TrackLine line) {
    TrackersParams params;
    params.instances["VI_1"] = {std::move(line)};
    return params;
  }
  template <class Predicate>
  void run_until(Predicate predicate) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!predicate() && std::chrono::steady_clock::now() < deadline) {
      io.restart();
      io.run_one_for(20ms);
    }
    EXPECT_TRUE(predicate());
  }
  [[nodiscard]] bool faulty() const { return !state.faults.empty(); }

  std::string directory;
  std::ostringstream text;
  spdlog::logger log{"test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text)};
  asio::io_context io;
  ChildProcesses children{io};
  vrrp::TrackingState state;  // of VI_1
  Trackers trackers{io, children, log, [this](const std::string& instance, const vrrp::TrackingState& told) {
                      EXPECT_EQ(instance, "VI_1");
                      state = told;
                    }};
};

TEST_F(Tracking, AScriptWithoutWeightIsAFaultUntilItSucceeds) {
  auto params = with({Kind::kScript, "chk", 0, false});
  params.scripts = {script()};
  trackers.configure(params);
  EXPECT_THAT(state.faults, ElementsAre("script chk: no result yet"));
  run_until([&] { return state.faults == std::vector<std::string>{"script chk failed"}; });
  write("good", "");
  run_until([&] { return !faulty(); });
  std::filesystem::remove(file("good"));
  run_until([&] { return faulty(); });
  EXPECT_THAT(text.str(), HasSubstr("VRRP_Script(chk) failed (exited with status 1)"));
  EXPECT_THAT(text.str(), HasSubstr("VRRP_Script(chk) succeeded (exited with status 0)"));
}

TEST_F(Tracking, AWeightIsAddedAsKeepalivedDoes) {
  auto params = with({Kind::kScript, "chk", -30, false});
  params.scripts = {script()};
  trackers.configure(params);
  EXPECT_EQ(state, vrrp::TrackingState{});
  run_until([&] { return state.weight == -30; });
  write("good", "");
  run_until([&] { return state.weight == 0; });
  EXPECT_FALSE(faulty());
}

TEST_F(Tracking, ASlowScriptDoesNotPileUp) {
  auto params = with({Kind::kScript, "chk", 0, false});
  auto slow = script();
  slow.command.arguments.back() =
      "echo >> " + file("starts") + "; while ! test -e " + file("go") + "; do sleep 0.01; done";
  params.scripts = {slow};
  trackers.configure(params);
  const auto end = std::chrono::steady_clock::now() + 200ms;  // ten intervals
  run_until([&] { return std::chrono::steady_clock::now() > end; });
  EXPECT_EQ(starts(), 1u);
  write("go", "");
  run_until([&] { return starts() > 2; });
}

TEST_F(Tracking, AScriptThatHangsFails) {
  auto params = with({Kind::kScript, "chk", 0, false});
  auto hanging = script();
  hanging.command.arguments.back() = "sleep 60";
  hanging.timeout = 50ms;
  params.scripts = {hanging};
  trackers.configure(params);
  run_until([&] { return state.faults == std::vector<std::string>{"script chk failed"}; });
  EXPECT_THAT(text.str(), HasSubstr("VRRP_Script(chk) timed_out"));
}

TEST_F(Tracking, AReloadKeepsAScriptsHealthAndItsRun) {
  write("good", "");
  auto params = with({Kind::kScript, "chk", 0, false});
  params.scripts = {script()};
  params.scripts[0].interval = 60s;
  trackers.configure(params);
  run_until([&] { return !faulty(); });
  params.scripts[0].counting.fall = 5;
  params.instances["VI_1"].push_back({Kind::kInterface, "lo", -10, false});
  trackers.configure(params);
  EXPECT_FALSE(faulty()) << "it does not become unknown again";
  EXPECT_EQ(trackers.scripts().at(0).runs, 1u);
  params.scripts[0].command.arguments.back() += " # another";
  trackers.configure(params);
  EXPECT_TRUE(faulty());
  EXPECT_EQ(trackers.scripts().at(0).runs, 1u) << "another script begins anew";
}

TEST_F(Tracking, AFilesNumberIsAWeight) {
  auto params = with({Kind::kFile, "load", 2, false});
  params.files = {{"load", file("load")}};
  trackers.configure(params);
  EXPECT_EQ(state.weight, 0) << "there is no file yet";
  write("load", " -20 and more\n");
  run_until([&] { return state.weight == -40; });
  std::ofstream(file("load")) << "7\n";
  run_until([&] { return state.weight == 14; });
  write("load", "-127\n");
  run_until([&] { return state.faults == std::vector<std::string>{"track_file load holds -127"}; });
  std::filesystem::remove(file("load"));
  run_until([&] { return !faulty() && state.weight == 0; });
  write("load", "1000000000\n");
  run_until([&] { return state.weight == 253; });
}

TEST_F(Tracking, ADirectoryThatComesLaterIsFound) {
  auto params = with({Kind::kFile, "load", 1, false});
  params.files = {{"load", file("later/load")}};
  trackers.configure(params);
  std::filesystem::create_directory(file("later"));
  std::ofstream(file("later/load")) << "9\n";
  run_until([&] { return state.weight == 9; });
  std::filesystem::remove_all(file("later"));
  run_until([&] { return state.weight == 0; });
  std::filesystem::create_directory(file("later"));
  std::ofstream(file("later/load")) << "8\n";
  run_until([&] { return state.weight == 8; });
}

TEST_F(Tracking, AnInterfaceThatIsNotThereIsAFault) {
  auto params = with({Kind::kInterface, "no-such-if", 0, false});
  params.instances["VI_1"].push_back({Kind::kInterface, "lo", 10, false});
  trackers.configure(params);
  EXPECT_THAT(state.faults, ElementsAre("tracked interface no-such-if failed"));
  EXPECT_EQ(state.weight, 10);
}

TEST_F(Tracking, WhatConcernsAllIsAddedToAll) {
  trackers.configure(with({Kind::kInterface, "lo", 0, false}));
  EXPECT_THAT(state.faults, IsEmpty());
  trackers.set_common_faults({"worker 3 is stuck"});
  EXPECT_THAT(state.faults, ElementsAre("worker 3 is stuck"));
  trackers.set_common_faults({});
  EXPECT_THAT(state.faults, IsEmpty());
}

}  // namespace
}  // namespace lbdp::control
