// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// IPVS's view of a connection of which only the client's half passes by (DR), and its timeouts.

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "dataplane/packet.h"
#include "dataplane/parameters.h"

namespace lbdp::dataplane {

/// IPVS's state numbers for TCP (they go over the wire in its connection sync), one for UDP, and what a director that
/// sees the client's half only can tell of an SCTP association.
enum class FlowState : uint8_t {
  kNone,
  kEstablished,
  kSynSent,
  kSynRecv,
  kFinWait,
  kTimeWait,
  kClose,
  kCloseWait,
  kLastAck,
  kListen,
  kSynAck,
  kUdp,
  kSctpInit,
  kSctpEstablished,
  kSctpShutdown,
  kSctpClosed,
};
inline constexpr size_t kFlowStates = static_cast<size_t>(FlowState::kSctpClosed) + 1;
static_assert(kFlowStates <= 16, "a flow's entry has four bits for its state");

/// As ipvsadm -Lnc prints it: "ESTABLISHED".
[[nodiscard]] constexpr std::string_view to_string(FlowState state) {
  constexpr std::array<std::string_view, kFlowStates> kNames{
      "NONE",     "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT", "TIME_WAIT",   "CLOSE",    "CLOSE_WAIT",
      "LAST_ACK", "LISTEN",      "SYNACK",   "UDP",      "INIT",     "ESTABLISHED", "SHUTDOWN", "CLOSED"};
  return kNames[static_cast<size_t>(state)];
}

/// Does a connection in this state count as active? All others, UDP too, count as inactive.
[[nodiscard]] constexpr bool is_active(FlowState state) {
  return state == FlowState::kEstablished || state == FlowState::kSynSent || state == FlowState::kSynRecv ||
         state == FlowState::kSctpEstablished;
}

/// Has the client finished with the connection, so that a new SYN on the same ports is a new connection?
[[nodiscard]] constexpr bool is_over(FlowState state) {
  return state == FlowState::kTimeWait || state == FlowState::kClose || state == FlowState::kFinWait ||
         state == FlowState::kSctpShutdown || state == FlowState::kSctpClosed;
}

/// The state after a segment from the client. Precedence of flags: RST, SYN, FIN, ACK; a segment with none of them
/// changes nothing. `state` is one of TCP's.
[[nodiscard]] constexpr FlowState next_tcp_state(FlowState state, uint8_t tcp_flags) {
  using enum FlowState;
  constexpr std::array<std::array<FlowState, 11>, 4> kTable{{
      //  NONE       ESTABL.       SYN_SENT      SYN_RECV   FIN_WAIT      TIME_WAIT  CLOSE   CLOSE_WAIT  LAST_ACK LISTEN
      //  SYNACK
      {kSynRecv, kEstablished, kEstablished, kSynRecv, kSynRecv, kSynRecv, kSynRecv, kSynRecv, kSynRecv, kSynRecv,
       kSynRecv},
      {kClose, kFinWait, kSynSent, kTimeWait, kFinWait, kTimeWait, kClose, kCloseWait, kLastAck, kListen, kTimeWait},
      {kClose, kEstablished, kSynSent, kEstablished, kFinWait, kTimeWait, kClose, kCloseWait, kClose, kListen,
       kEstablished},
      {kClose, kClose, kClose, kSynRecv, kClose, kClose, kClose, kClose, kLastAck, kListen, kClose},
  }};
  const auto column = static_cast<size_t>(state);
  if ((tcp_flags & kTcpRst) != 0) return kTable[3][column];
  if ((tcp_flags & kTcpSyn) != 0) return kTable[0][column];
  if ((tcp_flags & kTcpFin) != 0) return kTable[1][column];
  if ((tcp_flags & kTcpAck) != 0) return kTable[2][column];
  return state;
}

/// The dataplane's coarse time: quarters of a second, modulo 2^26 (194 days), so that timeouts up to 31 days are exact
/// to a quarter of a second and the difference of two ticks says the age of any entry that the sweep has not met yet.
using Tick = uint32_t;
inline constexpr unsigned kTicksPerSecond = 4;
inline constexpr unsigned kTickBits = 26;
inline constexpr Tick kTickMask = (Tick{1} << kTickBits) - 1;
[[nodiscard]] constexpr Tick ticks_between(Tick earlier, Tick later) {
  return (later - earlier) & kTickMask;
}

/// How long a connection in each state lives after its last packet.
class TimeoutTable {
 public:
  explicit constexpr TimeoutTable(const Timeouts& t) {
    using std::chrono::seconds;
    const std::array<seconds, kFlowStates> lifetimes{
        seconds{2},  t.tcp,        seconds{120}, seconds{60}, t.tcpfin,    seconds{120}, seconds{10}, seconds{60},
        seconds{30}, seconds{120}, seconds{120}, t.udp,       seconds{61}, seconds{900}, seconds{61}, seconds{61}};
    for (size_t i = 0; i < kFlowStates; ++i) ticks_[i] = static_cast<Tick>(lifetimes[i].count() * kTicksPerSecond);
    patience_ = std::min(of(FlowState::kEstablished), of(FlowState::kUdp)) / 64;
  }
  [[nodiscard]] constexpr Tick of(FlowState state) const { return ticks_[static_cast<size_t>(state)]; }
  /// Ticks for which an entry's last-seen time may lag behind the steady connection's last packet, so that its line in
  /// the cache is written once in a while only: a 64th of the shortest steady lifetime. Connections live that much
  /// longer than their lifetime at most, and never shorter.
  [[nodiscard]] constexpr Tick patience() const { return patience_; }
  [[nodiscard]] constexpr bool expired(FlowState state, Tick last_seen, Tick now) const {
    const bool steady =
        state == FlowState::kEstablished || state == FlowState::kUdp || state == FlowState::kSctpEstablished;
    return ticks_between(last_seen, now) > of(state) + (steady ? patience_ : 0);
  }

 private:
  Tick patience_ = 0;
  std::array<Tick, kFlowStates> ticks_{};
};

}  // namespace lbdp::dataplane
