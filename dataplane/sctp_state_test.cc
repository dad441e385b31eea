// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/sctp_state.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace lbdp::dataplane {
namespace {

using enum SctpState;
using Bytes = std::vector<uint8_t>;

// IPVS's input-only table once more, by chunk types, in the columns that remain of it: NONE, INIT, ESTABLISHED,
// SHUTDOWN-RECEIVED, CLOSED.
struct Row {
  uint8_t chunk;
  std::string_view next;
};
constexpr std::string_view kLetters = "NIESC";
constexpr Row kRows[] = {
    {0, "EIESC"},  {1, "IIESI"},  {2, "IIESC"},  {3, "EIESC"},  {4, "EIESC"},   {5, "EIESC"},   {6, "CCCCC"},
    {7, "SISSC"},  {8, "CICSC"},  {9, "CIESC"},  {10, "EEESC"}, {11, "EEESC"},  {12, "EIESC"},  {13, "EIESC"},
    {14, "CCECC"}, {15, "EIESC"}, {63, "EIESC"}, {64, "EIESC"}, {192, "EIESC"}, {255, "EIESC"},
};

TEST(SctpState, FollowsTheTable) {
  for (const Row& row : kRows) {
    for (size_t state = 0; state < kSctpStates; ++state) {
      const SctpState next = next_sctp_state(static_cast<SctpState>(state), sctp_event_of_chunk(row.chunk));
      EXPECT_EQ(kLetters[static_cast<size_t>(next)], row.next[state])
          << "chunk " << int{row.chunk} << " in " << kLetters[state];
    }
  }
}

SctpState after(std::initializer_list<uint8_t> chunks) {
  SctpState state = kNone;
  for (const uint8_t chunk : chunks) state = next_sctp_state(state, sctp_event_of_chunk(chunk));
  return state;
}

TEST(SctpState, LivesOfAssociations) {
  EXPECT_EQ(after({1}), kInit);
  EXPECT_EQ(after({1, 1}), kInit) << "repeated";
  EXPECT_EQ(after({1, 10}), kEstablished);
  EXPECT_EQ(after({1, 10, 3, 0, 4, 5}), kEstablished);
  EXPECT_EQ(after({1, 10, 0, 7}), kShutdown) << "the client closes";
  EXPECT_EQ(after({1, 10, 0, 7, 14}), kClosed);
  EXPECT_EQ(after({1, 10, 0, 8}), kClosed) << "the server closes";
  EXPECT_EQ(after({1, 10, 6}), kClosed);
  EXPECT_EQ(after({1, 10, 6, 1, 10}), kEstablished) << "opened again";
  EXPECT_EQ(after({1, 10, 1}), kEstablished) << "a restart keeps its server (RFC 9260, section 5.2)";
}

TEST(SctpState, OnlyInitOpens) {
  for (unsigned chunk = 0; chunk < 256; ++chunk)
    EXPECT_EQ(opens_association(sctp_event_of_chunk(static_cast<uint8_t>(chunk))), chunk == 1) << chunk;
}

TEST(SctpState, TimeoutsAreIpvs) {
  for (const auto& [state, seconds] :
       {std::pair{kNone, 2}, {kInit, 61}, {kEstablished, 900}, {kShutdown, 61}, {kClosed, 61}})
    EXPECT_EQ(sctp_timeout(state).count(), seconds);
}

TEST(SctpState, SyncNumbersGoThereAndBack) {
  for (size_t i = 0; i < kSctpStates; ++i) {
    const auto state = static_cast<SctpState>(i);
    EXPECT_EQ(sctp_state_of_sync_number(sctp_sync_number(state)), state);
  }
  EXPECT_EQ(sctp_state_of_sync_number(1), kInit);
  EXPECT_EQ(sctp_state_of_sync_number(7), kInit);
  EXPECT_EQ(sctp_state_of_sync_number(9), kShutdown);
  EXPECT_EQ(sctp_state_of_sync_number(11), kShutdown);
  EXPECT_EQ(sctp_state_of_sync_number(12), kClosed);
  EXPECT_EQ(sctp_state_of_sync_number(14), kNone);
}

std::optional<SctpEvent> event(Bytes chunks, uint32_t beyond = 0) {
  Bytes packet(kSctpHeader, 7);
  packet.insert(packet.end(), chunks.begin(), chunks.end());
  const auto length = static_cast<uint32_t>(packet.size());
  return sctp_event({packet.data(), length, length, 0}, 0, length - beyond);
}

TEST(SctpEvent, IsTheFirstChunks) {
  EXPECT_EQ(event({1, 0, 0, 20}), SctpEvent::kInit);
  EXPECT_EQ(event({3, 0, 0, 4, 6, 0, 0, 4}), SctpEvent::kData) << "an ABORT behind a SACK";
  EXPECT_FALSE(event({}));
  EXPECT_FALSE(event({1, 0, 0}));
  EXPECT_FALSE(event({1, 0, 0, 20}, 1)) << "padding is no chunk";
}

TEST(SctpEvent, AnAbortBehindACookieCounts) {
  for (const uint8_t cookie : Bytes{10, 11}) {
    const SctpEvent alone = sctp_event_of_chunk(cookie);
    EXPECT_EQ(event({cookie, 0, 0, 4}), alone);
    EXPECT_EQ(event({cookie, 0, 0, 4, 0, 3, 0, 20}), alone);
    EXPECT_EQ(event({cookie, 0, 0, 4, 6, 0, 0, 4}), SctpEvent::kAbort);
    EXPECT_EQ(event({cookie, 0, 0, 5, 9, 0, 0, 0, 6, 0, 0, 4}), SctpEvent::kAbort) << "chunks are padded to 4 bytes";
    EXPECT_EQ(event({cookie, 0, 0, 5, 9, 0, 0, 0, 6, 0, 0}), alone) << "cut";
    EXPECT_EQ(event({cookie, 0, 0, 3, 6, 0, 0, 4}), alone) << "a length that cannot be";
    EXPECT_EQ(event({cookie, 0, 0xff, 0xff, 6, 0, 0, 4}), alone) << "behind the end";
  }
}

}  // namespace
}  // namespace lbdp::dataplane
