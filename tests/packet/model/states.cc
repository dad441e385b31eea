// SPDX-License-Identifier: BSD-2-Clause
#include "tests/packet/model/states.h"

#include <algorithm>
#include <map>

namespace lbdp::model {
namespace {

using Column = std::map<State, State>;  // from, to

const std::map<std::string, Column> kTcpTable{
    {"syn",
     {{"ESTABLISHED", "ESTABLISHED"},
      {"SYN_RECV", "SYN_RECV"},
      {"FIN_WAIT", "SYN_RECV"},
      {"TIME_WAIT", "SYN_RECV"},
      {"CLOSE", "SYN_RECV"}}},
    {"fin",
     {{"ESTABLISHED", "FIN_WAIT"},
      {"SYN_RECV", "TIME_WAIT"},
      {"FIN_WAIT", "FIN_WAIT"},
      {"TIME_WAIT", "TIME_WAIT"},
      {"CLOSE", "CLOSE"}}},
    {"ack",
     {{"ESTABLISHED", "ESTABLISHED"},
      {"SYN_RECV", "ESTABLISHED"},
      {"FIN_WAIT", "FIN_WAIT"},
      {"TIME_WAIT", "TIME_WAIT"},
      {"CLOSE", "CLOSE"}}},
    {"rst",
     {{"ESTABLISHED", "CLOSE"},
      {"SYN_RECV", "SYN_RECV"},
      {"FIN_WAIT", "CLOSE"},
      {"TIME_WAIT", "CLOSE"},
      {"CLOSE", "CLOSE"}}},
};

// By the association's state: INIT, ESTABLISHED, SHUTDOWN, CLOSED.
const std::map<std::string, Column> kSctpTable = [] {
  const auto row = [](State i, State e, State s, State c) {
    return Column{{"INIT", i}, {"ESTABLISHED", e}, {"SHUTDOWN", s}, {"CLOSED", c}};
  };
  const State i = "INIT", e = "ESTABLISHED", s = "SHUTDOWN", c = "CLOSED";
  return std::map<std::string, Column>{{"DATA", row(i, e, s, c)},         {"INIT", row(i, e, s, i)},
                                       {"INIT ACK", row(i, e, s, c)},     {"COOKIE ECHO", row(e, e, s, c)},
                                       {"COOKIE ACK", row(e, e, s, c)},   {"SHUTDOWN", row(i, s, s, c)},
                                       {"SHUTDOWN ACK", row(i, c, s, c)}, {"SHUTDOWN COMPLETE", row(c, e, c, c)},
                                       {"ERROR", row(i, e, s, c)},        {"ABORT", row(c, c, c, c)}};
}();

}  // namespace

State first_state(unsigned protocol, const std::string& event) {
  if (protocol == 17) return "UDP";
  if (protocol == 132) return "INIT";
  return event == "syn" ? "SYN_RECV" : "ESTABLISHED";  // the latter with sloppy_tcp
}

State next_state(unsigned protocol, const State& state, const std::string& event) {
  if (protocol == 17 || event == "none") return state;
  return (protocol == 6 ? kTcpTable : kSctpTable).at(event).at(state);
}

bool is_active(const State& state) {
  return state == "ESTABLISHED" || state == "SYN_RECV";
}

bool is_over(const State& state) {
  return state == "FIN_WAIT" || state == "TIME_WAIT" || state == "CLOSE" || state == "SHUTDOWN" || state == "CLOSED";
}

Ticks lifetime(unsigned protocol, const State& state) {
  static const std::map<State, int> kSeconds{{"ESTABLISHED", 900}, {"SYN_RECV", 60}, {"FIN_WAIT", 120},
                                             {"TIME_WAIT", 120},   {"CLOSE", 10},    {"UDP", 300}};
  const bool handshake_or_end = protocol == 132 && state != "ESTABLISHED";
  return (handshake_or_end ? 61 : kSeconds.at(state)) * kSecond;
}

Ticks lifetime_slack(const State& state) {
  const Ticks sixty_fourth = 300 * kSecond / 64;  // of the shorter of the two steady lifetimes
  return state == "ESTABLISHED" || state == "UDP" ? sixty_fourth : 0;
}

}  // namespace lbdp::model
