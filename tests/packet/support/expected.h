// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// What must become of one frame, and the check that it did: the bytes that come out, and the one counter that says so.

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/packet/support/director.h"

namespace lbdp::packet_tests {

struct Expected {
  enum Kind { kForwarded, kPunted, kDropped, kHeld } kind;
  dataplane::PuntClass punt_class = dataplane::PuntClass::kBulk;
  std::string reason = {};
  unsigned server = 1;
};
inline Expected forwarded(unsigned server = 1) {
  return {.kind = Expected::kForwarded, .server = server};
}
inline Expected punted(dataplane::PuntClass c = dataplane::PuntClass::kBulk) {
  return {.kind = Expected::kPunted, .punt_class = c};
}
inline Expected dropped(const std::string& reason) {
  return {.kind = Expected::kDropped, .reason = reason};
}
inline Expected held() {
  return {.kind = Expected::kHeld};
}
inline std::map<std::string, uint64_t> drops(const std::string& reason, uint64_t count = 1) {
  return {{reason, count}};
}

/// The frame on its way to server(i), out of this port: two MAC addresses, and nothing else, are new.
inline Bytes sent_to(unsigned server, const Bytes& frame, uint16_t port = 0) {
  Bytes out = frame;
  const auto to = mac("02:00:00:00:01:0" + std::to_string(server)).bytes, from = mac(kPortMacs.at(port)).bytes;
  std::copy(to.begin(), to.end(), out.begin());
  std::copy(from.begin(), from.end(), out.begin() + 6);
  return out;
}

/// `outcome` is what one frame met. An ICMP error of our own may come with a drop.
inline void expect_fate(const Outcome& outcome, const Bytes& frame, const Expected& expected) {
  const auto kind = expected.kind;
  EXPECT_EQ(outcome.sent.size(), (kind == Expected::kForwarded ? 1U : 0U) + outcome.replies);
  EXPECT_EQ(outcome.punted.size(), kind == Expected::kPunted ? 1U : 0U);
  EXPECT_EQ(outcome.drops, kind == Expected::kDropped ? drops(expected.reason) : (std::map<std::string, uint64_t>{}));
  if (kind == Expected::kForwarded && outcome.sent.size() == 1) {
    EXPECT_EQ(hex(outcome.sent[0].bytes), hex(sent_to(expected.server, frame)));
    EXPECT_EQ(outcome.sent[0].port, 0);
  }
  if (kind == Expected::kPunted && outcome.punted.size() == 1) {
    EXPECT_EQ(to_string(outcome.punted[0].punt_class), to_string(expected.punt_class));
    EXPECT_EQ(hex(outcome.punted[0].bytes), hex(frame));
  }
}

/// Sends one frame and checks what became of it, and that the worker's counters add up.
inline void expect_fate(Director& director, const Bytes& frame, const Expected& expected, uint16_t worker = 0,
                        const Layout& layout = {}) {
  const uint64_t held_before = director.status(worker).held_fragments;
  expect_fate(director.send({frame}, worker, 0, layout), frame, expected);
  const auto status = director.status(worker);
  EXPECT_EQ(status.held_fragments - held_before, expected.kind == Expected::kHeld ? 1U : 0U);
  EXPECT_TRUE(adds_up(status));
}
inline void expect_fate(Director& director, const Frame& frame, const Expected& expected, uint16_t worker = 0) {
  expect_fate(director, frame.bytes(), expected, worker);
}

}  // namespace lbdp::packet_tests
