// SPDX-License-Identifier: BSD-2-Clause
#include "bench/worker/flow_source.h"

#include <algorithm>
#include <cstring>
#include <random>

namespace lbdp::bench {
namespace {

constexpr size_t kIp = 14;
constexpr size_t kUdp4 = kIp + 20, kUdp6 = kIp + 40;
constexpr uint16_t kFirstPort = 0x8000;  // and the 32,768 from there on

void put16(uint8_t* to, uint32_t value) {
  const auto raw = Be<uint16_t>::from_host(static_cast<uint16_t>(value)).raw();
  std::memcpy(to, &raw, sizeof raw);
}

void put32(uint8_t* to, uint32_t value) {
  const auto raw = Be<uint32_t>::from_host(value).raw();
  std::memcpy(to, &raw, sizeof raw);
}

uint32_t words_of(uint32_t value) {
  return (value >> 16) + (value & 0xffff);
}

uint32_t words_of(const uint8_t* bytes, size_t count) {
  uint32_t sum = 0;
  for (size_t i = 0; i < count; i += 2) sum += uint32_t{bytes[i]} << 8 | bytes[i + 1];
  return sum;
}

// RFC 1071
uint16_t checksum(uint32_t sum) {
  sum = words_of(sum);
  return static_cast<uint16_t>(~words_of(sum));
}

void put_address(uint8_t* to, const IpAddress& address) {
  std::copy(address.bytes().begin(), address.bytes().end(), to);
}

}  // namespace

FrameWriter::FrameWriter(Family family, const MacAddress& director) : family_(family) {
  uint8_t* const frame = template_.data();
  const MacAddress peer{{0x02, 0, 0, 0, 0xff, 0x01}};
  std::copy(director.bytes.begin(), director.bytes.end(), frame);
  std::copy(peer.bytes.begin(), peer.bytes.end(), frame + 6);
  const IpAddress vip = vip_of(family, 0);
  if (family == Family::kIpv4) {
    put16(frame + 12, 0x0800);
    put16(frame + kIp, 0x4500);
    put16(frame + kIp + 2, 46);            // total length
    put16(frame + kIp + 8, 64 << 8 | 17);  // TTL, UDP
    put16(frame + kUdp4 + 2, kServicePort);
    put16(frame + kUdp4 + 4, 26);
    constant_sum_ = words_of(frame + kIp, 20);
    put_address(frame + kIp + 16, vip);
  } else {
    put16(frame + 12, 0x86dd);
    frame[kIp] = 0x60;
    put16(frame + kIp + 4, 8);             // payload length
    put16(frame + kIp + 6, 17 << 8 | 64);  // UDP, hop limit
    put_address(frame + kIp + 24, vip);
    std::copy_n(frame + kIp + 24, 8, frame + kIp + 8);  // the clients' prefix is the VIP's, but for the subnet
    frame[kIp + 8 + 7] = 2;
    put16(frame + kUdp6 + 2, kServicePort);
    put16(frame + kUdp6 + 4, 8);
    // Pseudo-header (RFC 8200, 8.1) and UDP header, the low words of both addresses left out.
    constant_sum_ = words_of(frame + kIp + 8, 12) + words_of(frame + kIp + 24, 12) + 8 + 17 + kServicePort + 8;
  }
}

void FrameWriter::write(uint8_t* to, uint32_t client, uint16_t client_port, unsigned service) const {
  std::memcpy(to, template_.data(), kRoom);
  family_ == Family::kIpv4 ? write_ipv4(to, client, client_port, service)
                           : write_ipv6(to, client, client_port, service);
}

void FrameWriter::write_ipv4(uint8_t* to, uint32_t client, uint16_t client_port, unsigned service) const {
  const uint32_t vip = 0xc6120001U + service;  // vip_of()
  put32(to + kIp + 12, client);
  put32(to + kIp + 16, vip);
  put16(to + kIp + 10, checksum(constant_sum_ + words_of(client) + words_of(vip)));
  put16(to + kUdp4, client_port);
}

void FrameWriter::write_ipv6(uint8_t* to, uint32_t client, uint16_t client_port, unsigned service) const {
  put32(to + kIp + 20, client);
  put32(to + kIp + 36, service + 1);
  put16(to + kUdp6, client_port);
  const uint16_t sum = checksum(constant_sum_ + words_of(client) + words_of(service + 1) + client_port);
  put16(to + kUdp6 + 6, sum == 0 ? 0xffff : sum);
}

uint16_t FlowSource::on_receive(uint16_t, uint16_t, rte_mbuf** frames, uint16_t count, uint16_t, void* source) {
  return static_cast<FlowSource*>(source)->fill(frames, count);
}

FlowSource::~FlowSource() {
  for (rte_mbuf* frame : delayed_) rte_pktmbuf_free(frame);
}

bool FlowSource::set_pattern(Pattern pattern) {
  pattern_ = pattern;
  return pattern == Pattern::kOnce || delayed_.empty() || prepare_delayed();
}

bool FlowSource::prepare_delayed() {
  if (delayed_.front() == nullptr) {
    if (rte_pktmbuf_alloc_bulk(pool_, delayed_.data(), static_cast<unsigned>(delayed_.size())) != 0) return false;
    std::shuffle(delayed_.begin(), delayed_.end(), std::minstd_rand(1));
  }
  for (uint32_t i = 0; i < delayed_.size(); ++i) delayed_[i]->hash.usr = write(delayed_[i], i);
  return true;
}

uint16_t FlowSource::fill(rte_mbuf** frames, uint16_t count) noexcept {
  if (pattern_ == Pattern::kOnce) return fill_once(frames, count);
  if (!delayed_.empty()) {
    for (uint16_t i = 0; i < count; ++i) frames[i]->hash.usr = write(frames[i], i);
    delay(frames, count);
  } else {
    for (uint16_t i = 0; i < count; ++i) ++made_[write(frames[i], i)];
  }
  return count;
}

uint16_t FlowSource::fill_once(rte_mbuf** frames, uint16_t count) noexcept {
  const auto taken = static_cast<uint16_t>(std::min<uint32_t>(count, params_.flows - next_));
  for (uint16_t i = 0; i < taken; ++i) write_established(frames[i], params_.first_flow + next_++);
  if (taken < count) rte_pktmbuf_free_bulk(frames + taken, count - taken);
  made_[kEstablished] += taken;
  return taken;
}

// The buffer's own line is touched, as a driver does when it fills it in; the frame's is not.
void FlowSource::delay(rte_mbuf** frames, uint16_t count) noexcept {
  constexpr size_t kAhead = 32;
  for (uint16_t i = 0; i < count; ++i) {
    rte_mbuf* const frame = delayed_[oldest_];
    frame->data_len = frames[i]->data_len;
    frame->pkt_len = frames[i]->pkt_len;
    frame->port = frames[i]->port;
    ++made_[frame->hash.usr];
    delayed_[oldest_] = frames[i];
    frames[i] = frame;
    oldest_ = oldest_ + 1 == delayed_.size() ? 0 : oldest_ + 1;
    __builtin_prefetch(delayed_[(oldest_ + kAhead) % delayed_.size()]);
  }
}

FlowSource::Kind FlowSource::write(rte_mbuf* frame, uint32_t turn) noexcept {
  const bool fresh = pattern_ == Pattern::kFresh || (pattern_ == Pattern::kFlood && turn % 2 == 1);
  if (fresh) {
    write_fresh(frame);
    return kFresh;
  }
  write_established(frame, random_flow());
  return kEstablished;
}

// Knuth's MMIX generator; its upper bits, scaled without a division.
uint32_t FlowSource::random_flow() noexcept {
  random_ = random_ * 6364136223846793005U + 1442695040888963407U;
  return params_.first_flow + static_cast<uint32_t>((random_ >> 32) * params_.flows >> 32);
}

void FlowSource::write_established(rte_mbuf* frame, uint32_t flow) noexcept {
  const auto port = static_cast<uint16_t>(kFirstPort + flow * 7919U % 32768U);
  const unsigned service = params_.services == 1 ? 0 : flow % params_.services;
  writer_.write(rte_pktmbuf_mtod(frame, uint8_t*), kEstablishedClients + flow, port, service);
}

// 39 bits of address and port name a fresh flow: an odd multiplier makes them jump, and none comes twice before all
// have.
void FlowSource::write_fresh(rte_mbuf* frame) noexcept {
  uint32_t client = 0, port = 0;
  if (params_.fresh_clients == 0) {
    const uint64_t jump = (next_fresh_++ + (uint64_t{params_.stream} << 33)) * 0x9e3779b97f4a7c15U;
    client = static_cast<uint32_t>(jump & 0xffffff);
    port = static_cast<uint32_t>(jump >> 24) & 0x7fff;
  } else {
    client = fresh_client_++;
    port = fresh_port_ & 0x7fff;
    if (fresh_client_ == params_.fresh_clients) {
      fresh_client_ = 0;
      ++fresh_port_;
    }
  }
  writer_.write(rte_pktmbuf_mtod(frame, uint8_t*), kFreshClients + client, static_cast<uint16_t>(kFirstPort + port),
                params_.fresh_service);
}

}  // namespace lbdp::bench
