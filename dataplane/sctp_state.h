// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// IPVS's view of an SCTP association of which only the client's half passes by (DR): its input-only table, with its
// fourteen states folded into the four that this half can tell apart.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "dataplane/packet.h"
#include "dataplane/tcp_state.h"

namespace lbdp::dataplane {

/// kInit stands for IPVS's INIT1 to COOKIE-ECHOED, kShutdown for its three SHUTDOWN states, kClosed for CLOSED and
/// REJECTED. Only established associations count as active.
enum class SctpState : uint8_t { kNone, kInit, kEstablished, kShutdown, kClosed };
inline constexpr size_t kSctpStates = static_cast<size_t>(SctpState::kClosed) + 1;

/// What a packet means for the association, by its first chunk (RFC 9260, section 3.2).
enum class SctpEvent : uint8_t {
  kData,  // and all that has no other name here: SACK, HEARTBEAT and its answer, ECN, unknown chunks
  kInit,
  kInitAck,
  kCookieEcho,
  kCookieAck,
  kShutdown,
  kShutdownAck,
  kShutdownComplete,
  kError,
  kAbort,
};
inline constexpr size_t kSctpEvents = static_cast<size_t>(SctpEvent::kAbort) + 1;

[[nodiscard]] constexpr SctpEvent sctp_event_of_chunk(uint8_t chunk_type) {
  using enum SctpEvent;
  constexpr std::array<SctpEvent, 15> kEvents{kData,       kInit,      kInitAck,  kData,        kData,
                                              kData,       kAbort,     kShutdown, kShutdownAck, kError,
                                              kCookieEcho, kCookieAck, kData,     kData,        kShutdownComplete};
  return chunk_type < kEvents.size() ? kEvents[chunk_type] : kData;
}

/// Of the SCTP packet that begins at `l4_offset` and ends before `l4_end`. None: there is no whole chunk header. An
/// ABORT behind a cookie counts, as IPVS has it; INIT never has company.
[[nodiscard]] inline std::optional<SctpEvent> sctp_event(FrameView frame, uint32_t l4_offset, uint32_t l4_end) {
  constexpr uint32_t kChunkHeader = 4;
  const auto chunk = [&](uint32_t at) -> std::optional<SctpEvent> {
    if (at + kChunkHeader > l4_end || !frame.covers(at, kChunkHeader)) return std::nullopt;
    return sctp_event_of_chunk(frame.load<uint8_t>(at));
  };
  const uint32_t at = l4_offset + kSctpHeader;
  const auto first = chunk(at);
  if (first != SctpEvent::kCookieEcho && first != SctpEvent::kCookieAck) return first;
  const uint32_t length = frame.load_be<uint16_t>(at + 2).host();
  const bool aborts = length >= kChunkHeader && chunk(at + (length + 3) / 4 * 4) == SctpEvent::kAbort;
  return aborts ? SctpEvent::kAbort : first;
}

/// May this packet open an association? Only INIT does.
[[nodiscard]] constexpr bool opens_association(SctpEvent event) {
  return event == SctpEvent::kInit;
}

/// The state after a packet from the client. kNone is that of an association not seen before, if the caller takes it.
[[nodiscard]] constexpr SctpState next_sctp_state(SctpState state, SctpEvent event) {
  using enum SctpState;
  // A COOKIE ACK comes from a client whose server opened the association. IPVS remembers that by COOKIE-ECHOED, which
  // is kInit here.
  constexpr std::array<std::array<SctpState, kSctpStates>, kSctpEvents> kTable{{
      // NONE        INIT          ESTABLISHED   SHUTDOWN   CLOSED
      {kEstablished, kInit, kEstablished, kShutdown, kClosed},         // data
      {kInit, kInit, kEstablished, kShutdown, kInit},                  // INIT
      {kInit, kInit, kEstablished, kShutdown, kClosed},                // INIT ACK
      {kEstablished, kEstablished, kEstablished, kShutdown, kClosed},  // COOKIE ECHO
      {kEstablished, kEstablished, kEstablished, kShutdown, kClosed},  // COOKIE ACK
      {kShutdown, kInit, kShutdown, kShutdown, kClosed},               // SHUTDOWN
      {kClosed, kInit, kClosed, kShutdown, kClosed},                   // SHUTDOWN ACK
      {kClosed, kClosed, kEstablished, kClosed, kClosed},              // SHUTDOWN COMPLETE
      {kClosed, kInit, kEstablished, kShutdown, kClosed},              // ERROR
      {kClosed, kClosed, kClosed, kClosed, kClosed},                   // ABORT
  }};
  return kTable[static_cast<size_t>(event)][static_cast<size_t>(state)];
}

/// IPVS's timeouts: a quarter of an hour, or once the longest retransmission timeout and a second; of those of kInit
/// the one for a repeated INIT (for the first it is 4 s).
[[nodiscard]] constexpr std::chrono::seconds sctp_timeout(SctpState state) {
  switch (state) {
    case SctpState::kNone: return std::chrono::seconds(2);
    case SctpState::kEstablished: return std::chrono::seconds(900);
    default: return std::chrono::seconds(61);
  }
}

/// As a connection's entry has it.
[[nodiscard]] constexpr FlowState flow_state(SctpState state) {
  constexpr std::array<FlowState, kSctpStates> kStates{FlowState::kNone, FlowState::kSctpInit,
                                                       FlowState::kSctpEstablished, FlowState::kSctpShutdown,
                                                       FlowState::kSctpClosed};
  return kStates[static_cast<size_t>(state)];
}
/// And back; a state that is none of SCTP's is kNone.
[[nodiscard]] constexpr SctpState sctp_state(FlowState state) {
  for (size_t i = 0; i < kSctpStates; ++i) {
    if (flow_state(static_cast<SctpState>(i)) == state) return static_cast<SctpState>(i);
  }
  return SctpState::kNone;
}

/// The state's number in IPVS's connection sync.
[[nodiscard]] constexpr uint16_t sctp_sync_number(SctpState state) {
  constexpr std::array<uint16_t, kSctpStates> kNumbers{0, 2, 8, 10, 13};
  return kNumbers[static_cast<size_t>(state)];
}
/// And back; unknown numbers are kNone.
[[nodiscard]] constexpr SctpState sctp_state_of_sync_number(uint16_t number) {
  if (number >= 1 && number <= 7) return SctpState::kInit;
  if (number == 8) return SctpState::kEstablished;
  if (number >= 9 && number <= 11) return SctpState::kShutdown;
  return number == 12 || number == 13 ? SctpState::kClosed : SctpState::kNone;
}

}  // namespace lbdp::dataplane
