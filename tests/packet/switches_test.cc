// SPDX-License-Identifier: BSD-2-Clause
// IPVS's switches, each on and off. expire_nodest_conn and expire_quiescent_template have a test for each case in
// server_lifecycle_test.cc; here they are switched while connections and templates are there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/packet/support/balanced.h"

namespace lbdp::packet_tests {
namespace {

using dataplane::Scheduler;
using testing::Each;
using testing::ElementsAre;

// Two servers in turn, one worker.
class SwitchesTest : public testing::Test {
 protected:
  dataplane::Switches& switches() { return balanced_.tables.switches; }
  void publish() { balanced_.publish(); }
  std::string state(unsigned client) {
    dataplane::ConnectionFilter filter;
    filter.client_port = segment(client, 0).sport;
    const auto rows = balanced_.director.connections(filter);
    return rows.size() == 1 ? std::string(rows[0].state) : std::to_string(rows.size()) + " connections";
  }

  Balanced balanced_{Scheduler::kRoundRobin, {1, 1}};
};

// ---- conn_reuse ----

struct Finished {
  std::vector<uint8_t> flags;
  const char* state;
};
class ConnReuse : public SwitchesTest, public testing::WithParamInterface<Finished> {
 protected:
  void finish(unsigned client) {
    for (const uint8_t flags : GetParam().flags) ASSERT_EQ(server_of(balanced_.send(client, flags)), 1U);
    ASSERT_EQ(state(client), GetParam().state);
  }
};

TEST_P(ConnReuse, OnASynOpensANewConnection) {
  finish(1);
  EXPECT_EQ(balanced_.open(1), 2U);
  EXPECT_EQ(state(1), "SYN_RECV");
  EXPECT_THAT(balanced_.counts(1), ElementsAre(0, 0));
  EXPECT_THAT(balanced_.counts(2), ElementsAre(1, 0));
  EXPECT_EQ(balanced_.counters(2).connections, 1U);
  EXPECT_EQ(server_of(balanced_.send(1, kAck)), 2U);
}

TEST_P(ConnReuse, OffASynStaysWithItsServer) {
  switches().conn_reuse = false;
  publish();
  finish(1);
  EXPECT_EQ(balanced_.open(1), 1U);
  EXPECT_EQ(state(1), "SYN_RECV");
  EXPECT_THAT(balanced_.counts(1), ElementsAre(1, 0)) << "active again";
  EXPECT_EQ(balanced_.counters(1).connections, 1U) << "nothing was scheduled";
  EXPECT_EQ(balanced_.open(2), 2U) << "and the round robin was not moved";
  EXPECT_EQ(server_of(balanced_.send(1, kAck)), 1U);
  EXPECT_EQ(state(1), "ESTABLISHED");
}

TEST_P(ConnReuse, OffItsServerMustStillBeThere) {
  switches().conn_reuse = false;
  publish();
  finish(1);
  balanced_.set_in_table(1, false);
  EXPECT_EQ(balanced_.open(1), 2U) << "with expire_nodest_conn its connections are gone";
}

TEST_P(ConnReuse, OffAndWithoutExpireNodestConnItIsDroppedUntilItsServerIsBack) {
  switches().conn_reuse = switches().expire_nodest_conn = false;
  publish();
  finish(1);
  balanced_.set_in_table(1, false);
  EXPECT_EQ(balanced_.send(1, kSyn).drops, (std::map<std::string, uint64_t>{{"server_gone", 1}}));
  balanced_.set_in_table(1, true);
  EXPECT_EQ(balanced_.open(1), 1U);
}

INSTANTIATE_TEST_SUITE_P(States, ConnReuse,
                         testing::Values(Finished{{kSyn, kAck, kFin | kAck}, "FIN_WAIT"},
                                         Finished{{kSyn, kFin | kAck}, "TIME_WAIT"},
                                         Finished{{kSyn, kAck, kRst}, "CLOSE"}),
                         [](const auto& one) { return std::string(one.param.state); });

TEST_F(SwitchesTest, ConnReuseConcernsNoLivingConnection) {
  for (const bool reuse : {true, false}) {
    switches().conn_reuse = reuse;
    publish();
    const unsigned client = reuse ? 1 : 2, home = balanced_.establish(client);
    EXPECT_EQ(balanced_.open(client), home) << "a SYN on an established connection";
    EXPECT_EQ(state(client), "ESTABLISHED");
  }
}

// ---- sloppy_tcp ----

class SloppyTcp : public SwitchesTest, public testing::WithParamInterface<uint8_t> {};

TEST_P(SloppyTcp, OffTheKernelResetsWhatIsNotASyn) {
  EXPECT_EQ(balanced_.send(1, GetParam()).punted.size(), 1U);
  EXPECT_EQ(state(1), "0 connections");
}

TEST_P(SloppyTcp, OnItOpensAConnection) {
  switches().sloppy_tcp = true;
  publish();
  EXPECT_EQ(server_of(balanced_.send(1, GetParam())), 1U);
  EXPECT_EQ(state(1), (GetParam() & kSyn) != 0 ? "SYN_RECV" : "ESTABLISHED");
  EXPECT_EQ(server_of(balanced_.send(1, kAck)), 1U);
  EXPECT_EQ(server_of(balanced_.send(2, GetParam())), 2U) << "scheduled like every other";
  switches().sloppy_tcp = false;
  publish();
  EXPECT_EQ(server_of(balanced_.send(1, kAck | kPsh)), 1U) << "and stays";
  EXPECT_EQ(balanced_.send(3, GetParam()).punted.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Flags, SloppyTcp,
                         testing::Values(kAck, uint8_t{kAck | kPsh}, uint8_t{kFin | kAck}, uint8_t{kSyn | kAck},
                                         uint8_t{kSyn | kFin}, uint8_t{0}),
                         [](const auto& one) { return "flags_" + std::to_string(one.param); });

TEST_F(SwitchesTest, ARstOpensNothingEitherWay) {
  for (const bool sloppy : {false, true}) {
    switches().sloppy_tcp = sloppy;
    publish();
    for (const uint8_t flags : {kRst, static_cast<uint8_t>(kRst | kAck), static_cast<uint8_t>(kRst | kSyn)}) {
      EXPECT_EQ(balanced_.send(1, flags).punted.size(), 1U);
    }
    EXPECT_EQ(state(1), "0 connections");
  }
}

// A director that takes over: established connections of the one before are balanced, and each stays.
TEST_F(SwitchesTest, SloppyTcpTakesOverConnectionsInTheirMiddle) {
  switches().sloppy_tcp = true;
  publish();
  std::vector<unsigned> home;
  for (unsigned i = 0; i < 20; ++i) home.push_back(server_of(balanced_.send(i, kAck)));
  EXPECT_EQ(std::count(home.begin(), home.end(), 1U), 10);
  for (unsigned i = 0; i < 20; ++i) EXPECT_EQ(server_of(balanced_.send(i, kAck | kPsh)), home[i]);
  EXPECT_THAT(balanced_.counts(1), ElementsAre(10, 0));
}

TEST_F(SwitchesTest, SloppyTcpServesTheClientsOfAFailedServerAtOnce) {
  switches().sloppy_tcp = true;
  publish();
  ASSERT_EQ(balanced_.establish(1), 1U);
  balanced_.set_in_table(1, false);
  EXPECT_EQ(server_of(balanced_.send(1, kAck)), 2U) << "the other server will reset it";
}

// ---- expire_nodest_conn, switched meanwhile ----

TEST_F(SwitchesTest, ExpireNodestConnSwitchedOffKeepsWhatIsThere) {
  ASSERT_EQ(balanced_.establish(1), 1U);
  switches().expire_nodest_conn = false;
  publish();
  balanced_.set_in_table(1, false);
  EXPECT_EQ(balanced_.send(1, kAck).drops.count("server_gone"), 1U);
  balanced_.set_in_table(1, true);
  EXPECT_EQ(server_of(balanced_.send(1, kAck)), 1U);
}

TEST_F(SwitchesTest, ExpireNodestConnSwitchedOnEndsWhatWaits) {
  switches().expire_nodest_conn = false;
  publish();
  ASSERT_EQ(balanced_.establish(1), 1U);
  balanced_.set_in_table(1, false);
  switches().expire_nodest_conn = true;
  publish();
  EXPECT_EQ(balanced_.send(1, kAck).punted.size(), 1U);
  balanced_.set_in_table(1, true);
  EXPECT_EQ(balanced_.send(1, kAck).punted.size(), 1U) << "it does not come back to life";
}

// ---- expire_quiescent_template, switched meanwhile ----

TEST_F(SwitchesTest, ExpireQuiescentTemplate) {
  balanced_.web().persistence.timeout = std::chrono::seconds(300);
  switches().expire_quiescent_template = false;
  publish();
  ASSERT_EQ(balanced_.open(1), 1U);
  balanced_.set_weight(1, 0);
  auto open_again = [&, port = uint16_t{1}]() mutable {
    Frame f = segment(1, kSyn);
    f.sport = ++port;
    return server_of(balanced_.director.send(f));
  };
  EXPECT_EQ(open_again(), 1U) << "off: it stays";
  switches().expire_quiescent_template = true;
  publish();
  EXPECT_EQ(open_again(), 2U) << "on: it goes";
  balanced_.set_weight(1, 1);
  EXPECT_EQ(open_again(), 2U) << "and does not come back";
  EXPECT_EQ(server_of(balanced_.send(1, kAck)), 1U) << "its first connection never moved";
}

}  // namespace
}  // namespace lbdp::packet_tests
