// SPDX-License-Identifier: BSD-2-Clause
#include "dataplane/ipv4_cut.h"

#include <algorithm>
#include <cstring>

#include "dataplane/internet_checksum.h"

namespace lbdp::dataplane {
namespace {

constexpr uint32_t kLengthAt = 2, kFragmentAt = 6, kChecksumAt = 10, kOptionsAt = kMinIpv4Header;
constexpr uint16_t kMoreFragments = 0x2000, kOffsetBits = 0x1fff;
constexpr uint8_t kEndOfOptions = 0, kNoOperation = 1, kCopied = 0x80;

uint16_t load16(const uint8_t* from) {
  uint16_t raw = 0;
  std::memcpy(&raw, from, sizeof raw);
  return Be<uint16_t>::from_raw(raw).host();
}
void store16(uint8_t* to, uint32_t host) {
  const uint16_t raw = Be<uint16_t>::from_host(static_cast<uint16_t>(host)).raw();
  std::memcpy(to, &raw, sizeof raw);
}

}  // namespace

Ipv4Cut::Ipv4Cut(std::span<const uint8_t> header, uint32_t ip_length, uint32_t room)
    : header_length_(static_cast<uint32_t>(header.size())), payload_(ip_length - header_length_), room_(room) {
  std::copy(header.begin(), header.end(), header_.begin());
  copy_options();
  if (first_payload() == 0 || later_payload() == 0) return;
  const uint32_t rest = payload_ - std::min(payload_, first_payload());
  const unsigned pieces = 1 + (rest + later_payload() - 1) / later_payload();
  // A fragment whose own offset leaves no room for the pieces' is nobody's honest packet.
  const uint32_t offset = load16(&header_[kFragmentAt]) & kOffsetBits;
  if (pieces <= kMostPieces && offset + payload_ / 8 <= kOffsetBits) count_ = pieces;
}

// Options whose copied flag is set go into every piece. What cannot be an option ends them.
void Ipv4Cut::copy_options() {
  std::copy_n(header_.begin(), kOptionsAt, later_.begin());
  later_length_ = kOptionsAt;
  for (uint32_t at = kOptionsAt; at < header_length_ && header_[at] != kEndOfOptions;) {
    if (header_[at] == kNoOperation) {
      ++at;
      continue;
    }
    const uint32_t length = at + 1 < header_length_ ? header_[at + 1] : 0;
    if (length < 2 || at + length > header_length_) break;
    if ((header_[at] & kCopied) != 0) {
      std::copy_n(&header_[at], length, &later_[later_length_]);
      later_length_ += length;
    }
    at += length;
  }
  later_length_ = (later_length_ + 3) & ~3U;  // the rest is 0: end of options
  later_[0] = static_cast<uint8_t>(0x40 | later_length_ / 4);
}

Ipv4Cut::Piece Ipv4Cut::piece(unsigned index) const {
  const bool first = index == 0, last = index + 1 == count_;
  Piece p;
  p.header = first ? header_ : later_;
  p.header_length = first ? header_length_ : later_length_;
  p.payload_offset = first ? 0 : first_payload() + (index - 1) * later_payload();
  p.payload_length = std::min(first ? first_payload() : later_payload(), payload_ - p.payload_offset);
  const uint32_t field = load16(&header_[kFragmentAt]);
  store16(&p.header[kLengthAt], p.header_length + p.payload_length);
  store16(&p.header[kFragmentAt], (field + p.payload_offset / 8) | (last ? 0U : kMoreFragments));
  store16(&p.header[kChecksumAt], 0);
  const auto checksum = internet_checksum({p.header.data(), p.header_length}).raw();
  std::memcpy(&p.header[kChecksumAt], &checksum, sizeof checksum);
  return p;
}

}  // namespace lbdp::dataplane
