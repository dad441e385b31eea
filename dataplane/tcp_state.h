// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// IPVS's view of a TCP connection of which only the client's half passes by (DR), and its timeouts.

#include <array>
#include <cstdint>
#include <string_view>

#include "dataplane/packet.h"
#include "dataplane/parameters.h"

namespace lbdp::dataplane {

/// IPVS's state numbers (they go over the wire in its connection sync), and one more for UDP.
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
};
inline constexpr size_t kFlowStates = static_cast<size_t>(FlowState::kUdp) + 1;

/// As ipvsadm -Lnc prints it: "ESTABLISHED".
[[nodiscard]] constexpr std::string_view to_string(FlowState state) {
  constexpr std::array<std::string_view, kFlowStates> kNames{"NONE",     "ESTABLISHED", "SYN_SENT", "SYN_RECV",
                                                             "FIN_WAIT", "TIME_WAIT",   "CLOSE",    "CLOSE_WAIT",
                                                             "LAST_ACK", "LISTEN",      "SYNACK",   "UDP"};
  return kNames[static_cast<size_t>(state)];
}

/// Does a connection in this state count as active? All others, UDP too, count as inactive.
[[nodiscard]] constexpr bool is_active(FlowState state) {
  return state == FlowState::kEstablished || state == FlowState::kSynSent || state == FlowState::kSynRecv;
}

/// Has the client finished with the connection, so that a new SYN on the same ports is a new connection?
[[nodiscard]] constexpr bool is_over(FlowState state) {
  return state == FlowState::kTimeWait || state == FlowState::kClose || state == FlowState::kFinWait;
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
    const std::array<seconds, kFlowStates> lifetimes{seconds{2},  t.tcp,        seconds{120}, seconds{60},
                                                     t.tcpfin,    seconds{120}, seconds{10},  seconds{60},
                                                     seconds{30}, seconds{120}, seconds{120}, t.udp};
    for (size_t i = 0; i < kFlowStates; ++i) ticks_[i] = static_cast<Tick>(lifetimes[i].count() * kTicksPerSecond);
  }
  [[nodiscard]] constexpr Tick of(FlowState state) const { return ticks_[static_cast<size_t>(state)]; }
  [[nodiscard]] constexpr bool expired(FlowState state, Tick last_seen, Tick now) const {
    return ticks_between(last_seen, now) > of(state);
  }

 private:
  std::array<Tick, kFlowStates> ticks_{};
};

}  // namespace lbdp::dataplane
