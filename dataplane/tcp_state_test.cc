// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/tcp_state.h"

#include <gtest/gtest.h>

namespace lbdp::dataplane {
namespace {

// IPVS's input-only table once more, as shared/reference/ipvs.md writes it down.
constexpr const char* kOrder[] = {"NO", "ES", "SS", "SR", "FW", "TW", "CL", "CW", "LA", "LI", "SA"};
struct Row {
  uint8_t flag;
  std::array<const char*, 11> next;
};
constexpr Row kRows[] = {
    {kTcpSyn, {"SR", "ES", "ES", "SR", "SR", "SR", "SR", "SR", "SR", "SR", "SR"}},
    {kTcpFin, {"CL", "FW", "SS", "TW", "FW", "TW", "CL", "CW", "LA", "LI", "TW"}},
    {kTcpAck, {"CL", "ES", "SS", "ES", "FW", "TW", "CL", "CW", "CL", "LI", "ES"}},
    {kTcpRst, {"CL", "CL", "CL", "SR", "CL", "CL", "CL", "CL", "LA", "LI", "CL"}},
};

TEST(TcpState, FollowsTheTable) {
  for (const Row& row : kRows) {
    for (size_t state = 0; state < 11; ++state) {
      const auto next = static_cast<size_t>(next_tcp_state(static_cast<FlowState>(state), row.flag));
      EXPECT_STREQ(kOrder[next], row.next[state]) << "flag " << int{row.flag} << " in " << kOrder[state];
    }
  }
}

TEST(TcpState, FlagsHaveAPrecedence) {
  using enum FlowState;
  EXPECT_EQ(next_tcp_state(kEstablished, kTcpRst | kTcpSyn | kTcpFin | kTcpAck), kClose);
  EXPECT_EQ(next_tcp_state(kFinWait, kTcpSyn | kTcpFin | kTcpAck), kSynRecv);
  EXPECT_EQ(next_tcp_state(kEstablished, kTcpFin | kTcpAck), kFinWait);
  EXPECT_EQ(next_tcp_state(kSynRecv, kTcpAck | 0x08), kEstablished);
  EXPECT_EQ(next_tcp_state(kSynRecv, 0x28), kSynRecv) << "PSH and URG alone say nothing";
}

TEST(TcpState, ActiveAreThoseThatIpvsCounts) {
  using enum FlowState;
  for (const FlowState state : {kEstablished, kSynSent, kSynRecv}) EXPECT_TRUE(is_active(state));
  for (const FlowState state : {kNone, kFinWait, kTimeWait, kClose, kCloseWait, kLastAck, kListen, kSynAck, kUdp})
    EXPECT_FALSE(is_active(state)) << to_string(state);
}

TEST(Timeouts, AreIpvsDefaults) {
  using enum FlowState;
  const TimeoutTable table{Timeouts{}};
  const std::pair<FlowState, unsigned> kSeconds[] = {
      {kNone, 2},   {kEstablished, 900}, {kSynSent, 120}, {kSynRecv, 60}, {kFinWait, 120}, {kTimeWait, 120},
      {kClose, 10}, {kCloseWait, 60},    {kLastAck, 30},  {kListen, 120}, {kSynAck, 120},  {kUdp, 300}};
  for (const auto& [state, seconds] : kSeconds)
    EXPECT_EQ(table.of(state), seconds * kTicksPerSecond) << to_string(state);
}

// So much longer than its timeout a steady connection may live, since its entry is not written for every packet.
TEST(Timeouts, PatienceIsA64thOfTheShortestSteadyLifetime) {
  using std::chrono::seconds;
  const std::pair<Timeouts, Tick> kCases[] = {{{}, 300 * kTicksPerSecond / 64},
                                              {{.tcp = seconds(64)}, kTicksPerSecond},
                                              {{.udp = seconds(10'000)}, 900 * kTicksPerSecond / 64},
                                              {{.tcp = seconds(5), .udp = seconds(3)}, 0}};
  for (const auto& [timeouts, ticks] : kCases) EXPECT_EQ(TimeoutTable(timeouts).patience(), ticks);
}

TEST(Timeouts, OnlySteadyStatesLiveLonger) {
  using enum FlowState;
  const TimeoutTable table{Timeouts{}};
  for (size_t i = 0; i < kFlowStates; ++i) {
    const auto state = static_cast<FlowState>(i);
    const bool steady = state == kEstablished || state == kUdp || state == kSctpEstablished;
    const Tick life = table.of(state) + (steady ? table.patience() : 0);
    EXPECT_FALSE(table.expired(state, 0, life)) << to_string(state);
    EXPECT_TRUE(table.expired(state, 0, life + 1)) << to_string(state);
  }
}

TEST(Timeouts, HoldOverTheWrapOfTheTick) {
  const TimeoutTable table{Timeouts{.tcp = std::chrono::hours(31 * 24)}};
  const Tick life = table.of(FlowState::kEstablished) + table.patience();
  for (const Tick seen : {Tick{0}, Tick{1000}, kTickMask - life / 2, kTickMask}) {
    EXPECT_FALSE(table.expired(FlowState::kEstablished, seen, (seen + life) & kTickMask));
    EXPECT_TRUE(table.expired(FlowState::kEstablished, seen, (seen + life + 1) & kTickMask));
  }
}

}  // namespace
}  // namespace lbdp::dataplane
