// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What a director that sees the client's half only can tell of an SCTP association (RFC 9260), by the type of a packet's
// first chunk.

#include <cstdint>

#include "dataplane/tcp_state.h"

namespace lbdp::dataplane {

/// Chunk types, RFC 9260 section 3.2.
enum SctpChunk : uint8_t {
  kDataChunk = 0,
  kInitChunk = 1,
  kSackChunk = 3,
  kHeartbeatChunk = 4,
  kHeartbeatAckChunk = 5,
  kAbortChunk = 6,
  kShutdownChunk = 7,
  kShutdownAckChunk = 8,
  kCookieEchoChunk = 10,
  kShutdownCompleteChunk = 14,
};

/// May this packet open an association? INIT only, as for IPVS.
[[nodiscard]] constexpr bool opens_association(uint8_t chunk) {
  return chunk == kInitChunk;
}

/// Is it of an association that is at work, if it is of any?
[[nodiscard]] constexpr bool is_steady_chunk(uint8_t chunk) {
  return chunk == kDataChunk || chunk == kSackChunk || chunk == kHeartbeatChunk || chunk == kHeartbeatAckChunk;
}

/// The state after a packet from the client. The client's SHUTDOWN COMPLETE and ABORT are its last words.
[[nodiscard]] constexpr FlowState next_sctp_state(FlowState state, uint8_t chunk) {
  using enum FlowState;
  if (chunk == kAbortChunk || chunk == kShutdownCompleteChunk) return kSctpClosed;
  if (chunk == kShutdownChunk || chunk == kShutdownAckChunk) return kSctpShutdown;
  if (chunk == kInitChunk) return state == kSctpEstablished ? kSctpEstablished : kSctpInit;
  if (chunk == kCookieEchoChunk || is_steady_chunk(chunk)) {
    return state == kSctpInit || state == kSctpEstablished || state == kNone ? kSctpEstablished : state;
  }
  return state == kNone ? kSctpInit : state;
}

}  // namespace lbdp::dataplane
