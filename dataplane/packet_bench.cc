// SPDX-License-Identifier: BSD-2-Clause
// The parser on frames that are hot in the cache: the short cut's, and those that need the general one.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <vector>

#include "dataplane/packet.h"

namespace lbdp::dataplane {
namespace {

constexpr size_t kFrames = 64;
const MacAddress kMac{{0x02, 0, 0, 0, 0, 1}};
using FrameBytes = std::array<uint8_t, 80>;

void put16(FrameBytes& frame, size_t at, uint16_t value) {
  frame[at] = static_cast<uint8_t>(value >> 8);
  frame[at + 1] = static_cast<uint8_t>(value);
}

FrameBytes ethernet(uint16_t ether_type) {
  FrameBytes frame{};
  std::copy(kMac.bytes.begin(), kMac.bytes.end(), frame.begin());
  put16(frame, 12, ether_type);
  return frame;
}

/// An IPv4 header without options at `l3`, and the ports behind it.
void put_ipv4(FrameBytes& frame, size_t l3, uint8_t protocol, uint16_t client_port) {
  put16(frame, l3, 0x4500);
  put16(frame, l3 + 2, 46);
  frame[l3 + 8] = 64;
  frame[l3 + 9] = protocol;
  frame[l3 + 12] = 10;
  frame[l3 + 16] = 198;
  put16(frame, l3 + 20, client_port);
  put16(frame, l3 + 22, 53);
  frame[l3 + 33] = kTcpAck;
}

FrameBytes ipv4(uint8_t protocol, uint16_t client_port) {
  FrameBytes frame = ethernet(0x0800);
  put_ipv4(frame, 14, protocol, client_port);
  return frame;
}

FrameBytes tagged(uint8_t protocol, uint16_t client_port) {
  FrameBytes frame = ethernet(0x8100);
  put16(frame, 14, 100);
  put16(frame, 16, 0x0800);
  put_ipv4(frame, 18, protocol, client_port);
  return frame;
}

FrameBytes ipv6(uint8_t protocol, uint16_t client_port) {
  FrameBytes frame = ethernet(0x86dd);
  frame[14] = 0x60;
  put16(frame, 18, 26);
  frame[20] = protocol;
  frame[21] = 64;
  frame[22] = 0x20;
  frame[38] = 0x20;
  put16(frame, 54, client_port);
  put16(frame, 56, 53);
  return frame;
}

void parse_frames(benchmark::State& state, FrameBytes (*make)(uint8_t, uint16_t), uint8_t protocol) {
  std::vector<FrameBytes> frames;
  for (uint16_t i = 0; i < kFrames; ++i) frames.push_back(make(protocol, static_cast<uint16_t>(1024 + i)));
  const MacWord our_mac(kMac);
  for (auto _ : state) {
    for (const FrameBytes& frame : frames) benchmark::DoNotOptimize(parse(FrameView(frame.data(), 80, 80, 0), our_mac));
  }
  state.SetItemsProcessed(static_cast<int64_t>(kFrames) * state.iterations());
}

/// The short cut, as the worker's first loop has it.
void parse_plain_frames(benchmark::State& state, uint8_t protocol) {
  std::vector<FrameBytes> frames;
  for (uint16_t i = 0; i < kFrames; ++i) frames.push_back(ipv4(protocol, static_cast<uint16_t>(1024 + i)));
  const MacWord our_mac(kMac);
  for (auto _ : state) {
    for (const FrameBytes& frame : frames)
      benchmark::DoNotOptimize(parse_plain(FrameView(frame.data(), 80, 80, 0), our_mac));
  }
  state.SetItemsProcessed(static_cast<int64_t>(kFrames) * state.iterations());
}

BENCHMARK_CAPTURE(parse_plain_frames, udp4, kIpProtocolUdp);
BENCHMARK_CAPTURE(parse_plain_frames, tcp4, kIpProtocolTcp);
BENCHMARK_CAPTURE(parse_frames, udp4, ipv4, kIpProtocolUdp);
BENCHMARK_CAPTURE(parse_frames, tcp4, ipv4, kIpProtocolTcp);
BENCHMARK_CAPTURE(parse_frames, udp4_vlan, tagged, kIpProtocolUdp);
BENCHMARK_CAPTURE(parse_frames, udp6, ipv6, kIpProtocolUdp);
BENCHMARK_CAPTURE(parse_frames, tcp6, ipv6, kIpProtocolTcp);

}  // namespace
}  // namespace lbdp::dataplane
